"""What a page of a folder keeps and shows: the library's rules, a highest score, a text, an order, pages."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from imagereward_core.gallery import filter as filtering
from imagereward_core.gallery.view import View, Wish, slider_step
from imagereward_core.library.scan.options import ScanOptions
from imagereward_core.library.store.records import Generated, Row
from imagereward_core.scorers.panel import PanelResult
from imagereward_core.scorers.requests import LoadRequest
from imagereward_core.scores import Scores
from imagereward_core.weights.cards import get_card

CARD = get_card("demo")


def view_of(values, prompts=None, stars=None, fingerprints=None):
    """A folder of imagined files."""
    prompts = prompts or [f"prompt {index % 3}" for index in range(len(values))]
    failures = {index: "broken" for index, value in enumerate(values) if math.isnan(value)}
    scores = Scores.for_card(CARD, "r", np.array(values, dtype=float), prompts, [""] * len(values), failures)
    rows = tuple(
        Row(
            index + 1, Path(f"/out/{index % 2}/{index:03d}.png"), f"{index:x}", 8, 8, 9, 1000 - index,
            Generated(written=prompt, prompt=prompt),
            value=None if math.isnan(value) else value, stars=stars[index] if stars else None,
            fingerprint=fingerprints[index] if fingerprints else index * 0x0123456789ABCDEF % 2**64,
        )
        for index, (value, prompt) in enumerate(zip(values, prompts, strict=True))
    )  # fmt: skip
    wish = Wish(Path("/out"), LoadRequest("demo"), ScanOptions())
    return View(wish, rows, [row.path.parent.name for row in rows], PanelResult(scores), CARD)


def chosen(view, **wanted):
    return filtering.choose(view, filtering.Filter(**wanted))


numbers = st.lists(st.one_of(st.floats(-3, 3), st.just(math.nan)), min_size=1, max_size=25)
limits = st.one_of(st.none(), st.floats(-3, 3))


@given(
    numbers,
    limits,
    limits,
    st.floats(0, 100),
    st.integers(0, 6),
    st.sampled_from(["all", "prompt", "folder"]),
)
def test_every_kept_picture_meets_every_condition(values, low, high, percent, top, per):
    view = view_of(values)
    choice = chosen(view, minimum=low, maximum=high, top_percent=percent, top=top, per=per)
    kept = choice.kept
    assert all(low is None or values[index] >= low for index in kept)
    assert all(high is None or values[index] <= high for index in kept)
    assert not kept & set(view.result.main.failures)
    if per == "all":
        assert len(kept) <= (top or len(values))
    order = choice.selection.order.tolist()
    assert sorted(order) == list(range(len(values)))
    assert sorted([*choice.selection.kept.tolist(), *choice.selection.rejected.tolist()]) == list(
        range(len(values))
    )
    assert all(
        reason.startswith("kept" if index in kept else ("rejected", "no score"))
        for index, reason in enumerate(choice.selection.reasons)
    )
    assert all((choice.verdicts.names[index] == "kept") == (index in kept) for index in range(len(values)))


@given(numbers, limits)
def test_kept_rejected_and_not_scored_are_everything_once(values, low):
    view = view_of(values)
    parts = [chosen(view, minimum=low, show=show).shown for show in ("kept", "rejected", "failed")]
    assert sorted(index for part in parts for index in part) == list(range(len(values)))
    shown = chosen(view, minimum=low, show="all").shown
    assert sorted(shown) == sorted([*parts[0], *parts[1]])
    assert [values[index] for index in shown] == sorted((values[index] for index in shown), reverse=True)


def test_a_highest_score_rejects_with_its_reason():
    choice = chosen(view_of([1.0, 2.0, 0.5]), maximum=1.5)
    assert choice.kept == {0, 2} and choice.selection.reasons[1] == "rejected: score 2.0000 is above 1.5"
    assert choice.selection.kept.tolist() == [0, 2] and choice.selection.rejected.tolist() == [1]


def test_what_a_person_wants_kept_stays_so_above_a_highest_score():
    """By hand or by its stars; a higher score is no reason to go against somebody's word."""
    view = view_of([1.0, 2.0, 3.0, 2.5], stars=[None, 5, None, 5])
    view = replace(
        view,
        rows=(*view.rows[:2], replace(view.rows[2], decision=True), replace(view.rows[3], decision=False)),
    )
    choice = chosen(view, maximum=1.5, keep_stars=4)
    assert choice.kept == {0, 1, 2}
    assert choice.selection.reasons[1:] == (
        "kept: 5 stars given by hand (otherwise score 2.0000 is above 1.5)",
        "kept: by hand (otherwise score 3.0000 is above 1.5)",
        "rejected: by hand",
    )
    assert chosen(view, maximum=1.5).kept == {0, 2}


def test_shares_hold_for_each_prompt_or_folder_where_that_is_asked_for():
    view = view_of([3, 2, 1, 0], prompts=["a", "a", "b", "b"])
    assert chosen(view, top=1).kept == {0}
    assert chosen(view, top=1, per="prompt").kept == {0, 2}
    assert chosen(view, top=1, per="folder").kept == {0, 1}


def test_of_pictures_that_look_the_same_the_best_stays():
    view = view_of([1, 2, 3], fingerprints=[0, 1, 2**64 - 1])
    assert chosen(view, unique=True).kept == {1, 2} and chosen(view).kept == {0, 1, 2}


def test_stars_given_by_hand_outweigh_the_score():
    view = view_of([1, 2], stars=[5, None])
    assert chosen(view, top=1).kept == {1} and chosen(view, top=1, keep_stars=4).kept == {0, 1}


def test_text_looks_into_names_and_prompts_in_any_letter_case():
    view = view_of([1, 2, 3], prompts=["A red Fox", "bird", "bird"])
    assert list(chosen(view, text=" fox ").shown) == [0] and list(chosen(view, text="002.PNG").shown) == [2]
    assert chosen(view, text="fox").kept == {0, 1, 2}


@pytest.mark.parametrize(
    ("sort", "expected"),
    [("best", [1, 2, 0]), ("worst", [0, 2, 1]), ("name", [0, 2, 1]), ("newest", [0, 1, 2])],
)
def test_orders(sort, expected):
    assert list(chosen(view_of([1, 3, 2]), sort=sort).shown) == expected


scores_of_any_size = st.lists(
    st.one_of(st.floats(-3, 3), st.floats(-1e300, 1e300), st.just(math.nan)), min_size=1, max_size=25
)


@example([0.0, 5e-324])
@example([1e17, 1e17 + 16])
@example([-1e300, 1e300])
@example([3e-6, 7e-6])
@given(scores_of_any_size)
def test_a_slider_from_end_to_end_leaves_nobody_out(values):
    view = view_of(values)
    low, high = view.limits()
    assert low < high
    assert slider_step(low, high) > 0
    assert chosen(view, minimum=low, maximum=high).kept == chosen(view).kept


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e6))
def test_slider_steps_are_about_two_hundred(low, span):
    real = (low + span) - low
    assume(real > 0)
    assert 79 <= real / slider_step(low, low + span) <= 201


def test_pages_hold_everything_once_and_never_run_out():
    choice = chosen(view_of(list(range(25))))
    pages = [filtering.page_of(choice, page, 10) for page in range(3)]
    assert [len(page) for page in pages] == [10, 10, 5] and sum(pages, ()) == tuple(choice.shown)
    assert filtering.page_of(choice, 99, 10) == pages[2] and filtering.page_of(choice, -1, 10) == pages[0]
    assert filtering.number_of_pages(0, 10) == 1
