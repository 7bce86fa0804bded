"""Whatever of ours fails, the pictures are saved and returned as without the extension, and one line says why."""

import json
import logging

import pytest
from PIL import Image

from imagereward_core.errors import WeightsError
from tests.support.webui.fake_webui import curate, needs_a_model, ours, settings_of, with_script

RUN = {"prompt": "a red cat", "seed": 5, "batch_size": 2, "n_iter": 2}

BEFORE_ANYTHING = [
    ("lifecycle", "begin"),
    ("lifecycle", "settings_of"),
    ("lifecycle", "read_arguments"),
    ("lifecycle", "_guard_loop"),
    ("lifecycle", "start_batch"),
    ("lifecycle", "list_batch"),
    ("lifecycle", "collect"),
    ("lifecycle", "finish_batch"),
    ("infotext", "to_infotext"),
    ("xyz", "override"),
    ("lifecycle", "_set_reader"),
    ("scoring", "load"),
    ("scoring", "scorer_name"),
    ("scoring", "score"),
    ("scoring", "evaluate"),
    ("scoring", "take"),
    ("scoring", "clean_prompt"),
    ("selecting", "decide"),
    ("selecting", "rule_of"),
]
AFTER_THE_SAVES = [
    ("gallery", "note_texts"),
    ("gallery", "finish"),
    ("gallery", "_order"),
    ("generate_until", "go_on"),
    ("generate_until", "_next"),
    ("xyz", "remember"),
    ("report", "text"),
    ("report", "data"),
]
IN_THE_SAVES = [
    ("saving", "save"),
    ("saving", "_save"),
    ("saving", "_make"),
    ("saving", "_note_files"),
    ("saving", "_hold"),
    ("saving", "_redirect"),
    ("filenames", "saving"),
    ("filenames", "keep_apart"),
    ("infotext", "without_settings"),
    ("rejects", "note"),
    ("rejects", "follow"),
    ("infotext", "with_fields"),
    ("rejects", "folder_in"),
    ("filenames", "fill"),
]

TRUE_LOOP = True


def fails(monkeypatch, name, function, error=None):
    """Makes a function of ours fail wherever it is used."""

    def broken(*arguments, **named):
        raise error or RuntimeError("injected failure")

    module = ours(f"script.{name}")
    original = getattr(module, function)
    for each in (
        "lifecycle",
        "hooks",
        "gallery",
        "report",
        "generate_until",
        "xyz",
        "scoring",
        "saving",
        "hires_gate",
        "selecting",
        "infotext",
    ):
        user = ours(f"script.{each}")
        if getattr(user, function, None) is original:
            monkeypatch.setattr(user, function, broken)
    monkeypatch.setattr(module, function, broken)


def pixels(folder):
    """Every saved picture's pixels, sorted."""
    found = []
    for path in folder.rglob("*.png"):
        with Image.open(path) as picture:
            found.append(picture.tobytes())
    return sorted(found)


def plain_run(host, tmp_path, **options):
    """The same run without our script."""
    always, host.always = host.always, []
    result = host.run(host.make(outpath_samples=str(tmp_path / "plain"), **{**RUN, **options}))
    host.always = always
    return result


def texts_of(folder):
    return {path.name: settings_of(path) for path in folder.glob("*.png")}


@pytest.mark.parametrize(("name", "function"), BEFORE_ANYTHING)
def test_failure_before_the_saves_leaves_everything_as_without_the_extension(
    host, scorer, tmp_path, monkeypatch, caplog, name, function
):
    plain = plain_run(host, tmp_path)
    with_script(host)
    fails(monkeypatch, name, function)
    before = host.images.save_image, host.processing.process_images_inner
    with caplog.at_level(logging.ERROR):
        result = curate(host, {"keep_best": 1, "until": 3}, **RUN)
    assert texts_of(host.samples) == texts_of(tmp_path / "plain")
    assert host.files(host.samples) == host.files(tmp_path / "plain")
    assert result.infotexts == plain.infotexts and result.all_seeds == plain.all_seeds
    assert [image.tobytes() for image in result.images] == [image.tobytes() for image in plain.images]
    assert [image.info for image in result.images] == [image.info for image in plain.images]
    assert result.comments.count("injected failure") == 1
    assert sum("injected failure" in record.message for record in caplog.records) == 1
    assert host.errors.reported == []
    monkeypatch.undo()
    assert (host.images.save_image, host.processing.process_images_inner) == before


