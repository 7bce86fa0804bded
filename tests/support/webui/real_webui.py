"""A real WebUI, started by the tests with the tiny generator and spoken to over HTTP."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from PIL import Image

from tests.support.webui.checkpoint import NAME, write_checkpoint

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PATIENCE = 300
TITLE = "ImageReward Curator"
COMMON = [
    "--skip-prepare-environment",
    "--skip-torch-cuda-test",
    "--skip-python-version-check",
    "--skip-version-check",
    "--api",
    "--api-server-stop",
]
ELDER = ["--no-download-sd-model", "--disable-console-progressbars"]
# Forge Neo ends at an argument that it does not know.
OWN = {
    "a1111": [*ELDER, "--do-not-download-clip", "--no-half", "--use-cpu", "all", "--disable-nan-check"],
    "forge": [*ELDER, "--always-cpu"],
    "neo": ["--cpu"],
    "reforge": [*ELDER, "--always-cpu"],
    "classic": [*ELDER, "--always-cpu"],
}
SETTINGS = {
    # Otherwise they write the infotext into the alpha channel while saving, when nobody can score the picture any more (Forge always,
    # reForge until its settings are saved once).
    "forge": {"stealth_pnginfo_option": "None"},
    # The other three: so that it needs no file from the network.
    # Without the first it waits for a key at its start.
    "neo": {"VERSION_UID": "PY313", "show_progress_type": "Approx cheap"},
    "reforge": {
        "stealth_pnginfo_opt": "None",
        "sd_text_encoder": "None",
        "live_previews_enable": False,
        "show_progress_type": "Approx cheap",
    },
}

# As of a WebUI that was started before. At its very first start Forge Neo's prompts have no value, and it pastes nothing into a widget
# without one.
REMEMBERED = {
    "neo": {
        f"{tab}/{label}/value": ""
        for tab in ("txt2img", "img2img")
        for label in ("Prompt", "Negative Prompt")
    },
}


def kind_of(webui):
    """Which host lies in a folder."""
    version = webui / "modules_forge" / "forge_version.py"
    said = version.read_text("utf-8") if version.is_file() else ""
    if (webui / "backend" / "memory_management.py").is_file():
        return "neo" if 'version = "neo"' in said else "forge"
    if (webui / "ldm_patched" / "modules" / "model_management.py").is_file():
        return "classic" if 'version = "classic"' in said else "reforge"
    return "a1111"


def make_checkpoint(webui, python, folder):
    """The tiny generator in the host's folder for checkpoints."""
    found = sorted(Path(python).parent.parent.rglob("open_clip/bpe_simple_vocab_16e6.txt.gz"))
    found += [webui / "backend/huggingface/runwayml/stable-diffusion-v1-5/tokenizer/merges.txt"]
    assert found[0].is_file(), (
        "CLIP's merges come with open_clip, or with Forge Neo's own copy of a tokenizer"
    )
    write_checkpoint(folder, found[0], webui if kind_of(webui) in ("forge", "neo") else None)


class RealWebUI:
    """Starts ``launch.py`` with a data folder of its own, our extension and those of the tests.

    Args:
        webui: The host's folder.
        python: The interpreter that has its requirements.
        base: The data folder; settings and outputs stay in it from one start to the next.
        arguments: Further ones for the host.
        guests: Folders of further extensions.
        options: Settings it begins with.
    """

    def __init__(self, webui, python, base, arguments=(), guests=(), **options):
        self.webui, self.base, self.kind = Path(webui), Path(base), kind_of(Path(webui))
        models = self.base / "models" / "Stable-diffusion"
        if not (models / NAME).is_file():
            make_checkpoint(self.webui, python, models)
        for name, source in (
            ("imagereward-curator", ROOT),
            ("probe", HERE / "hosts" / "probe"),
            ("tiny_model", HERE / "hosts" / "tiny_model"),
            *((Path(guest).name, Path(guest)) for guest in guests),
        ):
            link = self.base / "extensions" / name
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.exists():
                link.symlink_to(source, target_is_directory=True)
        (self.base / "config.json").write_text(json.dumps({**SETTINGS.get(self.kind, {}), **options}))
        remembered = self.base / "ui-config.json"
        if self.kind in REMEMBERED and not remembered.exists():
            remembered.write_text(json.dumps(REMEMBERED[self.kind]))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = self.base / "host.log"
        self._start(python, arguments)

    def _start(self, python, arguments):
        environment = {name: value for name, value in os.environ.items() if name != "COMMANDLINE_ARGS"}
        environment |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        environment |= {"GRADIO_ANALYTICS_ENABLED": "False", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
        allowed = [
            "--gradio-allowed-path",
            str(self.webui),
        ]  # with --data-dir Forge serves none of its own scripts
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [python, "launch.py", *COMMON, *OWN[self.kind], *allowed, "--port", str(self.port)]
                + ["--data-dir", str(self.base), *arguments],
                cwd=self.webui,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_for_start()

    def wait_for_start(self, times=1):
        """Until the log has said so often that the host has started; a request before that can end it."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            # Without a page the line comes a moment before the port is open.
            if self.text().count("Startup time") >= times and self._listens():
                return
            time.sleep(0.3)
        tail = self.text()[-3000:]
        self.close()
        raise RuntimeError(f"the host did not start; the end of its log:\n{tail}")

    def _listens(self):
        with socket.socket() as trial:
            return trial.connect_ex(("127.0.0.1", self.port)) == 0

    def text(self):
        """The log so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def close(self):
        """Stops the host started here."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()

    def call(self, path, body=None, method=None, headers=None):
        """A request; returns (status, JSON), also of an answer that says no."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data,
            {"Content-Type": "application/json", **(headers or {})},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def probe(self, what, **named):
        """Tells the test's extension something."""
        query = urllib.parse.urlencode(named)
        status, answer = self.call(f"/probe/{what}?{query}")
        assert status == 200, answer
        return answer

    def generate(self, settings=None, kind="txt2img", **changes):
        """Makes pictures; ``settings`` are those of our script."""
        body = {
            "prompt": "a red star on a gray background",
            "steps": 1,
            "width": 64,
            "height": 64,
            "seed": 7,
            "sampler_name": "Euler",
            "batch_size": 2,
            "save_images": True,
            **changes,
        }
        if settings is not None:
            body["alwayson_scripts"] = {TITLE: {"args": [{"enabled": True, "scorer": "demo", **settings}]}}
        before = self.files()
        status, answer = self.call(f"/sdapi/v1/{kind}", body)
        assert status == 200, answer
        return Generated(answer, [path for path in self.files() if path not in before], self.base)

    def files(self):
        """Every file in the output folders, in the order of their making."""
        folder = self.base / ("output" if (self.base / "output").is_dir() else "outputs")
        found = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
        return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))


class Generated:
    """An answer of the host, and the files it made."""

    def __init__(self, answer, files, base):
        self.info = json.loads(answer["info"])
        self.images = [Image.open(io.BytesIO(base64.b64decode(each))) for each in answer["images"]]
        self.files = [path for path in files if "grid" not in path.name and path.suffix == ".png"]
        self.all_files = files
        self.infotexts = self.info["infotexts"]
        self.first = self.info["index_of_first_image"]

    def saved(self, folder=""):
        """The pictures saved in a folder of that name (empty: not in rejects), with their infotexts."""
        inside = [path for path in self.files if (folder or "rejects") in path.parts]
        chosen = inside if folder else [path for path in self.files if path not in inside]
        return [(path, Image.open(path).info["parameters"]) for path in chosen]

    def pixels(self):
        """Of every picture in the answer."""
        return [image.convert("RGB").tobytes() for image in self.images]
