"""A real ComfyUI, started by the tests and spoken to over HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.support.comfyui.fake_host import ROOT, Ran

PATIENCE = 300


class RealHost:
    """Starts ``main.py`` of a ComfyUI folder with its own base folder, our pack and the probe.

    Args:
        comfyui: The folder with ``main.py``.
        python: The interpreter that has the host's requirements.
        base: A folder for models, input, output, user and custom_nodes.
        pack: Our pack.
        flags: More arguments of the host, such as how it keeps results.
    """

    name = "real"

    def __init__(self, comfyui, python, base, pack=ROOT, flags=()):
        self.base = base
        self.workflow = None
        for name in ("models", "input", "output", "temp", "user", "custom_nodes"):
            (base / name).mkdir(parents=True, exist_ok=True)
        (base / "custom_nodes" / "imagereward-curator").symlink_to(pack, target_is_directory=True)
        for name in ("probe", "generator"):  # those of the tests
            (base / "custom_nodes" / name).symlink_to(Path(__file__).parent / name, target_is_directory=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = base / "host.log"
        arguments = ["--cpu", "--listen", "127.0.0.1", "--port", str(self.port), "--disable-auto-launch"]
        arguments += [
            "--base-directory",
            str(base),
            "--disable-api-nodes",
            "--database-url",
            f"sqlite:///{base / 'user' / 'db'}",
            *flags,
        ]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [python, "main.py", *arguments],
                cwd=comfyui,
                env={**environment, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "NO_COLOR": "1"},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait_for_start()
        self.version = self.call("/system_stats")["system"]["comfyui_version"]

    def _wait_for_start(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                self.call("/system_stats")
                return
            except (OSError, urllib.error.URLError):
                time.sleep(0.3)
        tail = self.log.read_text(errors="replace")[-3000:]
        self.close()
        raise RuntimeError(f"the host did not start; the end of its log:\n{tail}")

    def close(self):
        """Stops the host started here."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()

    def call(self, path, body=None):
        """A request to the host; the answer's JSON, also of an answer that says no."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            text = error.read()
        return json.loads(text) if text.strip() else None

    def trouble(self, **what):
        """Asks for trouble (see the probe), and forgets the bars seen so far."""
        self.call("/curator_probe/trouble", what)

    def bars(self):
        """Value and total of every movement of a bar since then."""
        return [tuple(each) for each in self.call("/curator_probe/bars")]

    def choices(self, node, name):
        """What a drop-down list of a node offers."""
        kind, *more = self.call(f"/object_info/{node}")[node]["input"]["required"][name]
        return kind if isinstance(kind, list) else more[0]["options"]

    def queue(self, graph):
        """Queues a prompt; returns its id, or a result where the host refused it."""
        extra = {"extra_pnginfo": {"workflow": self.workflow}} if self.workflow else {}
        answer = self.call("/prompt", {"prompt": graph, "client_id": "tests", "extra_data": extra})
        if "prompt_id" in answer:
            return answer["prompt_id"]
        return Ran("error", error=json.dumps(answer), kind="refused")

    def run(self, graph):
        """Queues a prompt and waits for its result."""
        queued = self.queue(graph)
        return self.result(queued) if isinstance(queued, str) else queued

    def result(self, prompt_id):
        """Waits for a prompt to end."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            history = self.call(f"/history/{prompt_id}")
            if history:
                return _ran(history[prompt_id])
            time.sleep(0.05)
        raise TimeoutError(f"the prompt did not end within {PATIENCE} s")

    def files(self, folder="output"):
        """All files below one of the host's folders, as relative paths."""
        root = self.base / folder
        return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def _ran(entry):
    messages = dict(entry["status"]["messages"])
    failed = messages.get("execution_error") or {}
    interrupted = "execution_interrupted" in messages
    return Ran(
        entry["status"]["status_str"],
        entry["outputs"],
        failed.get("exception_message", "").strip(),
        "InterruptProcessingException"
        if interrupted
        else failed.get("exception_type", "").rpartition(".")[2],
        messages.get("execution_cached", {}).get("nodes", []),
        failed.get("exception_type", ""),
    )


def from_environment(base, flags=()):
    """The host COMFYUI_PATH names, run by COMFYUI_PYTHON or this interpreter; None where it is not set."""
    comfyui = os.environ.get("COMFYUI_PATH")
    if not comfyui:
        return None
    return RealHost(Path(comfyui), os.environ.get("COMFYUI_PYTHON", sys.executable), base, flags=flags)
