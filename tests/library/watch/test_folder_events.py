"""The system's limit of watched folders, on the real thing: a process of its own for which it is low."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LIMIT = "/proc/sys/user/max_inotify_watches"
SCRIPT = """
import sys, time
from pathlib import Path
from imagereward_core.library.watch.folder_events import WatchLimitError, folder_events

root = Path(sys.argv[1])
try:
    with folder_events(root, lambda path: None) as alive:
        print("watched", alive())
        for name in sys.argv[2:]:
            (root / name).mkdir()
        end = time.monotonic() + 20
        while alive() and sys.argv[2:] and time.monotonic() < end:
            time.sleep(0.05)
        print("then", alive())
except WatchLimitError as error:
    print("limit", error)
"""


def watched(folder: Path, most: int, *later: str) -> list[str]:
    """What a watch of ``folder`` says where the system allows ``most`` folders; ``later`` are made in it while it lasts."""
    pytest.importorskip("watchdog")
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare")
    command = ["unshare", "-Ur", "sh", "-c", f'echo {most} > {LIMIT} || exit 77; exec "$@"', "sh"]
    done = subprocess.run(
        [*command, sys.executable, "-c", SCRIPT, str(folder), *later],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("the limit cannot be set here")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def folder(tmp_path):
    for name in "abc":
        (tmp_path / "out" / name).mkdir(parents=True)
    return tmp_path / "out"


def test_more_folders_than_the_system_watches_are_noticed(folder):
    """Newer versions of watchdog leave those beyond the limit out without a word."""
    (said,) = watched(folder, 3)
    assert said.startswith("limit") and "max_user_watches" in said


def test_folders_made_later_beyond_the_limit_are_noticed(folder):
    assert watched(folder, 5, "d", "e") == ["watched True", "then False"]


def test_as_many_as_the_system_watches_are_watched(folder):
    assert watched(folder, 50) == ["watched True", "then True"]
