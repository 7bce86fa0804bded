"""Texts in every language: complete, in step with the schemas, and readable by the front end."""

from __future__ import annotations

import re
import string

from tests.support.comfyui.english import RESERVED, english
from tests.support.comfyui.pack import LOCALES, NODE_IDS, locale

FRONT_END = {"en", "zh", "zh-TW", "ru", "ja", "ko", "fr", "es", "ar", "tr", "pt-BR"}
"""Languages that can be chosen in the host's settings."""
SCREEN_NAMES = {"ComfyUI", "CPU", "ImageReward", "Apple", "JSON", "Latent", "LoRA", "float32", "webp"}


def leaves(tree, path=()):
    """Every text with its path."""
    if isinstance(tree, dict):
        return {key: text for name, each in tree.items() for key, text in leaves(each, (*path, name)).items()}
    return {path: tree}


def languages():
    return sorted(folder.name for folder in LOCALES.iterdir() if folder.is_dir())


def test_languages_are_those_a_user_can_choose():
    assert {"en", "zh"} <= set(languages()) <= FRONT_END


def test_english_texts_are_those_of_the_schemas(texts):
    assert locale("en") == english(texts), "run python tests/support/comfyui/english.py"


FILES = [(language, name) for language in languages() for name in ("nodeDefs", "main")]


def test_every_language_has_every_text_and_no_other():
    other = {each: set(leaves(locale(*each))) ^ set(leaves(locale("en", each[1]))) for each in FILES}
    assert {each: paths for each, paths in other.items() if paths} == {}


def test_no_text_is_empty_or_holds_what_the_message_format_reserves():
    texts = [(*each, *path, text) for each in FILES for path, text in leaves(locale(*each)).items()]
    assert [each for each in texts if not each[-1].strip() or set(each[-1]) & set(RESERVED)] == []


def test_every_node_and_all_its_texts_are_there(texts):
    assert set(locale("en")) == set(texts) == set(NODE_IDS)
    missing = [path for path, text in leaves(texts).items() if not text]
    assert missing == [], "nodes/ leaves these without a text"


def test_types_and_category_are_those_of_the_schemas(texts):
    from tests.support.comfyui.pack import schemas

    custom = {each.io_type for schema in schemas().values() for each in [*schema.inputs, *schema.outputs]}
    main = locale("en", "main")
    assert set(main["dataTypes"]) == {name for name in custom if name.startswith("IMAGEREWARD_")}
    assert set(main["nodeCategories"]) == {schema.category for schema in schemas().values()}


def test_chinese_is_translated(texts):
    for path, text in leaves(locale("zh")).items():
        if text not in SCREEN_NAMES:
            assert re.search("[一-鿿]", text), path
            assert not set("，。：；（）") & set(leaves(locale("en"))[path])


def test_chinese_keeps_choices_and_tokens_of_the_english(texts):
    """Choices of drop-down lists stay English on the screen, so the translation names them as they are."""
    from tests.support.comfyui.pack import schemas

    zh = locale("zh")
    for name, schema in schemas().items():
        for each in schema.inputs:
            tooltip = zh[name]["inputs"][each.id]["tooltip"]
            options = each.given.get("options") or []
            if each.id in ("which", "when_nothing_passes", "method", "badge", "rejected", "theme", "order"):
                assert all(option in tooltip for option in options), (name, each.id)
            tokens = set(re.findall("%[a-z]+%", each.given.get("tooltip") or ""))
            assert tokens == set(re.findall("%[a-z]+%", tooltip))
            assert not set(string.whitespace) - {" ", "\n"} & set(tooltip)
