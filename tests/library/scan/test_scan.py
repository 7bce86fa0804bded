"""A scan reads each file once, scores each content once, and goes on from wherever it was stopped."""

from __future__ import annotations

import json
import os
import random
import shutil

import pytest

from imagereward_core.errors import PromptError
from imagereward_core.images.spec import ImageSpec
from imagereward_core.library.scan.keys import key_of
from imagereward_core.library.scan.options import ScanOptions
from imagereward_core.library.store.records import Query, ScorerKey
from tests.support.library.scans import MeanScorer, panel_of, pixels, same, save, settle


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "outputs, 写真"
    for number in range(6):
        save(folder / ("deep/er" if number % 2 else "") / f"{number}.png", number, f"a cat number {number}")
    return folder


def values(library, scorer, folder=None):
    rows = library.rows(Query(key=key_of(scorer), folder=folder, order="name"))
    return {row.path.name: row.value for row in rows}


def test_scores_are_those_of_the_command(tmp_path, library, capsys):
    from imagereward_core.cli.main import main
    from imagereward_core.demo.scenes import draw, random_scene
    from imagereward_core.runtime import LocalRuntime
    from imagereward_core.scorers.factory import create_scorer

    rng = random.Random(3)
    for number in range(5):
        scene = random_scene(rng)
        folder = tmp_path / "out"
        folder.mkdir(exist_ok=True)
        draw(scene, rng, 96).save(folder / f"{number}.png")
        (folder / f"{number}.txt").write_text(f"({scene.prompt}:1.2), <lora:x:0.5>", encoding="utf-8")
    assert main(["score", str(folder), "--scorer", "demo", "--device", "cpu", "--format", "json"]) == 0
    commanded = {row["file"]: row for row in json.loads(capsys.readouterr().out)["rows"]}

    scorer = create_scorer("demo", LocalRuntime("cpu"))
    library.scan([folder], panel_of(scorer))
    rows = {str(row.path): row for row in library.rows(Query(key=key_of(scorer)))}

    assert rows.keys() == commanded.keys() and len(rows) == 5
    assert same([rows[name].value for name in rows], [commanded[name]["score"] for name in rows])
    assert {name: row.generated.prompt for name, row in rows.items()} == {
        name: row["prompt"] for name, row in commanded.items()
    }


def test_nothing_is_scored_or_read_twice(library, tree):
    scorer = MeanScorer()
    first = library.scan([tree], panel_of(scorer))
    assert (first.found, first.known, first.done, first.scored, first.failed) == (6, 0, 6, 6, 0)
    again = library.scan([tree], panel_of(scorer))
    assert (again.found, again.known, again.done, again.scored) == (6, 6, 0, 0)
    assert len(scorer.seen) == 6
    assert again.stages["read"] == again.stages["decode"] == 0


def test_moves_renames_and_edits_of_metadata_keep_the_scores(library, tree):
    scorer = MeanScorer()
    library.scan([tree], panel_of(scorer))
    before = values(library, scorer)
    (tree / "deep").rename(tree / "elsewhere")
    (tree / "0.png").rename(tree / "zero.png")
    shutil.copy2(tree / "2.png", tree / "copy of 2.png")
    pixels(4).save(tree / "4.png", compress_level=9)  # all chunks lost, and with them the prompt
    (tree / "4.txt").write_text("a cat number 4", encoding="utf-8")
    result = library.scan([tree], panel_of(scorer))
    after = values(library, scorer)
    assert result.scored == 0 and len(scorer.seen) == 6
    assert result.gone == 4
    assert after.pop("copy of 2.png") == before["2.png"]
    assert {**after, "0.png": after["zero.png"]} == {**before, "zero.png": before["0.png"]}


def test_prompts_are_read_anew_once_the_reader_tells_them_better(library, tree, monkeypatch):
    from imagereward_core.library.scan import scan

    scorer = MeanScorer()
    monkeypatch.setattr(scan, "READER", scan.READER - 1)
    save(tree / "0.png", 0, "what the reader of old took for the prompt")
    library.scan([tree], panel_of(scorer))
    known = (tree / "0.png").stat()
    save(tree / "0.png", 0, "what the picture was really drawn from....")
    os.utime(tree / "0.png", ns=(known.st_atime_ns, known.st_mtime_ns))
    assert (tree / "0.png").stat().st_size == known.st_size
    assert library.scan([tree], panel_of(scorer)).done == 0
    monkeypatch.undo()
    result = library.scan([tree], panel_of(scorer))
    assert (result.done, result.scored) == (6, 1)
    prompts = {row.path.name: row.generated.prompt for row in library.rows(Query(key=key_of(scorer)))}
    assert prompts["0.png"].startswith("what the picture was really drawn from")


