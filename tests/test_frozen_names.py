"""What users have saved keeps its name and its place: graphs, API calls, presets, settings, scripts, metadata, stores and journals.

``frozen_names.json`` is the list. Names may be added, at the end where order counts; none may go, change or move. To add what is new:
``python -m tests.test_frozen_names``.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
from dataclasses import fields
from pathlib import Path

import pytest

FILE = Path(__file__).with_name("frozen_names.json")


def nodes():
    """Of every node the ids of inputs and outputs, in order: old graphs keep widget values and links by place."""
    from tests.support.comfyui.pack import schemas

    return {
        name: {
            "inputs": [f"{each.id}: {each.io_type}" for each in schema.inputs],
            "outputs": [each.io_type for each in schema.outputs],
        }
        for name, schema in schemas().items()
    }


def script_arguments():
    """Arguments of the always-on script, in order: the API passes them by place."""
    from webui_extension.script.arguments import Settings

    return [each.name for each in fields(Settings)]


def settings():
    """Keys of the settings page."""
    from webui_extension import settings_page

    return [each.key for each in settings_page.SETTINGS]


def api():
    """Fields of requests and answers."""
    pytest.importorskip("pydantic")
    from pydantic import BaseModel

    from webui_extension.api import schemas

    return {
        name: list(model.model_fields if hasattr(model, "model_fields") else model.__fields__)
        for name, model in vars(schemas).items()
        if isinstance(model, type) and issubclass(model, BaseModel) and model is not BaseModel
    }


def metadata():
    """Keys under which scores and settings stand in pictures."""
    from imagereward_core.metadata.score_keys import METADATA_KEY, score_key
    from imagereward_core.weights.cards import CARDS
    from webui_extension.script.arguments import KEY

    return {"block": METADATA_KEY, "infotext": KEY, "scorers": {name: score_key(name) for name in CARDS}}


def command():
    """Options of every command, and those without a dash in their order; commands of the lab are loaded for it."""
    from imagereward_core.cli.main import build_parser

    found = {}

    def look(parser, name):
        if getattr(parser, "declare", None):
            parser.declare(parser)
        actions = [each for each in parser._actions if not isinstance(each, argparse._SubParsersAction)]
        found[name] = {
            "options": sorted({text for each in actions for text in each.option_strings}),
            "arguments": [each.dest for each in actions if not each.option_strings],
        }
        for each in parser._actions:
            if isinstance(each, argparse._SubParsersAction):
                for key, inner in each._name_parser_map.items():
                    look(inner, f"{name} {key}")

    look(build_parser(), "imagereward")
    return found


def tables(folder):
    """Columns of every table of a new store, journal and file of answers, and how far their formats have come."""
    from imagereward_core.library import AnswerStore, Library

    with Library.open(folder / "store", root=folder) as library, library.journal():
        pass
    AnswerStore.open(folder / "store").close()
    found = {}
    for file in ("library.sqlite3", "journal.sqlite3", "answers.sqlite3"):
        with sqlite3.connect(folder / "store" / file) as connection:
            names = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            ).fetchall()
            found[file] = {
                "application": connection.execute("PRAGMA application_id").fetchone()[0],
                "version": connection.execute("PRAGMA user_version").fetchone()[0],
                "tables": {
                    name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
                    for (name,) in names
                },
            }
        connection.close()
    return found


def results():
    """Columns of the tables that commands and the API write."""
    from imagereward_core.report.rows import JudgedRow

    return [each.name for each in fields(JudgedRow)]


def now(folder):
    """The names as they are."""
    return {
        "nodes": nodes(), "script arguments": script_arguments(), "settings": settings(), "api": api(), "metadata": metadata(),
        "command": command(), "store and journal": tables(folder), "results": results(),
    }  # fmt: skip


def gone(frozen, present, path=""):
    """Where the names that are frozen are not there any more, or not in their place."""
    if isinstance(frozen, dict):
        for key, value in frozen.items():
            if key not in present:
                yield f"{path}/{key}"
            else:
                yield from gone(value, present[key], f"{path}/{key}")
    elif isinstance(frozen, list):
        same = set(frozen) <= set(present) if path.endswith("/options") else frozen == present[: len(frozen)]
        if not same:
            yield f"{path}: {frozen} became {present}"
    elif frozen != present and not (path.endswith("/version") and present > frozen):
        yield f"{path}: {frozen} became {present}"


def test_nothing_that_users_have_saved_has_lost_its_name_or_its_place(tmp_path):
    frozen = json.loads(FILE.read_text(encoding="utf-8"))
    assert not list(gone(frozen, now(tmp_path)))


def test_options_of_commands_that_are_loaded_late_are_among_the_names():
    from imagereward_core.cli.lab import LAB_COMMANDS

    frozen = json.loads(FILE.read_text(encoding="utf-8"))["command"]
    bare = [
        name
        for name in LAB_COMMANDS
        if not any(
            {*each["options"]} - {"-h", "--help"}
            for key, each in frozen.items()
            if key.startswith(f"imagereward {name}")
        )
    ]
    assert not bare


def test_a_name_that_went_or_moved_would_be_noticed():
    frozen = {"a": ["x", "y"], "b": {"options": ["-q"]}}
    assert not list(gone(frozen, {"a": ["x", "y", "z"], "b": {"options": ["-v", "-q"]}, "c": 1}))
    assert list(gone(frozen, {"a": ["y", "x"], "b": {"options": ["-q"]}}))
    assert list(gone(frozen, {"a": ["x"], "b": {"options": ["-q"]}}))
    assert list(gone(frozen, {"a": ["x", "y"], "b": {"options": []}}))


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as base:
        FILE.write_text(json.dumps(now(Path(base)), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
