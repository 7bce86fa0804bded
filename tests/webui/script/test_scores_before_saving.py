"""Every picture has its score when it is saved: file, infotext, answer, gallery and file name agree."""

import json
import re

import pytest
from PIL import Image

from tests.support.webui.fake_webui import (
    brightness,
    curate,
    needs_a_model,
    ours,
    score_of,
    settings_of,
    with_script,
)

TRUE_LOOP = True


def saved(host):
    """Files of kept pictures with their settings."""
    return {path: settings_of(path) for path in sorted(host.samples.rglob("*.png"))}


def test_every_saved_file_carries_the_score_of_its_own_picture(host, scorer):
    curate(host, {}, batch_size=3, n_iter=2)
    files = saved(host)
    assert len(files) == 6
    for path, found in files.items():
        with Image.open(path) as picture:
            assert found["ImageReward"] == f"{score_of(picture):.4f}"


def test_a_batch_is_scored_in_one_call(host, scorer):
    curate(host, {}, batch_size=3, n_iter=2)
    assert [len(prompts) for prompts in scorer.calls] == [3, 3]


def test_scores_of_the_second_batch_belong_to_its_pictures(host, scorer):
    result = curate(host, {"sort_gallery": False}, batch_size=2, n_iter=3)
    for image, text in zip(result.images[1:], result.infotexts[1:]):
        assert f"ImageReward: {score_of(image):.4f}" in text
        assert image.info["parameters"] == text


def test_gallery_is_in_rank_order_and_every_list_follows(host, scorer):
    result = curate(host, {}, batch_size=3, n_iter=2, seed=10)
    shown = result.images[result.index_of_first_image :]
    values = [score_of(image) for image in shown]
    assert values == sorted(values, reverse=True) and len(shown) == 6
    assert [brightness(image) for image in shown] == pytest.approx(
        [host.convention.level(seed) for seed in result.all_seeds], abs=0.005
    )
    for text, seed in zip(result.infotexts[1:], result.all_seeds):
        assert f"Seed: {seed}," in text
    assert len(result.all_prompts) == len(result.all_negative_prompts) == len(result.all_subseeds) == 6


def test_generation_order_stays_where_sorting_is_off(host, scorer):
    assert curate(host, {"sort_gallery": False}, batch_size=3, seed=10).all_seeds == [10, 11, 12]


def test_api_answer_has_the_scores_also_where_nothing_is_saved(host, scorer):
    result = curate(
        host,
        {"sort_gallery": True},
        batch_size=2,
        is_api=True,
        do_not_save_samples=True,
        do_not_save_grid=True,
    )
    assert host.files() == []
    told = json.loads(result.js())
    data = told["extra_generation_params"]["imagereward"]
    assert [picture["rank"] for picture in sorted(data["pictures"], key=lambda each: each["image"])] == [1, 2]
    for picture in data["pictures"]:
        assert picture["score"] == pytest.approx(score_of(result.images[picture["image"]]), abs=1e-9)
        assert f"{picture['score']:.4f}" in told["infotexts"][picture["image"]]


def test_a_reason_tells_the_rank_beside_it_or_that_it_is_one_in_the_batch(host, scorer):
    for scope, own in (("batch", " in its batch"), ("job", "")):
        settings = {"keep_best": 1, "keep_scope": scope, "show_rejects": True}
        result = curate(host, settings, batch_size=2, n_iter=3, seed=10, is_api=True)
        data = json.loads(result.js())["extra_generation_params"]["imagereward"]
        assert len(data["pictures"]) == 6
        for picture in data["pictures"]:
            told = re.match(r"rank (\d+)( of \d+)?(.*?)( is beyond the best 1)?$", picture["reason"])
            assert told[3] == own and (own or int(told[1]) == picture["rank"])


