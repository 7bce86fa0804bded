"""From drawn pictures to a scorer that is known by its name, through the commands: what continuous integration trains and evaluates."""

from __future__ import annotations

import json

from imagereward_core.cli.main import main
from imagereward_lab.data.jsonl import write_rankings
from imagereward_lab.people.annotator import Annotator
from imagereward_lab.people.scenes import write_scenes


def test_rankings_become_a_scorer_that_is_evaluated_by_its_name(tmp_path, capsys):
    """Two simulated people rank drawn scenes; the scorer trained on what they say scores the pictures of other prompts."""
    crew = [Annotator(name="careful", noise=0.3), Annotator(name="hasty", noise=1.0, step=0.5)]
    folder = tmp_path / "scenes"
    rankings = [
        *write_scenes(folder, range(6), crew, split="train", held_out=False, pictures=4),
        *write_scenes(folder, range(3), crew, split="validation", pictures=4),
        *write_scenes(folder, range(3, 7), crew, split="test", pictures=6),
    ]
    file = folder / "rankings.jsonl"
    assert write_rankings(file, rankings) == 26

    def call(*arguments):
        capsys.readouterr()
        code = main([str(each) for each in arguments])
        return code, capsys.readouterr().out

    assert call("rankings", "check", file)[0] == 0
    models = tmp_path / "models"
    trained = (
        file,
        "-o",
        models,
        "--name",
        "mine",
        "--start",
        "demo",
        "--epochs",
        2,
        "--learning-rate",
        "1e-4",
    )
    code, out = call(
        "train", *trained, "--batch-pairs", 24, "--device", "cpu", "--no-tensorboard", "-f", "json"
    )
    told = json.loads(out)
    assert code == 0 and told["result"] == str(models / "mine.safetensors") and told["best_step"] >= 1
    by_name = ("--scorer", "mine", "--models-dir", models, "--device", "cpu")
    code, out = call(
        "score", folder / rankings[-1].images[0], *by_name, "-p", rankings[-1].prompt, "-f", "json"
    )
    assert code == 0 and json.loads(out)["scorer"] == "mine"
    code, out = call(
        "evaluate", file, "--split", "test", *by_name, "--also", "demo", "-f", "json", "--resamples", 100
    )
    figures = json.loads(out)["figures"]
    assert code == 0
    accuracy = {
        row["scorer"]: row for row in figures if (row["section"], row["measure"]) == ("accuracy", "pairs")
    }
    # 4 prompts with 15 pairs, seen by two people, of whom the second has ties
    assert accuracy["mine"]["count"] == accuracy["demo"]["count"] > 4 * 15
    assert 0.5 < accuracy["mine"]["value"] <= 1
    assert {row["section"] for row in figures} >= {"recall", "agreement", "differences"}
