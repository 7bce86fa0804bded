"""Scorers by request in every host: made once, made anew when files change, freed when told or idle, on the right device."""

from __future__ import annotations

import gc
import logging
import math
import threading
import weakref

import pytest
import torch
from PIL import Image

from imagereward_core.errors import Cancelled, CuratorError, WeightsError
from tests.support.tiny import write_own_checkpoint
from tests.support.webui import fake_memory
from tests.support.webui.fake_webui import ours

PROMPT = "a red star"


@pytest.fixture
def memory(host, monkeypatch):
    return fake_memory.install(monkeypatch, host)


@pytest.fixture
def loaded(host, memory):
    module = ours("scorer_cache")
    yield module
    module.free()
    module.close()


def pictures(number=3):
    return [Image.effect_noise((40, 30 + 8 * each), 60).convert("RGB") for each in range(number)]


def demo(loaded, **changes):
    return loaded.load(loaded.LoadRequest("demo", **changes))


def test_equal_requests_get_one_scorer_and_others_their_own(loaded):
    assert demo(loaded) is demo(loaded)
    assert demo(loaded, whole_picture=True) is not demo(loaded)


@pytest.mark.parametrize(
    ("one", "other"),
    [("demo", "Demo"), ("demo=1@rank", " Demo = 1.0 @rank"), ("blend:Mine", "BLEND:mine")],
)
def test_a_scorer_is_held_once_however_it_is_spelled(loaded, one, other):
    from imagereward_core.scorers.blend_file import BlendFile, parse_blend

    BlendFile(ours("host.info").models_folders()[0]).save(parse_blend("demo=1@rank", "Mine"))
    first = loaded.load(loaded.request_from_settings(one))
    assert loaded.load(loaded.request_from_settings(other)) is first and len(loaded.held()) == 1
    beside = [loaded.load(loaded.LoadRequest(one, also=(name,))) for name in ("demo=2@rank", "DEMO=2@rank")]
    assert beside[0] is beside[1] is not first


def test_a_score_is_the_cores_own_number(loaded):
    import imagereward_core

    given = pictures()
    direct = imagereward_core.create_scorer("demo").score(given, PROMPT)
    found = demo(loaded).score(given, PROMPT)
    assert found.main.values.tolist() == pytest.approx(direct.values.tolist(), abs=1e-6)
    assert found.main.scorer == "demo"


