"""Other scripts, hooks after the run and programs find a result as the host made it. The page alone shows the best first."""

import json
import types

import pytest
from fake_webui import brightness, curate, needs_a_model, ours, score_of, settings_of, with_script
from PIL import Image

requests = ours("script.requests")
ordering = ours("script.ordering")

TRUE_LOOP = True


def levels(images):
    return [round(brightness(image), 2) for image in images]


def expected(host, seeds):
    return [round(int(255 * host.convention.level(seed)) / 255, 2) for seed in seeds]


class Driver:
    """A script of the drop-down list, made from a function of p."""

    def __init__(self, host, title, run):
        class Made(host.scripts.Script):
            args_from = args_to = 1

            def title(self):
                return title

            def run(self, p):
                return run(p)

        host.add(Made(), selectable=True)


def drive(host, settings, **options):
    """One run of the script that was added, with ours switched on."""
    script = with_script(host)
    p = host.make({"enabled": True, **settings}, script=script, prompt="a cat", seed=5, **options)
    p.script_args = (1, *p.script_args[1:])
    return host.run(p)


EVERYTHING = {"keep_best": 1, "rejects": "do not save", "until": 9, "until_pictures": 50}


@pytest.mark.parametrize("settings", [{}, EVERYTHING], ids=["default", "everything"])
def test_a_grid_made_of_pictures_by_place_has_all_of_them_at_theirs(host, scorer, settings):
    """As Prompt matrix does."""

    def run(p):
        p.do_not_save_grid = True
        processed = host.processing.process_images(p)
        processed.images.insert(0, host.images.image_grid(processed.images, p.batch_size, rows=2))
        processed.index_of_first_image = 1
        processed.infotexts.insert(0, processed.infotexts[0])
        return processed

    Driver(host, "Prompt matrix", run)
    result = drive(host, settings, batch_size=2, n_iter=2)
    assert levels(result.images[1:]) == expected(host, [5, 6, 7, 8])
    for image, text, seed in zip(result.images[1:], result.infotexts[1:], result.all_seeds):
        assert f"ImageReward: {score_of(image):.4f}" in text and f"Seed: {seed}," in text
        assert image.info["parameters"] == text
    assert "Seed: 5," in result.infotexts[0] and "ImageReward: " not in result.infotexts[0], "the grid's"
    assert result.all_seeds == [5, 6, 7, 8] and len(list(host.samples.rglob("*.png"))) == 4
    assert result.comments.count('"Prompt matrix" drives this run') == 1
    assert sum(map(len, scorer.calls)) == 4


def test_tiles_stand_where_they_were_and_the_next_seed_is_the_hosts(host, scorer):
    """As SD upscale does: a picture of many tiles, which has no score of its own."""
    seeds = []

    def run(p):
        p.do_not_save_grid = p.do_not_save_samples = True
        tiles, info = [], None
        for _ in range(2):
            seeds.append(p.seed)
            processed = host.processing.process_images(p)
            info = info or processed.info
            p.seed = processed.seed + 1
            tiles += processed.images
        return host.processing.Processed(p, tiles, 5, info)

    Driver(host, "SD upscale", run)
    result = drive(host, {**EVERYTHING, "min_score": "9"}, batch_size=2)
    assert seeds == [5, 6] and levels(result.images) == expected(host, [5, 6, 6, 7])
    assert "ImageReward: " not in result.info
    assert '"SD upscale" drives this run' in result.comments and "2 pictures scored" in result.comments


def test_no_first_pass_is_held_back_where_a_script_counts_on_it(host, scorer):
    needs_a_model(host)
    Driver(host, "Loop", lambda p: host.processing.process_images(p))
    result = drive(host, {"keep_best": 1, "gate_hires": True}, batch_size=3, enable_hr=True)
    assert len(result.images) == 4 and all(image.size == (128, 128) for image in result.images[1:])


def test_the_plot_is_known_in_every_spelling(one_host):
    xyz = ours("script.xyz")
    assert xyz.is_plot("X/Y/Z plot") and xyz.is_plot("X/Y/Z Plot") and not xyz.is_plot("XYZ")