def test_pictures_with_one_score_have_one_rank(host, scorer):
    result = curate(host, {"keep_best": 1}, batch_size=2, seed=7, subseed_strength=0.5, is_api=True)
    data = json.loads(result.js())["extra_generation_params"]["imagereward"]
    assert [picture["rank"] for picture in data["pictures"]] == [1, 1]
    reasons = {picture["verdict"]: picture["reason"] for picture in data["pictures"]}
    assert reasons["kept"] == "rank 1 of 2 in its batch"
    assert (
        reasons["rejected"]
        == "rank 1 in its batch, which it shares with pictures before it, is beyond the best 1"
    )


def test_pictures_are_scored_with_their_own_prompt_after_styles_and_without_syntax(host, scorer):
    prompts = ["a (red:1.2) cat <lora:x:1>", "a blue dog"]
    curate(host, {}, prompt=prompts, batch_size=1, n_iter=2, styles=["oil"])
    assert scorer.calls == [["a red cat, style of oil"], ["a blue dog, style of oil"]]


def test_prompts_are_those_of_the_pictures_where_the_host_writes_into_its_list(host, scorer):
    class Wildcards(host.scripts.Script):
        def title(self):
            return "Wildcards"

        def process(self, p):
            p.all_prompts = ["a red cat", "a blue dog"]

    host.add(Wildcards())
    host.shared.opts.enable_prompt_comments_def = True
    host.shared.opts.save_images_before_face_restoration = True
    curate(host, {}, prompt="__animal__", batch_size=2, restore_faces=True)
    assert scorer.calls == [["a red cat", "a blue dog"]]


def test_another_prompt_can_be_given_for_scoring(one_host, scorer):
    curate(one_host, {"score_prompt": "a masterpiece"}, batch_size=2)
    assert scorer.calls == [["a masterpiece", "a masterpiece"]]


def test_edits_of_other_scripts_are_in_the_scored_picture(host, scorer):
    class Detailer(host.scripts.Script):
        def title(self):
            return "Detailer"

        def postprocess_image(self, p, pp):
            pp.image = Image.new("RGB", pp.image.size, (200, 200, 200))

    class Later(host.scripts.Script):
        def title(self):
            return "Later"

        def postprocess_image_after_composite(self, p, pp):
            pp.image = pp.image.point(lambda value: value + 20)

    host.add(Detailer())
    with_script(host)
    host.add(Later())
    curate(host, {}, batch_size=2)
    assert {found["ImageReward"] for found in saved(host).values()} == {f"{4 * 220 / 255 - 2:.4f}"}


def test_grid_and_masks_are_neither_scored_nor_marked(host, scorer):
    host.shared.opts.return_mask = host.shared.opts.save_mask = True
    mask = Image.new("L", (64, 64), 255)
    result = curate(host, {}, batch_size=2, n_iter=2, mask_for_overlay=mask)
    assert sum(map(len, scorer.calls)) == 4
    assert "ImageReward" not in settings_of(next(host.outputs.glob("grids/*.png")))
    masks = list(host.samples.glob("*-mask.png"))
    assert len(masks) == 4 and not any("ImageReward" in settings_of(path) for path in masks)
    assert [score_of(image) for image in result.images[1:5]] == sorted(
        (score_of(image) for image in result.images[1:5]), reverse=True
    )
    assert len(result.images) == 9 and len(result.infotexts) == 5


def test_side_copies_are_saved_at_once_and_never_scored(host, scorer):
    host.shared.opts.save_images_before_face_restoration = True
    curate(host, {"keep_best": 1}, batch_size=2, restore_faces=True)
    copies = list(host.samples.rglob("*-before-face-restoration.png"))
    assert len(copies) == 2 and not any("ImageReward" in settings_of(path) for path in copies)


def test_settings_stand_in_every_infotext_of_the_run(host, scorer):
    curate(host, {"keep_best": 2}, batch_size=2)
    for path in host.outputs.rglob("*.png"):
        assert settings_of(path)["ImageReward Curator"] == "{'keep_best': 2}"


def test_settings_of_a_copy_do_not_stay_when_the_script_is_off(host, scorer):
    script = with_script(host)
    first = host.make({"enabled": True}, script=script, prompt="a", seed=1)
    host.run(first)
    second = host.make({"enabled": False}, script=script, prompt="a", seed=2)
    second.extra_generation_params = first.extra_generation_params
    assert "ImageReward" not in host.run(second).infotexts[0]


