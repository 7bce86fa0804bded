"""Function phrases are found by the longest match within a part, and a share counts phrases."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_lab.annotation.analysis.function_share import BUCKETS, bucket_of
from imagereward_lab.annotation.analysis.phrases.pieces import function_share, parts
from imagereward_lab.annotation.analysis.phrases.rules import find_function_phrases
from imagereward_lab.annotation.analysis.phrases.words import FUNCTION_PHRASES, ONLY_ALONE
from imagereward_lab.data.ranking import Phrase


def found(prompt):
    return [prompt[each.start : each.end] for each in find_function_phrases([prompt])[0]]


@pytest.mark.parametrize(
    ("prompt", "phrases", "share"),
    [
        (
            "portrait of a woman, highly detailed, trending on ArtStation, 8k",
            ["highly detailed", "trending on ArtStation", "8k"],
            3 / 4,
        ),
        ("a Highly-Detailed castle in the fog", ["Highly-Detailed"], 1 / 2),
        ("extremely detailed CG unity 8k wallpaper", ["extremely detailed CG unity 8k wallpaper"], 1),
        ("unreal engine 5 render of a fox", ["unreal engine 5 render"], 1 / 2),
        ("(masterpiece:1.2), best quality, 1girl", ["masterpiece", "best quality"], 2 / 3),
        ("4 k uhd photo, a dog", ["4 k uhd photo"], 1 / 2),
        ("sharp focus and 8k", ["sharp focus", "8k"], 1),
        ("a sharp knife", [], 0),
        ("sharp, a knife", ["sharp"], 1 / 2),
        ("a 10k run, 9000k stars, 8kg of apples", ["10k"], 1 / 4),
        ("octane rendering", ["octane rendering"], 1),
        ("", [], 0),
        ("...,;|", [], 0),
        ("一只狐狸，8k，杰作", ["8k"], 1 / 3),
    ],
)
def test_known_prompts(prompt, phrases, share):
    assert found(prompt) == phrases
    assert function_share(prompt, find_function_phrases([prompt])[0]) == pytest.approx(share)


def test_the_list_is_as_prompts_are_compared_and_every_phrase_finds_itself():
    for words in FUNCTION_PHRASES:
        text = " ".join(words)
        assert text == text.lower() and found(text) == [text], text
    assert ONLY_ALONE <= FUNCTION_PHRASES
    page = Path(__file__).parents[4] / "docs" / "analysis.md"
    assert f"otherwise: {len(FUNCTION_PHRASES)} phrases" in page.read_text(encoding="utf-8")


pieces = st.sampled_from(
    ["8k", "highly detailed", "sharp", "a fox", "and", "unreal engine", "5", "x" * 5, "é", "🦊"]
)
marks = st.sampled_from([", ", " ", "-", ". ", ";", ""])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(pieces, marks), max_size=10).map(lambda each: "".join(a + b for a, b in each)))
def test_phrases_lie_within_parts_beside_one_another_and_shares_add_up(prompt):
    phrases = find_function_phrases([prompt])[0]
    for one, two in zip(phrases, phrases[1:]):
        assert one.end <= two.start
    for each in phrases:
        assert any(start <= each.start < each.end <= end for start, end in parts(prompt))
        assert prompt[each.start : each.end].strip() == prompt[each.start : each.end] != ""
    share = function_share(prompt, phrases)
    assert 0 <= share <= 1 and (share > 0) == bool(phrases)
    # Letter case is nothing to go by, where it can be changed at all.
    assert find_function_phrases([prompt.upper()])[0] == phrases


def test_marked_phrases_of_other_kinds_count_and_so_does_what_nobody_marked():
    prompt = "a red fox, oil painting, 8k and more"
    content, style, function = Phrase(0, 9, "content"), Phrase(11, 23, "style"), Phrase(25, 27, "function")
    assert function_share(prompt, [content, style, function]) == 1 / 4
    assert function_share(prompt, [function]) == 1 / 4
    assert function_share(prompt, [content]) == 0
    assert function_share(prompt, [Phrase(0, len(prompt), "function")]) == 1
    assert function_share(prompt, [Phrase(2, 20, "style")]) == 0, "over a comma"


@given(st.integers(0, 60), st.integers(1, 60))
def test_buckets_are_fifths_with_their_upper_ends(some, total):
    some = min(some, total)
    number = bucket_of(some / total)
    assert 0 <= number < len(BUCKETS)
    if some:
        assert (number - 1) * total < 5 * some <= number * total
    else:
        assert number == 0
