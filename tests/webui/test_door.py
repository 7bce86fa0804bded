"""How the extension meets the host: what is registered, what a failing part costs, and what Reload UI takes back."""

from __future__ import annotations

import configparser
import logging
import shutil
import subprocess
import sys
import types

import pytest

from tests.support.webui.fake_webui import ROOT, ours


def part(monkeypatch, name, **functions):
    """A part of the extension that has these functions."""
    full = f"imagereward_webui.{name}"
    module = types.ModuleType(full)
    module.__spec__ = types.SimpleNamespace(name=full)
    for each, function in functions.items():
        setattr(module, each, function)
    monkeypatch.setitem(sys.modules, full, module)


@pytest.fixture
def door(one_host, monkeypatch):
    module = ours("door")
    one_host.callbacks.registered.clear()
    monkeypatch.setattr(module, "PARTS", ("first", "absent", "second"))
    return module


def test_a_part_joins_by_what_it_has(door, one_host, monkeypatch):
    class Offered:
        pass

    seen = []
    part(
        monkeypatch,
        "first",
        on_ui_tabs=lambda: ["a tab"],
        make_script=lambda: Offered,
        connect=lambda given: seen.append(given.root),
    )
    part(monkeypatch, "second", make_script=lambda: None)
    assert door.connect(ROOT) == [Offered] and seen == [ROOT]
    assert [each() for each in one_host.callbacks.registered["ui_tabs"]] == [["a tab"]]


@pytest.mark.parametrize("where", ["connect", "make_script"])
def test_a_part_that_fails_is_one_line_in_the_log_and_the_others_work(door, monkeypatch, caplog, where):
    def broken(*given):
        raise RuntimeError("no such thing")

    joined = []
    part(monkeypatch, "first", **{where: broken})
    part(monkeypatch, "second", connect=lambda given: joined.append(1))
    with caplog.at_level(logging.WARNING):
        door.connect(ROOT)
    assert joined == [1]
    assert [record.getMessage() for record in caplog.records] == [
        "ImageReward Curator: the part 'first' could not be started and is left out: RuntimeError: no such thing"
    ]


def test_in_sdnext_nothing_is_joined_and_one_line_says_so(door, one_host, monkeypatch, caplog):
    part(monkeypatch, "first", make_script=lambda: object)
    monkeypatch.setitem(sys.modules, "modules.scripts_manager", types.ModuleType("modules.scripts_manager"))
    with caplog.at_level(logging.WARNING):
        assert door.connect(ROOT) == []
    assert one_host.callbacks.registered == {}
    assert len(caplog.records) == 1 and "SD.Next is not supported" in caplog.text


def test_a_missing_package_is_one_line_and_the_parts_join(door, monkeypatch, caplog):
    joined = []
    part(monkeypatch, "first", connect=lambda given: joined.append(1))
    found = door.importlib.util.find_spec
    monkeypatch.setattr(
        door.importlib.util, "find_spec", lambda name, *more: None if name == "ftfy" else found(name, *more)
    )
    with caplog.at_level(logging.WARNING):
        door.connect(ROOT)
    assert joined == [1]
    assert len(caplog.records) == 1 and "pip install ftfy" in caplog.text


def test_a_callback_that_fails_leaves_the_host_a_usable_answer(door, one_host, monkeypatch, caplog):
    def broken(*given):
        raise RuntimeError("no page")

    part(monkeypatch, "first", on_ui_tabs=broken, on_ui_settings=broken)
    door.connect(ROOT)
    assert [each() for each in one_host.callbacks.registered["ui_tabs"]] == [[]]
    assert [each() for each in one_host.callbacks.registered["ui_settings"]] == [None]
    assert caplog.text.count("no page") >= 2


def test_a_reload_takes_everything_back_in_reverse_order_even_if_one_thing_fails(door, one_host, monkeypatch):
    undone = []

    def broken():
        undone.append("broken")
        raise RuntimeError("stuck")

    def connect(given):
        given.on_unload(lambda: undone.append("one"))
        given.on_unload(broken)

    part(monkeypatch, "first", connect=connect, close=lambda: undone.append("closed"))
    part(monkeypatch, "second", close=lambda: undone.append("second"))
    door.connect(ROOT)
    one_host.callbacks.call("script_unloaded")
    assert undone == ["second", "broken", "one", "closed"]
    one_host.callbacks.call("script_unloaded")
    assert len(undone) == 4


def test_an_event_the_host_does_not_have_is_passed_over(door, one_host, monkeypatch):
    part(monkeypatch, "first", on_future_event=lambda: None, on_ui_tabs=lambda: [])
    door.connect(ROOT)
    assert "ui_tabs" in one_host.callbacks.registered and "future_event" not in one_host.callbacks.registered


