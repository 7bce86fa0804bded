"""Ladders: one thing changed at a time, everything else the same; finished rungs stay; a table with intervals over seeds."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from imagereward_core.cli.main import main
from imagereward_core.metrics.uncertainty import mean_interval
from imagereward_lab.data.jsonl import write_rankings
from imagereward_lab.data.ranking import Ranking
from imagereward_lab.people.scenes import write_scenes
from imagereward_lab.training.config import TrainingConfig
from imagereward_lab.training.errors import TrainingError
from imagereward_lab.training.jobs.job import FACTS
from imagereward_lab.training.jobs.options import JobOptions
from imagereward_lab.training.jobs.splits import Splits
from imagereward_lab.training.ladders.climb import RUNG
from imagereward_lab.training.ladders.rungs import read_ladder


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    rankings = [
        *write_scenes(folder, range(8), split="train", held_out=False, pictures=3),
        *write_scenes(folder, range(2), split="validation", pictures=3),
        *write_scenes(folder, range(2, 5), split="test", pictures=6),
    ]
    write_rankings(folder / "rankings.jsonl", rankings)
    return folder / "rankings.jsonl"


@pytest.fixture(autouse=True)
def no_curves(monkeypatch):
    """The curves of each training take longer to draw than the training."""
    monkeypatch.setattr("imagereward_lab.training.jobs.job.draw_curves", lambda *_: False)


def climb(scenes, output, *more):
    usual = ("--start", "demo", "--epochs", 1, "--validations", 1, "--device", "cpu", "--no-tensorboard")
    return main([str(each) for each in ("train", scenes, "-o", output, *usual, *more)])


def figures(output):
    rows = list(csv.DictReader((output / "ladder.csv").open(encoding="utf-8")))
    return {(row["group"], row["measure"]): row for row in rows}


def test_a_ladder_of_data_is_nested_measured_on_the_test_and_gone_on_with(scenes, tmp_path, capsys):
    output = tmp_path / "ladder"
    ladder = ("--ladder", "data=50%,100%", "--seeds", 2, "--tuning", "head", "--fresh-head", "--seed", 5)
    assert climb(scenes, output, *ladder) == 0
    told = capsys.readouterr()
    assert (
        "data 100%, seed 6" in told.err
        and "3 of 4 trainings done, about" in told.err
        and "1 of 4" in told.err
    )
    found = figures(output)
    assert [float(found[rung, "rankings learnt from"]["value"]) for rung in ("50%", "100%")] == [4, 8]
    for rung in ("50%", "100%"):
        values = []
        for seed in (5, 6):
            run = json.loads(
                (output / f"data-{rung[:-1]}pct" / f"seed-{seed}" / RUNG).read_text(encoding="utf-8")
            )
            values.append(run["measured"]["accuracy"]["value"])
            assert run["measured"]["accuracy"]["count"] > 3 * 8 and "recall@1" in run["measured"]
        row = found[rung, "accuracy"]
        low, high = mean_interval(values)
        assert [float(row[name]) for name in ("value", "low", "high")] == pytest.approx(
            [np.mean(values), low, high]
        )
        assert row["count"] == "2" and float(row["deviation"]) == pytest.approx(np.std(values, ddof=1))
    document = json.loads((output / "ladder.json").read_text(encoding="utf-8"))
    assert {row["measure"] for row in document["figures"]} >= {
        "recall@4",
        "filter@1",
        "accuracy on validation",
    }
    assert "| 50% | 4 rankings" in (output / "ladder.md").read_text(encoding="utf-8")
    assert "4 rankings" in told.out
    if find_spec("matplotlib") is not None:
        assert "one seed" in (output / "ladder.svg").read_text(encoding="utf-8")
    # Again, not without being asked to, and then nothing that is finished is trained again; a new rung is.
    assert climb(scenes, output, *ladder) == 4 and "--resume" in capsys.readouterr().err
    marks = {each: each.stat().st_mtime_ns for each in output.rglob(FACTS)}
    # Killed while it was measured: it is measured again, from the same result.
    killed = output / "data-100pct" / "seed-5"
    before = json.loads((killed / RUNG).read_text(encoding="utf-8"))
    (killed / RUNG).unlink()
    longer = ("--ladder", "data=25%,50%,100%", *ladder[2:], "--seeds", 1, "--resume")
    assert climb(scenes, output, *longer) == 0
    assert "data 50%, seed 5: done before" in capsys.readouterr().err
    again = {each for each in marks if each.stat().st_mtime_ns != marks[each]}
    assert again == {killed / FACTS}
    assert json.loads((killed / RUNG).read_text(encoding="utf-8"))["measured"] == before["measured"]
    assert set(output.rglob(FACTS)) - set(marks) == {output / "data-25pct" / "seed-5" / FACTS}
    assert float(figures(output)["25%", "rankings learnt from"]["value"]) == 2
    # With another setting they would be no rungs of one ladder.
    assert climb(scenes, output, *longer, "--learning-rate", "1e-3") == 4
    assert "was made with other settings (learning_rate 1e-05, now 0.001)" in capsys.readouterr().err


def test_a_frozen_share_says_how_many_layers_that_means(scenes, tmp_path, capsys):
    output = tmp_path / "ladder"
    assert climb(scenes, output, "--ladder", "freeze=0,70%,1", "--seeds", 1, "-f", "json") == 0
    told = capsys.readouterr()
    layers = {
        row["group"]: row["value"]
        for row in json.loads(told.out)["figures"]
        if row["measure"] == "frozen layers, vision"
    }
    assert layers == {"0": 0, "70%": 2, "1": 4}
    found = figures(output)
    trains = [float(found[rung, "parameters that train"]["value"]) for rung in ("0", "70%", "1")]
    assert trains == sorted(trains, reverse=True) and trains[-1] == 27_393
    page = (output / "ladder.md").read_text(encoding="utf-8")
    assert "vision 2 of 4, text 2 of 3" in page and "freeze 0.7" not in page and "- start: demo" in page
    assert "One seed says nothing" in told.err and "of the test are among" not in told.err
    # The same rankings as the test: that is said.
    known = ("--ladder", "freeze=1", "--seeds", 1, "--test", scenes)
    assert climb(scenes, tmp_path / "other", *known) == 0
    assert "10 prompts of the test are among those that are learnt from" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["ladder.csv", "ladder.md", "ladder.json", "ladder.svg"])
def test_a_file_of_the_users_is_never_replaced(scenes, tmp_path, capsys, name):
    (tmp_path / name).write_bytes(b"theirs")
    assert climb(scenes, tmp_path, "--ladder", "freeze=0,70%", "--seeds", 1) == 2
    assert f"{name} is there already" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"theirs"


def test_smaller_parts_are_within_larger_ones_and_keep_prompts_whole():
    train = [Ranking(f"prompt {number % 20}", (f"{number}a", f"{number}b"), (1, 2)) for number in range(60)]
    for seed in range(3):
        before: set[str] = set()
        for rung in read_ladder("data=10%,11,25%,0.03k,100%").rungs:
            part = rung.part(train, seed)
            names = [each.images[0] for each in part]
            assert names == [each.images[0] for each in train if each.images[0] in set(names)], (
                "order of the file"
            )
            assert before <= set(names) and len(part) % 3 == 0
            before = set(names)
        assert before == {each.images[0] for each in train}
    parts = [
        {each.prompt for each in read_ladder("data=25%").rungs[0].part(train, seed)} for seed in range(3)
    ]
    assert all(len(part) == 5 for part in parts) and len({frozenset(part) for part in parts}) > 1
    with pytest.raises(TrainingError, match="found 60 rankings to learn from; expected at least 1,000"):
        read_ladder("data=1k").rungs[0].part(train, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("data", "no factor with values"),
        ("data=50%,,", "no factor with values"),
        ("data=0%", "more than 0 %"),
        ("seed=1,2", "--seeds N"),
        ("data=1.5", "number of rankings"),
        ("data=nan%", "more than 0 %"),
        ("colour=1,2", "is no setting with values"),
        ("freeze=0,120%", "from 0 to 1"),
        ("data=25%,25%", "have one name"),
        ("freeze=0.5,50%", "0.5 is there twice"),
        ("backbone=BLIP,", "no factor with values"),
    ],
)
def test_what_is_no_ladder_is_said_before_anything_is_done(scenes, tmp_path, capsys, text, said):
    assert climb(scenes, tmp_path / "no", "--ladder", text) == 4
    assert said in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


def test_a_rung_changes_its_own_thing_alone(tmp_path):
    options = JobOptions(config=TrainingConfig(seed=7, epochs=3), output=tmp_path, start="BLIP", name="mine")
    splits = Splits([], [], None, None, "abc")
    for text in ("backbone=CLIP:head", "freeze=30%", "learning-rate=2e-5", "loss=davidson"):
        ladder = read_ladder(text)
        (rung,) = ladder.rungs
        made, parts = rung.job(ladder.factor, options, splits, 8)
        assert parts is splits and made.name.startswith("mine-") and made.name.endswith("-8")
        assert made.output.parent.parent == tmp_path and made.output.name == "seed-8"
        wanted = replace(options.config, **{**rung.settings, "seed": 8})
        expected = replace(options, config=wanted, output=made.output, name=made.name, **rung.start)
        assert made == expected and (rung.settings or rung.start)
    made, parts = read_ladder("data=50%").rungs[0].job("data", options, splits, 8)
    assert parts.sha256 != splits.sha256, "a part is other data, which a training in its folder is known by"


def test_backbones_are_read_with_their_tower_and_tuning():
    rungs = read_ladder("backbone=BLIP,CLIP:head,BLIP+vit_tiny_patch16_224,C:/mine.safetensors").rungs
    assert [rung.start for rung in rungs] == [
        {"start": "BLIP"},
        {"start": "CLIP", "tuning": "head"},
        {"start": "BLIP", "vision": "vit_tiny_patch16_224"},
        {"start": "C:/mine.safetensors"},
    ]


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_intervals_of_means_are_those_of_scipy(level):
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    for number in (2, 3, 4, 5, 10, 31, 200):
        values = rng.normal(0.6, 0.1, number)
        wanted = stats.t.interval(level, number - 1, values.mean(), stats.sem(values))
        assert mean_interval(values.tolist(), level) == pytest.approx(wanted, rel=1e-6)
    assert all(map(math.isnan, mean_interval([0.5])))
