"""``imagereward train``: rankings in, a scorer by its name out; said before what it takes, and refused where something is in the way."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from imagereward_core.cli.main import main
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.factory import create_scorer
from imagereward_core.settings import settings_of
from imagereward_core.weights.locate import WeightSettings
from imagereward_core.weights.own import own_checkpoints
from imagereward_lab.training.command import OPTIONS
from imagereward_lab.training.jobs.job import FACTS
from imagereward_lab.training.progress.curves import CURVES
from imagereward_lab.training.state.checkpoints import CheckpointFolder
from imagereward_lab.training.trainer import Trainer
from tests.support import ROOT

USUAL = (
    "--start",
    "demo",
    "--epochs",
    "1",
    "--validations",
    "2",
    "--validation-share",
    "40",
    "--device",
    "cpu",
)


@pytest.fixture(scope="module")
def rankings(tmp_path_factory):
    """Drawn at random; one picture is empty."""
    folder, rng, lines = tmp_path_factory.mktemp("rankings"), random.Random(1), []
    for prompt in range(8):
        names = [f"{prompt}-{place}.png" for place in range(3)]
        for name in names:
            Image.new("RGB", (70, 64), tuple(rng.randrange(256) for _ in range(3))).save(folder / name)
        lines.append({"prompt": f"a red star {prompt}", "images": names, "ranks": [1, 2, 3]})
    (folder / "empty.png").touch()
    for split in ("train", "validation"):
        named = {"prompt": f"a blue cross {split}", "images": ["empty.png", "0-1.png"], "ranks": [1, 2]}
        lines.append(named)
    lines.append({"prompt": "alone", "images": ["1-1.png"], "ranks": [1]})
    path = folder / "rankings.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_a_trained_scorer_is_there_by_its_name_the_same_minute(rankings, tmp_path, capsys):
    output = tmp_path / "run"
    extra = ("--name", "mine", "--title", "My taste", "--licence", "CC0", "--cache-frozen", "-f", "json")
    code = main(["train", str(rankings), "-o", str(output), *USUAL, *extra])
    told = capsys.readouterr()
    assert code == 1, "a picture was left out"
    found = json.loads(told.out)
    assert found["result"] == str(output / "mine.safetensors") and 0 <= found["accuracy"][0] <= 1
    assert list(found["left_out"]) == ["empty.png"]
    for said in (
        "learns from",
        "validates on",
        "trains 0.6 M of 1.4 M",
        "needs at most about",
        "the file is empty",
        "validates on 4 prompts alone",
    ):
        assert said in told.err
    assert "keeps what the frozen layers make of" in told.err and list(
        (output / "frozen").rglob("*.safetensors")
    )
    card = json.loads((output / "mine.card.json").read_text(encoding="utf-8"))
    assert card["title"] == "My taste" and card["licence"] == "CC0"
    scorer = create_scorer("mine", LocalRuntime("cpu", "fp32"), WeightSettings(folders=(output,)))
    scores = scorer.score([rankings.parent / "0-0.png", rankings.parent / "0-1.png"], "a red star 0")
    assert not scores.failures and scores.distribution is not None
    assert (output / "mine.safetensors").stat().st_mode & 0o077 == (output / FACTS).stat().st_mode & 0o077
    steps = list(csv.DictReader((output / "steps.csv").open(encoding="utf-8")))
    judged = list(csv.DictReader((output / "validations.csv").open(encoding="utf-8")))
    facts = json.loads((output / FACTS).read_text(encoding="utf-8"))
    assert len(steps) == facts["steps"] and len(judged) == len(facts["history"]["steps"])
    if find_spec("matplotlib") is not None:
        assert (output / CURVES).read_text(encoding="utf-8").count("<svg") == 1
    # Again without --resume nothing is touched; with it the finished training gives the same result.
    before = (output / "mine.safetensors").read_bytes()
    assert main(["train", str(rankings), "-o", str(output), *USUAL, *extra]) == 2
    assert "--resume" in capsys.readouterr().err
    assert main(["train", str(rankings), "-o", str(output), *USUAL, *extra, "--resume"]) in (0, 1)
    assert (output / "mine.safetensors").read_bytes() == before
    assert len(list(csv.DictReader((output / "steps.csv").open(encoding="utf-8")))) == len(steps)
    # And it is a start like any other.
    other = ("-o", str(tmp_path / "on"), *USUAL, "--start", str(output / "mine.safetensors"), "--dry-run")
    assert main(["train", str(rankings), *other]) == 0
    assert "trains 0.6 M of 1.4 M" in capsys.readouterr().err


def test_a_sweep_trains_every_combination_once(rankings, tmp_path, capsys):
    grid = (
        "--sweep",
        "learning-rate=1e-4,1e-5",
        "--sweep",
        "freeze=1.0",
        "--no-tensorboard",
        "--tuning",
        "head",
    )
    arguments = ["train", str(rankings), "-o", str(tmp_path / "search"), *USUAL, *grid]
    assert main(arguments) == 1
    assert "best: " in capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / "search" / "sweep.csv").open(encoding="utf-8")))
    assert {row["learning_rate"] for row in rows} == {"0.0001", "1e-05"}
    losses = [float(row["validation_loss"]) for row in rows]
    assert losses == sorted(losses)
    results = sorted(each.name for each in (tmp_path / "search").rglob("search-*.safetensors"))
    assert results == ["search-1.safetensors", "search-2.safetensors"]
    marks = {each: each.stat().st_mtime_ns for each in (tmp_path / "search").rglob(FACTS)}
    assert main([*arguments, "--resume"]) == 0
    assert {each: each.stat().st_mtime_ns for each in (tmp_path / "search").rglob(FACTS)} == marks
    # What was trained otherwise is none of the sweep that is asked for now.
    capsys.readouterr()
    assert main([*arguments, "--fresh-head", "--resume"]) == 4
    assert "fresh_head False, now True" in capsys.readouterr().err
    next(iter(marks)).write_text("[1]", encoding="utf-8")
    assert main([*arguments, "--resume"]) == 4
    assert f"{FACTS} cannot be read" in capsys.readouterr().err


def test_a_dry_run_writes_nothing_but_what_it_says(rankings, tmp_path, capsys):
    output = tmp_path / "run"
    assert main(["train", str(rankings), "-o", str(output), *USUAL, "--dry-run"]) == 0
    said = capsys.readouterr().err
    assert "needs at most about" in said and "trains " in said
    assert not output.exists()
    extra = ("--sweep", "freeze=0,0.5", "--cache-frozen", str(tmp_path / "kept"), "--dry-run", "--quiet")
    assert main(["train", str(rankings), "-o", str(output), *USUAL, *extra[:2], "--dry-run"]) == 0
    assert "freeze 0.5:" in capsys.readouterr().err
    assert main(["train", str(rankings), "-o", str(output), *USUAL, *extra[2:]]) == 0
    assert not output.exists() and not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--name", "CLIP"), 2, "'CLIP-own' could"),
        (("--sweep", "colour=1"), 4, "is no setting with values"),
        (("--sweep", "freeze=0.5,7"), 4, "from 0 to 1"),
        (("--sweep", "freeze=0.5,x"), 4, "'x' is no number"),
        (("--sweep", "epochs=1.5"), 4, "'1.5' is no whole number"),
        (("--sweep", "freeze=0.5,0.50"), 4, "0.5 is there twice"),
        (("--sweep", "freeze=0.5", "--sweep", "freeze=0.7"), 4, "freeze is there twice"),
        (("--freezing", "reference", "--cache-frozen"), 4, "leave out --cache-frozen"),
        (("--start", "other.safetensors"), 3, "does not fit"),
        (("--validation", "none.jsonl"), 2, "no such file"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_done(
    rankings, tmp_path, capsys, monkeypatch, arguments, code, said
):
    monkeypatch.chdir(tmp_path)
    save_file({"blip.visual_encoder.cls_token": torch.zeros(3)}, "other.safetensors")
    Path("other.card.json").write_text('{"family": "imagereward", "like": "demo"}', encoding="utf-8")
    output = tmp_path / "run"
    assert main(["train", str(rankings), "-o", str(output), *USUAL, "--offline", *arguments]) == code
    assert said in capsys.readouterr().err
    assert not list(output.rglob("*.safetensors"))


def test_whoever_stops_it_is_told_how_to_go_on(rankings, tmp_path, capsys, monkeypatch):
    take = Trainer._take

    def stop(self, group):
        if self.step == 1:
            raise KeyboardInterrupt
        take(self, group)

    monkeypatch.setattr(Trainer, "_take", stop)
    arguments = [
        "train",
        str(rankings),
        "-o",
        str(tmp_path / "run"),
        *USUAL,
        "--batch-pairs",
        "6",
        "--validations",
        "9",
    ]
    assert main(arguments) == 130
    assert "--resume goes on" in capsys.readouterr().err
    monkeypatch.undo()
    assert main([*arguments, "--resume", "-q"]) == 1
    assert (tmp_path / "run" / "run.safetensors").is_file()


@pytest.mark.parametrize(
    "name",
    [
        "mine.safetensors",
        "mine.card.json",
        "best-3.safetensors",
        "run.json",
        "curves.svg",
        "steps.csv",
        "validations.csv",
    ],
)
def test_a_file_of_the_users_is_never_replaced(rankings, tmp_path, capsys, name):
    (tmp_path / name).write_bytes(b"theirs")
    assert main(["train", str(rankings), "-o", str(tmp_path), *USUAL, "--name", "mine"]) == 2
    assert f"{name} is there already" in capsys.readouterr().err
    assert (tmp_path / name).read_bytes() == b"theirs"


@pytest.mark.parametrize("name", ["checkpoint", "best-3"])
def test_a_model_is_not_called_as_what_a_training_keeps(rankings, tmp_path, capsys, name):
    assert main(["train", str(rankings), "-o", str(tmp_path / "run"), *USUAL, "--name", name]) == 2
    assert f"the model cannot be called {name!r}" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_training_goes_on_beside_files_of_others_and_replaces_none(rankings, tmp_path, capsys):
    """Checkpoints lie beside it, so that a folder with a training is looked at file by file."""
    usual = ["train", str(rankings), "-o", str(tmp_path), *USUAL, "--no-tensorboard"]
    assert main([*usual, "--name", "mine"]) == 1
    (best,) = tmp_path.glob("best-*.safetensors")
    assert "mine" in own_checkpoints(WeightSettings(folders=(tmp_path,)))
    assert best.stem not in own_checkpoints(WeightSettings(folders=(tmp_path,)))
    theirs = [tmp_path / "best-of-mine.safetensors", tmp_path / "other.safetensors"]
    for path in theirs:
        path.write_bytes(b"theirs")
    assert main([*usual, "--resume", "--name", "other"]) == 4
    assert "name was 'mine', now 'other'" in capsys.readouterr().err
    assert main([*usual, "--resume", "--name", "mine"]) == 1
    assert [path.read_bytes() for path in theirs] == [b"theirs"] * 2
    copy = shutil.copy(best, tmp_path / f"{best.stem}-copy.safetensors")
    folder = CheckpointFolder(tmp_path)
    state, kept = folder.load()
    folder.save(replace(state, best=state.best + 1), kept)
    assert copy.is_file() and not best.exists()
    folder.save(state, kept)
    best.unlink()
    assert main([*usual, "--resume", "--name", "mine"]) == 4
    assert f"{best.name}, which belongs to it, is missing" in capsys.readouterr().err


def test_a_change_of_a_change_is_refused_before_it_trains(rankings, tmp_path, capsys):
    usual = ["train", str(rankings), *USUAL, "--no-tensorboard", "--models-dir", str(tmp_path / "one")]
    assert main([*usual, "-o", str(tmp_path / "one"), "--tuning", "head"]) == 1
    again = [*usual, "-o", str(tmp_path / "two"), "--start", "one"]
    assert main([*again, "--tuning", "head"]) == 4
    said = capsys.readouterr().err
    assert "it is itself a change of another scorer; leave out --tuning" in said
    assert not list((tmp_path / "two").glob("*.safetensors"))
    assert main(again) == 1


def test_a_file_in_the_place_of_the_folder_is_told(rankings, tmp_path, capsys):
    (tmp_path / "run").write_bytes(b"theirs")
    assert main(["train", str(rankings), "-o", str(tmp_path / "run"), *USUAL]) == 2
    said = capsys.readouterr().err
    assert "run cannot be the folder of a training" in said and "is a file; name another --output" in said


@pytest.mark.parametrize(
    "extra", [(), ("--sweep", "freeze=0.5"), ("--ladder", "freeze=0.5"), ("--resume",), ("--dry-run",)]
)
@pytest.mark.parametrize("place", ["there", "there/run/of/mine", "file/run"])
def test_a_folder_nothing_can_be_written_into_is_told_before_rankings_are_read(
    tmp_path, capsys, monkeypatch, extra, place
):
    (tmp_path / "there").mkdir()
    (tmp_path / "file").touch()
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: "there" not in str(path) and allowed(path, mode))
    assert main(["train", str(tmp_path / "none.jsonl"), "-o", str(tmp_path / place), *USUAL, *extra]) == 2
    said = capsys.readouterr().err
    assert (
        f"{tmp_path / place} cannot be the folder of a training" in said and "name another --output" in said
    )
    assert "nothing may be put into" in said or "is a file" in said
    assert not list((tmp_path / "there").iterdir())


def test_the_cache_of_frozen_layers_may_be_the_folder_one_is_in(rankings, tmp_path, monkeypatch):
    (tmp_path / "cache").mkdir()
    monkeypatch.chdir(tmp_path / "cache")
    output = tmp_path / "run"
    code = main(
        ["train", str(rankings), "-o", str(output), *USUAL, "--cache-frozen", ".", "--no-tensorboard"]
    )
    assert (
        code == 1 and list((tmp_path / "cache").rglob("*.safetensors")) and not (output / "frozen").exists()
    )


def test_what_a_training_without_a_checkpoint_has_left_is_not_in_its_way(rankings, tmp_path):
    (tmp_path / "steps.csv").write_text("step,loss,learning_rate,pairs,images,seconds\n1,1,1,1,1,1\n")
    assert main(["train", str(rankings), "-o", str(tmp_path), *USUAL, "--dry-run"]) == 0


def test_a_validation_batch_of_which_nothing_can_be_read_moves_no_figure(rankings, tmp_path, capsys):
    lines = [json.loads(line) for line in rankings.read_text(encoding="utf-8").splitlines()]
    usable = [line for line in lines if len(line["images"]) == 3]
    gone = {**usable[5], "images": ["gone-1.png", "gone-2.png", "gone-3.png"]}
    parted = [{**line, "split": "train"} for line in usable[:3]]
    parted += [{**line, "split": "validation"} for line in (usable[3], gone, usable[4])]
    data = tmp_path / "parted.jsonl"
    data.write_text("".join(json.dumps(line) + "\n" for line in parted), encoding="utf-8")
    arguments = ["train", str(data), "--images", str(rankings.parent), "-o", str(tmp_path / "run"), *USUAL]
    assert main([*arguments, "--batch-pairs", "1", "-f", "json"]) == 1  # a batch for every ranking
    found = json.loads(capsys.readouterr().out)
    assert len(found["left_out"]) == 3 and found["accuracy"][0] is not None
    assert json.loads((tmp_path / "run" / FACTS).read_text(encoding="utf-8"))["pairs"] == 6


def test_the_page_lists_every_setting_with_its_default_and_help():
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    for owner, named in OPTIONS:
        for option, name in named.items():
            about = settings_of(owner)[name]
            default = "" if about.default == "" or about.default is False else f"`{about.default}`"
            assert f"| `{option}` | {default} | {about.help} |" in page
