"""Texts of the pages of annotation: in every language, for every fault and key, and all that the scripts ask for."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from imagereward_lab.annotation.pages import part
from imagereward_lab.annotation.pages.part import texts
from imagereward_lab.annotation.protocol import keys
from imagereward_lab.annotation.protocol.faults import MESSAGES
from imagereward_lab.annotation.protocol.modes import MODES
from imagereward_lab.server.shell import shared_texts
from imagereward_lab.server.texts import LANGUAGES

PAGES = Path(part.__file__).parent
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in (PAGES / "assets").glob("*.js")}
STYLE = (PAGES / "assets" / "annotation.css").read_text(encoding="utf-8")


def braces(text):
    return set(re.findall(r"\{(\w+)\}", text))


def test_every_fault_has_its_sentence_in_every_language_with_the_same_values():
    table = texts()
    for code, message in MESSAGES.items():
        told = table[f"fault.{code}"]
        assert told["en"] == message
        assert all(braces(told[language]) == braces(message) for language in LANGUAGES), code
    assert {key for key in table if key.startswith("fault.")} == {f"fault.{code}" for code in MESSAGES}


def test_every_text_takes_the_same_values_in_every_language():
    wrong = [
        key for key, told in texts().items() if len({frozenset(braces(each)) for each in told.values()}) > 1
    ]
    assert not wrong


def test_everything_that_can_be_chosen_has_a_label():
    wanted = {
        *(f"category.{each}" for each in keys.CATEGORIES),
        *(f"problem.{each}" for each in (*keys.PROMPT_PROBLEMS, *keys.IMAGE_PROBLEMS)),
        *(f"rating.{each}" for each in keys.RATINGS),
        *(f"phrase.{each}" for each in keys.PHRASE_KINDS),
        *(f"stage.{each}" for each in keys.STAGES),
        *(f"role.{each}" for each in keys.ROLES),
        *(f"mode.{each}" for each in MODES),
    }
    assert wanted <= texts().keys()


def test_the_scripts_ask_for_no_text_that_is_not_there_and_none_is_left_over():
    table = {**shared_texts(), **texts()}
    asked = {key for script in SCRIPTS.values() for key in re.findall(r'\bt\("([\w.]+)"', script)}
    begun = {key for script in SCRIPTS.values() for key in re.findall(r"`([\w]+\.)\$\{", script)}
    ended = {"low", "high"}  # of each rating
    chosen = {key for script in SCRIPTS.values() for key in re.findall(r'"([a-z_]+(?:\.[a-z_]+)*)"', script)}
    assert asked <= table.keys()
    left = {
        key
        for key in texts()
        if key not in asked | chosen | {"title"}
        and not any(key.startswith(each) for each in begun)
        and key.rpartition(".")[2] not in ended
    }
    assert not left


def test_the_lists_in_the_scripts_are_those_of_the_protocol():
    def names(script, constant):
        (block,) = re.findall(rf"{constant} = \[(.*?)\];", SCRIPTS[script], re.DOTALL)
        return tuple(re.findall(r'"([a-z_]{3,})"', block))

    assert names("protocol.js", "CATEGORIES") == keys.CATEGORIES
    assert names("protocol.js", "PROMPT_PROBLEMS") == keys.PROMPT_PROBLEMS
    assert names("protocol.js", "STAGES") == keys.STAGES
    assert names("rating.js", "PROBLEMS") == keys.IMAGE_PROBLEMS
    assert names("rating.js", "RATINGS") == keys.RATINGS
    assert names("phrases.js", "KINDS") == keys.PHRASE_KINDS
    assert names("people.js", "ROLES") == keys.ROLES
    assert f"const SLOTS = {keys.SLOTS};" in SCRIPTS["protocol.js"]
    assert f"const MOST_IN_SLOT = {keys.MOST_IN_SLOT};" in SCRIPTS["protocol.js"]


class Outline(HTMLParser):
    BLOCKS = ("h2", "h3", "p", "ol", "ul", "li", "dl", "dt", "dd", "table", "tr", "th", "td")

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        assert not attrs, "nothing but words stands in the document"
        assert tag in {*self.BLOCKS, "b", "i"}
        if tag in self.BLOCKS:
            self.tags.append(tag)


def guide(mode, language):
    """What people read about how to judge in a mode."""
    parts = [PAGES / "document" / f"{part}.{language}.html" for part in MODES[mode].guide]
    return "".join(path.read_text(encoding="utf-8") for path in parts)


@pytest.mark.parametrize("mode", MODES)
def test_the_document_has_the_same_parts_in_every_language(mode):
    outlines = {tuple(Outline(guide(mode, language)).tags) for language in LANGUAGES}
    assert len(outlines) == 1 and next(iter(outlines)).count("h2") == 1


def test_every_part_of_a_document_is_read_in_some_mode():
    parts = {part for mode in MODES.values() for part in mode.guide}
    wanted = {f"{part}.{language}.html" for part in parts for language in LANGUAGES}
    assert {path.name for path in (PAGES / "document").iterdir()} == wanted


RATED = {"category", *(f"rating.{each}" for each in keys.RATINGS)}
BOXES = {f"problem.{each}" for each in (*keys.PROMPT_PROBLEMS, *keys.IMAGE_PROBLEMS, "none")}
ASKED = {
    keys.PROTOCOL: {*RATED, *BOXES, "skip"},
    keys.BEST_WORST: {"best", "worst", "skip"},
    keys.TOP_PICKS: {"skip"},
    keys.PER_GENERATOR: {"skip"},
    keys.QUICK: {"tie", "skip", "undo"},
}
"""Labels of what can be answered in each mode."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("mode", MODES)
def test_the_document_names_what_its_mode_asks_for_and_nothing_of_the_protocol_in_others(mode, language):
    table, told = texts(), guide(mode, language).lower()
    assert [key for key in ASKED[mode] if table[key][language].lower() not in told] == []
    assert [key for key in RATED - ASKED[mode] if table[key][language].lower() in told] == []
    slots = {"en": "slot", "zh": "档"}[language]
    assert (slots in told) == (mode not in (keys.BEST_WORST, keys.QUICK))


@pytest.mark.parametrize("name", [*SCRIPTS, "annotation.css"])
def test_nothing_but_this_server_is_named(name):
    text = SCRIPTS.get(name, STYLE)
    assert not re.search(r"https?:|//[a-z0-9-]+\.[a-z]", text)
    assert "innerHTML" not in text and "insertAdjacentHTML" not in text


def test_no_line_of_the_chinese_document_ends_between_two_characters():
    """Browsers show the end of a line as a space."""
    wide = "[\u3000-\u9fff\uff00-\uffef\u201c\u201d]"
    for path in (PAGES / "document").glob("*.zh.html"):
        assert not re.findall(f"{wide}\n{wide}", path.read_text(encoding="utf-8")), path.name