def test_a_content_found_under_several_names_is_scored_once(library, tmp_path):
    scorer = MeanScorer()
    for name in "abc":
        save(tmp_path / "out" / name / "1.png", 1)
    result = library.scan([tmp_path / "out"], panel_of(scorer))
    assert result.scored == 1 and len(scorer.seen) == 1
    assert library.count(Query(key=key_of(scorer), scored=True)) == 3


def test_a_changed_prompt_is_scored_anew_by_scorers_that_read_it_only(library, tree):
    reader, looker = MeanScorer("reads"), MeanScorer("looks", reads_prompt=False)
    panel = panel_of(reader, looker)
    library.scan([tree], panel)
    before = values(library, reader)["0.png"], values(library, looker)["0.png"]
    (tree / "0.txt").write_text("something longer than before", encoding="utf-8")
    result = library.scan([tree], panel)
    assert (result.known, result.done, result.scored) == (5, 1, 1)
    assert len(looker.seen) == 6 and reader.seen[6:] == ["something longer than before"]
    assert values(library, looker)["0.png"] == before[1]
    assert values(library, reader)["0.png"] == pytest.approx(before[0] + 0.01 * (28 - 14))
    (tree / "0.txt").unlink()
    back = library.scan([tree], panel)
    assert back.scored == 0 and values(library, reader)["0.png"] == before[0]


def test_other_weights_and_other_preprocessing_have_numbers_of_their_own(library, tree):
    scorers = [
        MeanScorer(),
        MeanScorer(revision="2"),
        MeanScorer(spec=ImageSpec(size=8).whole_picture()),
    ]
    for scorer in scorers:
        assert library.scan([tree], panel_of(scorer)).scored == 6
    assert library.keys() == [
        ScorerKey("mean", "1", "reference"),
        ScorerKey("mean", "2", "reference"),
        ScorerKey("mean", "1", "whole-picture"),
    ]
    for scorer in scorers:
        assert library.scan([tree], panel_of(scorer)).known == 6


def test_another_precision_has_numbers_of_its_own():
    import torch

    scorer = MeanScorer()
    scorer.runtime.dtype = torch.bfloat16
    assert key_of(scorer).preprocessing == "reference/bf16"


def test_one_prompt_for_all_replaces_that_of_each_and_gives_it_back(library, tree):
    scorer = MeanScorer()
    panel = panel_of(scorer)
    library.scan([tree], panel)
    own = values(library, scorer)
    assert library.scan([tree], panel, options=ScanOptions(prompt="(dog:1.3)")).scored == 6
    rows = library.page(Query(key=key_of(scorer)))
    assert {(row.generated.prompt, row.generated.origin) for row in rows} == {("dog", "option")}
    assert {row.generated.model for row in rows} == {"m"}
    assert library.scan([tree], panel, options=ScanOptions(prompt="dog")).known == 6
    assert library.scan([tree], panel).scored == 0
    assert values(library, scorer) == own
    with pytest.raises(PromptError, match="holds no words"):
        library.scan([tree], panel, options=ScanOptions(prompt="<lora:a:1>"))


def test_where_prompts_are_looked_for_is_part_of_the_question(library, tmp_path):
    save(tmp_path / "out" / "1.png", 1, "(from metadata:1.1)")
    (tmp_path / "out" / "1.txt").write_text("from the text", encoding="utf-8")
    seen = []
    for options in (
        ScanOptions(),
        ScanOptions(prompt_from="metadata"),
        ScanOptions(prompt_from="metadata", raw_prompt=True),
        ScanOptions(prompt_from="sidecar"),
    ):
        library.scan([tmp_path / "out"], None, options=options)
        seen.append(library.page(Query())[0].generated.prompt)
    assert seen == ["from the text", "from metadata", "(from metadata:1.1)", "from the text"]


