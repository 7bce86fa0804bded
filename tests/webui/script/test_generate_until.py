"""Generate until enough pictures are kept: limits, buttons, an honest count."""

import json
import time

import pytest

from tests.support.webui.fake_webui import curate, needs_a_model, ours, score_of, settings_of, with_script

until = ours("script.generate_until")

TRUE_LOOP = True


def test_runs_go_on_until_enough_are_kept(host, scorer):
    result = curate(host, {"min_score": "1", "until": 3}, batch_size=2, seed=5)
    values = [score_of(image) for image in result.images[1:]]
    assert len(values) >= 3 and min(values) >= 1 and values == sorted(values, reverse=True)
    kept = [name for name in host.files(host.samples) if not name.startswith("rejects/")]
    assert len(kept) == len(values)
    generated = len(host.files(host.samples))
    assert f"{len(values)} of {generated} passed" in result.comments


def test_seeds_go_on_where_the_run_before_ended(host, scorer):
    curate(host, {"min_score": "1.9", "until": 1, "until_pictures": 9}, batch_size=3, seed=50, n_iter=1)
    seeds = sorted(int(settings_of(path)["Seed"]) for path in host.samples.rglob("*.png"))
    assert seeds == list(range(50, 50 + len(seeds)))


def test_with_variation_strength_the_variation_seeds_go_on(host, scorer):
    result = curate(
        host,
        {"min_score": "9", "until": 1, "until_pictures": 4},
        batch_size=2,
        seed=50,
        subseed=7,
        subseed_strength=0.1,
    )
    data = json.loads(result.js())["extra_generation_params"]["imagereward"]
    assert {picture["seed"] for picture in data["pictures"]} == {50}
    assert sorted(each.subseed for each in _pictures(host)) == [7, 8, 9, 10]


def _pictures(host):
    return _jobs[-1].pictures


_jobs = []


@pytest.fixture(autouse=True)
def remember_jobs(monkeypatch):
    records, driving = ours("script.state"), ours("script.lifecycle")

    def make(*arguments, **named):
        _jobs.append(records.Job(*arguments, **named))
        return _jobs[-1]

    monkeypatch.setattr(driving, "Job", make)
    yield
    _jobs.clear()


def test_gives_up_after_so_many_pictures_with_an_honest_count(host, scorer):
    result = curate(host, {"min_score": "9", "until": 5, "until_pictures": 7}, batch_size=2, n_iter=2)
    assert "0 of 8 passed" in result.comments
    assert "Stopped: 8 pictures were made. Kept 0 of 5 pictures wanted" in result.comments
    assert len(host.files(host.samples)) == 8


def test_gives_up_after_so_many_minutes(host, scorer, monkeypatch):
    clock = iter(range(0, 100_000, 20))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    result = curate(host, {"min_score": "9", "until": 5, "until_minutes": 1}, batch_size=1)
    assert "1 minutes have passed" in result.comments and 1 < len(_pictures(host)) < 6


@pytest.mark.parametrize("button", ["interrupted", "stopping_generation"])
def test_interrupt_ends_the_search_and_keeps_what_there_is(host, scorer, button):
    class Press(host.scripts.Script):
        def title(self):
            return "Press"

        def postprocess(self, p, processed):
            if len(_jobs[-1].pictures) >= 4:
                setattr(host.shared.state, button, True)

    host.add(Press())
    result = curate(host, {"min_score": "9", "until": 5}, batch_size=2)
    assert "Stopped: interrupted" in result.comments and len(_pictures(host)) in (4, 6)


def test_skip_abandons_one_batch_and_the_search_goes_on(host, scorer):
    class Press(host.scripts.Script):
        def title(self):
            return "Press"

        def post_sample(self, p, ps):
            host.shared.state.skipped = len(_jobs[-1].pictures) == 2

    host.add(Press())
    result = curate(host, {"min_score": "9", "until": 5, "until_pictures": 8}, batch_size=2)
    assert len(_pictures(host)) == 8 and [len(prompts) for prompts in scorer.calls] == [2, 2, 2]
    assert "0 of 6 passed" in result.comments and "2 more were interrupted" in result.comments


def test_search_stops_where_nothing_can_be_scored(host, scorer):
    result = curate(host, {"until": 5}, prompt="", batch_size=2)
    assert "prompt is empty" in result.comments and len(_pictures(host)) == 4


def test_search_stops_when_the_scorer_fails(host, scorer, monkeypatch):
    load = scorer.load

    def breaks(request, *arguments):
        scorer.error = RuntimeError("lost") if len(scorer.calls) >= 2 else None
        return load(request)

    monkeypatch.setattr(ours("scorer_cache"), "load", breaks)
    result = curate(host, {"min_score": "9", "until": 5}, batch_size=2)
    assert "lost" in result.comments and len(host.files(host.samples)) == 6
    assert len(result.all_seeds) == 6, "all of them, as nothing is selected any more"


def test_error_of_the_host_in_a_further_run_keeps_what_was_made(host, scorer, monkeypatch):
    with_script(host)
    inner = host.processing.process_images_inner
    runs = []

    def breaks(p):
        runs.append(p)
        if len(runs) == 3:
            raise RuntimeError("out of memory")
        return inner(p)

    monkeypatch.setattr(host.processing, "process_images_inner", breaks)
    result = curate(host, {"keep_best": 1, "until": 5}, batch_size=2)
    assert "out of memory" in result.comments and len(result.all_seeds) == 2


