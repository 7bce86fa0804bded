"""How the pack meets the host: what it imports, what it registers, and what happens when a part of it fails."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest

from tests.support.comfyui.fake_host import ROOT, load_pack, nodes_of
from tests.support.comfyui.graphs import NODES, PREFIX
from tests.support.tiny import write_own_checkpoint

IDS = {PREFIX + name for name in NODES}


def saved_blends(loaded):
    """The saved blends among the choices of Load Scorer."""
    return [name for name in loaded.choices() if name.startswith("blend:")]


def test_every_node_reaches_the_host_under_its_prefixed_id(fake):
    assert {name for name in fake.nodes if name.startswith(PREFIX)} == IDS


def test_every_input_and_output_is_explained(fake):
    for name in IDS:
        schema = fake.nodes[name].GET_SCHEMA()
        assert schema.display_name and schema.description and schema.category == "ImageReward Curator"
        assert all(each.given.get("tooltip") for each in schema.inputs), name
        assert all(each.tooltip and each.display_name and each.id for each in schema.outputs), name


def test_words_to_search_by_and_folding_are_used_where_the_host_knows_them(fake):
    schema = fake.nodes[PREFIX + "LoadScorer"].GET_SCHEMA()
    recent = hasattr(schema, "search_aliases")
    blend = next(each for each in schema.inputs if each.id == "blend")
    assert blend.given.get("advanced") is (True if recent else None)
    if recent:
        assert "PickScore" in schema.search_aliases


def test_the_door_needs_no_host_and_loads_nothing_until_asked():
    code = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('door', {str(ROOT / '__init__.py')!r}, "
        f"submodule_search_locations=[{str(ROOT)!r}])\n"
        "door = importlib.util.module_from_spec(spec); sys.modules['door'] = door; spec.loader.exec_module(door)\n"
        "import door.nodes, door.nodes.extension\n"
        "print(door.WEB_DIRECTORY, [m for m in ('torch', 'numpy', 'PIL', 'comfy_api') if m in sys.modules])\n"
        "print('NODE_CLASS_MAPPINGS' in vars(door))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split("\n")[:2] == ["./web []", "False"]


def test_giving_the_nodes_to_the_host_loads_nothing_heavy(tmp_path):
    code = f"""
import sys, json
sys.path.insert(0, {str(ROOT)!r})
import torch, numpy, PIL.Image, PIL.ImageDraw, PIL.ImageFont, PIL.PngImagePlugin, PIL.ImageOps
import pathlib, pytest
from tests.support.comfyui import fake_host, fake_modules
patch = pytest.MonkeyPatch()
fake_modules.install(patch, pathlib.Path({str(tmp_path)!r}), True)
before = set(sys.modules)
pack = fake_host.load_pack(fake_host.ROOT)
nodes = fake_host.nodes_of(pack)
new = {{name.split(".")[0] for name in set(sys.modules) if not name.startswith(pack.__name__)}}
new -= {{name.split(".")[0] for name in before}} | set(sys.stdlib_module_names)
print(json.dumps([len(nodes), sorted(new)]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert json.loads(done.stdout) == [len(IDS), []]


def test_a_family_that_cannot_be_imported_leaves_the_others(fake, monkeypatch, caplog):
    extension = fake.module("nodes.extension")
    families = ("load_scorer", "no_such_family", "score_images")
    found = [cls.GET_SCHEMA().node_id for cls in extension.load_nodes(families)]
    assert found == [PREFIX + "LoadScorer", PREFIX + "ScoreImages"]
    assert "no_such_family.py are left out" in caplog.text


def test_a_schema_the_host_refuses_costs_that_node_alone(fake, monkeypatch, caplog):
    selecting = fake.module("nodes.sort_and_pick")

    def refused(cls):
        raise TypeError("Schema.__init__() got an unexpected keyword argument 'tomorrow'")

    monkeypatch.setattr(selecting.SortByScore, "define_schema", classmethod(refused))
    found = [cls.GET_SCHEMA().node_id for cls in fake.module("nodes.extension").load_nodes()]
    assert set(found) == IDS - {PREFIX + "SortByScore"} and "SortByScore is left out" in caplog.text


def test_a_host_without_model_folders_still_gets_the_nodes(fake, monkeypatch, caplog):
    folders = fake.module("nodes.host.folders")
    monkeypatch.setattr(folders, "register_models_folder", lambda: 1 / 0)
    extension = fake.module("nodes.extension").make_extension()
    assert (
        len(asyncio.run(extension.get_node_list())) == len(IDS) and "could not be registered" in caplog.text
    )


def test_models_folders_of_the_user_come_first_and_only_weights_are_listed(fake, tmp_path):
    paths = fake.host.folder_paths
    own = tmp_path / "elsewhere"
    own.mkdir()
    paths.folder_names_and_paths.clear()
    paths.add_model_folder_path("imagereward", str(own), is_default=True)
    fake.module("nodes.host.folders").register_models_folder()
    for name in ("trained.safetensors", "ImageReward.pt", "notes.txt"):
        (own / name).write_bytes(b"x")
    write_own_checkpoint(own / "trained.safetensors")
    assert [folder.name for folder in fake.module("nodes.host.folders").models_folders()] == [
        "elsewhere",
        "imagereward",
    ]
    assert paths.get_filename_list("imagereward") == ["ImageReward.pt", "trained.safetensors"]
    options = fake.nodes[PREFIX + "LoadScorer"].GET_SCHEMA().inputs[0].given["options"]
    assert options[0] == "ImageReward-v1.0" and "demo" in options and options[-1] == "trained.safetensors"
    assert "ImageReward.pt" not in options


def test_saved_blends_are_listed_and_a_damaged_file_hides_nothing_else(fake, tmp_path):
    from imagereward_core.scorers.blend_file import BlendFile, parse_blend
    from imagereward_core.scorers.blend_names import BLENDS_FILE

    loaded = fake.module("nodes.host.scorer_cache")
    folder = tmp_path / "models" / "imagereward"
    folder.mkdir()
    assert saved_blends(loaded) == []
    BlendFile(folder).save(parse_blend("demo=1@rank", "mine"))
    assert saved_blends(loaded) == ["blend:mine"]
    (folder / BLENDS_FILE).write_text("{", encoding="utf-8")
    assert saved_blends(loaded) == []


def test_the_real_host_offers_every_node_with_its_texts(real):
    info = real.call("/object_info")
    assert set(info) >= IDS
    for name in IDS:
        node = info[name]
        assert node["python_module"] == "custom_nodes.imagereward-curator" and node["description"]
        inputs = {**node["input"].get("required", {}), **node["input"].get("optional", {})}
        assert all(len(each) > 1 and each[1].get("tooltip") for each in inputs.values()), name
        assert all(node["output_tooltips"]), name
    assert "imagereward" in real.call("/models")


@pytest.mark.parametrize("recent", [True, False])
def test_two_copies_of_the_pack_do_not_share_state(monkeypatch, tmp_path, recent):
    from tests.support.comfyui import fake_modules

    fake_modules.install(monkeypatch, tmp_path, recent)
    one, other = load_pack(ROOT), load_pack(ROOT)
    assert nodes_of(one)[PREFIX + "ScoreImages"] is not nodes_of(other)[PREFIX + "ScoreImages"]
