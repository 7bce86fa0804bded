"""A checkpoint of the user's own in script, tab and API: its name, what is not known of it, and heads that tell nothing apart."""

from __future__ import annotations

import importlib
import json
import sys

import pytest

from imagereward_core.scorers import engine
from tests.support.tiny import install_own
from tests.support.webui import fake_memory
from tests.support.webui.api_client import PREFIX, ApiHost
from tests.support.webui.drawn import encoded, png, save_scenes, scenes
from tests.support.webui.fake_webui import curate, ours
from tests.support.webui.tab_page import TabPage

NOTICE = "mine is a checkpoint of your own, not the published ImageReward-v1.0."
FLAT = "flat gives every picture the same score"
BOTH = pytest.mark.parametrize(("name", "said"), [("mine.safetensors", NOTICE), ("flat.safetensors", FLAT)])


@pytest.fixture
def place(monkeypatch, tmp_path):
    """A host with real scorers and two checkpoints of the user's own."""
    load = ours("scorer_cache").load
    made = ApiHost(monkeypatch, tmp_path)
    fake_memory.install(monkeypatch, made)
    monkeypatch.setattr(sys.modules["modules.call_queue"], "queue_lock", made.queue)
    monkeypatch.setattr(ours("scorer_cache"), "load", load)
    folder = ours("host.info").models_folders()[0]
    install_own(folder, monkeypatch, lambda name: importlib.import_module(f"imagereward_core.{name}"))
    yield made
    ours("scorer_cache").free()
    ours("scorer_cache").close()


@BOTH
def test_a_generation_has_its_name_and_no_percentile_and_says_what_must_be_known(place, name, said):
    result = curate(place, {"scorer": name, "min_percentile": 80}, batch_size=3)
    key = f"Reward_{name.partition('.')[0]}"
    for text in result.infotexts[1:]:
        assert f"{key}: " in text and f"{key} percentile" not in text and "ImageReward: " not in text
    assert said in result.comments and "minimum percentile is left out" in result.comments
    data = json.loads(result.js())["extra_generation_params"]["imagereward"]
    assert data["scorer"] == name.partition(".")[0] and said in data["basis"]


@BOTH
def test_the_tab_says_what_must_be_known_beside_the_count(place, monkeypatch, name, said):
    save_scenes(place.samples)
    load = ours("scorer_cache").load
    page = TabPage(place, monkeypatch)
    monkeypatch.setattr(ours("scorer_cache"), "load", load)
    page.score(scorer=name)
    assert said in page.values["count"]
    page.filter(top=2)
    assert said in page.values["count"] and "<b>2</b>" in page.values["count"]
    ours("tab").close()


@BOTH
def test_answers_of_the_api_say_it_and_models_knows_it_before_anything_is_loaded(place, name, said):
    client = place.start()
    listed = {each["id"]: each for each in client.get(f"{PREFIX}/models").json()["scorers"]}
    assert listed[name]["own"] and said in " ".join(listed[name]["remarks"]) and not listed["demo"]["own"]
    assert listed[name]["typical_range"] == [] and not ours("scorer_cache").held()
    pictures = [{"image": encoded(png(image)), "prompt": prompt} for prompt, image in scenes()]
    answer = client.post(f"{PREFIX}/score", json={"pictures": pictures, "scorer": name}).json()
    assert answer["scorer"] == name.partition(".")[0] and said in " ".join(answer["remarks"])
    assert all(row["score"] is not None and row["percentile"] is None for row in answer["rows"])


def test_percentiles_without_a_distribution_are_refused_before_anything_is_scored(place, monkeypatch):
    monkeypatch.setattr(engine, "_run", lambda *_: pytest.fail("something was scored"))
    (prompt, image), *_ = scenes()
    asked = {"pictures": [{"image": encoded(png(image)), "prompt": prompt}], "min_percentile": 50}
    answer = place.start().post(f"{PREFIX}/rank", json={**asked, "scorer": "mine"})
    assert (
        answer.status_code == 422 and "mine scores made this way have no reference" in answer.json()["detail"]
    )
