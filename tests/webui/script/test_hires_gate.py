"""With hires. fix, the first pass is scored and only what passes is upscaled."""

import pytest

from tests.support.webui.fake_webui import curate, ours, score_of, settings_of, with_script

HIRES = {"enable_hr": True, "batch_size": 4, "seed": 5}
UPSCALERS = ["Lanczos", "Latent"]


def passes(host):
    """The seeds that every second pass was called with."""
    return host.seen


@pytest.fixture(autouse=True)
def watch_second_passes(request):
    name = next(name for name in ("host", "one_host") if name in request.fixturenames)
    host = request.getfixturevalue(name)
    host.seen = []

    class Watch(host.scripts.Script):
        def title(self):
            return "Watch"

        def before_hr(self, p):
            host.seen.append(list(p.seeds))
            assert len(p.hr_prompts) == len(p.prompts) == len(p.seeds) == len(p.subseeds) == p.hr_c[1]

    host.add(Watch())


@pytest.mark.parametrize("upscaler", UPSCALERS)
def test_only_survivors_are_upscaled_in_one_batch(host, scorer, upscaler):
    result = curate(host, {"keep_best": 2, "gate_hires": True}, hr_upscaler=upscaler, **HIRES)
    assert passes(host) == [[5, 8]]
    assert [image.size for image in result.images[1:]] == [(128, 128)] * 2 and result.all_seeds == [8, 5]
    assert "2 of 4 passed" in result.comments and "2 were not upscaled" in result.comments


def test_first_passes_that_stopped_lie_among_the_rejects_at_their_size(host, scorer):
    from PIL import Image

    curate(host, {"keep_best": 2, "gate_hires": True}, **HIRES)
    names = host.files(host.samples / "rejects")
    assert names == ["00000-6-first-pass.png", "00001-7-first-pass.png"]
    for name in names:
        with Image.open(host.samples / "rejects" / name) as picture:
            assert picture.size == (64, 64)
            found = settings_of(host.samples / "rejects" / name)
            assert (
                found["ImageReward"] == f"{score_of(picture):.4f}" and found["Curator verdict"] == "rejected"
            )
            assert found["Seed"] == name.split("-")[1]


def test_lists_of_the_result_have_everything_of_a_first_pass(host, scorer, monkeypatch):
    seen = []
    true = ours("script.gallery").put_lists

    def put_lists(processed, pictures):
        true(processed, pictures)
        seen.append((processed.all_negative_prompts, processed.all_subseeds))

    monkeypatch.setattr(ours("script.gallery"), "put_lists", put_lists)
    curate(host, {"keep_best": 2, "gate_hires": True}, negative_prompt="ugly", **HIRES)
    negatives, subseeds = max(seen, key=lambda each: len(each[0]))
    assert negatives == ["ugly"] * 4 and None not in subseeds


def test_a_first_pass_says_nothing_of_what_is_done_to_finished_pictures(host, scorer):
    class Detailer(host.scripts.Script):
        """Writes what it is going to do before any picture is made, as ADetailer and its forks do."""

        def title(self):
            return "ADetailer"

        def process(self, p, *arguments):
            p.extra_generation_params.update({"ADetailer model": "face_yolov8n.pt", "Lora hashes": "x: 1"})

    host.add(Detailer())
    curate(host, {"keep_best": 2, "gate_hires": True}, restore_faces=True, **HIRES)
    first = [settings_of(host.samples / "rejects" / name) for name in host.files(host.samples / "rejects")]
    upscaled = [settings_of(path) for path in host.samples.glob("*.png")]
    assert len(first) == len(upscaled) == 2
    assert all(found["ADetailer model"] == "face_yolov8n.pt" for found in upscaled)
    for found in first:
        assert not any(key.startswith("ADetailer") for key in found) and "Face restoration" not in found
        assert found["Lora hashes"] == "x: 1" and "ImageReward" in found


