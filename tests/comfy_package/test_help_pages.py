"""Every node has a page the host finds, in every language, that names all its inputs and outputs."""

from __future__ import annotations

import re

import pytest
from pack import NODE_IDS, ROOT, schema_texts
from test_locales import locale

PAGES = ROOT / "web" / "docs"
LANGUAGES = ["", "zh"]


def page(node_id, language):
    """Where the front end looks: ``docs/<node>/<language>.md``, then ``docs/<node>.md``."""
    return PAGES / node_id / f"{language}.md" if language else PAGES / f"{node_id}.md"


def inputs_of(text):
    """What stands in front of the meaning in the list of inputs."""
    part = re.search(r"\n## (?:Inputs|输入)\n(.*?)\n## ", text, re.DOTALL)[1]
    return [re.split("[:：]", line, maxsplit=1)[0] for line in part.splitlines() if line.startswith("- `")]


def test_the_nodes_are_those_that_have_pages():
    assert set(schema_texts()) == set(NODE_IDS)
    expected = {page(node_id, language) for node_id in NODE_IDS for language in LANGUAGES}
    assert {path for path in PAGES.rglob("*") if path.is_file()} == expected


@pytest.mark.parametrize("language", LANGUAGES, ids=["english", "chinese"])
@pytest.mark.parametrize("node_id", NODE_IDS)
def test_page_tells_of_every_input_in_the_order_of_the_node(node_id, language, texts):
    heads = inputs_of(page(node_id, language).read_text(encoding="utf-8"))
    named = [name for each in heads for name in re.findall(r"`(\w+)`", each)]
    assert named == list(texts[node_id]["inputs"])


@pytest.mark.parametrize("language", LANGUAGES, ids=["english", "chinese"])
@pytest.mark.parametrize("node_id", NODE_IDS)
def test_page_tells_of_every_output_in_the_order_of_the_node(node_id, language, texts):
    outputs = (locale(language) if language else texts)[node_id]["outputs"]
    text = page(node_id, language).read_text(encoding="utf-8")
    part = text.partition("## 输出\n" if language else "## Outputs\n")[2].partition("\n## ")[0]
    listed = [names for line in part.splitlines() for names in re.findall(r"^- \*\*(.+?)\*\*[:：]", line)]
    assert [name for names in listed for name in re.split(", |、", names)] == [
        each["name"] for each in outputs.values()
    ]


@pytest.mark.parametrize("node_id", NODE_IDS)
def test_chinese_page_gives_every_input_the_name_it_has_on_the_node(node_id):
    heads = " ".join(inputs_of(page(node_id, "zh").read_text(encoding="utf-8")))
    for name, each in locale("zh")[node_id]["inputs"].items():
        assert f"`{name}` {each['name']}" in heads


@pytest.mark.parametrize("node_id", NODE_IDS)
def test_page_has_the_nodes_name_and_an_example(node_id, texts):
    english, chinese = (page(node_id, language).read_text(encoding="utf-8") for language in LANGUAGES)
    assert english.startswith(f"# {texts[node_id]['display_name']}\n") and "## Example\n" in english
    assert chinese.startswith(f"# {locale('zh')[node_id]['display_name']}\n") and "## 示例\n" in chinese


@pytest.mark.parametrize("path", sorted(PAGES.rglob("*.md")), ids=lambda path: str(path.relative_to(PAGES)))
def test_pages_bring_their_own_text_only_and_no_table_which_a_narrow_panel_clips(path):
    text = path.read_text(encoding="utf-8")
    assert not [line for line in text.splitlines() if line.startswith("|")]
    assert "](" not in text and "<img" not in text and "<script" not in text


@pytest.mark.parametrize("language", LANGUAGES, ids=["english", "chinese"])
@pytest.mark.parametrize("node_id", NODE_IDS)
def test_no_code_is_wider_than_the_panel(node_id, language):
    """Of 270 pixels in the narrowest front end; a browser breaks code at spaces and hyphens."""
    text = page(node_id, language).read_text(encoding="utf-8")
    assert not [code for code in re.findall("`([^`]+)`", text) if max(map(len, re.split("[ -]", code))) > 28]
