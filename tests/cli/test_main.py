from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from imagereward_core.cli import doctor, options
from imagereward_core.cli.main import build_parser
from imagereward_core.cli.parser import Parser
from imagereward_core.weights.bundled import MODEL_FOLDER
from tests.support.command import python

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("command", ["", "score", "rank", "report", "models", "doctor", "demo"])
def test_help_documents_exit_codes(run, command):
    done = run(*command.split(), "--help")
    assert done.code == 0 and "exit codes:" in done.out and "130" in done.out


def test_help_documents_every_column(run):
    from imagereward_core.cli.output.write import COLUMNS

    assert all(name in options.ROWS for name in COLUMNS)
    assert options.ROWS in run("score", "--help").out


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from imagereward_core.cli.main import main; main(['--help']); main(['score', '--help']);"
        "print([m for m in ('torch', 'transformers', 'numpy', 'PIL', 'huggingface_hub') if m in sys.modules])"
    )
    assert python("-c", code).stdout.strip().endswith("[]")


def test_a_command_is_needed(run):
    assert run().code == 2


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["score", "{folder}", "-s", "unknown"], 2, "unknown"),
        (["score", "{folder}/nothing", "-s", "demo"], 2, "no picture was found"),
        (["score", "{folder}", "--offline"], 3, "downloads are switched off: leave out --offline"),
        (["score", "{folder}", "-s", "{folder}/no.safetensors"], 3, "no checkpoint"),
        (["models", "verify", "--offline"], 3, "models download"),
        (["models", "convert", "{folder}/no.pt"], 2, "no checkpoint"),
        (["models", "download", "nonsense"], 2, "nonsense"),
    ],
)
def test_errors_are_one_line_without_a_traceback(run, folder, arguments, code, word):
    done = run(*(argument.format(folder=folder) for argument in arguments))
    assert done.code == code and word in done.err
    assert "Traceback" not in done.err and done.err.count("\n") == 1


def test_an_unexpected_error_is_one_line_too_and_debug_shows_where(run, folder, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("surprise")

    monkeypatch.setattr("imagereward_core.cli.score_run.score_inputs", fail)
    assert run("score", folder, "-s", "demo").code == 4
    assert "Traceback" not in run("score", folder, "-s", "demo").err
    assert "Traceback" in run("score", folder, "-s", "demo", "--debug").err


def test_models_folders_come_from_the_options_and_then_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("IMAGEREWARD_MODELS", os.pathsep.join([str(tmp_path / "a"), "", str(tmp_path / "b")]))
    args = build_parser().parse_args(
        ["score", "x.png", "--models-dir", str(tmp_path / "first"), "--no-download"]
    )
    settings = options.weight_settings(args)
    assert settings.folders == (tmp_path / "first", tmp_path / "a", tmp_path / "b")
    assert settings.allow_download is False


def test_models_are_listed_with_what_a_person_must_know(run):
    facts = json.loads(run("models", "list", "--format", "json").out)
    by_id = {fact["id"]: fact for fact in facts}
    assert by_id["demo"]["found"].endswith("demo.safetensors")
    assert by_id["ImageReward-v1.0"]["size"] > 1e9 and by_id["ImageReward-v1.0"]["licence"]
    table = run("models", "list").out
    assert "1.8 GB" in table and "not downloaded" in table


def test_the_demo_model_is_sound_and_needs_no_download(run):
    done = run("models", "verify", "demo")
    assert done.code == 0 and "sound   yes" in done.out
    done = run("models", "download", "demo")
    assert done.code == 0 and "nothing to download" in done.err


@pytest.mark.parametrize("options", [("--prompts", "0"), ("--size", "1"), ("--pictures-per-prompt", "1000")])
def test_the_demo_s_numbers_have_bounds(run, options, tmp_path):
    done = run("demo", "-o", tmp_path / "d", *options)
    assert done.code == 2 and not (tmp_path / "d").exists()


def test_a_damaged_checkpoint_is_called_unsound(run, tmp_path):
    whole = (MODEL_FOLDER / "demo.safetensors").read_bytes()
    damaged = tmp_path / "demo.safetensors"
    damaged.write_bytes(whole[: len(whole) // 2])
    done = run("models", "verify", damaged)
    assert done.code == 3 and "Traceback" not in done.err


def test_converting_a_checkpoint_says_where_the_new_one_is(run, tmp_path):
    import torch

    source = tmp_path / "weights.pt"
    torch.save({"mlp.layers.0.weight": torch.ones(2, 3)}, source)
    done = run("models", "convert", source)
    assert done.code == 0 and Path(done.out.strip()) == tmp_path / "weights.safetensors"
    assert source.exists() and (tmp_path / "weights.safetensors").exists()


def test_the_doctor_finds_nothing_wrong_with_a_working_machine(run):
    done = run("doctor")
    assert done.code == 0 and done.out.rstrip().endswith("Nothing is wrong.")
    assert "torch" in done.out and "precision" in done.out and "ImageReward-v1.0" in done.out


def test_the_doctor_says_how_to_mend_what_is_missing(run, monkeypatch, tmp_path):
    whole = doctor.import_module

    def broken(name):
        if name == "torch":
            raise OSError("libtorch_cpu.so: cannot open shared object file")
        if name == "safetensors":
            raise ImportError("No module named 'safetensors'")
        return whole(name)

    monkeypatch.setattr(doctor, "import_module", broken)
    done = run("doctor", "--offline", "--models-dir", tmp_path / "no")
    wrong = done.out.partition("What is wrong:")[2]
    assert done.code == 1
    assert (
        "torch" in wrong
        and "safetensors" in wrong
        and str(tmp_path / "no") in wrong
        and "switched off" in wrong
    )
    assert "libtorch_cpu.so" in done.out


def test_scoring_without_torch_points_to_the_doctor_who_works_without_it(folder):
    code = (
        "import sys; sys.modules['torch'] = None; from imagereward_core.cli.main import main;"
        "print('scored:', main(['score', sys.argv[1], '-s', 'demo']), file=sys.stderr); sys.exit(main(['doctor']))"
    )
    done = python("-c", code, folder)
    scoring, _, examining = done.stderr.partition("scored: 3\n")
    assert "doctor" in scoring and "Traceback" not in scoring
    assert done.returncode == 1 and "torch" in done.stdout.partition("What is wrong:")[2]
    assert "Traceback" not in examining


def test_a_terminal_without_unicode_gets_its_table_and_a_reader_who_leaves_early_causes_no_noise(folder):
    code = (
        "import os, sys; from imagereward_core.cli.main import main; score = ['score', sys.argv[1], '-s', 'demo'];"
        "print('first:', main(score), file=sys.stderr); read, write = os.pipe(); os.close(read);"
        "os.dup2(write, 1); sys.exit(main([*score, '-f', 'csv']))"
    )
    done = python("-c", code, folder, PYTHONIOENCODING="ascii")
    assert "first: 1\n" in done.stderr and "2 inside.png" in done.stdout
    assert done.returncode == 141 and "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr


def test_the_version_is_the_package_s(run):
    import imagereward_core

    assert run("--version").out.strip() == f"imagereward {imagereward_core.__version__}"


def test_stopping_while_the_program_is_still_loaded_is_one_line():
    """The script of the command imports the package first, and a person may be quick."""
    stopped = python(
        "-c",
        "import sys, imagereward_core.cli as cli\n"
        "class Impatient:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'imagereward_core.cli.rank': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Impatient())\n"
        "sys.exit(cli.run_command())",
    )
    assert (stopped.returncode, stopped.stdout, stopped.stderr) == (130, "", "imagereward: stopped\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rank", "x", "--top", "1.5"], "'1.5' is no whole number"),
        (["undo", "x", "--run", "x"], "'x' is no whole number"),
        (["rank", "x", "--top-percent", "many"], "'many' is no number"),
        (["rank", "x", "--min-score", "good"], "'good' is no number"),
    ],
)
def test_a_number_that_is_none_is_told_in_words(run, arguments, words):
    done = run(*arguments)
    assert done.code == 2 and words in done.err


