"""``imagereward open`` as a command: what it refuses before it serves anything, and which library it serves."""

from __future__ import annotations

import socket
import time
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from imagereward_core.cli.main import main
from imagereward_core.library.library import Library
from imagereward_core.library.places import TAB_FOLDER
from imagereward_lab.server.hosts import Hosts
from imagereward_lab.server.start import Listening
from tests.support.command import Outcome, save_picture
from tests.support.lab.server import BASE
from tests.support.library.curation import demo_panel

COLOURS = ((200, 30, 30), (30, 200, 30))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    where = tmp_path / "home"
    monkeypatch.setenv("XDG_DATA_HOME", str(where))
    monkeypatch.delenv("IMAGEREWARD_MODELS", raising=False)
    return where


@pytest.fixture
def run(capsys):
    """Runs the command in this process."""

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def shown(run, monkeypatch):
    """Runs ``open`` and asks its page instead of waiting for Ctrl-C: what ``ask`` returns, and what was said."""

    def call(folder, *options, ask=lambda deck: deck(), small=False):
        found = []

        def served(make, **_):
            with TestClient(make(Listening(BASE, Hosts.of("127.0.0.1"))), base_url=BASE) as client:
                found.append(ask(lambda **told: client.post("/open/deck", json=told).json()))
                for picture in found[0]["pictures"] if small else ():
                    assert client.get(f"/open/pictures/small/{picture['id']}").status_code == 200

        monkeypatch.setattr("imagereward_lab.server.options.serve", served)
        done = run("open", folder, *options)
        return SimpleNamespace(code=done.code, err=done.err, found=found[0] if found else None)

    return call


@pytest.fixture
def outputs(tmp_path):
    folder = tmp_path / "webui" / "outputs"
    for number, colour in enumerate(COLOURS):
        save_picture(folder / f"{number}.png", colour, "a cat")
    return folder


def stars(deck):
    return {picture["file"]: picture["stars"] for picture in deck["pictures"]}


def tree(folder):
    return {path.relative_to(folder) for path in folder.rglob("*")}


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


def test_what_was_said_in_the_webuis_tab_is_shown_also_by_a_folder_that_was_opened_before(shown, outputs):
    every = {"filter": {"show": "failed"}}  # nothing was scored yet
    first = shown(outputs, "--no-watch")
    assert first.code == 0 and "WebUI" not in first.err
    assert (outputs / ".imagereward" / "library.sqlite3").is_file()
    place = outputs.parent / TAB_FOLDER
    with Library.open(place, root=outputs) as library:
        library.scan([outputs], None)
        library.set_stars(outputs / "1.png", 4)
    again = shown(outputs, "--no-watch", ask=lambda deck: deck(**every))
    assert stars(again.found) == {"0.png": None, "1.png": 4}
    assert f"The WebUI's tab knows these pictures: its library in {place} is used" in again.err
    own = shown(outputs, "--no-watch", "--store", outputs / ".imagereward", ask=lambda deck: deck(**every))
    assert "WebUI" not in own.err and set(stars(own.found).values()) <= {None}


@pytest.mark.parametrize("more", [(), ("--no-watch",), ("--read-only",)])
@pytest.mark.parametrize(
    ("scorer", "code", "said"),
    [
        ("NOSUCH", 2, "no scorer is called 'NOSUCH'; expected one of ImageReward-v1.0"),
        ("demo=1,NOSUCH=1", 2, "no scorer is called 'NOSUCH'"),
        ("blend:NOSUCH", 2, "no blend is called 'NOSUCH'"),
        ("demo=x", 2, "the weight of demo is 'x'"),
        ("nothing.safetensors", 3, "there is no checkpoint nothing.safetensors"),
    ],
)
def test_a_scorer_that_does_not_exist_is_refused_before_anything_is_served(
    shown, outputs, scorer, code, said, more
):
    done = shown(outputs, "--scorer", scorer, *more)
    assert done.code == code and said in done.err and done.found is None


def test_a_further_scorer_that_does_not_exist_is_refused_and_one_whose_weights_are_gone_is_shown(
    shown, outputs
):
    assert shown(outputs, "--also", "NOSUCH").code == 2
    with Library.open(outputs / ".imagereward", root=outputs) as library:
        library.scan([outputs], demo_panel())
        with library.database.writing() as connection:
            connection.execute("UPDATE scorers SET scorer = 'mine'")
    done = shown(outputs, "--scorer", "mine", "--no-watch")
    assert done.code == 0 and done.found["total"] == len(COLOURS)
    assert shown(outputs, "--scorer", "mine").code == 2


def everything(deck):
    """All pictures, once they are there."""
    until = time.monotonic() + 60
    while (found := deck(filter={"show": "failed"}))["counts"]["all"] < len(COLOURS):
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


def test_a_folder_without_a_store_is_shown_for_looking_and_nothing_is_made_anywhere(shown, outputs, tmp_path):
    before = tree(tmp_path)
    done = shown(outputs, "--read-only", ask=everything)
    assert done.code == 0 and set(stars(done.found)) == {"0.png", "1.png"}
    assert "Nothing is stored about" in done.err and tree(tmp_path) == before


def test_a_store_that_is_looked_at_stays_as_it_is_and_small_copies_go(run, shown, outputs, tmp_path):
    assert run("stars", outputs, "--set", "3", "1.png").code == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    done = shown(outputs, "--read-only", ask=everything, small=True)
    assert done.code == 0 and stars(done.found) == {"0.png": None, "1.png": 3}
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_store_that_is_named_and_is_not_there_is_no_empty_folder_for_who_only_looks(
    shown, outputs, tmp_path
):
    before = tree(tmp_path)
    done = shown(outputs, "--read-only", "--store", tmp_path / "nothing" / "x")
    assert done.code == 2 and "holds no store" in done.err and done.found is None
    assert tree(tmp_path) == before
