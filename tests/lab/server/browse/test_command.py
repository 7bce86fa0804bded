"""``imagereward open`` as a command: what it refuses before it serves anything."""

from __future__ import annotations

import socket

import pytest

from imagereward_core.cli.main import main
from tests.support.command import Outcome, save_picture


@pytest.fixture
def run(capsys):
    """Runs the command in this process."""

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


def test_a_folder_that_is_not_there_is_wrong_usage(run, tmp_path):
    done = run("open", tmp_path / "nothing", "--no-browser")
    assert done.code == 2 and "no folder" in done.err and not (tmp_path / "nothing").exists()


def test_a_port_that_is_taken_is_said_and_nothing_is_left_running(run, tmp_path):
    save_picture(tmp_path / "a.png", (1, 2, 3), "a cat")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("open", tmp_path, "--no-browser", "--no-watch", "--port", port)
    assert done.code == 4 and "--port" in done.err and "Open http" not in done.out