def test_copies_that_share_their_parameters_do_not_get_our_settings(host, scorer):
    script = with_script(host)
    p = host.make({"enabled": True}, script=script, prompt="a", seed=1)
    shared = p.extra_generation_params
    assert "ImageReward Curator" in host.run(p).infotexts[0] and "ImageReward Curator" not in shared


def test_switched_off_script_changes_nothing(host, scorer):
    before = host.images.save_image, host.processing.process_images_inner
    result = curate(host, {"enabled": False, "keep_best": 1}, batch_size=3)
    assert (host.images.save_image, host.processing.process_images_inner) == before
    assert len(result.images) == 4 and scorer.calls == [] and "imagereward" not in result.js().lower()


def test_host_functions_are_as_before_after_a_run(host, scorer):
    before = host.images.save_image, host.processing.process_images_inner
    curate(host, {"keep_best": 1}, batch_size=3)
    assert (host.images.save_image, host.processing.process_images_inner) == before


def test_file_names_can_hold_the_score(host, scorer):
    host.shared.opts.samples_filename_pattern = "[seed]-[imagereward]-[imagereward<2>]-[imagereward<verdict>]"
    curate(host, {"min_score": "-9"}, batch_size=2, seed=4)
    expected = []
    for number, seed in enumerate((4, 5)):
        value = 4 * int(255 * host.convention.level(seed)) / 255 - 2
        expected.append(f"{number:05}-{seed}-{value:.4f}-{value:.2f}-kept.png")
    assert [path.name for path in sorted(host.samples.glob("*.png"))] == expected


def test_file_name_pattern_leaves_no_trace_without_a_score_and_goes_on_unload(one_host, scorer):
    from tests.support.webui.fake_webui import FakeDoor, ours

    door = FakeDoor()
    ours("script").connect(door)
    one_host.shared.opts.samples_filename_pattern = "[seed]-[imagereward]"
    one_host.run(one_host.make(prompt="a", seed=7))
    assert [path.name for path in one_host.samples.glob("*.png")] == ["00000-7.png"]
    for undo in door.undone:
        undo()
    assert "imagereward" not in one_host.images.FilenameGenerator.replacements


def test_names_are_made_with_the_batch_and_place_of_the_picture(host, scorer):
    host.shared.opts.save_images_add_number = False
    host.shared.opts.samples_filename_pattern = "[generation_number]-[batch_number]"
    curate(host, {}, batch_size=2, n_iter=2)
    assert host.files(host.samples) == ["1-1.png", "2-2.png", "3-1.png", "4-2.png"]


def test_comment_has_a_table_from_best_to_worst(host, scorer):
    lines = curate(host, {}, batch_size=3).comments.splitlines()
    assert "3 pictures scored with ImageReward-v1.0" in lines[0]
    assert [line.partition(".")[0] for line in lines[1:4]] == ["1", "2", "3"]
    assert all("percentile" in line and "seed" in line for line in lines[1:4])


def test_percentiles_are_left_out_where_they_are_not_wanted(one_host, scorer):
    result = curate(one_host, {"show_percentile": False}, batch_size=1)
    assert "percentile" not in result.infotexts[0].replace("show_percentile", "")


def test_aesthetic_score_comes_before_every_other_score(one_host, scorer):
    scorer.beside = ("PickScore", "Aesthetic")
    text = curate(one_host, {}, batch_size=1).infotexts[0]
    places = [text.index(f"{key}: ") for key in ("aesthetic_score", "ImageReward", "PickAPic")]
    assert places == sorted(places)


def test_blend_is_asked_for_by_its_text(one_host, scorer):
    curate(one_host, {"scorer": "demo", "blend_with": "PickScore=0.5, Aesthetic", "blend_method": "rank"})
    assert scorer.requests[-1].name == "demo=1,PickScore=0.5,Aesthetic@rank"


