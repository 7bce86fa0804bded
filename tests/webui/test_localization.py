"""Translations belong to texts the extension has, and none of the tab's texts is forgotten."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "localizations").glob("*.json"))
SOURCES = sorted((ROOT / "webui_extension").rglob("*.py"))
SCRIPTS = sorted((ROOT / "javascript").glob("*.js"))
NAMES = {"CSV", "JSON", "txt2img", "img2img", "ImageReward Curator"}
"""Texts that are the same in every language, or that the host translates."""


def constants(path):
    """Every text in a source file; words that stand in elements of their own count as texts too."""
    texts = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.add(node.value)
            texts |= set(re.findall(r"<(?:span|th|b)>([^<>{}]+)</(?:span|th|b)>", node.value))
    return texts


def labels(path):
    """Texts a person sees on a widget of the tab: labels, and the words of buttons and foldable parts."""
    texts = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        texts |= {
            each.value.value
            for each in node.keywords
            if each.arg == "label" and isinstance(each.value, ast.Constant)
        }
        kind = ast.unparse(node.func)
        parts = [ast.unparse(part) for part in node.args]
        if kind == "gr.Accordion" and isinstance(node.args[0], ast.Constant):
            texts.add(node.args[0].value)
        if kind == "page.add" and "gr.Button" in parts and isinstance(node.args[2], ast.Constant):
            texts.add(node.args[2].value)
    return texts


def spoken(path):
    """Texts that a script puts into elements: what keys mean, and the words of buttons."""
    text = path.read_text(encoding="utf-8")
    found = re.findall(r'says: "([^"]+)"', text) + re.findall(r'button\(\s*"\w+", "([^"]+)"', text)
    found += re.findall(r'\["\w+", "([^"]+)", (?:true|false|null)\]', text) + re.findall(
        r'new Error\("([^"]+)"\)', text
    )
    found += re.findall(r'words\("([^"]+)"\)', text)
    return {each for each in found if re.search("[A-Za-z]", each)}


@pytest.fixture(scope="module")
def known():
    from tests.support.webui.fake_webui import ours

    infos = {each.info for each in ours("settings_page").SETTINGS}  # some stand on the core's settings
    infos |= {each.sentence() for each in ours("script.arguments").SETTINGS.values()}
    return set().union(infos, *map(constants, SOURCES), *map(spoken, SCRIPTS))


def load(path):
    pairs = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=list)
    assert all(
        isinstance(pair, (list, tuple)) and all(isinstance(text, str) for text in pair) for pair in pairs
    )
    assert len({key for key, _ in pairs}) == len(pairs), "a text is translated twice"
    return dict(pairs)


def test_there_is_a_translation_in_the_form_the_hosts_read():
    assert [path.stem for path in FILES] == ["zh_CN"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_translated_text_is_one_the_extension_shows(path, known):
    # The settings page puts an explanation into brackets.
    unknown = [text for text in load(path) if text not in known and text[1:-1] not in known]
    assert unknown == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_text_on_a_widget_of_the_tab_is_translated(path):
    from tests.support.webui.fake_webui import ours

    wishes, exporting = ours("tab.forms"), ours("tab.exporting")
    choices = {
        *wishes.SHOW,
        *wishes.SORT,
        *wishes.PER,
        *wishes.PROMPTS,
        *wishes.WHICH,
        *wishes.HOW,
        *exporting.FORMS,
    }
    shown = (
        labels(ROOT / "webui_extension/tab/page.py") | labels(ROOT / "webui_extension/extras.py") | choices
    )
    hidden = {"Parameters of the chosen picture", "Wish of the script", "Do what the script wishes"}
    scripts = set().union(*map(spoken, SCRIPTS))
    assert len(scripts) > 25
    shown |= scripts
    assert sorted(shown - set(load(path)) - NAMES - hidden) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_text_of_the_accordion_and_of_the_settings_is_translated(path):
    from tests.support.webui.fake_webui import ours

    shown = set()
    for each in ours("script.arguments").SETTINGS.values():
        shown |= {each.label, each.sentence()}
    for setting in ours("settings_page").SETTINGS:
        shown |= {setting.label, f"({setting.info})" if setting.info else ""}
    assert len(shown) > 30
    assert sorted(shown - {""} - NAMES - set(load(path))) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_translation_is_empty_or_left_in_english(path):
    for text, translated in load(path).items():
        assert translated.strip() and (translated != text or text in {"of", "LoRAs"})


def test_labels_of_the_tab_are_unique_for_the_hosts_settings_of_widgets():
    """The host keeps a widget's default under its label; two with one label would share it."""
    named = [
        keyword.value.value
        for node in ast.walk(ast.parse((ROOT / "webui_extension/tab/page.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "label" and isinstance(keyword.value, ast.Constant)
    ]
    assert len(set(named)) == len(named) > 15
