"""What is chosen stands for more of the prompts than chance does; groups are parted evenly; a graph is computed once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.prompt_selection import clustered
from imagereward_core.cli.console import Console
from imagereward_lab.prompts import choice as module
from imagereward_lab.prompts.choice import Choice, choose, shares
from imagereward_lab.prompts.coverage import distances_to
from imagereward_lab.prompts.errors import SelectionError
from imagereward_lab.prompts.graph import build
from imagereward_lab.prompts.graph.build import parted
from imagereward_lab.prompts.graph.exact import Blocks, nearest
from imagereward_lab.prompts.options import SelectOptions
from imagereward_lab.prompts.vectors.work import open_work
from tests.support.votes import naive

CPU = torch.device("cpu")


def chosen(folder: Path, vectors: np.ndarray, count: int, **options: object) -> Choice:
    with open_work(folder) as work:
        return choose(work, vectors, {"v": 1}, count, SelectOptions(**options), CPU, Console(quiet=True))


def test_the_choice_is_that_of_the_naive_way_from_the_whole_matrix(tmp_path: Path) -> None:
    vectors = clustered(120, clusters=7)
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -2)
    graph = np.argsort(-alike, axis=1, kind="stable")[:, :9].tolist()
    found = chosen(tmp_path, vectors, 30, neighbours=9)
    assert list(zip(found.points.tolist(), np.rint(found.scores * 10**12).astype(int).tolist())) == naive(
        graph, 30
    )
    votes = np.bincount(np.concatenate(graph), minlength=120)
    assert found.votes.tolist() == votes[found.points].tolist()


def test_clusters_are_covered_better_than_by_chance(tmp_path: Path) -> None:
    vectors = clustered(2000, seed=1)
    found = chosen(tmp_path, vectors, 60, neighbours=50)
    by_hand = 1 - (vectors @ vectors[found.points].T).max(axis=1)
    assert found.coverage.mean == pytest.approx(by_hand.mean(), abs=1e-5)
    assert found.coverage.quantiles == pytest.approx(np.quantile(by_hand, (0.5, 0.9, 0.99)), abs=1e-5)
    assert found.coverage.mean < found.random.mean and found.coverage.quantiles[1] < found.random.quantiles[1]
    assert found.coverage.covered > found.random.covered


def test_all_of_them_cover_all(tmp_path: Path) -> None:
    vectors = clustered(50)
    found = chosen(tmp_path, vectors, 50, neighbours=5)
    assert sorted(found.points.tolist()) == list(range(50))
    assert (found.coverage.mean, found.coverage.largest, found.coverage.covered) == (0, 0, 1)


@given(st.integers(1, 200), st.data())
def test_groups_part_evenly_and_hold_what_is_chosen_in_them(total: int, data: st.DataObject) -> None:
    groups = data.draw(st.integers(1, total))
    count = data.draw(st.integers(groups, total))
    order, ends = parted(total, groups, 7)
    assert sorted(order.tolist()) == list(range(total))
    sizes, wanted = np.diff(ends), shares(count, groups)
    assert sizes.max() - sizes.min() <= 1 and max(wanted) - min(wanted) <= 1 and sum(wanted) == count
    assert all(few <= many for few, many in zip(wanted, sizes))
    assert all((np.diff(order[low:high]) > 0).all() for low, high in zip(ends[:-1], ends[1:]))


def test_groups_are_chosen_from_each_for_itself(tmp_path: Path) -> None:
    vectors = clustered(203)
    found = chosen(tmp_path, vectors, 22, neighbours=10, groups=4, seed=5)
    order, ends = parted(203, 4, 5)
    assert found.groups.tolist() == [0] * 6 + [1] * 6 + [2] * 5 + [3] * 5
    for number in range(4):
        own = order[ends[number] : ends[number + 1]]
        alone = chosen(tmp_path / str(number), vectors[own], shares(22, 4)[number], neighbours=10)
        assert own[alone.points].tolist() == found.points[found.groups == number].tolist()
    other = chosen(tmp_path, vectors, 22, neighbours=10, groups=4, seed=6)
    assert set(other.points.tolist()) != set(found.points.tolist())


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_groups_of_one_or_two_prompts(count: int, tmp_path: Path) -> None:
    vectors = clustered(5)
    found = chosen(tmp_path, vectors, count, groups=min(3, count))
    assert len(set(found.points.tolist())) == count


def test_a_graph_that_is_there_is_not_computed_again_and_a_part_of_one_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = clustered(300)
    whole = {
        groups: chosen(tmp_path / "whole", vectors, 20, neighbours=12, groups=groups) for groups in (1, 3)
    }
    begins: list[int] = []
    small = Blocks(rows=16, columns=64, first=32)

    def broken(own: np.ndarray, k: int, device: torch.device, begin: int = 0):
        begins.append(begin)
        for number, rows in enumerate(nearest(own, k, device, begin, small)):
            if len(begins) == 1 and number == 3:
                raise KeyboardInterrupt
            yield rows

    monkeypatch.setattr(build, "nearest", broken)
    for groups in (1, 3):
        begins.clear()
        with pytest.raises(KeyboardInterrupt):
            chosen(tmp_path / "part", vectors, 20, neighbours=12, groups=groups)
        again = chosen(tmp_path / "part", vectors, 20, neighbours=12, groups=groups)
        assert begins[:2] == [0, 48]
        assert np.array_equal(again.points, whole[groups].points)
        assert np.array_equal(again.scores, whole[groups].scores)
    begins.clear()
    more = chosen(tmp_path / "part", vectors, 40, neighbours=12)
    assert not begins and np.array_equal(more.points[:20], whole[1].points)


@pytest.mark.parametrize(
    ("count", "options", "said"),
    [
        (31, {}, "--count 31: found 30 different prompts"),
        (3, {"groups": 4}, "--groups 4: with 3 prompts to choose"),
        (9, {"groups": 2, "search": "faiss"}, "--search faiss goes without --groups"),
    ],
)
def test_numbers_that_do_not_go_together(count: int, options: dict, said: str, tmp_path: Path) -> None:
    with pytest.raises(SelectionError, match=said):
        chosen(tmp_path, clustered(30), count, **options)


def test_distances_of_some_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = clustered(90)
    points, picks = np.arange(0, 90, 3), np.array([4, 9, 50, 77, 88])
    whole = distances_to(vectors, points, picks, CPU)
    monkeypatch.setattr("imagereward_lab.prompts.coverage._AT_ONCE", 2)
    assert np.allclose(distances_to(vectors, points, picks, CPU), whole, atol=1e-6)
    assert whole[3] == 0 and whole[0] > 0


def test_of_many_prompts_some_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagereward_lab.prompts.coverage.MOST", 100)
    found = chosen(tmp_path, clustered(300), 20, neighbours=12)
    assert found.measured == 100 and module.DRAWS > 1


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_faiss_finds_nearly_all_and_says_how_many(dtype: type, tmp_path: Path) -> None:
    pytest.importorskip("faiss")
    vectors = clustered(3000).astype(dtype)
    found = chosen(tmp_path, vectors, 40, neighbours=20, search="faiss")
    exact = np.concatenate(list(nearest(vectors, 20, CPU)))
    graph = np.load(next(tmp_path.glob("graph-*.npy")))
    share = np.mean([len(np.intersect1d(one, other)) / 20 for one, other in zip(exact, graph)])
    assert found.recall == pytest.approx(share, abs=0.03) and found.recall > 0.8
    assert (graph != np.arange(3000)[:, None]).all() and len(set(found.points.tolist())) == 40