def test_a_hook_after_the_run_finds_files_infotexts_and_seeds_in_the_hosts_order_whatever_its_turn(
    host, scorer
):
    seen = []

    class Reads(host.scripts.Script):
        def title(self):
            return "Reads"

        def postprocess(self, p, processed):
            first = processed.index_of_first_image
            images = processed.images[first:]
            seen.append(
                [
                    (image.already_saved_as, seed, text)
                    for image, seed, text in zip(images, processed.all_seeds, processed.infotexts[first:])
                ]
            )
            assert len(images) == len(processed.all_seeds) == len(processed.infotexts) - first

    host.add(Reads())
    with_script(host)
    host.add(Reads())
    result = curate(host, {"keep_best": 1}, batch_size=3, n_iter=2, seed=5)
    assert len(seen) == 2 and host.errors.reported == []
    for rows in seen:
        assert [seed for _, seed, _ in rows] == [5, 6, 7, 8, 9, 10]
        for file, seed, text in rows:
            assert settings_of(file)["Seed"] == str(seed) and f"Seed: {seed}," in text
    assert result.all_seeds == [8, 5]


def test_a_hook_finds_as_many_seeds_as_pictures_where_first_passes_were_held_back(host, scorer):
    needs_a_model(host)
    seen = []

    class Reads(host.scripts.Script):
        def title(self):
            return "Reads"

        def postprocess(self, p, processed):
            seen.append((levels(processed.images[1:]), processed.all_seeds))

    with_script(host)
    host.add(Reads())
    settings = {"keep_best": 2, "gate_hires": True}
    curate(host, settings, batch_size=4, n_iter=2, seed=5, enable_hr=True)
    ((shown, seeds),) = seen
    assert len(seeds) == 4 and shown == expected(host, seeds)


@pytest.mark.parametrize("upscales", [False, True], ids=["one pass", "hires"])
@pytest.mark.parametrize("until", [0, 6])
@pytest.mark.parametrize("rejects", ["rejects folder", "do not save"])
@pytest.mark.parametrize("asks", ["page", "files"])
def test_who_pairs_saved_files_with_the_result_gets_what_belongs_together(
    host, scorer, asks, rejects, until, upscales
):
    """As agent-scheduler does: it calls the page's own function without the page, or asks the API for no pictures."""
    if upscales:
        needs_a_model(host)
    saved = []
    host.callbacks.on_image_saved(lambda params: saved.append(params.filename))
    script = with_script(host)
    settings = {"enabled": True, "keep_best": 1, "until": until, "gate_hires": True, "rejects": rejects}
    if asks == "files":
        asked = requests.Asked(settings)
        asked.wants_images, settings = False, asked
    options = {"seed": 5, "batch_size": 3, "n_iter": 2, "do_not_save_grid": True, "enable_hr": upscales}
    p = host.make(settings, script=script, prompt="a", is_api=asks == "files", **options)
    told = json.loads(host.run(p).js())
    made = 6 + 3 * max(until - 2, 0)
    assert len(saved) == (made if rejects == "rejects folder" else max(until, 2))
    assert len(told["infotexts"]) == len(told["all_seeds"]) == len(told["all_prompts"]) >= len(saved)
    assert len(told["infotexts"]) == len(saved) or rejects == "do not save"
    for file, text, seed in zip(saved, told["infotexts"], told["all_seeds"]):
        with Image.open(file) as image:
            assert image.info["parameters"].partition("Curator verdict")[0] in text
        assert settings_of(file)["Seed"] == str(seed)


def test_first_passes_that_were_put_away_stay_out_of_the_gallery(host, scorer):
    needs_a_model(host)
    settings = {"keep_best": 2, "gate_hires": True, "show_rejects": True}
    result = curate(host, settings, batch_size=4, seed=5, enable_hr=True)
    assert len(host.files(host.samples)) == 4
    assert [image.size for image in result.images[1:]] == [(128, 128)] * 2
    assert len(result.all_seeds) == len(result.infotexts[1:]) == 2