def test_best_of_the_job_holds_over_all_runs(host, scorer):
    result = curate(
        host,
        {"keep_best": 2, "keep_scope": "job", "min_score": "9", "until": 2, "until_pictures": 6},
        batch_size=2,
        seed=5,
    )
    assert "0 of 6 passed" in result.comments
    result = curate(
        host, {"keep_best": 2, "keep_scope": "job", "min_score": "0.5", "until": 2}, batch_size=2, seed=30
    )
    assert len(result.all_seeds) == 2


@pytest.mark.parametrize("scope, said", [("job", True), ("batch", False)])
def test_a_search_that_cannot_succeed_says_so(host, scorer, scope, said):
    settings = {"keep_best": 1, "keep_scope": scope, "until": 2, "until_pictures": 4}
    result = curate(host, settings, batch_size=2, seed=5)
    assert ("can never be the 2 wanted" in result.comments) is said


def test_long_search_does_not_hold_on_to_rejected_pictures(host, scorer):
    curate(host, {"keep_best": 1, "until": 6}, batch_size=4)
    rounds = [picture for picture in _pictures(host) if picture.of_round and picture.verdict == "rejected"]
    assert len(rounds) == 15 and all(max(picture.image.size) <= 32 for picture in rounds)


def test_pictures_that_lie_nowhere_are_let_go_whole(host, scorer):
    curate(host, {"keep_best": 1, "until": 6, "rejects": "do not save"}, batch_size=4)
    rounds = [picture for picture in _pictures(host) if picture.of_round and picture.verdict == "rejected"]
    assert len(rounds) == 15 and all(picture.image is None for picture in rounds)


def test_where_nothing_passes_the_best_of_a_long_search_are_shown_and_no_small_copies(host, scorer):
    settings = {"min_score": "9", "until": 5, "until_pictures": 24}
    result = curate(host, settings, batch_size=4, width=128, height=128)
    assert len(host.files(host.samples)) == 24 and 16 <= len(result.images[1:]) < 24
    assert {image.size for image in result.images[1:]} == {(128, 128)}
    values = [score_of(image) for image in result.images[1:]]
    assert values == sorted(values, reverse=True)


def test_rejected_pictures_of_every_run_are_shown_where_wanted(host, scorer):
    result = curate(host, {"keep_best": 1, "until": 3, "show_rejects": True}, batch_size=3)
    assert len(result.all_seeds) == 9 and len(result.images) == 10


def test_other_scripts_see_every_further_run_as_a_run_of_its_own(host, scorer):
    prompts = []

    class Wildcards(host.scripts.Script):
        def title(self):
            return "Wildcards"

        def process(self, p):
            p.all_prompts = [prompt.replace("__animal__", f"cat {len(prompts)}") for prompt in p.all_prompts]
            prompts.append(p.all_prompts)

    host.add(Wildcards())
    curate(host, {"keep_best": 1, "until": 3}, prompt="a __animal__", batch_size=2)
    assert scorer.calls == [["a cat 0"] * 2, ["a cat 1"] * 2, ["a cat 2"] * 2]


def test_progress_counts_the_further_batches(host, scorer):
    curate(host, {"keep_best": 1, "until": 4}, batch_size=2)
    assert host.shared.state.job_count == 4 and host.shared.state.job_no == 4


def test_grid_is_made_once(host, scorer):
    curate(host, {"keep_best": 1, "until": 4}, batch_size=2)
    assert len(host.files(host.outputs / "grids")) == 1


def test_no_further_run_replaces_a_picture_where_names_count_anew(host, scorer):
    host.shared.opts.save_images_add_number = False
    host.shared.opts.samples_filename_pattern = "[generation_number]"
    curate(host, {"min_score": "1", "until": 3}, batch_size=2, seed=5)
    assert len(host.files(host.samples)) == len(_pictures(host)) > 4


def test_works_in_img2img(host, scorer):
    needs_a_model(host)
    result = curate(
        host, {"keep_best": 1, "until": 3}, batch_size=2, kind="Img2Img", init_images=["a picture"]
    )
    assert len(result.all_seeds) == 3


@pytest.mark.parametrize("fault", ["result", "score"])
@pytest.mark.parametrize("is_api", [False, True])
def test_small_copies_are_never_given_as_pictures(host, scorer, monkeypatch, fault, is_api):
    if fault == "result":
        drops = type("Drops", (host.scripts.Script,), {
            "title": lambda self: "Drops",
            "postprocess": lambda self, p, processed, *_: processed.images.pop(),
        })  # fmt: skip
        host.add(drops())
    else:
        true, turns = ours("script.scoring").evaluate, iter(range(99))

        def evaluate(*arguments, **named):
            if next(turns) > 3:
                raise RuntimeError("no more")
            return true(*arguments, **named)

        monkeypatch.setattr(ours("script.scoring"), "evaluate", evaluate)
    more = {"is_api": True} if is_api else {}
    result = curate(host, {"keep_best": 1, "until": 5}, batch_size=3, width=128, height=128, **more)
    assert min(side for image in result.images for side in image.size) >= 128
