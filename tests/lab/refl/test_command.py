"""``imagereward refl``: a model and prompts in, a LoRA with its sheet and page out; killed, it goes on to the same bytes."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from imagereward_core.cli.main import main
from imagereward_core.cli.parser import Parser
from imagereward_lab.refl import run
from imagereward_lab.refl.arguments import add_arguments, options_of
from imagereward_lab.refl.guards.options import GuardOptions
from imagereward_lab.refl.lora.stored import read_lora
from imagereward_lab.refl.methods.options import ReflOptions
from imagereward_lab.refl.options import RunOptions
from imagereward_lab.refl.tuning.config import TuningConfig
from imagereward_lab.refl.tuning.tuner import Tuner
from imagereward_lab.training.state import checkpoints
from tests.support import ROOT
from tests.support.oracles import import_torchvision

import_torchvision()
pytest.importorskip("diffusers")
pytest.importorskip("peft")

from tests.support.lab.pipelines import write_clip_tokenizer, write_pipeline  # noqa: E402
from tests.support.lab.single_files import sd3_state  # noqa: E402

USUAL = (
    *(
        "--scorer",
        "demo",
        "--device",
        "cpu",
        "--name",
        "mine",
        "--updates",
        "3",
        "--batch",
        "2",
        "--accumulate",
        "1",
    ),
    *(
        "--steps",
        "3",
        "--first",
        "1",
        "--last",
        "2",
        "--check-every",
        "2",
        "--save-every",
        "1",
        "--held-out",
        "40",
    ),
    *(
        "--previews",
        "2",
        "--preview-seeds",
        "2",
        "--preview-steps",
        "2",
        "--denoising-pictures",
        "2",
        "--rank",
        "2",
    ),
    *("--learning-rate", "1e-2", "--watch", "off", "--no-tensorboard"),
)


class KilledError(BaseException):
    """Nothing that is written for an error is written for this."""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sd1")
    write_pipeline("sd1", folder, tmp_path_factory.mktemp("tokens"))
    return folder


@pytest.fixture(scope="module")
def prompts(tmp_path_factory):
    path = tmp_path_factory.mktemp("prompts") / "prompts.txt"
    lines = "a red star, two blue circles, a gray star on a red background, a star, two gray circles"
    path.write_text(lines.replace(", ", "\n"), encoding="utf-8")
    return path


def call(model, prompts, output, *more):
    return main(
        ["refl", "--model", str(model), "--prompts", str(prompts), "-o", str(output), *USUAL, *map(str, more)]
    )


def tensors(path):
    return {name: each.numpy().tobytes() for name, each in read_lora(path).tensors.items()}


@pytest.fixture
def no_curves(monkeypatch):
    """Drawing them takes longer than all else."""
    monkeypatch.setattr(run, "draw_tuning_curves", lambda *_: True)


@pytest.fixture(scope="module")
def through(model, prompts, tmp_path_factory):
    """A run that nobody kills."""
    output = tmp_path_factory.mktemp("through") / "run"
    assert call(model, prompts, output) == 0
    return output


def test_a_lora_a_sheet_and_a_page_come_out(through, model, prompts, capsys):
    stored = read_lora(through / "mine.safetensors")
    assert any(name.startswith("lora_unet_") and name.endswith(".alpha") for name in stored.tensors)
    assert (
        max(
            float(each.abs().max())
            for name, each in stored.tensors.items()
            if name.endswith("lora_up.weight")
        )
        > 0
    )
    told = json.loads(stored.metadata["imagereward.facts"])
    assert (told["reward"], told["method"], told["updates"]) == ("demo", "refl", 3)
    updates = list(csv.DictReader((through / "updates.csv").open(encoding="utf-8")))
    checks = list(csv.DictReader((through / "checks.csv").open(encoding="utf-8")))
    assert [row["update"] for row in updates] == ["1", "2", "3"] and all(
        float(row["denoising_loss"]) > 0 for row in updates
    )
    assert [(row["update"], row["scorer"]) for row in checks] == [("0", "demo"), ("2", "demo"), ("3", "demo")]
    facts = json.loads((through / "run.json").read_text(encoding="utf-8"))
    assert [each["update"] for each in facts["history"]["checks"]] == [0, 2, 3] and facts[
        "result"
    ] == "mine.safetensors"
    with Image.open(through / "before-and-after.png") as sheet:
        assert sheet.size[0] == 4 * 160  # two seeds, before and after
    assert sorted(each.name for each in (through / "previews").iterdir()) == [
        "000000.png",
        "000002.png",
        "000003.png",
    ]
    page = (through / "report.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == 2 * 2 * 2 and "demo, tuned to" in page
    # Again without --resume nothing is touched; with it the finished run gives the same result.
    expected = tensors(through / "mine.safetensors")
    assert call(model, prompts, through) == 2
    assert "there is a run in" in capsys.readouterr().err
    assert call(model, prompts, through, "--resume", "-f", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["result"] == str(through / "mine.safetensors") and found["update"] == 3
    assert found["before"]["demo"] == pytest.approx(float(checks[0]["mean"]), abs=1e-4)
    assert tensors(through / "mine.safetensors") == expected
    assert call(model, prompts, through, "--resume", "--learning-rate", "0.1") == 4
    assert "learning_rate was 0.01, now 0.1" in capsys.readouterr().err


@pytest.mark.usefixtures("no_curves")
def test_killed_between_two_checkpoints_it_goes_on_to_the_same_bytes(
    through, model, prompts, tmp_path, monkeypatch
):
    step = Tuner._step

    def kill(self, rate):
        if self.update == 2:
            raise KilledError
        return step(self, rate)

    with monkeypatch.context() as patched:
        patched.setattr(Tuner, "_step", kill)
        with pytest.raises(KilledError):
            call(model, prompts, tmp_path / "run")
    assert not (tmp_path / "run" / "mine.safetensors").exists()
    assert call(model, prompts, tmp_path / "run", "--resume") == 0
    assert tensors(tmp_path / "run" / "mine.safetensors") == tensors(through / "mine.safetensors")
    for table in ("updates.csv", "checks.csv"):
        rows = [
            list(csv.DictReader((each / table).open(encoding="utf-8")))
            for each in (through, tmp_path / "run")
        ]
        for row in (*rows[0], *rows[1]):
            row.pop("seconds")
        assert rows[0] == rows[1]


@pytest.mark.usefixtures("no_curves")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_kill_9_leaves_what_the_same_command_goes_on_from(through, model, prompts, tmp_path):
    output = tmp_path / "run"
    program = (
        "import sys; from tests.support.oracles import import_torchvision; import_torchvision(); "
        "from imagereward_core.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    arguments = ("refl", "--model", model, "--prompts", prompts, "-o", output, *USUAL)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while process.poll() is None and not _rows(output / "updates.csv"):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert call(model, prompts, output, "--resume") == 0
    assert tensors(output / "mine.safetensors") == tensors(through / "mine.safetensors")


def _rows(path):
    return path.is_file() and path.read_text(encoding="utf-8").count("\n") > 1


@pytest.mark.usefixtures("no_curves")
def test_a_disk_that_fills_at_a_checkpoint_costs_one_update(
    through, model, prompts, tmp_path, monkeypatch, capsys
):
    write = checkpoints.write_state
    written = []

    def full(path, tensors, metadata):
        written.append(path.name)
        if written.count("checkpoint.safetensors") == 3:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, tensors, metadata)

    with monkeypatch.context() as patched:
        patched.setattr(checkpoints, "write_state", full)
        assert call(model, prompts, tmp_path / "run") == 4
    assert "the disk is full" in capsys.readouterr().err
    assert call(model, prompts, tmp_path / "run", "--resume") == 0
    assert tensors(tmp_path / "run" / "mine.safetensors") == tensors(through / "mine.safetensors")


def test_a_dry_run_says_what_it_takes_and_writes_nothing(model, prompts, tmp_path, capsys):
    assert call(model, prompts, tmp_path / "run", "--dry-run", "--watch", "stop") == 0
    told = capsys.readouterr().err
    assert (
        "needs about" in told
        and "weights: denoiser" in told
        and "on the disk" in told
        and "no other scorer watches" in told
    )
    assert not (tmp_path / "run").exists()


def test_memory_that_does_not_suffice_is_answered_with_what_to_change(
    model, prompts, tmp_path, monkeypatch, capsys
):
    def full(self, number, parts=None):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Tuner, "reward_gradients", full)
    assert call(model, prompts, tmp_path / "run", "--guidance", 3) == 4
    told = capsys.readouterr().err
    assert "the memory of cpu does not suffice" in told
    for remedy in ("--precision bf16", "--accumulate 2", "--guidance 1", "--height"):
        assert remedy in told


@pytest.mark.usefixtures("no_curves")
def test_pictures_of_a_folder_are_the_second_loss(model, prompts, tmp_path, capsys):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        Image.new("RGB", (40, 20), (80 * number, 20, 90)).save(folder / f"{number}.png")
        (folder / f"{number}.txt").write_text(f"a star {number}", encoding="utf-8")
    (folder / "2.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    Image.new("RGB", (20, 20)).save(folder / "untold.png")
    assert call(model, prompts, tmp_path / "run", "--pictures", folder, "--updates", 1, "-f", "json") == 1
    told = capsys.readouterr()
    assert "the second loss has 2 pictures of pictures" in told.err
    left = json.loads(told.out)["left_out"]
    assert (
        len(left) == 2
        and any("2.png" in each for each in left)
        and any("untold.png" in each for each in left)
    )


@pytest.mark.parametrize(
    "more, code, words",
    [
        (("--k", "2"), 2, "--k is not for --method refl"),
        (("--first", "9"), 2, "the settings of --method refl do not fit"),
        (("--scorer", "nobody"), 2, "nobody"),
        (("--scorer", "demo=1@rank"), 4, "blends places among the pictures of a run, which have no gradient"),
        (("--name", "a/b"), 2, "cannot be the name of a LoRA"),
        (("--name", "Checkpoint"), 2, "cannot be called 'Checkpoint', as files that a run keeps for itself"),
        (("--name", "best-of-mine", "--scorer", "nobody"), 2, "nobody"),
        (("--name", "best-20"), 2, "cannot be called 'best-20'"),
        (("--steps", "1000"), 2, "999"),
        (("--height", "17"), 4, "multiples of"),
        (("--prompts", "empty.txt"), 2, "found no prompt"),
        (("--prompts", "absent.txt"), 2, "there is no such file"),
        (("--model", "absent.safetensors"), 2, "there is no such file"),
        (("--model", "strange.safetensors"), 4, "strange.safetensors"),
        (("--pictures", "."), 4, "no picture with a prompt"),
    ],
)
def test_bad_input_is_told_and_nothing_is_left_behind(
    model, prompts, tmp_path, monkeypatch, capsys, more, code, words
):
    from safetensors.torch import save_file

    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("\n \n", encoding="utf-8")
    save_file({"something.else": torch.zeros(3)}, tmp_path / "strange.safetensors")
    assert call(model, prompts, tmp_path / "run", *more) == code
    told = capsys.readouterr().err
    assert words in told and "Traceback" not in told and "unexpected error" not in told
    assert not list((tmp_path / "run").glob("[!.]*")) and (tmp_path / "run").exists() == (
        "--pictures" in more
    )


@pytest.mark.parametrize(
    "name", ["mine.safetensors", "updates.csv", "report.html", "previews", "examples.safetensors", "run.json"]
)
def test_files_of_the_user_are_in_the_way(model, prompts, tmp_path, capsys, name):
    (tmp_path / name).mkdir() if name == "previews" else (tmp_path / name).write_text(
        "mine", encoding="utf-8"
    )
    assert call(model, prompts, tmp_path) == 2
    assert f"{tmp_path / name} is there already" in capsys.readouterr().err
    assert (tmp_path / name).is_dir() or (tmp_path / name).read_text(encoding="utf-8") == "mine"


def test_long_prompts_and_too_few_are_told(model, tmp_path, capsys):
    path = tmp_path / "prompts.txt"
    path.write_text(" ".join(["a red star"] * 40), encoding="utf-8")
    assert call(model, path, tmp_path / "run", "--dry-run") == 0
    told = capsys.readouterr().err
    assert "1 prompt of those that are checked" in told and "longer than the model reads" in told
    assert "that are tuned on too, since there are too few" in told


def test_what_checks_cannot_see_is_told(model, prompts, tmp_path, capsys):
    few = ("--previews", 1, "--preview-seeds", 1, "--watch", "stop")
    assert call(model, prompts, tmp_path / "run", "--dry-run", *few) == 0
    told = capsys.readouterr().err
    assert "not seen whether pictures of a prompt go on to differ" in told
    assert "not seen whether pictures go on to fit their own prompt best" in told


def test_a_lora_of_another_run_is_in_the_way_before_a_resumed_run_goes_on(model, prompts, tmp_path, capsys):
    assert call(model, prompts, tmp_path / "run", "--updates", 1) == 0
    assert call(model, prompts, tmp_path / "run", "--updates", 1, "--resume") == 0
    shutil.copy(tmp_path / "run" / "mine.safetensors", tmp_path / "run" / "other.safetensors")
    capsys.readouterr()
    assert call(model, prompts, tmp_path / "run", "--updates", 1, "--resume", "--name", "other") == 4
    assert "other.safetensors is there already, a LoRA of another run" in capsys.readouterr().err


def test_what_a_file_lacks_is_told(prompts, tmp_path, capsys):
    state = sd3_state(write_pipeline("sd3", tmp_path / "folder", tmp_path / "tokens"))
    fewer = {name: value.contiguous() for name, value in state.items() if ".t5xxl." not in name}
    write_clip_tokenizer(tmp_path)
    save_file(fewer, tmp_path / "model.safetensors")
    size = ("--height", 16, "--width", 16)
    assert call(tmp_path / "model.safetensors", prompts, tmp_path / "run", "--dry-run", *size) == 0
    assert "The file has no T5, so prompts are read by" in capsys.readouterr().err


def test_options_have_the_defaults_of_their_settings_and_no_guards_is_without_all_of_them():
    parser = Parser()
    add_arguments(parser)
    needed = ["--model", "m", "--prompts", "p", "-o", "run"]
    found = options_of(parser.parse_args(needed))
    assert (found.config, found.guards, found.method_options) == (
        TuningConfig(),
        GuardOptions(),
        ReflOptions(),
    )
    assert isinstance(found, RunOptions) and found.name == "run"
    bare = options_of(parser.parse_args([*needed, "--no-guards"]))
    assert bare.config.ema == 0 and bare.method_options.bound == float("inf")
    assert (bare.guards.watch, bare.guards.distance_weight) == ("off", 0)
    few = options_of(parser.parse_args([*needed, "--steps", "8"])).method_options
    assert (few.first, few.last) == (6, 7)
    assert "(default: ==" not in parser.format_help() and "default: refl 1.0" in " ".join(
        parser.format_help().split()
    )
