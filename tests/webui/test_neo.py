"""What only Forge Neo does: first passes of new models, videos, comments kept in infotexts, a folder for upscaled pictures."""

import sys
import types

import pytest
import torch

from tests.support.webui.fake_webui import FakeHost, curate, ours, settings_of, with_script

HIRES = {"enable_hr": True, "batch_size": 4, "seed": 5}


@pytest.fixture
def neo(monkeypatch, tmp_path):
    return FakeHost(monkeypatch, tmp_path, "neo")


@pytest.mark.parametrize("upscaler", ["Lanczos", "Latent"])
def test_first_passes_of_models_that_know_time_are_judged_like_others(neo, scorer, upscaler):
    usual = curate(neo, {"keep_best": 2, "gate_hires": True}, hr_upscaler=upscaler, **HIRES)
    neo.convention.KNOWS_TIME = True
    result = curate(neo, {"keep_best": 2, "gate_hires": True}, hr_upscaler=upscaler, **HIRES)
    assert result.all_seeds == usual.all_seeds == [8, 5] and not neo.errors.reported
    assert "2 were not upscaled" in result.comments


@pytest.mark.parametrize("knows_time", [False, True])
def test_a_first_pass_that_stays_the_result_has_its_own_brightness(neo, scorer, knows_time):
    neo.convention.KNOWS_TIME = knows_time
    result = curate(neo, {"min_score": "9", "gate_hires": True, "show_rejects": True}, **HIRES)
    best = max(neo.convention.level(seed) for seed in (5, 6, 7, 8))
    assert result.images[-1].getpixel((0, 0))[0] == int(255 * best)


@pytest.mark.parametrize("black", [0.0, -1.0])
def test_a_black_first_pass_is_black_whichever_range_the_host_hands_over(neo, black):
    gate = ours("script.hires_gate")
    decoded = torch.full((2, 3, 8, 8), black)
    decoded[1] = 1.0
    first, second = [gate._to_picture(row) for row in gate._first_passes(None, None, decoded)]
    assert first.getpixel((0, 0)) == (0, 0, 0) and second.getpixel((0, 0)) == (255, 255, 255)


def as_a_video_model(host):
    host.shared.sd_model = types.SimpleNamespace(is_wan=True)
    sys.modules["backend.args"].dynamic_args.wan = True


def test_frames_of_a_video_are_neither_scored_nor_sorted_and_it_says_so(neo, scorer):
    as_a_video_model(neo)
    result = curate(neo, {"keep_best": 1}, batch_size=9)
    assert scorer.calls == [] and len(neo.files(neo.samples)) == 9
    assert "this run makes a video" in result.comments
    assert "this run makes a video" in str(result.extra_generation_params["imagereward"]["notes"])
    assert not any("Curator" in text for text in result.infotexts)


def test_a_single_picture_of_a_video_model_is_a_picture(neo, scorer):
    as_a_video_model(neo)
    result = curate(neo, {"keep_best": 1}, batch_size=1)
    assert len(scorer.calls) == 1 and "makes a video" not in result.comments


def test_comments_stay_with_the_picture_whose_prompt_they_are_in(neo, scorer):
    neo.shared.opts.save_prompt_comments = True
    prompts = [f"cat {number} # remark {number}" for number in (5, 6, 7, 8)]
    curate(neo, {"keep_best": 2, "gate_hires": True}, prompt=prompts, **HIRES)
    assert scorer.calls[0] == ["cat 5", "cat 6", "cat 7", "cat 8"]
    from PIL import Image

    kept = list(neo.samples.glob("*.png"))
    assert len(kept) == 2
    for path in kept:
        with Image.open(path) as image:
            text = image.info["parameters"]
        seed = settings_of(path)["Seed"]
        assert text.partition("\n")[0] == f"cat {seed} # remark {seed}"


def test_override_means_that_files_of_earlier_jobs_may_be_replaced(neo, scorer):
    options = neo.shared.opts
    options.save_images_add_number, options.samples_filename_pattern = False, "[seed]"
    for _ in range(2):
        curate(neo, {}, seed=3)
    assert neo.files(neo.samples) == ["3.png"]
    options.save_images_replace_action = "Number Suffix"
    curate(neo, {}, seed=3)
    assert neo.files(neo.samples) == ["3-1.png", "3.png"]


def test_a_picture_rejected_later_goes_into_the_rejects_of_the_folder_it_was_saved_in(neo, scorer):
    neo.shared.opts.save_to_dirs = True
    hires = neo.outputs / "hires"

    class OwnFolder(neo.scripts.Script):
        def title(self):
            return "Own folder"

        def before_hr(self, p):
            p.outpath_samples = str(hires)

        def before_process_batch(self, p, **named):
            p.outpath_samples = str(neo.samples)

        def postprocess(self, p, processed, *values):
            p.outpath_samples = str(neo.samples)

    neo.add(OwnFolder())
    with_script(neo)
    curate(
        neo, {"keep_best": 1, "keep_scope": "job"}, enable_hr=True, n_iter=3, seed=6
    )  # each better than the last
    names = neo.files(hires)
    assert len(names) == 3 and sum(name.startswith("rejects/") for name in names) == 2
    assert neo.files(neo.samples) == []
