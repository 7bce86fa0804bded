"""Every node has a page the host finds, in every language, that names all its inputs and outputs."""

from __future__ import annotations

import re

from tests.support.comfyui.pack import NODE_IDS, ROOT, locale, schema_texts

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


def wrong(flaws, languages=LANGUAGES):
    """What is wrong with pages, by their names: ``flaws(node_id, language, text)`` says it, and nothing where all is well."""
    found = {
        page(node_id, language).relative_to(PAGES).as_posix(): flaws(
            node_id, language, page(node_id, language).read_text(encoding="utf-8")
        )
        for node_id in NODE_IDS
        for language in languages
    }
    return {name: each for name, each in found.items() if each}


def test_pages_tell_of_every_input_in_the_order_of_the_node(texts):
    def flaws(node_id, language, text):
        named = [name for each in inputs_of(text) for name in re.findall(r"`(\w+)`", each)]
        expected = list(texts[node_id]["inputs"])
        return named != expected and (named, expected)

    assert wrong(flaws) == {}


def test_pages_tell_of_every_output_in_the_order_of_the_node(texts):
    def flaws(node_id, language, text):
        outputs = (locale(language) if language else texts)[node_id]["outputs"]
        part = text.partition("## 输出\n" if language else "## Outputs\n")[2].partition("\n## ")[0]
        listed = [names for line in part.splitlines() for names in re.findall(r"^- \*\*(.+?)\*\*[:：]", line)]
        named = [name for names in listed for name in re.split(", |、", names)]
        expected = [each["name"] for each in outputs.values()]
        return named != expected and (named, expected)

    assert wrong(flaws) == {}


def test_chinese_pages_give_every_input_the_name_it_has_on_the_node():
    def flaws(node_id, language, text):
        heads = " ".join(inputs_of(text))
        inputs = locale("zh")[node_id]["inputs"]
        return [name for name, each in inputs.items() if f"`{name}` {each['name']}" not in heads]

    assert wrong(flaws, ["zh"]) == {}


def test_pages_have_the_nodes_name_and_an_example(texts):
    def flaws(node_id, language, text):
        title = (locale(language) if language else texts)[node_id]["display_name"]
        example = "## 示例\n" if language else "## Example\n"
        return [each for each in (f"# {title}\n", example) if each not in text] or (
            not text.startswith(f"# {title}\n") and "begins otherwise"
        )

    assert wrong(flaws) == {}


def test_pages_bring_their_own_text_only_and_no_table_which_a_narrow_panel_clips():
    def flaws(node_id, language, text):
        tables = [line for line in text.splitlines() if line.startswith("|")]
        return tables + [each for each in ("](", "<img", "<script") if each in text]

    assert wrong(flaws) == {}


def test_no_code_is_wider_than_the_panel():
    """Of 270 pixels in the narrowest front end; a browser breaks code at spaces and hyphens."""

    def flaws(node_id, language, text):
        return [code for code in re.findall("`([^`]+)`", text) if max(map(len, re.split("[ -]", code))) > 28]

    assert wrong(flaws) == {}