def test_a_program_that_asked_for_no_order_gets_the_hosts(host, scorer):
    plain = curate(host, {}, batch_size=3, seed=10, is_api=True)
    assert plain.all_seeds == [10, 11, 12]
    chosen = curate(host, {"keep_best": 2}, batch_size=3, seed=10, is_api=True)
    assert chosen.all_seeds == sorted(chosen.all_seeds) and len(chosen.images) == 3
    ordered = curate(host, {"sort_gallery": True}, batch_size=3, seed=10, is_api=True)
    values = [score_of(image) for image in ordered.images[1:]]
    assert values == sorted(values, reverse=True) and ordered.all_seeds != [10, 11, 12]


def test_masks_stay_behind_the_pictures_on_the_page(one_host, scorer):
    one_host.shared.opts.return_mask = True
    mask = Image.new("L", (64, 64), 255)
    result = curate(one_host, {"keep_best": 1}, batch_size=3, mask_for_overlay=mask, seed=5)
    assert result.all_seeds == [8] or len(result.all_seeds) == 1
    assert [image.size for image in result.images] == [result.images[0].size] + [(64, 64)] * 4
    assert len(result.infotexts) == 2 and "ImageReward: " in result.infotexts[1]


def test_places_told_to_programs_are_those_of_the_page(host, scorer):
    result = curate(host, {"keep_best": 2}, batch_size=3, seed=5)
    data = json.loads(result.js())["extra_generation_params"]["imagereward"]["pictures"]
    shown = {each["image"]: each for each in data if each["image"] >= 0}
    assert sorted(shown) == [1, 2] and sum(each["image"] < 0 for each in data) == 1
    for at, each in shown.items():
        assert each["score"] == pytest.approx(score_of(result.images[at]))


def test_a_failure_while_the_page_is_put_in_order_leaves_it_in_the_hosts(host, scorer, monkeypatch, caplog):
    monkeypatch.setattr(ours("script.page"), "arranged", lambda *_: 1 / 0)
    result = curate(host, {"keep_best": 1}, batch_size=3, seed=5)
    assert result.all_seeds == [5, 6, 7] and len(result.images) == 4 and "ZeroDivisionError" in caplog.text


def test_results_of_a_folder_are_put_in_order_each_by_itself():
    def pictures(result, *values):
        return [(f"picture {value}", ordering.Place(result, True, value)) for value in values]

    one, two = ordering.Result(True, False), ordering.Result(True, False)
    grid = lambda name, result: (name, ordering.Place(result))  # noqa: E731
    entries = [grid("grid 1", one), *pictures(one, 1, 3), grid("mask", one), grid("grid 2", two)]
    entries += [*pictures(two, 2, 5), ("a preview", None)]
    texts = ["of grid 1", "of 1", "of 3", "of grid 2", "of 2", "of 5"]
    # A mask right before the next result's grid: both have places of their own result.
    found = ordering.arranged(entries, {"infotexts": texts, "all_seeds": [10, 30], "seed": 10})
    assert found.images == [
        "grid 1",
        "picture 3",
        "picture 1",
        "grid 2",
        "picture 5",
        "picture 2",
        "mask",
        "a preview",
    ]
    assert found.told["infotexts"] == ["of grid 1", "of 3", "of 1", "of grid 2", "of 5", "of 2"]
    assert found.told["all_seeds"] == [30, 10] and found.told["seed"] == 30
    assert ordering.arranged(entries, {"infotexts": texts[:-1]}) is None, "lists that do not fit stay"


class Api:
    """The part of the host's API that puts a request's arguments at their places."""

    def __init__(self, script, defaults):
        self.script, self.defaults = script, defaults

    def init_script_args(self, request, default, selectable, index, runner, *, input_script_args=None):
        found = list(default)
        for name, entry in (request.alwayson_scripts or {}).items():
            assert name.lower() == self.script.title().lower()
            for at in range(min(self.script.args_to - self.script.args_from, len(entry.get("args", [])))):
                found[self.script.args_from + at] = entry["args"][at]
        return found


