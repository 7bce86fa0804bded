"""How long does ComfyUI take to import the pack? Starts the real host several times and records its own figure and a finer one.

Run as ``python -m benchmarks.comfyui_startup NAME=FOLDER [NAME=FOLDER ...] --python PYTHON``: folders with a ``main.py``, and the
interpreter that has their requirements. The host's log gives tenths of a second; a second pack, loaded before ours, times the same call in
milliseconds.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from .scorers import save_results

ROOT = Path(__file__).resolve().parent.parent
PACK = "imagereward-curator"
PROBE = """
import functools, time, nodes
original = nodes.load_custom_node

@functools.wraps(original)
async def timed(path, *arguments, **named):
    began = time.perf_counter()
    try:
        return await original(path, *arguments, **named)
    finally:
        print(f"timed {1000 * (time.perf_counter() - began):.2f} ms {path}", flush=True)

nodes.load_custom_node = timed
NODE_CLASS_MAPPINGS = {}
"""


def start_once(host: Path, python: str) -> tuple[float, float]:
    """Seconds by the host's log, and milliseconds by the probe.

    Raises:
        RuntimeError: The host said neither.
    """
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "custom_nodes" / "probe").mkdir(parents=True)
        (base / "custom_nodes" / "probe" / "__init__.py").write_text(PROBE, encoding="utf-8")
        (base / "packs").mkdir()
        (base / "packs" / PACK).symlink_to(ROOT, target_is_directory=True)
        places = base / "paths.yaml"
        places.write_text(f"more:\n    base_path: {base}\n    custom_nodes: packs\n", encoding="utf-8")
        done = subprocess.run(
            [python, "main.py", "--cpu", "--quick-test-for-ci", "--disable-api-nodes"]
            + ["--base-directory", str(base), "--extra-model-paths-config", str(places)]
            + ["--database-url", f"sqlite:///{base / 'database'}"],
            cwd=host,
            capture_output=True,
            text=True,
            check=False,
        )
    text = done.stdout + done.stderr
    logged = re.search(rf"([\d.]+) seconds: .*{PACK}", text)
    timed = re.search(rf"timed ([\d.]+) ms .*{PACK}", text)
    if logged is None or timed is None:
        raise RuntimeError(f"the host did not say how long it took; the end of its output:\n{text[-2000:]}")
    return float(logged[1]), float(timed[1])


def measure(host: Path, python: str, times: int) -> dict[str, Any]:
    """Figures of several starts; the one before them, which may compile bytecode, is listed apart."""
    first = start_once(host, python)
    starts = [start_once(host, python) for _ in range(times)]
    milliseconds = [fine for _, fine in starts]
    return {
        "starts": times,
        "median_ms": round(statistics.median(milliseconds), 1),
        "most_ms": round(max(milliseconds), 1),
        "host_log_s": sorted({seconds for seconds, _ in starts}),
        "first_start_ms": round(first[1], 1),
    }


def main() -> None:
    """Measures and writes ``comfyui_startup.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hosts", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--python", required=True, help="the interpreter of the hosts")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--output", type=Path, help="folder for the result; by default benchmarks/results")
    options = parser.parse_args()
    hosts = dict(each.split("=", 1) for each in options.hosts)
    figures = {name: measure(Path(folder), options.python, options.times) for name, folder in hosts.items()}
    save_results(
        "comfyui_startup", {"what": "import of the pack by ComfyUI", "hosts": figures}, options.output
    )
    for name, row in figures.items():
        print(f"{name}: median {row['median_ms']} ms, most {row['most_ms']} ms, log {row['host_log_s']} s")


if __name__ == "__main__":
    main()