def test_hosts_that_know_no_names_of_callbacks_get_them_without(door, one_host, monkeypatch):
    calls = []
    monkeypatch.setattr(one_host.callbacks, "on_ui_tabs", lambda callback: calls.append(callback))
    part(monkeypatch, "first", on_ui_tabs=lambda: ["a tab"])
    door.connect(ROOT)
    assert [each() for each in calls] == [["a tab"]]


def test_the_folder_does_not_stay_on_the_path_of_every_extension(door, one_host, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT), "elsewhere", str(ROOT)])
    door.connect(ROOT)
    one_host.callbacks.call("app_started", None, None)
    assert sys.path == ["elsewhere"]


# The script as a host executes it: under its file's name, not in sys.modules, from a copy that an update may change.
RUN = """
import importlib.util, logging, os, sys, types
root = {root!r}
modules = types.ModuleType("modules"); modules.__path__ = []
callbacks = types.ModuleType("modules.script_callbacks")
registered = []
callbacks.__getattr__ = lambda name: (lambda function, name=None: registered.append(function))
sys.modules |= {{"modules": modules, "modules.script_callbacks": callbacks}}
modules.script_callbacks = callbacks
def load():
    spec = importlib.util.spec_from_file_location("imagereward.py", root + "/scripts/imagereward.py")
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    sys.path = [root] + sys.path
    spec.loader.exec_module(module)
    sys.path = before
    return module
{code}
"""


@pytest.fixture
def clone(tmp_path):
    """A copy of what the door needs, in a folder with a name people give folders."""
    root = tmp_path / "my extensions ü" / "imagereward-curator-main"
    for folder in ("scripts", "webui_extension", "imagereward_core"):
        shutil.copytree(
            ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "*.safetensors")
        )
    return root


def run(root, code):
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(root=str(root), code=code)],
        cwd=root.parent,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


def test_the_packages_are_ours_under_names_nobody_else_has_and_stay_importable_off_the_path(clone):
    code = """
load()
import imagereward_webui, imagereward_core
import imagereward_webui.host.info
import imagereward_core.selection
print(imagereward_webui.__file__.startswith(root), imagereward_core.__file__.startswith(root), root in sys.path)
print([name for name in ("nodes", "tests", "webui_extension", "scripts") if name in sys.modules])
"""
    assert run(clone, code)[0].split("\n") == ["True True False", "[]"]


def test_the_host_finds_every_class_of_ours_once_in_the_script(clone):
    code = """
import types
package = types.ModuleType("modules.scripts_postprocessing")
load()
door = sys.modules["imagereward_webui.door"]
class One: pass
class Two: pass
door.connect = lambda given: [One, Two]
module = load()
print([each.__name__ for each in vars(module).values() if isinstance(each, type) and each.__module__ == "__main__"])
"""
    assert run(clone, code)[0] == "['One', 'Two']"


def test_loading_the_script_loads_nothing_heavy(clone):
    code = "load(); print([m for m in ('torch', 'transformers', 'timm', 'torchvision', 'pandas') if m in sys.modules])"
    assert run(clone, code)[0] == "[]"


def test_reload_keeps_the_packages_and_an_update_is_taken_in(clone):
    code = """
load()
import imagereward_webui as first
load()
print(sys.modules["imagereward_webui"] is first)
path = root + "/webui_extension/__init__.py"
open(path, "a").write("\\nUPDATED = True\\n")
os.utime(path, (1, 1))
load()
import imagereward_webui as second
print(second is first, second.UPDATED, sys.modules["imagereward_webui.door"].connect.__globals__["__name__"])
"""
    assert run(clone, code)[0].split("\n") == ["True", "False True imagereward_webui.door"]


def test_a_broken_installation_is_said_in_the_log_and_the_host_goes_on(clone):
    (clone / "webui_extension" / "door.py").write_text("raise ImportError('a file is missing')")
    out, log = run(clone, "module = load(); print('the host goes on')")
    assert out == "the host goes on"
    assert "ImageReward Curator is switched off: ImportError: a file is missing" in log


def test_the_metadata_names_no_callbacks_which_hosts_check_against_the_folders_name():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "metadata.ini", encoding="utf-8")
    assert parser["Extension"]["Name"] == "imagereward-curator"
    assert not [section for section in parser.sections() if section.startswith("callbacks/")]
    assert all((ROOT / section).is_file() for section in parser.sections() if section.startswith("scripts/"))