def test_each_command_says_what_it_shows_by_default(run):
    assert "or all (default: kept)" in run("rank", "--help").out
    assert "or all (default: all)" in run("report", "--help").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            "rank . --within promt",
            "--within/--per: found 'promt'; expected all or prompt (did you mean prompt?)",
        ),
        ("curate . --per x", "--within/--per: found 'x'; expected all, prompt or folder"),
        ("curate . --keep-stars 9", "--keep-stars: 9 is not from 1 to 5"),
        ("curat .", "expected score, rank, curate"),
        ("rank . --html", "--html: found nothing behind it; expected FILE, such as --html page.html"),
        ("rank . --html -s demo", "such as --html page.html"),
        ("report . --json", "such as --json results.json"),
        ("stars . --set", "such as --set 4 a.png b.png"),
        ("curate . --unique 13", "--unique: 13 is not from 0 to 12"),
        (
            "curate --unique outputs --top 5",
            "'outputs' is no whole number. Without a value put --unique behind",
        ),
        ("curate --xmp outputs --stay", "expected both, full or stem. Without a value put --xmp behind"),
        ("watch . --poll often", "--poll: 'often' is no number"),
        ("demo --seed x", "--seed: 'x' is no whole number"),
        ("rank . --topp 3", "there is no option --topp (did you mean --top?)"),
        ("curate . kept --top 3", "found 'kept', which it has no use for"),
        ("score", "required: PICTURE"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_told_in_a_line_with_a_way_out(run, arguments, said):
    done = run(*arguments.split())
    assert done.code == 2 and done.out == "" and done.err.count("\n") == 1
    assert (
        said in done.err
        and "--help' lists everything it takes" in done.err
        and done.err.startswith("imagereward")
    )


@pytest.mark.parametrize("name", ["-dash.png", "-page.png", "-star.png", "-q1.png"])
def test_a_file_whose_name_begins_with_a_dash_is_not_taken_for_options(run, folder, monkeypatch, name):
    """-page.png would be the prompt "age.png" of the other pictures, -star.png the scorer "tar.png"."""
    monkeypatch.chdir(folder)
    Path("10 inside.png").rename(name)
    for command in ("score", "rank"):
        done = run(command, "2 inside.png", name, "-s", "demo")
        assert done.code == 2 and f"write .{os.sep}{name}, or put -- before the files" in done.err
    given = run("stars", ".", "--set", "3", name)
    assert given.code == 2 and f"write .{os.sep}{name}." in given.err
    for files in ((f".{os.sep}{name}",), ("--", name)):
        assert len(run("score", "-s", "demo", "-f", "json", *files).rows) == 1
    assert run("stars", ".", "--set", "3", f".{os.sep}{name}").code == 0


def test_a_wrong_word_where_one_may_be_left_out_is_told_with_the_nearest(capsys):
    parser = Parser(prog="imagereward people")
    parser.add_argument("action", nargs="?", choices=("add", "admit"))
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(["admitt"])
    assert "found 'admitt'; expected add or admit (did you mean admit?)" in capsys.readouterr().err