def test_files_and_infotexts_of_survivors_have_their_own_seed_and_prompt(host, scorer):
    prompts = ["cat five", "cat six", "cat seven", "cat eight"]
    result = curate(host, {"keep_best": 2, "gate_hires": True}, prompt=prompts, **HIRES)
    assert result.all_prompts == ["cat eight", "cat five"]
    for path in host.samples.glob("*.png"):
        assert settings_of(path)["Seed"] in path.name
    assert [text.partition("\n")[0] for text in result.infotexts[1:]] == result.all_prompts
    assert scorer.calls == [prompts, ["cat five", "cat eight"]]


def test_copies_from_before_the_second_pass_have_their_own_infotext(host, scorer):
    host.shared.opts.save_images_before_highres_fix = True
    curate(host, {"keep_best": 2, "gate_hires": True}, n_iter=2, **HIRES)
    copies = list(host.samples.glob("*-before-highres-fix.png"))
    assert len(copies) == 4
    for path in copies:
        assert settings_of(path)["Seed"] == path.name.split("-")[1]


def test_nothing_is_upscaled_where_nothing_passes(host, scorer):
    result = curate(host, {"min_score": "9", "gate_hires": True}, n_iter=2, **HIRES)
    assert passes(host) == [] and "0 of 8 passed" in result.comments
    assert host.errors.reported == []
    names = host.files(host.samples)
    assert len(names) == 8 and all(name.startswith("rejects/") for name in names)


def test_everything_is_upscaled_where_everything_passes(host, scorer):
    curate(host, {"min_score": "-9", "gate_hires": True}, **HIRES)
    assert passes(host) == [[5, 6, 7, 8]]


def test_limit_for_the_job_does_not_stop_a_first_pass(host, scorer):
    curate(host, {"keep_best": 1, "keep_scope": "job", "min_score": "0", "gate_hires": True}, **HIRES)
    assert passes(host) == [[5, 7, 8]]


def test_final_picture_is_judged_again(host, scorer):
    host.convention.hires_level = lambda seed: 0.9 if seed == 5 else 0.1
    result = curate(host, {"min_score": "1", "gate_hires": True}, **HIRES)
    assert passes(host) == [[5, 8]] and result.all_seeds == [5]
    assert "1 of 4 passed" in result.comments


@pytest.mark.parametrize(("rejects", "number"), [("marked", 4), ("do not save", 2)])
def test_first_passes_follow_the_choice_for_rejects(host, scorer, rejects, number):
    curate(host, {"keep_best": 2, "gate_hires": True, "rejects": rejects}, **HIRES)
    names = host.files(host.samples)
    assert len(names) == number and not any("/" in name for name in names)
    assert sum(name.endswith("-first-pass-rejected.png") for name in names) == number - 2


def test_nothing_is_saved_between_the_passes_where_the_host_saves_nothing(host, scorer):
    curate(host, {"keep_best": 2, "gate_hires": True}, do_not_save_samples=True, **HIRES)
    assert not host.samples.exists()


def test_search_goes_on_until_enough_are_upscaled(host, scorer):
    result = curate(host, {"min_score": "1", "gate_hires": True, "until": 3}, **HIRES)
    assert len(result.all_seeds) >= 3 and all(image.size == (128, 128) for image in result.images[1:])
    assert sum(map(len, passes(host))) == len(result.all_seeds)


def test_pictures_nobody_could_judge_go_on(host, scorer):
    scorer.unreadable = (2,)
    curate(host, {"keep_best": 1, "gate_hires": True}, **HIRES)
    assert 7 in passes(host)[0]


def test_interrupted_run_is_left_alone(host, scorer):
    class Stop(host.scripts.Script):
        def title(self):
            return "Stop"

        def process_batch(self, p, **named):
            host.shared.state.interrupted = True

    host.add(Stop())
    with_script(host)
    curate(host, {"keep_best": 1, "gate_hires": True}, hr_upscaler="Lanczos", batch_size=2, enable_hr=True)
    assert scorer.calls == []


def test_without_hires_fix_or_a_condition_the_gate_is_open(host, scorer):
    curate(host, {"keep_best": 1, "gate_hires": True}, batch_size=2)
    curate(host, {"gate_hires": True}, **HIRES)
    assert passes(host) == [[5, 6, 7, 8]]
