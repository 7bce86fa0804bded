"""``imagereward open`` as a program of its own, for measurements and for tests."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 180
"""Seconds."""


class Server:
    """The command over a folder, at a free port."""

    def __init__(self, folder: Path, home: Path, *options: str) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
            "XDG_DATA_HOME": str(home),
            "PYTHONUNBUFFERED": "1",
        }
        self.log = Path(home) / "open.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "imagereward_core", "open", str(folder), "--no-browser", *options],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        waits = threading.Timer(PATIENCE, self.process.kill)
        waits.start()
        said = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said += line
            if line.startswith("Open "):
                break
        waits.cancel()
        found = re.search(r"http://\S+", said)
        assert found, self.log.read_text("utf-8")
        self.address = found[0]

    def close(self) -> int | None:
        """As Ctrl-C does it; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = None
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code
