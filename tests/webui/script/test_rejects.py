"""What is kept, and where the rest goes. Nothing is deleted, nothing overwritten."""

import errno
import functools
import os
from pathlib import Path

import pytest

from tests.support.webui.fake_webui import curate, ours, score_of, settings_of, with_script

rejects = ours("script.rejects")

TRUE_LOOP = True


def seeds(names):
    return sorted(int(name.split("-")[1].split(".")[0]) for name in names)


def test_only_the_best_of_every_batch_stay_in_the_folder(host, scorer):
    result = curate(host, {"keep_best": 1}, batch_size=3, n_iter=2, seed=5)
    files = host.files(host.samples)
    assert seeds(name for name in files if not name.startswith("rejects/")) == [5, 8]
    assert seeds(name for name in files if name.startswith("rejects/")) == [6, 7, 9, 10]
    assert result.all_seeds == [8, 5] and len(result.images) == 3
    assert "2 of 6 passed" in result.comments


def test_rejected_files_carry_their_score_and_verdict(host, scorer):
    curate(host, {"min_score": "0"}, batch_size=4, seed=5)
    for path in host.samples.rglob("*.png"):
        found = settings_of(path)
        rejected = path.parent.name == "rejects"
        assert (float(found["ImageReward"]) < 0) == rejected
        assert found["Curator verdict"] == ("rejected" if rejected else "kept")


def test_minimum_percentile(host, scorer):
    result = curate(host, {"min_percentile": 80}, batch_size=6, seed=5)
    assert result.all_seeds == [8, 5]


def test_minimum_percentile_is_left_out_with_a_line_where_the_scorer_has_none(one_host, scorer):
    scorer.distribution = None
    result = curate(one_host, {"min_percentile": 80}, batch_size=3)
    assert "no reference distribution" in result.comments and len(result.all_seeds) == 3


def test_best_of_the_job_moves_what_was_overtaken(host, scorer):
    result = curate(host, {"keep_best": 2, "keep_scope": "job"}, batch_size=2, n_iter=4, seed=11)
    everything = sorted(range(11, 19), key=host.convention.level, reverse=True)
    files = host.files(host.samples)
    assert result.all_seeds == everything[:2]
    assert seeds(name for name in files if not name.startswith("rejects/")) == sorted(everything[:2])
    assert seeds(name for name in files if name.startswith("rejects/")) == sorted(everything[2:])
    for image in result.images[1:]:
        assert Path(image.already_saved_as).is_file()


@pytest.mark.parametrize("rejects", ["rejects folder", "marked"])
def test_no_file_of_a_job_says_kept_and_is_overtaken_later(host, scorer, rejects):
    result = curate(host, {"keep_best": 1, "keep_scope": "job", "rejects": rejects}, n_iter=4, seed=11)
    verdicts = {path.name: settings_of(path).get("Curator verdict") for path in host.samples.rglob("*.png")}
    assert set(verdicts.values()) == {None, "rejected"}
    assert "Curator verdict" not in result.infotexts[-1]


def test_sidecar_of_an_overtaken_picture_goes_with_it(host, scorer):
    host.shared.opts.save_txt = True
    curate(host, {"keep_best": 1, "keep_scope": "job"}, n_iter=4, seed=11)
    files = host.files(host.samples)
    stems = {name.rpartition(".")[0] for name in files}
    assert len(files) == 8 and all({f"{stem}.png", f"{stem}.txt"} <= set(files) for stem in stems)
    assert sum(name.startswith("rejects/") for name in files) == 6


def test_marked_rejects_stay_with_a_mark_in_name_and_infotext(host, scorer):
    curate(host, {"keep_best": 1, "rejects": "marked"}, batch_size=3, seed=5)
    names = host.files(host.samples)
    assert sum("-rejected" in name for name in names) == 2 and not any("/" in name for name in names)
    for name in names:
        verdict = settings_of(host.samples / name)["Curator verdict"]
        assert verdict == ("rejected" if "-rejected" in name else "kept")


def test_marked_rejects_of_a_job_are_renamed(host, scorer):
    curate(host, {"keep_best": 1, "keep_scope": "job", "rejects": "marked"}, n_iter=3, seed=11)
    names = host.files(host.samples)
    assert len(names) == 3 and sum("-rejected" in name for name in names) == 2


def test_rejects_that_are_not_wanted_are_not_saved(host, scorer):
    curate(host, {"keep_best": 1, "rejects": "do not save"}, batch_size=3, seed=5)
    assert seeds(host.files(host.samples)) == [5]