def test_default_scorer_is_that_of_the_settings_page(one_host, scorer):
    one_host.shared.opts.imagereward_scorer = "PickScore"
    curate(one_host, {})
    assert scorer.requests[-1].name == "PickScore"


def test_pictures_that_cannot_be_scored_stay_and_say_why(host, scorer):
    scorer.unreadable = (1,)
    result = curate(host, {"keep_best": 1, "rejects": "do not save"}, batch_size=3, seed=2)
    assert len(host.files(host.samples)) == 2, "the best one, and the one nobody could judge"
    assert "cannot be read" in result.comments
    assert result.all_seeds[-1] == 3, "pictures without a score come last"


def test_empty_prompt_is_explained_and_loses_nothing(host, scorer):
    result = curate(host, {"keep_best": 1}, prompt="<lora:x:1>", batch_size=2)
    assert "prompt is empty" in result.comments and len(host.files(host.samples)) == 2


def test_upscaling_one_picture_of_the_gallery_cuts_and_sorts_nothing(host, scorer):
    needs_a_model(host)
    script = with_script(host)
    p = host.make(
        {"enabled": True, "min_score": "9", "until": 5, "gate_hires": True},
        script=script,
        prompt="a",
        seed=3,
        enable_hr=True,
        firstpass_image=Image.new("RGB", (64, 64), (90, 90, 90)),
    )
    p.txt2img_upscale = True
    result = host.run(p)
    assert len(result.images) == 1 and host.files(host.samples) == ["00000-3.png"]
    assert "ImageReward: " in result.infotexts[0] and result.infotexts[0] == result.info


def test_same_p_can_run_again(host, scorer):
    """A folder of pictures in img2img is one p, run again and again."""
    needs_a_model(host)
    script = with_script(host)
    p = host.make({"enabled": True}, script=script, prompt="a", seed=3, kind="Img2Img")
    for number in (1, 2, 3):
        host.processing.process_images(p)
        assert len(host.files(host.samples)) == number
    assert all("ImageReward" in found for found in saved(host).values())


def test_of_a_folder_in_img2img_every_file_has_its_line(host, scorer):
    needs_a_model(host)
    script = with_script(host)
    settings = {"enabled": True, "keep_best": 1}
    p = host.make(settings, script=script, prompt="a", seed=3, kind="Img2Img", batch_size=2)
    results = []
    for number in (1, 2, 3):
        host.shared.state.begin(f"{number} out of 3")
        results.append(host.processing.process_images(p))
    shown = results[0].comments  # the host shows the first result, with the pictures of all
    assert "2 out of 3: ImageReward Curator: 1 of 2 passed" in shown and "3 out of 3: " in shown
    assert "out of 3" not in results[1].comments + results[2].comments


def test_nothing_of_a_run_is_held_once_it_is_over(host, scorer):
    import gc

    records = ours("script.state")
    curate(host, {"keep_best": 1, "until": 3}, batch_size=2)
    scorer.pictures.clear()
    gc.collect()
    held = [
        each for each in gc.get_objects() if isinstance(each, (records.Picture, records.Job, records.Run))
    ]
    assert held == []


def test_inner_runs_of_other_scripts_are_left_out(host, scorer):
    from copy import copy

    class Detailer(host.scripts.Script):
        def title(self):
            return "Detailer"

        def postprocess_image(self, p, pp):
            if getattr(p, "inner", False):
                return
            inner = copy(p)
            inner.inner, inner.n_iter, inner.batch_size = True, 1, 1
            inner.extra_generation_params = dict(p.extra_generation_params)
            pp.image = host.processing.process_images(inner).images[0]

    host.add(Detailer())
    curate(host, {"keep_best": 1}, batch_size=2, do_not_save_grid=True)
    assert [len(prompts) for prompts in scorer.calls] == [2]
    scored = [path for path in host.samples.rglob("*.png") if "ImageReward" in settings_of(path)]
    assert len(scored) == 2, "the inner runs' own files are not ours"