def test_pictures_without_a_prompt_are_scored_by_those_who_need_none(library, tmp_path):
    reader, looker = MeanScorer("reads"), MeanScorer("looks", reads_prompt=False)
    save(tmp_path / "out" / "1.png", 1, None)
    save(tmp_path / "out" / "2.png", 2, "a dog")
    result = library.scan([tmp_path / "out"], panel_of(reader, looker))
    assert (result.scored, result.failed) == (3, 1) and reader.seen == ["a dog"]
    (row,) = library.page(Query(key=key_of(reader), scored=False))
    assert row.path.name == "1.png" and "no prompt" in row.problem
    assert library.scan([tmp_path / "out"], panel_of(reader, looker)).known == 2
    (tmp_path / "out" / "1.txt").write_text("now it has one", encoding="utf-8")
    assert library.scan([tmp_path / "out"], panel_of(reader, looker)).scored == 1


def test_a_number_that_is_none_fails_for_one_picture_and_is_not_asked_for_again(library, tree):
    scorer = MeanScorer()
    scorer.broken = {"a cat number 3"}
    result = library.scan([tree], panel_of(scorer))
    assert (result.scored, result.failed) == (5, 1)
    (row,) = library.page(Query(key=key_of(scorer), scored=False))
    assert row.path.name == "3.png" and "nan" in row.problem
    assert library.scan([tree], panel_of(scorer)).known == 6 and len(scorer.seen) == 6


def test_unscored_only_leaves_pictures_with_stars_or_any_number_alone(library, tree):
    library.scan([tree / "deep"], panel_of(MeanScorer(revision="old")))
    library.scan([tree], None)
    library.set_stars(tree / "0.png", 4)
    scorer = MeanScorer(revision="new")
    result = library.scan([tree], panel_of(scorer), options=ScanOptions(unscored_only=True))
    assert result.scored == 2 and scorer.seen == ["a cat number 2", "a cat number 4"]
    assert library.scan([tree], panel_of(scorer)).scored == 4


def test_no_scan_touches_stars(library, tree):
    library.scan([tree], None)
    for number in range(6):
        path = tree / ("deep/er" if number % 2 else "") / f"{number}.png"
        library.set_stars(path, number)
    (tree / "deep" / "er" / "1.png").rename(tree / "moved.png")
    save(tree / "0.png", 0, "other metadata", age=60)
    for options in (ScanOptions(), ScanOptions(prompt="dog"), ScanOptions(unscored_only=True)):
        library.scan([tree], panel_of(MeanScorer()), options=options)
    stars = {row.path.name: row.stars for row in library.rows(Query(order="name"))}
    assert stars == {"0.png": 0, "moved.png": 1, "2.png": 2, "3.png": 3, "4.png": 4, "5.png": 5}


def test_a_file_that_comes_back_has_its_scores_without_being_read(library, tree):
    scorer = MeanScorer()
    library.scan([tree], panel_of(scorer))
    before = values(library, scorer)
    shutil.move(tree / "deep", tree.parent / "deep")
    gone = library.scan([tree], panel_of(scorer))
    assert gone.gone == 3 and library.count(Query(key=key_of(scorer))) == 3
    shutil.move(tree.parent / "deep", tree / "deep")
    back = library.scan([tree], panel_of(scorer))
    assert back.scored == 0 and back.stages["decode"] < 0.01
    assert values(library, scorer) == before


def test_a_folder_that_is_not_there_takes_nothing_from_the_library(library, tree):
    scorer = MeanScorer()
    library.scan([tree], panel_of(scorer))
    tree.rename(tree.parent / "unplugged")
    result = library.scan([tree], panel_of(scorer))
    assert result.gone == 0 and "no such folder" in result.problems[0][1]
    assert library.count(Query(key=key_of(scorer), scored=True)) == 6


def test_a_replaced_picture_is_scored_anew(library, tree):
    scorer = MeanScorer()
    library.scan([tree], panel_of(scorer))
    save(tree / "0.png", 100, "a cat number 0", age=60)
    assert library.scan([tree], panel_of(scorer)).scored == 1


def test_a_file_changed_just_now_is_read_again_until_its_time_can_be_trusted(library, tmp_path):
    path = tmp_path / "out" / "1.bmp"
    path.parent.mkdir()
    pixels(1).save(path)
    library.scan([path.parent], None)
    first, before = library.page(Query())[0].content, path.stat()
    pixels(2).save(path)  # of the same length, and within the same tick of a clock that counts in seconds
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert library.scan([path.parent], None).done == 1
    assert library.page(Query())[0].content != first
    settle(path)
    library.scan([path.parent], None)
    assert library.scan([path.parent], None).done == 0


