"""The benchmark of training compares like with like, and counts what it divides by."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from benchmarks import training_gpu
from benchmarks.training import WAYS, Sizes, gradients, largest_difference, measure, prepare, speed_table
from benchmarks.training_work import (
    PUBLISHED_PAIRS,
    PUBLISHED_SIZES,
    PUBLISHED_TIES,
    count_of,
    operations,
    ranks_of,
    reference_gradients,
    sizes_of,
)

SMALL = Sizes(image=32, width=64, layers=4, text_width=64, text_layers=2)


def test_the_mixture_is_that_of_the_published_test_set():
    sizes = sizes_of(466)
    assert {size: sizes.count(size) for size in PUBLISHED_SIZES} == PUBLISHED_SIZES
    ranks = ranks_of(sizes)
    count = count_of(ranks)
    assert (count.pairs, count.pictures) == (6399, 2720) and PUBLISHED_PAIRS - PUBLISHED_TIES == 6399
    assert count.times == pytest.approx(4.705, abs=1e-3)
    few = sizes_of(23)
    assert len(few) == 23 and count_of(ranks_of(few)).times == pytest.approx(4.7, abs=0.2)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("training"), 3, SMALL, frozen=0.5)


def test_all_ways_give_the_same_gradients(work):
    assert largest_difference(work) < 1e-4
    batch = work.batches(work.plain, 0)[0]
    assert reference_gradients(work.plain.trainee, batch) == pytest.approx(
        gradients(work.plain, [batch]), rel=1e-5
    )
    trained = list(work.plain.parameters.values())
    mine = torch.cat([each.grad.flatten() for each in trained])
    turned = replace(batch, ranks=torch.where(batch.ranks > 0, 10 - batch.ranks, 0))
    reference_gradients(work.plain.trainee, turned)
    other = torch.cat([each.grad.flatten() for each in trained])
    assert (mine - other).abs().max() > 0.1 * mine.abs().max(), "other ranks would be noticed"


def test_counted_work_is_as_many_encodings_as_are_counted(work):
    """torch's own count of the whole ways, against the number of encodings times the work of one."""
    batch = work.batches(work.plain, 0)[0]
    (kept,) = work.batches(work.cached, 0)
    count = count_of([[rank for rank in row if rank] for row in batch.ranks.tolist()])
    theirs = operations(lambda: reference_gradients(work.plain.trainee, batch))
    ours = operations(lambda: gradients(work.plain, [batch]))
    assert theirs / ours == pytest.approx(count.times, rel=0.03)
    less = operations(lambda: gradients(work.cached, [kept]))
    assert count.times_with_cache(ours, less) == pytest.approx(theirs / less, rel=0.03)
    assert less < ours


def test_speed_is_compared_within_a_round():
    seconds = {
        "reference": {"clock": [8.0, 16.0, 9.0], "processor": [8.0, 8.0, 8.0]},
        "train": {"clock": [2.0, 4.0, 3.0], "processor": [1.0, 1.0, 1.0]},
    }
    row = speed_table(seconds, {"train": 4.5})["train"]
    assert (row["times_reference"], row["least"], row["most"]) == (4.0, 3.0, 4.0)
    assert (row["by_clock"], row["by_processor"]) == (4.0, 8.0), "the lower one counts"
    assert row["share"] == pytest.approx(4 / 4.5, abs=1e-3) and row["reaches"]
    assert not speed_table(seconds, {"train": 4.8})["train"]["reaches"]


def test_it_measures_from_end_to_end(tmp_path):
    figures = measure(tmp_path, 2, 1, SMALL, memory=False)
    assert set(figures["speed"]) == set(WAYS[1:])
    assert figures["speed"]["cached"]["allowed"] > figures["speed"]["train"]["allowed"] > 1


def test_without_a_gpu_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    training_gpu.main([])
    assert "No CUDA or ROCm device" in capsys.readouterr().out


def test_the_share_of_the_matrix_rate_is_work_over_time_over_rate():
    row = training_gpu.row_of(
        operations=3e12, seconds=[0.3, 0.1, 0.2], rate=60.0, peak=5 * 2**30, pictures=40
    )
    assert row == {
        "step_s": 0.2,
        "pictures_per_second": 200.0,
        "tflops": 15.0,
        "share_of_peak": 0.25,
        "peak_gib": 5.0,
    }


def test_a_step_of_the_gpu_benchmark_goes_through_the_trainer():
    trainer, group = training_gpu.prepare(torch.device("cpu"), SMALL.network(), 32, cached=False)
    kept, states = training_gpu.prepare(torch.device("cpu"), SMALL.network(), 32, cached=True)
    assert group[0].targets.ranks.gt(0).sum() == states[0].targets.ranks.gt(0).sum() > 10
    pairs = sum(trainer.objective.weight(part.targets) for part in group)
    assert 32 < pairs <= 64
    seconds = training_gpu.steps(trainer, 3)
    assert len(seconds) == 3 and min(seconds) > 0
    assert training_gpu.work_of(kept, states) < training_gpu.work_of(trainer, group)
