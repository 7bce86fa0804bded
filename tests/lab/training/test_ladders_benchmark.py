"""The benchmark of ladders, at a size that takes seconds: its data are honest, and what it records becomes a page."""

from __future__ import annotations

from benchmarks import ladders
from benchmarks.table_evaluation import ladders_part
from imagereward_lab.data.jsonl import read_rankings
from imagereward_lab.data.prompts import prompt_key


def test_a_tiny_run_of_the_benchmark_becomes_tables(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("imagereward_lab.training.jobs.job.draw_curves", lambda *_: False)
    monkeypatch.setattr(ladders, "LADDERS", {"data": "50%,100%", "freeze": "100%"})
    tiny = (
        "--work",
        str(tmp_path),
        "--rankings",
        "4",
        "--held-out",
        "2",
        "3",
        "--epochs",
        "1",
        "--seeds",
        "1",
    )
    result = ladders.main([*tiny, "--no-record"])
    (file,) = (tmp_path / "scenes").glob("*.jsonl")
    prompts: dict[str, set[str]] = {}
    for ranking in read_rankings(file):
        prompts.setdefault(ranking.split, set()).add(prompt_key(ranking.prompt))
        if ranking.split == "test":
            assert len(ranking.images) == ladders.TEST_PICTURES and None not in ranking.extremes
    assert {name: len(each) for name, each in prompts.items()} == {"train": 4, "validation": 2, "test": 3}
    assert len(set.union(*prompts.values())) == 9, "no prompt is in two splits"
    page = "\n".join(ladders_part(result, "here"))
    assert (
        "| 50% | 2 | vision 0 of 4, text 0 of 3 |" in page
        and "| 100% | 4 | vision 4 of 4, text 3 of 3 |" in page
    )
    assert "1 seed, start: demo with a new head" in page