@pytest.mark.parametrize(("name", "function"), AFTER_THE_SAVES)
def test_failure_after_the_saves_leaves_every_picture_and_the_result_of_the_host(
    host, scorer, tmp_path, monkeypatch, name, function
):
    plain = plain_run(host, tmp_path)
    with_script(host)
    fails(monkeypatch, name, function)
    result = curate(host, {"keep_best": 1, "until": 3 if name == "generate_until" else 0}, **RUN)
    assert pixels(host.samples) == pixels(tmp_path / "plain")
    assert [image.tobytes() for image in result.images] == [image.tobytes() for image in plain.images]
    assert result.all_seeds == plain.all_seeds and len(result.infotexts) == len(plain.infotexts)
    assert "injected failure" in result.comments and host.errors.reported == []


def test_failure_to_tell_about_a_file_of_a_folder_costs_that_line_only(host, scorer, monkeypatch, caplog):
    with_script(host)
    fails(monkeypatch, "gallery", "tell_first")
    assert "2 of 4 passed" in curate(host, {"keep_best": 1}, **RUN).comments
    assert "injected failure" in caplog.text and host.errors.reported == []


@pytest.mark.parametrize(("name", "function"), IN_THE_SAVES)
def test_failure_in_a_save_loses_no_picture(host, scorer, tmp_path, monkeypatch, name, function):
    plain_run(host, tmp_path)
    with_script(host)
    host.shared.opts.samples_filename_pattern = "[seed]-[imagereward]"
    fails(monkeypatch, name, function)
    result = curate(host, {"keep_best": 1}, **RUN)
    assert pixels(host.samples) == pixels(tmp_path / "plain")
    assert len(result.images) >= 3


@pytest.mark.parametrize("function", ["choose", "_put_away", "_to_picture", "align", "wanted"])
def test_failure_between_the_passes_upscales_everything(host, scorer, tmp_path, monkeypatch, function):
    needs_a_model(host)
    plain_run(host, tmp_path, enable_hr=True)
    with_script(host)
    fails(monkeypatch, "hires_gate", function)
    result = curate(host, {"keep_best": 2, "gate_hires": True}, **RUN, enable_hr=True)
    assert pixels(host.samples) == pixels(tmp_path / "plain")
    assert len(result.images) == 5


def test_failure_after_further_runs_returns_their_pictures_too(host, scorer, monkeypatch):
    with_script(host)
    fails(monkeypatch, "gallery", "finish")
    result = curate(host, {"keep_best": 1, "until": 4}, **RUN, do_not_save_samples=True, is_api=True)
    assert len(result.images) == 1 + 4 + 2, "all of the first run, the kept ones of the others"
    assert len(result.infotexts) == 7 and len(result.all_seeds) == 6


