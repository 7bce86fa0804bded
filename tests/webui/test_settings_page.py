"""The page in the host's settings: what is on it, and that every option the code asks for is there."""

from __future__ import annotations

import json
import math
import re
import sys
import types

import pytest

from tests.support.webui.fake_webui import ROOT, ours


class OptionInfo:
    """The host's description of an option."""

    def __init__(self, default=None, label="", component=None, component_args=None, **named):
        self.default, self.label, self.component = default, label, component
        self.component_args, self.named, self.comment = component_args, named, ""

    def info(self, text):
        self.comment = text
        return self


@pytest.fixture
def page(host, monkeypatch):
    added = {}
    gradio = types.SimpleNamespace(
        **{name: name for name in ("Dropdown", "Radio", "Slider", "Textbox", "Checkbox")}
    )
    monkeypatch.setitem(sys.modules, "gradio", gradio)
    monkeypatch.setattr(host.shared, "OptionInfo", OptionInfo, raising=False)
    monkeypatch.setattr(
        type(host.shared.opts), "add_option", lambda self, key, info: added.update({key: info}), raising=False
    )
    ours("settings_page").on_ui_settings()
    return added


def test_every_option_has_our_prefix_a_label_an_explanation_and_one_section(page):
    assert page and all(key.startswith("imagereward_") for key in page)
    assert all(info.label and info.comment for info in page.values())
    assert {info.named["section"] for info in page.values()} == {("imagereward", "ImageReward Curator")}
    assert len({info.label for info in page.values()}) == len(page)


def test_every_value_is_plain_json_and_every_choice_holds_its_default(page, monkeypatch):
    for info in page.values():
        assert json.loads(json.dumps(info.default)) == info.default
        arguments = info.component_args
        arguments = arguments() if callable(arguments) else arguments or {}
        if "choices" in arguments:
            assert info.default in arguments["choices"]
        if "maximum" in arguments:
            assert arguments["minimum"] <= info.default <= arguments["maximum"]


def test_what_would_widen_access_cannot_be_changed_through_the_api(page):
    private = {key for key, info in page.items() if info.named.get("restrict_api")}
    assert private >= {
        "imagereward_extra_folders",
        "imagereward_models_folder",
        "imagereward_api_most_megabytes",
    }


def test_every_option_the_code_asks_for_is_on_the_page(page):
    asked = set()
    for path in (ROOT / "webui_extension").rglob("*.py"):
        asked |= set(re.findall(r'option\(\s*"(imagereward_\w+)"', path.read_text(encoding="utf-8")))
    assert asked and asked <= set(page)


def test_device_and_precision_let_old_scorers_go(page):
    changing = {key for key, info in page.items() if info.named.get("onchange")}
    assert {"imagereward_device", "imagereward_precision"} <= changing


def change(page, host, key, value):
    """Sets an option as the host's API does; gives what it is then."""
    setattr(host.shared.opts, key, value)
    page[key].named["onchange"]()
    return getattr(host.shared.opts, key)


@pytest.mark.parametrize("value", [-4, 65, 2.5, math.nan, "8", True])
def test_a_number_that_does_not_fit_is_taken_back_and_told(page, host, value, caplog):
    assert change(page, host, "imagereward_batch_size", value) == 0
    assert change(page, host, "imagereward_batch_size", 8.0) == 8
    assert change(page, host, "imagereward_batch_size", value) == 8
    assert "'Pictures scored at once' is" in caplog.text and "a whole number from 0 to 64" in caplog.text


def test_every_slider_is_guarded_against_numbers_beyond_its_ends(page, host):
    sliders = {key: info for key, info in page.items() if info.component == "Slider"}
    assert len(sliders) >= 5
    for key, info in sliders.items():
        inside = info.component_args["maximum"]
        for value, stays in ((inside, inside), (-1, inside), (10**9, inside), (math.inf, inside)):
            assert change(page, host, key, value) == stays


def test_every_option_on_the_page_does_something(page):
    code = [
        path.read_text(encoding="utf-8")
        for path in (ROOT / "webui_extension").rglob("*.py")
        if path.name != "settings_page.py"
    ]
    idle = [key for key in page if not any(key.replace("imagereward_api_", "") in text for text in code)]
    assert not idle


def test_without_a_page_the_options_exist_all_the_same(host, page, monkeypatch):
    module = ours("settings_page")
    page.clear()
    module.on_before_ui()
    assert not page
    monkeypatch.setattr(host.shared.cmd_opts, "nowebui", True)
    module.on_before_ui()
    assert "imagereward_scorer" in page