def test_a_time_in_the_future_is_no_reason_to_read_a_file_every_time(library, tmp_path):
    path = settle(save(tmp_path / "out" / "1.png", 1), age=-1e6)
    library.scan([path.parent], None)
    assert library.scan([path.parent], None).known == 1


def test_overlapping_roots_are_one(library, tree):
    scorer = MeanScorer()
    result = library.scan([tree / "deep", tree, tree], panel_of(scorer))
    assert (result.found, result.done, len(scorer.seen)) == (6, 6, 6)


def test_without_scorers_a_scan_only_indexes(library, tree):
    result = library.scan([tree], None)
    assert (result.done, result.scored, result.failed) == (6, 0, 0)
    row = library.page(Query(order="name"))[0]
    assert (row.width, row.height, row.value, row.problem) == (24, 24, None, "")
    assert (row.generated.prompt, row.generated.seed, row.generated.generator) == (
        "a cat number 0",
        "0",
        "a1111",
    )


def test_a_caption_gives_the_prompt_and_the_metadata_how_the_picture_was_made(library, tmp_path):
    made = "an infotext cat <lora:fluffy:1>\nNegative prompt: blurry"
    path = save(tmp_path / "out" / "1.png", 77, made)
    (tmp_path / "out" / "1.txt").write_text("a caption of a cat", encoding="utf-8")
    for prompt_from in ("auto", "sidecar"):
        library.scan([tmp_path / "out"], None, options=ScanOptions(prompt_from=prompt_from))
        generated = library.find([path])[0].generated
        assert (generated.prompt, generated.origin) == ("a caption of a cat", "sidecar")
        assert (generated.model, generated.loras, generated.seed) == ("m", ("fluffy",), "77")
        assert (generated.negative, generated.generator) == ("blurry", "a1111")
    (tmp_path / "out" / "1.txt").write_text(
        "a dog\nSteps: 20, Sampler: Euler, Seed: 5, Size: 24x24", encoding="utf-8"
    )
    library.scan([tmp_path / "out"], None)
    generated = library.find([path])[0].generated
    assert (generated.prompt, generated.seed, generated.model) == ("a dog", "5", "m")


def test_a_caption_beside_a_picture_without_metadata_tells_the_prompt_alone(library, tmp_path):
    path = save(tmp_path / "out" / "1.png", 1, None)
    (tmp_path / "out" / "1.txt").write_text("a caption", encoding="utf-8")
    library.scan([tmp_path / "out"], None)
    generated = library.find([path])[0].generated
    assert (generated.prompt, generated.model, generated.seed, generated.generator) == (
        "a caption",
        "",
        "",
        "",
    )


def test_only_the_files_that_are_named_are_looked_at(library, tree):
    scorer = MeanScorer()
    (tree / "0.txt").write_text("a caption", encoding="utf-8")
    (tree / ".hidden").mkdir()
    for place in (tree / ".hidden" / "1.png", tree.parent / "outside.png"):
        shutil.copy(tree / "2.png", place)
    named = [
        tree / "0.png",
        tree / "deep" / "er" / "1.png",
        tree / "deep" / "er" / "3.png",
        tree / "nowhere.png",
        tree / "no" / "folder.png",
        tree / ".hidden" / "1.png",
        tree.parent / "outside.png",
        tree / "0.txt",
    ]
    options = ScanOptions(files=tuple(named), exclude=("3*",))
    found = library.scan([tree], panel_of(scorer), options=options)
    assert (found.found, found.scored, found.gone) == (2, 2, 0)
    assert values(library, scorer).keys() == {"0.png", "1.png"}
    again = library.scan([tree], panel_of(scorer))
    assert (again.found, again.known, again.scored) == (6, 2, 4)
    assert library.find([tree / "0.png"])[0].generated.prompt == "a caption"


def test_files_that_are_not_named_are_not_missed(library, tree):
    library.scan([tree], None)
    (tree / "0.png").unlink()
    assert library.scan([tree], None, options=ScanOptions(files=(tree / "2.png",))).gone == 0
    assert library.scan([tree], None).gone == 1