def test_failure_in_the_middle_of_a_search_returns_what_was_made(host, scorer, monkeypatch):
    until, calls = ours("script.generate_until"), []
    next_of = until._next

    def breaks(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise RuntimeError("injected failure")
        return next_of(*arguments)

    monkeypatch.setattr(until, "_next", breaks)
    result = curate(host, {"keep_best": 1, "until": 9, "show_rejects": True}, **RUN)
    assert len(host.files(host.samples)) == 4 + 2 + 2
    assert len(result.images) == 1 + 8 and len(result.infotexts) == 9 and len(result.all_seeds) == 8
    assert "injected failure" in result.comments


def test_rejected_pictures_that_cannot_be_let_go_cost_memory_only(host, scorer, monkeypatch, caplog):
    def breaks(picture):
        raise RuntimeError("injected failure")

    monkeypatch.setattr(ours("script.state").Picture, "let_go", breaks)
    result = curate(host, {"keep_best": 1, "until": 4}, **RUN)
    assert "4 of 8 passed" in result.comments and len(result.images) == 1 + 4
    assert "injected failure" in caplog.text


def test_an_accordion_that_cannot_be_built_leaves_the_script_switched_off(one_host, monkeypatch, caplog):
    script = with_script(one_host)
    fails(monkeypatch, "ui", "build")
    assert script.ui(False) == [] and "building the accordion failed" in caplog.text


def test_scorer_without_weights_says_what_to_do(host, scorer):
    scorer.error = WeightsError("there is no checkpoint; put one into models/imagereward")
    result = curate(host, {"keep_best": 1}, **RUN)
    assert "put one" in json.loads(result.js())["extra_generation_params"]["imagereward"]["failure"]
    assert "put one into models/imagereward" in result.comments and "without the extension" in result.comments
    assert len(host.files(host.samples)) == 4


def test_setting_that_is_no_number_of_pictures_is_told_and_every_picture_is_saved(host, scorer):
    host.shared.opts.imagereward_batch_size = -4
    result = curate(host, {"keep_best": 1}, **RUN)
    assert "at once (batch size) is -4; expected" in result.comments and "Settings" in result.comments
    assert len(host.files(host.samples)) == 4 and scorer.requests == []


def test_missing_weights_are_told_before_anything_is_generated(host, scorer, caplog):
    seen = []

    class Watch(host.scripts.Script):
        def title(self):
            return "Watch"

        def process_batch(self, p, **named):
            seen.append((host.shared.state.textinfo, caplog.text))

    host.add(Watch())
    scorer.error = WeightsError("there is no checkpoint; put one into models/imagereward")
    curate(host, {"keep_best": 1}, **RUN)
    shown, logged = seen[0]
    assert "put one into models/imagereward" in shown and "put one into models/imagereward" in logged


def test_one_failure_does_not_switch_the_script_off_for_the_next_job(host, scorer):
    scorer.error = MemoryError("out of memory")
    curate(host, {"keep_best": 1}, **RUN)
    scorer.error = None
    assert "2 of 4 passed" in curate(host, {"keep_best": 1}, **RUN).comments


def test_failure_in_the_second_batch_keeps_what_the_first_came_to(host, scorer, monkeypatch):
    load = scorer.load

    def second_time_broken(request, *arguments):
        if scorer.calls:
            scorer.error = RuntimeError("the device is lost")
        return load(request)

    monkeypatch.setattr(ours("scorer_cache"), "load", second_time_broken)
    result = curate(host, {"keep_best": 1}, **RUN)
    assert len(host.files(host.samples)) == 4 and len(result.images) == 5
    scored = [text for text in result.infotexts if "ImageReward: " in text]
    assert len(scored) == 2 and "the device is lost" in result.comments


def test_error_of_the_host_in_the_middle_of_a_batch_loses_no_finished_picture(host, scorer, monkeypatch):
    made, calls = host.scripts.PostprocessImageArgs, []

    def breaks(*arguments):
        calls.append(arguments)
        if len(calls) > 2 * 3:  # two for every picture: the fourth one fails
            raise RuntimeError("out of memory while restoring faces")
        return made(*arguments)

    monkeypatch.setattr(host.scripts, "PostprocessImageArgs", breaks)
    before = host.images.save_image
    with pytest.raises(RuntimeError, match="restoring faces"):
        curate(host, {"keep_best": 1, "rejects": "do not save"}, **RUN)
    assert host.images.save_image is before
    assert len(host.files(host.samples)) == 2, "the best of the first batch, and the first of the second"


def test_error_of_the_host_before_its_loop_leaves_nothing_behind(host, scorer, monkeypatch):
    script = with_script(host)
    inner = host.processing.process_images_inner
    p = host.make({"enabled": True}, script=script, **RUN)
    p.scripts.before_process(p)
    host.run(host.make({"enabled": False}, script=script, **RUN))
    ours("script.lifecycle").restore()
    assert host.processing.process_images_inner is inner
    assert len(host.files(host.samples)) == 4 and scorer.calls == []


def test_save_that_the_host_cannot_make_is_told_and_the_others_are_made(host, scorer, monkeypatch):
    save = host.images.save_image

    def full(image, path, *arguments, **named):
        if named.get("p") is not None and named["p"].batch_index == 1 and not named.get("grid"):
            raise OSError("no space left on device")
        return save(image, path, *arguments, **named)

    monkeypatch.setattr(host.images, "save_image", full)
    result = curate(host, {"keep_best": 1}, **RUN)
    assert "no space left on device" in result.comments and len(host.files(host.samples)) == 2
    on_disk = {int(settings_of(path)["Seed"]) for path in host.samples.rglob("*.png")}
    assert on_disk | set(result.all_seeds) == {5, 6, 7, 8}, "what is not on the disk is shown"


def test_script_that_replaces_the_result_keeps_its_order(host, scorer):
    class Replaces(host.scripts.Script):
        def title(self):
            return "Replaces"

        def postprocess(self, p, processed):
            processed.images = [image.copy() for image in processed.images]

    host.add(Replaces())
    result = curate(host, {"keep_best": 1}, **RUN)
    assert len(result.images) == 5 and "Another script changed the result" in result.comments


def test_script_that_adds_pictures_finds_them_at_the_end(host, scorer):
    class Adds(host.scripts.Script):
        def title(self):
            return "Adds"

        def postprocess(self, p, processed):
            processed.images.append(Image.new("L", (8, 8)))

    host.add(Adds())
    result = curate(host, {}, **RUN)
    assert [image.mode for image in result.images] == ["RGB"] * 5 + ["L"]