def test_a_picture_that_cannot_be_read_has_no_score_and_the_others_have(loaded, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    found = demo(loaded).score([*pictures(2), tmp_path / "broken.png"], PROMPT).main
    assert list(found.failures) == [2] and found.values[:2].tolist() == pytest.approx(
        demo(loaded).score(pictures(2), PROMPT).main.values.tolist(), abs=5
    )


def test_scorers_shown_beside_share_the_run(loaded):
    request = loaded.LoadRequest("demo", also=("demo=1@rank",))
    found = loaded.load(request).score(pictures(), PROMPT)
    assert found.main.scorer == "demo" and len(found.beside) == 1


def test_changed_files_make_a_new_scorer(loaded, monkeypatch):
    first = demo(loaded)
    seen = loaded.CACHE._seen[first.request]
    monkeypatch.setitem(loaded.CACHE._seen, first.request, (seen[0], (("gone", 1, 1),)))
    assert demo(loaded) is not first


def test_a_saved_blend_that_changed_makes_a_new_scorer(loaded, host):
    from imagereward_core.scorers.blend_file import BlendFile, parse_blend

    file = BlendFile(ours("host.info").models_folders()[0])
    file.save(parse_blend("demo=1@rank", "mine"))
    assert "blend:mine" in loaded.choices()
    first = loaded.load(loaded.LoadRequest("blend:mine"))
    assert loaded.load(loaded.LoadRequest("blend:mine")) is first
    file.save(parse_blend("demo=1@standard", "mine"), replace=True)
    assert loaded.load(loaded.LoadRequest("blend:mine")) is not first


def test_own_checkpoints_are_listed_and_a_name_never_leads_out_of_the_folder(loaded, host, tmp_path):
    folder = ours("host.info").models_folders()[0]
    folder.mkdir(parents=True)
    for name in ("trained.safetensors", "ImageReward.pt", "notes.txt"):
        (folder / name).write_bytes(b"x")
    write_own_checkpoint(folder / "trained.safetensors")
    assert loaded.names()[-1] == "trained"
    assert loaded.choices()[-1] == "trained.safetensors" and "ImageReward.pt" not in loaded.choices()
    (tmp_path / "secret.pt").write_bytes(b"x")
    for name in ("../../secret.pt", str(tmp_path / "secret.pt"), "missing.pt"):
        with pytest.raises(WeightsError):
            loaded.load(loaded.LoadRequest(name))


def test_free_lets_the_networks_go_and_says_what_it_did(loaded, memory):
    network = weakref.ref(demo(loaded).panel.scorers[0].tower.network)
    demo(loaded).score(pictures(1), PROMPT)
    assert loaded.free() == "Freed demo. The next score loads it again."
    vars(memory).get("loads", []).clear()
    vars(memory).get("unloads", []).clear()
    gc.collect()
    assert network() is None and "nothing to free" in loaded.free()


def test_after_freeing_the_next_score_is_the_same(loaded):
    given = pictures()
    first = demo(loaded).score(given, PROMPT).main.values.tolist()
    loaded.free()
    assert demo(loaded).score(given, PROMPT).main.values.tolist() == first


def test_an_idle_scorer_is_freed_only_when_nobody_uses_it_and_the_host_is_idle(loaded, host):
    idle = ours("runtime.idle")
    queue = __import__("sys").modules["modules.call_queue"].queue_lock
    host.shared.opts.imagereward_idle_minutes = 1
    scorer = demo(loaded)
    assert idle.look(loaded.CACHE) and loaded.held()
    scorer.used -= 61
    queue.busy = True
    assert idle.look(loaded.CACHE) and loaded.held()
    queue.busy = False
    holding, done = threading.Event(), threading.Event()

    def work():
        with loaded.CACHE.lock:
            holding.set()
            done.wait(10)

    worker = threading.Thread(target=work)
    worker.start()
    holding.wait(10)
    assert idle.look(loaded.CACHE) and loaded.held()
    done.set()
    worker.join()
    assert not idle.look(loaded.CACHE) and not loaded.held()


def test_idle_minutes_of_zero_keep_scorers_for_ever(loaded, host):
    host.shared.opts.imagereward_idle_minutes = 0
    demo(loaded).used -= 10**6
    assert ours("runtime.idle").look(loaded.CACHE) and loaded.held()


def test_changed_settings_let_scorers_go_at_the_next_idle_moment_and_not_at_once(loaded):
    demo(loaded)
    loaded.expire()
    assert loaded.held()
    assert not ours("runtime.idle").look(loaded.CACHE)


def test_settings_become_the_request(loaded, host):
    options = host.shared.opts
    assert loaded.request_from_settings() == loaded.LoadRequest("ImageReward-v1.0")
    options.imagereward_scorer, options.imagereward_precision, options.imagereward_device = (
        "demo",
        "bf16",
        "cpu",
    )
    # The host's API gives numbers back as floats.
    options.imagereward_batch_size, options.imagereward_whole_picture = 4.0, True
    options.imagereward_allow_download = False
    assert loaded.request_from_settings() == loaded.LoadRequest("demo", "bf16", "cpu", True, 4, False)
    assert loaded.request_from_settings("PickScore").name == "PickScore"


@pytest.mark.parametrize("number", [-4, 2.5, "viele", math.nan, math.inf, True])
def test_a_number_of_pictures_at_once_that_is_none_is_an_error_that_says_where_to_change_it(
    loaded, host, number
):
    host.shared.opts.imagereward_batch_size = number
    with pytest.raises(CuratorError, match="at once.*expected a whole number.*Change it in Settings"):
        loaded.request_from_settings("demo")


@pytest.mark.parametrize("batch_size", [0, 1, 64.0, 10**9])
def test_any_whole_number_of_pictures_at_once_gives_the_same_scores(loaded, batch_size):
    given = pictures()
    expected = demo(loaded).score(given, PROMPT).main.values
    found = demo(loaded, batch_size=batch_size).score(given, PROMPT).main.values
    assert found == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("minutes", ["viele", math.nan, -3, math.inf])
def test_idle_minutes_that_are_no_number_count_as_ten(host, minutes):
    host.shared.opts.imagereward_idle_minutes = minutes
    assert ours("runtime.idle").idle_seconds() == 600


@pytest.mark.parametrize(
    "changes, word", [({"device": "tpu:7"}, "device"), ({"precision": "int4"}, "precision")]
)
def test_a_setting_this_machine_does_not_have_is_named(loaded, changes, word):
    with pytest.raises(CuratorError, match=word):
        demo(loaded, **changes)


def test_interrupt_stops_scoring_within_one_piece_and_the_next_run_works(loaded, host):
    scorer = demo(loaded, batch_size=1)
    tower = scorer.panel.scorers[0].tower
    whole, passes = tower.encode, []

    def interrupted(pixels):
        passes.append(1)
        host.shared.state.interrupted = True
        return whole(pixels)

    tower.encode = interrupted
    with pytest.raises(Cancelled):
        scorer.score(pictures(), PROMPT)
    assert len(passes) == 1
    tower.encode, host.shared.state.interrupted = whole, False
    assert len(scorer.score(pictures(), PROMPT).main.values) == 3


def test_an_interrupt_left_over_from_an_earlier_job_does_not_stop_work_outside_of_jobs(loaded, host):
    scorer = demo(loaded)
    host.shared.state.interrupted = True
    with scorer.at_work(3, interruptible=False):
        assert len(scorer.panel.score(pictures(), [PROMPT] * 3)[0].values) == 3
    with pytest.raises(Cancelled):
        scorer.score(pictures(), PROMPT)


def test_stopping_after_this_picture_does_not_take_its_score_away(loaded, host):
    host.shared.state.stopping_generation = True
    assert not demo(loaded).score(pictures(1), PROMPT).main.failures


def test_the_progress_line_counts_and_is_gone_at_the_end(loaded, host, monkeypatch):
    lines = []
    scorer = demo(loaded, batch_size=1)
    progress = scorer.runtime.progress
    monkeypatch.setattr(
        scorer.runtime,
        "progress",
        lambda *given: (progress(*given), lines.append(host.shared.state.textinfo)),
    )
    scorer.score(pictures(3), PROMPT)
    assert lines == ["ImageReward Curator: scoring 1 of 3", "ImageReward Curator: scoring 2 of 3", None]


def test_a_download_tells_the_progress_line_and_stops_when_interrupted(loaded, host, monkeypatch):
    def begins(*arguments, **named):
        report = next(each for each in (*arguments, *named.values()) if isinstance(each, loaded._Telling))
        report("model.safetensors", 50, 200)
        assert host.shared.state.textinfo == "ImageReward Curator: model.safetensors, 25 %"
        host.shared.state.interrupted = True
        report("model.safetensors", 60, 200)

    import imagereward_core.weights.store as store

    monkeypatch.setattr(store, "download_file", begins)
    with pytest.raises(Cancelled):
        loaded.load(loaded.LoadRequest("PickScore"))


def test_without_permission_nothing_is_downloaded_and_the_message_says_where_the_file_belongs(
    loaded, monkeypatch
):
    import imagereward_core.weights.store as store

    monkeypatch.setattr(store, "download_file", lambda *given, **named: pytest.fail("a download began"))
    with pytest.raises(WeightsError) as caught:
        loaded.load(loaded.LoadRequest("PickScore", also=("CLIP",), allow_download=False))
    named = (
        "model.safetensors",
        "named PickScore",
        "merges.txt",
        "clip-vit-large-patch14.safetensors",
        "4 files",
    )
    assert [
        word
        for word in (*named, "tick Download missing weights in Settings")
        if word not in str(caught.value)
    ] == []


def test_a_full_device_halves_the_batch_and_changes_no_number(loaded, caplog):
    scorer = demo(loaded)
    given = pictures(8)
    expected = scorer.score(given, PROMPT).main.values.tolist()
    tower = scorer.panel.scorers[0].tower
    whole, sizes = tower.encode, []

    def small_only(pixels):
        sizes.append(len(pixels))
        if len(pixels) > 2:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return whole(pixels)

    tower.encode = small_only
    with caplog.at_level(logging.WARNING):
        assert scorer.score(given, PROMPT).main.values.tolist() == pytest.approx(expected, abs=1e-5)
    assert sizes == [8, 4, 2, 2, 2, 2] and "device is full" in caplog.text


def test_hooks_in_inference_mode_get_the_same_numbers_and_ordinary_weights(loaded):
    given = pictures()
    with torch.inference_mode():
        inside = demo(loaded).score(given, PROMPT).main.values.tolist()
    network = demo(loaded).panel.scorers[0].tower.network
    assert not any(weight.is_inference() for weight in network.parameters())
    assert demo(loaded).score(given, PROMPT).main.values.tolist() == inside


def test_the_hosts_autocast_changes_no_number(loaded):
    given = pictures()
    expected = demo(loaded).score(given, PROMPT).main.values.tolist()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert demo(loaded).score(given, PROMPT).main.values.tolist() == expected


def test_two_threads_score_one_after_the_other(loaded):
    scorer = demo(loaded)
    tower = scorer.panel.scorers[0].tower
    whole, busy, seen = tower.encode, [], []

    def alone(pixels):
        busy.append(1)
        seen.append(len(busy))
        result = whole(pixels)
        busy.pop()
        return result

    tower.encode = alone
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(scorer.score(pictures(4), PROMPT))) for _ in range(4)
    ]
    [thread.start() for thread in threads]
    [thread.join(30) for thread in threads]
    assert len(results) == 4 and set(seen) == {1}