def test_what_is_on_disk_is_moved_and_never_deleted(host, scorer):
    curate(host, {"keep_best": 1, "keep_scope": "job", "rejects": "do not save"}, n_iter=4, seed=11)
    names = host.files(host.samples)
    level = host.convention.level
    overtaking = [at for at in range(11, 15) if level(at) == max(map(level, range(11, at + 1)))]
    assert seeds(names) == overtaking, "what never led was not saved"
    assert seeds(name for name in names if "/" not in name) == [max(range(11, 15), key=level)]


def test_rejected_pictures_can_be_shown_behind_the_others(host, scorer):
    result = curate(host, {"keep_best": 1, "show_rejects": True}, batch_size=3, n_iter=2, seed=5)
    values = [score_of(image) for image in result.images[1:]]
    assert values[:2] == sorted(values[:2], reverse=True) and values[2:] == sorted(values[2:], reverse=True)
    assert len(values) == 6 and result.all_seeds[:2] == [8, 5]


def test_gallery_is_never_empty(host, scorer):
    result = curate(host, {"min_score": "9"}, batch_size=3, n_iter=2, seed=5)
    assert (
        len(result.images) == 7
        and "No picture passed" in result.comments
        and "0 of 6 passed" in result.comments
    )
    assert all(name.startswith("rejects/") for name in host.files(host.samples))


def test_every_selection_leaves_each_batch_whole_for_the_host(host, scorer):
    """A host whose last batch is emptied indexes an empty list when it makes the grid."""
    curate(host, {"min_score": "9"}, batch_size=2, n_iter=2)
    assert host.errors.reported == [] and len(host.files(host.outputs / "grids")) == 1


def test_user_folders_by_pattern_exist_inside_the_rejects_folder(host, scorer):
    host.shared.opts.save_to_dirs = True
    curate(host, {"keep_best": 1, "keep_scope": "job"}, batch_size=2, n_iter=2, seed=11)
    files = host.files(host.samples)
    assert all(name.startswith(("2026-01-01/", "rejects/2026-01-01/")) for name in files) and len(files) == 4


def test_nothing_is_saved_where_the_user_saves_nothing(host, scorer):
    host.shared.opts.samples_save = False
    result = curate(host, {"keep_best": 1}, batch_size=3)
    assert host.files(host.outputs / "txt2img") == [] if host.samples.exists() else True
    assert len(result.images) == 4


def test_who_saves_by_hand_is_shown_every_picture_and_a_program_what_it_asked_for(host, scorer):
    host.shared.opts.samples_save = False
    result = curate(host, {"keep_best": 1}, batch_size=3)
    values = [score_of(image) for image in result.images[1:]]
    assert (
        len(values) == 3 and values == sorted(values, reverse=True) and "are shown after" in result.comments
    )
    assert len(curate(host, {"keep_best": 1, "rejects": "do not save"}, batch_size=3).images) == 2
    script = host.always[0]
    asked = host.make(
        {"enabled": True, "keep_best": 1}, script=script, prompt="a cat", seed=1, batch_size=3, is_api=True
    )
    assert len(host.run(asked).images) == 2


def test_interrupted_batch_is_neither_scored_nor_rejected(host, scorer):
    class Stop(host.scripts.Script):
        def title(self):
            return "Stop"

        def post_sample(self, p, ps):
            if p.iteration == 1:
                host.shared.state.interrupted = True

    host.add(Stop())
    result = curate(host, {"keep_best": 1}, batch_size=2, n_iter=3, seed=5)
    assert scorer.calls == [["a red cat"] * 2]
    assert seeds(name for name in host.files(host.samples)) == [5, 6], "an interrupted batch is not saved"
    assert result.all_seeds == [5, 7, 8], "the half-made pictures are shown as they are"


def test_skipped_batch_is_not_scored(host, scorer):
    class Skip(host.scripts.Script):
        def title(self):
            return "Skip"

        def post_sample(self, p, ps):
            host.shared.state.skipped = p.iteration == 0

    host.add(Skip())
    curate(host, {"keep_best": 1}, batch_size=2, n_iter=2)
    assert len(scorer.calls) == 1


def test_folder_for_rejects_has_the_name_of_the_settings_page(host, scorer):
    host.shared.opts.imagereward_rejects_folder = "weg damit"
    curate(host, {"keep_best": 1, "keep_scope": "job"}, batch_size=2, n_iter=2, seed=11)
    assert sum(name.startswith("weg damit/") for name in host.files(host.samples)) == 3