@pytest.fixture
def api(one_host, monkeypatch):
    """Asks for a run as a request does: api(entry, **fields of the request) gives the values that the script is called with."""
    import sys

    pytest.importorskip("fastapi", reason="what the host answers requests with")
    script = with_script(one_host)
    settings = ours("script.arguments").Settings
    defaults = [getattr(settings(), name) for name in settings.__dataclass_fields__]
    script.args_from, script.args_to = 1, 1 + len(defaults)
    runner = one_host.scripts.ScriptRunner([script])
    module = types.ModuleType("modules.api.api")
    module.Api = type("Api", (Api,), {"init_script_args": Api.init_script_args})
    monkeypatch.setitem(sys.modules, "modules.api.api", module)
    before = module.Api.init_script_args

    def ask(entry, **fields):
        request = types.SimpleNamespace(alwayson_scripts=entry, **fields)
        found = module.Api(script, defaults).init_script_args(request, [0, *defaults], None, None, runner)
        return tuple(found[1:])

    requests.on_app_started(None)
    requests.on_app_started(None)
    yield ask
    requests.close()
    assert module.Api.init_script_args is before


def test_settings_by_place_say_what_was_asked_for_too(api):
    read = ours("script.arguments").read_arguments
    short = api({"imagereward curator": {"args": [True, "demo"]}})
    long = api({"ImageReward Curator": {"args": [True, "demo", "", "standard", True]}})
    named = api({"ImageReward Curator": {"args": [{"enabled": True, "sort_gallery": True}]}})
    assert [requests.wants_order(values) for values in (short, long, named)] == [False, True, True]
    for values in (short, long):
        settings, problems = read(values)
        assert settings.enabled and settings.scorer == "demo" and not problems
    assert not read(api(None))[0].enabled


def test_who_wants_no_pictures_gets_a_result_that_fits_the_files(api, one_host, scorer):
    values = api({"ImageReward Curator": {"args": [{"enabled": True, "keep_best": 1}]}}, send_images=False)
    p = one_host.make(*values, script=one_host.always[0], prompt="a", seed=5, batch_size=3, is_api=True)
    result = one_host.run(p)
    assert result.all_seeds == [5, 6, 7] and len(result.infotexts) == 4
    assert len(one_host.files(one_host.samples)) == 3 and "1 of 3 passed" in result.comments


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"args": {"enabled": True}}, "args of ImageReward Curator is an object; expected a list"),
        ({"args": None}, "args of ImageReward Curator is null; expected a list"),
        ({"args": "demo"}, "args of ImageReward Curator is 'demo'; expected a list"),
        ([True], "alwayson_scripts.ImageReward Curator is a list; expected an object"),
        # Off without a word otherwise.
        ({"args": [{"enabled": "yes"}]}, "enabled is 'yes'; expected true or false"),
        ({"args": [[True]]}, "enabled is '[True]'; expected true or false"),
        # The host writes the request into its answer, and fails there when all pictures are made.
        ({"args": [{"enabled": True, "keep_best": 10**400}]}, "hold the number 1000000"),
        ({"args": [True, "demo", {"a": [-(2**70)]}]}, f"hold the number {-(2**70)}"),
    ],
)
def test_arguments_in_another_shape_are_told(api, entry, said):
    from fastapi import HTTPException

    with pytest.raises(HTTPException) as caught:
        api({"ImageReward Curator": entry})
    assert caught.value.status_code == 422 and said in caught.value.detail


def test_arguments_after_an_object_are_told_as_ignored(api, one_host):
    values = api({"ImageReward Curator": {"args": [{"enabled": True}, {"keep_best": 1}]}})
    _, problems = ours("script.driving").settings_of(one_host.make(*values), values)
    assert problems == [
        "1 argument after the first, an object, is ignored; write all settings into that object"
    ]
    alone = api({"ImageReward Curator": {"args": [{"enabled": True}]}})
    assert ours("script.driving").settings_of(one_host.make(*alone), alone)[1] == []
