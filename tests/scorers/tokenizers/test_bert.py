"""Prompts become the ids the reference gives them, and what does not fit is told."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.errors import PromptError, WeightsError
from imagereward_core.scorers.tokenizers.bert import PromptEncoder, build_tokenizer, pad_ids
from tests.support.tiny import CARD, write_vocabulary


@pytest.fixture(scope="module")
def bert(bert_vocabulary) -> PromptEncoder:
    return PromptEncoder(bert_vocabulary, 35)


@pytest.fixture
def tiny(tmp_path) -> PromptEncoder:
    return PromptEncoder(write_vocabulary(tmp_path), 12)


@cache
def reference_tokenizer(vocabulary: Path) -> Any:
    """What BLIP's ``init_tokenizer`` gives: transformers' own BERT tokenizer."""
    import transformers

    major = int(transformers.__version__.split(".")[0])
    tokenizer = transformers.BertTokenizer(
        **{"vocab" if major >= 5 else "vocab_file": str(vocabulary)}, do_lower_case=True
    )
    tokenizer.add_special_tokens({"bos_token": "[DEC]"})
    tokenizer.add_special_tokens({"additional_special_tokens": ["[ENC]"]})
    return tokenizer


def reference_ids(vocabulary: Path, prompt: str) -> list[int]:
    return reference_tokenizer(vocabulary)(prompt, truncation=True, max_length=35)["input_ids"]


PROMPTS = [
    "a painting of an ocean with clouds and birds, day time, low depth field effect",
    "",
    " ",
    "Café naïve Ångström façade",
    "一只猫 and 漢字",
    "a cat 🐈 with 👩‍👩‍👧 emoji",
    "[MASK] and [ENC] or [SEP] typed, [DEC] too",
    "tab\there\nnew line\u00a0nbsp\u200bzero",
    "supercalifragilisticexpialidocious " * 12,
    "x" * 300,
    "masterpiece, best quality, " * 30,
    "don't stop-me (now) 3.14 50% #1 @you",
    "\x00control\x07 and \ufffd",
]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_ids_equal_the_reference_tokenizer(bert_vocabulary, bert, prompt):
    assert list(bert(prompt).ids) == reference_ids(bert_vocabulary, prompt)


# Old transformers tokenize in Python, whose Unicode tables differ from the tokenizers library in characters assigned lately or never.
SETTLED = st.characters(max_codepoint=0xFFFF, exclude_categories=("Cs", "Cn", "Co"))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(prompt=st.text(SETTLED, max_size=120))
def test_ids_equal_the_reference_tokenizer_on_any_text(bert_vocabulary, bert, prompt):
    assert list(bert(prompt).ids) == reference_ids(bert_vocabulary, prompt)


def test_known_ids_of_special_tokens(bert):
    assert len(bert.tokenizer) == 30524
    assert bert.tokenizer.enc_token_id == 30523
    assert bert("[MASK]").ids == (101, 103, 102)
    assert bert.tokenizer(
        "a cat", padding="max_length", truncation=True, max_length=35, return_tensors="pt"
    ).input_ids.shape == (1, 35)


def test_what_was_cut_is_told(tiny):
    tokens = tiny("a b c d e f g h i j k, the end")
    assert len(tokens.ids) == CARD.token_limit
    assert tokens.cut == "k, the end"
    assert tiny("a b c d e f g h i j").cut == ""


def test_a_prompt_of_exactly_the_limit_is_not_cut(tiny):
    assert len(tiny("a b c d e f g h i j").ids) == 12


def test_huge_prompt_is_quick_and_keeps_its_end_in_the_cut_part(tiny):
    prompt = "a " * 200_000 + "end"
    tokens = tiny(prompt)
    assert len(tokens.ids) == 12
    assert tokens.cut.endswith("end") and len(tokens.cut) > 390_000


def test_lone_surrogates_do_not_crash(tiny):
    assert tiny("a \ud83d b").ids[0] == 2


@settings(max_examples=100, deadline=None)
@given(prompt=st.text(max_size=200))
def test_any_text_fits_and_ends_with_the_end_token(bert, prompt):
    tokens = bert(prompt)
    assert 2 <= len(tokens.ids) <= 35
    assert tokens.ids[0] == 101 and tokens.ids[-1] == 102


def test_a_prompt_that_is_no_text_is_refused(tiny):
    with pytest.raises(PromptError, match="NoneType"):
        tiny(None)


def test_a_file_that_is_no_vocabulary_is_refused(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("<html>404</html>\n", encoding="utf-8")
    with pytest.raises(WeightsError, match="not a BERT vocabulary"):
        build_tokenizer(path)


def test_padding_is_on_the_right_with_zeros():
    ids, mask = pad_ids([(2, 3), (2, 7, 3)])
    assert ids.tolist() == [[2, 3, 0], [2, 7, 3]]
    assert mask.tolist() == [[1, 1, 0], [1, 1, 1]]
