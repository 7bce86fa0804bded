"""What a scorer sees of a prompt."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imagereward_core.metadata.cleaning import clean_prompt


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("(masterpiece:1.2), best quality", "masterpiece, best quality"),
        ("((best quality)), cat", "best quality, cat"),
        ("a ((red)) car", "a red car"),
        ("[blurry] cat", "blurry cat"),
        ("(masterpiece), cat", "masterpiece, cat"),
        ("(cat:1.1) and (dog:.9) and (bird: 2)", "cat and dog and bird"),
        ("(a (b (c:1.1):1.2):1.3)", "a b c"),
        ("a (beautiful) (cat:1.2)", "a beautiful cat"),
        ("(rem:1.2) and (ram)", "rem and ram"),
        ("(ratio 16:9, wide)", "ratio 16:9, wide"),
        (r"rem \(re:zero\), smile", "rem (re:zero), smile"),
        (r"a \(b\) c", "a (b) c"),
        (r"(saber \(fate\):1.3), sword", "saber (fate), sword"),
        ("saber (fate), sword", "saber (fate), sword"),
        ("smile :), (nice:1.2)", "smile :), nice"),
        ("a [cat:dog:0.5] sits", "a dog sits"),
        ("a [cat:dog:10] sits", "a dog sits"),
        ("a [red:0.5] car", "a red car"),
        ("a [red::0.5] car", "a car"),
        ("[(a:1.2):(b:1.3):.5]", "b"),
        ("[a:[b:c:3]:0.5]", "c"),
        ("[cow|horse] in a field", "cow horse in a field"),
        ("[cat: black]", "cat: black"),
        ("a BREAK b", "a, b"),
        ("a cat AND dog :1.2", "a cat, dog"),
        ("a cat AND dog :1.2 AND bird:-1", "a cat, dog"),
        ("a cat AND dog:0 AND bird:0.1", "a cat, bird"),
        ("sand and ANDROID", "sand and ANDROID"),
        ("a poster saying LOVE AND PEACE", "a poster saying LOVE AND PEACE"),
        ("embedding:foo/bar.pt, cat", "bar, cat"),
        ("(embedding:easy:1.2), cat", "easy, cat"),
        ("cat <lora:foo:0.8> sits", "cat sits"),
        ("cat, <lyco:a:1:lbw=1,0,1>, <hypernet:b:1>, dog", "cat, dog"),
        ("i <3 u, a < b", "i <3 u, a < b"),
        ("a {red|blue} car", "a {red|blue} car"),
        ("{{masterpiece}}, {a fox}, [[bad]]", "masterpiece, a fox, bad"),
        ("{{red|blue}} car, {fast}", "{red|blue} car, fast"),
        ("1.5::a fox, snow ::, 0.5::ink::", "a fox, snow, ink"),
        ("-1::hat::, a fox", "a fox"),
        ("0::hat::, 0.0::scarf::, a fox", "a fox"),
        (".01::hat::, a fox", "hat, a fox"),
        ('{"subject": "a fox"}', '{"subject": "a fox"}'),
        ("at 12::30 and {x: y}", "at 12::30 and {x: y}"),
        ("({red|blue}:1.2) car", "{red|blue} car"),
        ("a cat # the brown one\n# second try\nsits", "a cat sits"),
        ("a #ff0000 wall in C# style, #sunset", "a #ff0000 wall in C# style, #sunset"),
        ("1,000 people,  here", "1,000 people,  here"),
        ("<lora:x:1>, , 1,000   people ,", "1,000 people"),
        ("16:9 photo", "16:9 photo"),
        ("You are an assistant. <Prompt Start> a cat", "a cat"),
        ("<lora:x:1>", ""),
        ("", ""),
    ],
)
def test_syntax_goes_and_words_stay(written, seen):
    assert clean_prompt(written).text == seen


def test_what_the_scorer_does_not_see_is_listed():
    clean = clean_prompt("<lora:foo:0.8> a [cat:dog:0.5] AND bird:-1 # note")
    assert set(clean.removed) == {"<lora:foo:0.8>", "cat", "bird:-1", "# note"}
    assert clean_prompt("a fox, 0::hat::, 1::scarf::").removed == ("0::hat::",)
    assert clean_prompt("a fox AND hat:0").removed == ("hat:0",)


def test_unresolved_choices_are_left_with_a_note():
    assert clean_prompt("a {red|blue} car").notes
    assert clean_prompt("a __colour__ car").notes
    assert not clean_prompt("a red car").notes


WORDS = "a cat 1 -1 / .pt AND BREAK LOVE embedding: # <lora:a:1> __x__ :1.2 :0.5]".split(" ")
SIGNS = r"( ) [ ] { } : | \ < > \( \) \[ (( ))".split(" ")
PIECES = st.sampled_from([*WORDS, *SIGNS, " ", ",", "\n", "É", "LOVE ", "<Prompt Start>"])
NASTY = st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=60)


@settings(deadline=None, max_examples=1500)
@given(NASTY)
@example(r"\(\(x\)\)")
@example("\\" * 40 + "(a:1.2)")
@example("<a:" * 30 + ">" * 30)
def test_cleaning_twice_is_cleaning_once(text):
    once = clean_prompt(text)
    twice = clean_prompt(once.text)
    assert twice.text == once.text
    assert twice.removed == ()


@settings(deadline=None, max_examples=300)
@given(
    st.text(st.characters(blacklist_characters="()[]<>{}\\|#:", blacklist_categories=("Cs",)), max_size=80)
)
def test_a_prompt_without_syntax_comes_back_as_it_was(text):
    if "AND" in text or "BREAK" in text:
        return
    assert clean_prompt(text).text == text.strip()


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.from_regex(r"[a-z]{2,8}( [a-z]{2,8})?", fullmatch=True), min_size=1, max_size=6), st.data()
)
def test_emphasis_around_any_item_leaves_its_words(items, data):
    forms = st.sampled_from(["{}", "({}:1.3)", "(({}))", "[{}]", "((({})))", "({}:0.7)", "[({}:1.1)]"])
    written = ", ".join(data.draw(forms).format(item) for item in items)
    assert clean_prompt(written).text == ", ".join(items)


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("(", ")"),
        ("[", "]"),
        ("[a:", ":1]"),
        ("[", ":c:1]"),
        ("(", ":1.1)"),
        ("(", ""),
        ("", ")"),
        ("([", "])"),
        ("{a|", "}"),
        ("\\(", "\\)"),
        ("<a:", ">"),
        ("\\", ""),
        ("__", ""),
        ("a AND ", ":1"),
        (" ", ","),
        ("9", ""),
        ("{", "}"),
        ("1::", "::"),
        (" 1::a", ""),
        (":1", "("),
        ("# ", "#"),
    ],
)
def test_deep_nesting_takes_linear_time(opening, closing):
    def seconds(depth):
        text = opening * depth + "word" + closing * depth
        start = time.process_time()
        clean_prompt(text)
        return time.process_time() - start

    # Quadratic time would be 400 times as long for 20 times the depth; a slow machine is given some slack.
    small = min(seconds(1_000) for _ in range(3))
    assert seconds(20_000) < 80 * small + 1.0
