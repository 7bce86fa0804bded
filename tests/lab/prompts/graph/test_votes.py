"""The lazy choice is the naive one, nothing is chosen twice, and everything can be chosen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_lab.prompts.graph.supporters import NOBODY, supporters_of
from imagereward_lab.prompts.graph.votes import DEEPEST, choose_by_votes, covered_by
from tests.support.votes import naive, published


@st.composite
def graphs(draw: st.DrawFn) -> list[list[int]]:
    """Graphs in which every point votes for k others, with points that draw many votes and points that draw none."""
    count = draw(st.integers(2, 24))
    k = draw(st.integers(1, count - 1))
    popular = draw(st.integers(k + 1, count)) if k + 1 < count else count
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = []
    for point in range(count):
        others = [other for other in range(popular) if other != point]
        rows.append(rng.permutation(others)[:k].tolist())
    return rows


@settings(max_examples=150)
@given(graphs(), st.data())
def test_the_lazy_choice_is_the_naive_one(graph: list[list[int]], data: st.DataObject) -> None:
    count = data.draw(st.integers(0, len(graph)))
    found = choose_by_votes(supporters_of(np.array(graph, np.int32)), count)
    expected = naive(graph, count)
    assert found.points.tolist() == [point for point, _ in expected]
    assert found.scores.tolist() == [score / 10**DEEPEST for _, score in expected]
    chosen = set(found.points.tolist())
    assert found.covered.tolist() == [
        point in chosen or bool(chosen & set(targets)) for point, targets in enumerate(graph)
    ]


def sixty() -> list[list[int]]:
    rng = np.random.default_rng(3)
    points = rng.normal(size=(60, 8))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    alike = points @ points.T
    np.fill_diagonal(alike, -2)
    return np.argsort(-alike, axis=1, kind="stable")[:, :5].tolist()


@pytest.mark.parametrize("from_cache", [False, True])
def test_sixty_of_sixty_are_sixty_where_the_published_program_repeats_itself(from_cache: bool) -> None:
    graph = sixty()
    assert len(set(published(graph, 60, from_cache))) < 60
    found = choose_by_votes(supporters_of(np.array(graph, np.int32)), 60)
    assert sorted(found.points.tolist()) == list(range(60))


def test_the_first_choices_are_the_published_ones_where_no_two_are_equal() -> None:
    graph = sixty()
    expected = naive(graph, 12)
    assert published(graph, 1) == [expected[0][0]]
    found = choose_by_votes(supporters_of(np.array(graph, np.int32)), 12).points.tolist()
    theirs = published(graph, 12)
    # Of equal scores theirs takes the one that had more votes in the beginning: up to the first such place they are the same.
    assert found[:4] == theirs[:4]


def test_points_nobody_votes_for_come_last_in_their_order() -> None:
    graph = np.array([[3], [3], [3], [4], [3], [4]], np.int32)
    found = choose_by_votes(supporters_of(graph), 6)
    assert found.points.tolist() == [3, 4, 0, 1, 2, 5]
    assert found.scores[-4:].tolist() == [0, 0, 0, 0]


def test_a_neighbour_that_was_not_found_gets_no_vote() -> None:
    graph = np.array([[1, NOBODY], [2, 0], [NOBODY, NOBODY]], np.int32)
    found = supporters_of(graph)
    assert [found.of(point).tolist() for point in range(3)] == [[1], [0], [1]]
    assert covered_by(found, np.array([2])).tolist() == [False, True, True]


def test_voters_are_the_same_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    graph = np.stack([rng.permutation(200)[:7] for _ in range(200)]).astype(np.int32)
    whole = supporters_of(graph)
    monkeypatch.setattr("imagereward_lab.prompts.graph.supporters._VOTES_AT_ONCE", 50)
    parts = supporters_of(graph)
    assert np.array_equal(whole.votes, parts.votes) and np.array_equal(whole.ends, parts.ends)
    for point in (0, 17, 199):
        assert whole.of(point).tolist() == [voter for voter in range(200) if point in graph[voter]]


def test_more_than_there_are_is_an_error() -> None:
    with pytest.raises(ValueError, match="4 of 3 points"):
        choose_by_votes(supporters_of(np.array([[1], [2], [0]], np.int32)), 4)
