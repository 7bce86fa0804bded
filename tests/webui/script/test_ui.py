"""The accordion: the same components in the order of the arguments, every time it is built."""

import dataclasses
import json

import pytest

from tests.support.webui import fake_gradio
from tests.support.webui.fake_webui import ours, with_script

arguments = ours("script.arguments")


@pytest.fixture
def script(host, scorer, monkeypatch):
    fake_gradio.install(monkeypatch)
    made = with_script(host)
    monkeypatch.delitem(__import__("sys").modules, "modules.ui_components", raising=False)
    return made


def test_components_are_the_arguments_in_their_order_with_their_defaults(script):
    components = script.ui(False)
    settings, problems = arguments.read_arguments([component.value for component in components])
    assert settings == arguments.Settings() and problems == []
    assert [component.label for component in components] == [
        known.label for known in arguments.SETTINGS.values()
    ]


def test_building_again_gives_the_same_and_changes_nothing_else(script):
    first, second = script.ui(False), script.ui(False)
    assert [vars(component) for component in first] == [vars(component) for component in second]


def test_ids_are_stable_and_different_in_each_tab(script):
    ids = [component.elem_id for tab in (False, True) for component in script.ui(tab)]
    assert len(set(ids)) == len(ids) and all(each.startswith("imagereward_") for each in ids)
    assert ids[0] == "imagereward_txt2img_enabled"


def test_accordion_is_closed_by_default(script):
    assert script.ui(False)[0].value is False


def test_every_value_is_json_and_none_is_empty(script):
    values = [component.value for component in script.ui(False)]
    assert None not in values and json.loads(json.dumps(values)) == values


def test_settings_are_pasted_back_and_scores_never(script):
    components = script.ui(False)
    settings = arguments.Settings(enabled=True, keep_best=3, min_score="0.5")
    params = {
        arguments.KEY: arguments.to_infotext(settings),
        "ImageReward": "1.2345",
        "ImageReward percentile": "90.0",
        "Curator verdict": "kept",
    }
    pasted = {components.index(component): fill(params) for component, fill in script.infotext_fields}
    assert [pasted[at] for at in range(len(components))] == list(dataclasses.asdict(settings).values())
    assert script.paste_field_names == [arguments.KEY]


def test_values_pasted_have_the_type_of_their_component(script):
    """The host casts a value to the type of the component's own."""
    script.ui(False)
    params = {arguments.KEY: arguments.to_infotext(arguments.Settings(enabled=True, until_minutes=5.0))}
    for component, fill in script.infotext_fields:
        assert type(fill(params)) is type(component.value)


def test_list_of_scorers_that_cannot_be_made_still_has_the_default(script, monkeypatch):
    def broken():
        raise OSError("no such drive")

    monkeypatch.setattr(ours("scorer_cache"), "choices", broken)
    assert script.ui(False)[1].choices == ["default"]


def test_title_is_the_key_of_the_api(script, host):
    assert script.title() == "ImageReward Curator"
    assert script.show(False) is script.show(True) is host.scripts.AlwaysVisible