def test_moving_never_takes_a_name_that_is_taken(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    (tmp_path / "b" / "1.txt").write_text("other")
    picture, text = tmp_path / "a" / "1.png", tmp_path / "a" / "1.txt"
    picture.write_text("picture")
    text.write_text("text")
    moved = rejects.move([picture, text], tmp_path / "b" / "1.png")
    assert [path.name for path in moved] == ["1-2.png", "1-2.txt"]
    assert (tmp_path / "b" / "1.txt").read_text() == "other" and not list((tmp_path / "a").iterdir())


def test_moving_works_without_hard_links(tmp_path, monkeypatch):
    def no_links(*_, **__):
        raise OSError(errno.EPERM, "not on this drive")

    monkeypatch.setattr(os, "link", no_links)
    picture = tmp_path / "ä 1.png"
    picture.write_text("picture")
    moved = rejects.move([picture], tmp_path / "rejects" / "ä 1.png")
    assert moved[0].read_text() == "picture" and not picture.exists()


def test_picture_that_somebody_has_open_keeps_its_one_name(tmp_path, monkeypatch):
    picture = tmp_path / "1.png"
    picture.write_text("picture")
    unlink = Path.unlink

    def in_use(path, *arguments):
        if path == picture:
            raise PermissionError("in use")
        unlink(path, *arguments)

    monkeypatch.setattr(Path, "unlink", in_use)
    with pytest.raises(PermissionError):
        rejects.move([picture], tmp_path / "rejects" / "1.png")
    assert [path.name for path in tmp_path.rglob("*.png")] == ["1.png"]


def test_names_without_numbers_never_cost_a_picture_of_the_job_or_a_rejected_one(host, scorer):
    host.shared.opts.save_images_add_number = False
    host.shared.opts.samples_filename_pattern = "one name"
    curate(host, {"keep_best": 2}, batch_size=4, seed=11)
    assert host.files(host.samples) == [
        "one name-1.png",
        "one name.png",
        "rejects/one name-1.png",
        "rejects/one name.png",
    ]
    assert len({path.read_bytes() for path in host.samples.rglob("*.png")}) == 4
    before = {path: path.read_bytes() for path in (host.samples / "rejects").iterdir()}
    curate(host, {"keep_best": 2}, batch_size=4, seed=31)
    assert len(host.files(host.samples)) == 6, "what an earlier job saved is replaced as the user wants it"
    assert all(path.read_bytes() == content for path, content in before.items())


def test_where_the_host_shall_replace_nothing_the_file_meant_is_the_one_that_was_written(host, scorer):
    host.shared.opts.save_images_add_number = False
    host.shared.opts.samples_filename_pattern = "one name"
    host.shared.opts.save_images_replace_action = "Add number suffix"
    curate(host, {"sort_gallery": False}, seed=1)
    old = (host.samples / "one name.png").read_bytes()
    curate(host, {"keep_best": 1, "keep_scope": "job"}, batch_size=2, n_iter=2, seed=11)
    assert (host.samples / "one name.png").read_bytes() == old
    assert len(host.files(host.samples)) == 5 and len(host.files(host.samples / "rejects")) == 3


def test_picture_that_cannot_be_moved_stays(host, scorer, monkeypatch):
    def refuse(*_):
        raise PermissionError("in use")

    monkeypatch.setattr(rejects, "move_new", refuse)
    result = curate(host, {"keep_best": 1, "keep_scope": "job"}, n_iter=3, seed=11)
    assert "stays where it is" in result.comments and "in use" in result.comments
    assert len(host.files(host.samples)) == 3


@pytest.mark.parametrize("outputs", ["out", "out/ö x"])
def test_place_of_a_reject_mirrors_the_output_folder(one_host, tmp_path, outputs):
    folder = tmp_path / outputs
    assert rejects.place_for(folder / "2026" / "1.png", folder) == folder / "rejects" / "2026" / "1.png"
    assert rejects.place_for(tmp_path / "else" / "1.png", folder) == tmp_path / "else" / "rejects" / "1.png"


def test_two_extensions_around_the_save_function_get_along(host, scorer):
    """Another extension that wraps the host's function during our run is neither lost nor called twice."""
    calls = []

    class Wraps(host.scripts.Script):
        def title(self):
            return "Wraps"

        def process(self, p):
            inner = host.images.save_image

            @functools.wraps(inner)
            def save_image(*arguments, **named):
                calls.append(named.get("suffix", ""))
                return inner(*arguments, **named)

            host.images.save_image = save_image

    with_script(host)
    host.add(Wraps())
    curate(host, {"keep_best": 1}, batch_size=2, do_not_save_grid=True)
    assert len(host.files(host.samples)) == 2 and len(calls) == 2
    host.always.pop()
    curate(host, {"enabled": False}, batch_size=1, seed=50, do_not_save_grid=True)
    assert len(host.files(host.samples)) == 3 and len(calls) == 3
    curate(host, {"keep_best": 1}, batch_size=2, seed=60, do_not_save_grid=True)
    assert len(host.files(host.samples)) == 5 and len(calls) == 5
