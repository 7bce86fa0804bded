"""The Extras tab's entry: a score in the info, off by default and for the API's None, and never in the picture's way."""

from __future__ import annotations

import io
import sys
import types

import pytest
from PIL import Image

from tests.support.webui.drawn import SETTINGS, Loaded, png, scenes
from tests.support.webui.fake_webui import FakeHost, ours


class Shared:
    """What the host shares between the copies of a picture."""


class Processed:
    """A picture on its way through the host's steps."""

    def __init__(self, image, shared=None):
        self.image, self.info, self.shared = image, {}, shared or Shared()


@pytest.fixture
def entry(monkeypatch, tmp_path):
    """Our entry, in a host with such scripts."""
    host = FakeHost(monkeypatch, tmp_path)
    scripts = types.ModuleType("modules.scripts_postprocessing")
    scripts.ScriptPostprocessing = type("ScriptPostprocessing", (), {"name": None, "order": 1000})
    monkeypatch.setitem(sys.modules, "modules.scripts_postprocessing", scripts)
    monkeypatch.setattr(sys.modules["modules"], "scripts_postprocessing", scripts, raising=False)
    monkeypatch.setattr(ours("scorer_cache"), "load", lambda request, *_: Loaded(request))
    host.shared.opts.imagereward_scorer = "demo"
    return ours("extras").make_script()()


def opened(parameters=True):
    prompt, image = scenes()[0]
    return Image.open(io.BytesIO(png(image, prompt + SETTINGS if parameters else "")))


def run(entry, image, changed=None, **values):
    """First pass with the picture as it came, then our step with the picture as others left it."""
    pp = Processed(image)
    entry.process_firstpass(pp, **values)
    if changed is not None:
        pp.image = changed
    entry.process(pp, **values)
    return pp.info


def test_an_entry_that_cannot_be_built_has_no_controls_and_the_host_comes_up(entry, monkeypatch, caplog):
    def broken():
        raise RuntimeError("injected failure")

    monkeypatch.setattr(ours("extras"), "controls", broken)
    assert entry.ui() == {} and "building the entry of the Extras tab failed" in caplog.text


def test_the_score_is_that_of_the_result_with_the_prompt_of_the_original(entry):
    prompt, _ = scenes()[0]
    result = scenes()[0][1].resize((192, 192))
    info = run(entry, opened(), changed=result, enable=True, scorer="demo", prompt="")
    expected = Loaded(None).score([result], [prompt]).main.values[0]
    assert info == {"ImageRewardDemo": f"{expected:.4f}"}


def test_a_typed_prompt_comes_before_the_pictures_own(entry):
    other = scenes()[-1][0]
    info = run(entry, opened(), enable=True, scorer="demo", prompt=f"({other}:1.2)")
    expected = Loaded(None).score([scenes()[0][1]], [other]).main.values[0]
    assert info == {"ImageRewardDemo": f"{expected:.4f}"}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"enable": None, "scorer": None, "prompt": None},
        {"enable": False, "scorer": "demo", "prompt": "x"},
    ],
)
def test_it_is_off_unless_switched_on(entry, values):
    assert run(entry, opened(), **values) == {}


@pytest.mark.parametrize("values", [{"enable": True}, {"enable": True, "scorer": None, "prompt": None}])
def test_what_the_api_leaves_out_is_taken_from_the_settings(entry, values):
    assert list(run(entry, opened(), **values)) == ["ImageRewardDemo"]


def test_a_picture_without_prompt_goes_its_way_without_a_score(entry, caplog):
    image = opened(parameters=False)
    pp = Processed(image)
    entry.process_firstpass(pp, enable=True)
    entry.process(pp, enable=True)
    assert pp.info == {} and pp.image is image and "no prompt" in caplog.text


@pytest.mark.parametrize(
    "error", [RuntimeError("out of memory"), ImportError("no torch"), KeyError("scorer")]
)
def test_a_failure_costs_the_score_and_nothing_else(entry, monkeypatch, caplog, error):
    def fail(request, *_):
        raise error

    monkeypatch.setattr(ours("scorer_cache"), "load", fail)
    assert run(entry, opened(), enable=True) == {} and "no score" in caplog.text


def test_a_prompt_that_cannot_be_read_stops_nothing(entry, monkeypatch, caplog):
    from imagereward_core.metadata import prompt_finder

    def breaks(*_):
        raise RuntimeError("damaged")

    monkeypatch.setattr(prompt_finder.PromptFinder, "__call__", breaks)
    image = opened()
    pp = Processed(image)
    entry.process_firstpass(pp, enable=True)
    entry.process(pp, enable=True)
    assert pp.info == {} and pp.image is image and "damaged" in caplog.text


def test_in_txt2img_where_the_host_runs_half_of_it_no_score_is_written(entry, caplog):
    pp = Processed(opened())
    entry.process(pp, enable=True, scorer="demo", prompt="a star")
    assert pp.info == {} and "use the accordion" in caplog.text


def test_it_comes_after_everything_that_changes_the_picture(entry):
    assert entry.order > 10000 and entry.name == "ImageReward"


def test_a_host_without_such_scripts_gets_none(monkeypatch, tmp_path):
    FakeHost(monkeypatch, tmp_path)
    assert ours("extras").make_script() is None
