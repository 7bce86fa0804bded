from __future__ import annotations

import pytest
import torch

from imagereward_core.cli import batches
from imagereward_core.nets.reward import RewardNetwork
from tests.support.command import SETTINGS, save_picture


@pytest.fixture
def batch(tmp_path):
    """Six pictures for two prompts."""
    where = tmp_path / "batch"
    for number in range(6):
        prompt = "a red star" if number % 2 else "two blue rings"
        save_picture(where / f"{number}.png", (40 * number, 120, 255 - 40 * number), prompt + SETTINGS)
    return where


def rank(run, batch, *options):
    return run("rank", batch, "-s", "demo", "-f", "json", *options)


def test_rows_come_from_best_to_worst(run, batch):
    rows = rank(run, batch).rows
    scores = [row["score"] for row in rows]
    assert len(rows) == 6 and scores == sorted(scores, reverse=True)
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5, 6]


def test_only_what_is_kept_is_shown_unless_all_is_asked_for(run, batch):
    kept = rank(run, batch, "--top", "2")
    assert [row["rank"] for row in kept.rows] == [1, 2] and kept.document["counts"]["kept"] == 2
    everything = rank(run, batch, "--top", "2", "--show", "all").rows
    assert [row["kept"] for row in everything] == [True, True, False, False, False, False]
    assert all("beyond the best 2" in row["reason"] for row in everything[2:])


def test_rules_can_hold_within_each_prompt(run, batch):
    done = rank(run, batch, "--top-percent", "34", "--within", "prompt")
    assert [(row["prompt"], row["rank_in_prompt"]) for row in done.rows] == [
        ("two blue rings", 1),
        ("two blue rings", 2),
        ("a red star", 1),
        ("a red star", 2),
    ]
    assert done.document["rule"]["within"] == "prompt"


def test_a_score_can_be_demanded_and_a_number_guaranteed(run, batch):
    assert rank(run, batch, "--min-score", "1000").rows == []
    assert len(rank(run, batch, "--min-score", "1000", "--keep-at-least", "2").rows) == 2
    assert len(rank(run, batch, "--min-percentile", "0").rows) == 6


def test_failures_do_not_go_unnoticed_where_their_rows_are_not_shown(run, batch):
    (batch / "9.png").write_bytes(b"")
    done = rank(run, batch, "--top", "1")
    assert done.code == 1 and len(done.rows) == 1
    assert "9.png" in done.err and "empty" in done.err


@pytest.mark.parametrize(
    "options",
    [
        ("--top", "-1"),
        ("--top-percent", "101"),
        ("--min-score", "nan"),
        ("--min-percentile", "5", "--whole-picture"),
        ("--batch-size", "0"),
        ("--prompt", "x", "--prompt-from", "sidecar"),
        ("--device", "nonsense"),
    ],
)
def test_options_that_make_no_sense_are_usage_errors(run, batch, options):
    done = rank(run, batch, *options)
    assert done.code == 2 and done.out == "" and done.err


def test_the_table_separates_prompts_and_says_what_is_kept(run, batch):
    table = run("rank", batch, "-s", "demo", "--within", "prompt", "--top", "1", "--show", "all").out
    assert table.count("\n\n") == 1
    assert table.splitlines()[0].split()[:2] == ["Rank", "Score"] and " yes " in table and " no " in table


def test_copies_of_a_picture_are_tied_in_every_part_of_a_run(run, tmp_path, monkeypatch):
    """A number moves in its last digits with its batch, and more so in half precision: here by a thousandth of it."""
    encode = RewardNetwork.encode_images
    monkeypatch.setattr(
        RewardNetwork,
        "encode_images",
        lambda self, pixels: encode(self, pixels) * (1 + 1e-3 * torch.rand(len(pixels), 1, 1)),
    )
    monkeypatch.setattr(batches, "_FIRST", 2)
    monkeypatch.setattr(batches, "_LEAST", 2)
    monkeypatch.setattr(batches, "_MOST", 3)
    for number in range(6):
        seed = f"Seed: {number}, Size: 48x40"
        save_picture(
            tmp_path / f"{number}.png", (200 * (number % 2), 30, 30), f"a red star\nSteps: 20, {seed}"
        )
    rows = run("rank", tmp_path, "-s", "demo", "-f", "json", "--show", "all").rows
    assert len({row["score"] for row in rows}) == 2 and [row["rank"] for row in rows] == [1, 1, 1, 4, 4, 4]
    assert [row["file"][-5] for row in rows] in (list("024135"), list("135024"))
