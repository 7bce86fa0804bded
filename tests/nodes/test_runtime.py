"""The host's memory manager, its interruption and its progress, as the nodes use them."""

from __future__ import annotations

import gc
import re
import time
import weakref

import pytest
import torch

from tests.support.comfyui.fake_modules import ProgressBar
from tests.support.comfyui.graphs import Graph, shown


def loaded(fake, **changes):
    module = fake.module("nodes.host.scorer_cache")
    return module.load(module.LoadRequest("demo", **changes))


def batch(number, size=24):
    return list(torch.rand(number, size, size, 3, generator=torch.Generator().manual_seed(1)))


def test_networks_go_to_the_device_whole_and_through_the_hosts_manager(fake):
    scorer = loaded(fake)
    scorer.score_batch(batch(3), "a red star")
    patchers = [patcher for patcher, _ in fake.host.management.loads]
    assert len(set(map(id, patchers))) == 1
    network = scorer.panel.scorers[0].tower.network
    assert patchers[0].model.network is network and patchers[0].offload_device == torch.device("cpu")


def test_the_hosts_free_button_moves_the_network_and_the_next_score_is_the_same(fake):
    scorer = loaded(fake)
    first = scorer.score_batch(batch(3), "a red star").scores.values.tolist()
    fake.host.management.unload_all_models()
    assert scorer.score_batch(batch(3), "a red star").scores.values.tolist() == first
    assert len(fake.host.management.loaded) == 1


def test_a_scorer_nobody_holds_is_freed(fake):
    scorer = loaded(fake)
    network = weakref.ref(scorer.panel.scorers[0].tower.network)
    again = loaded(fake)
    assert again is scorer
    fake.host.management.loads.clear()
    del scorer, again
    gc.collect()
    assert network() is None


def test_pieces_are_cut_to_free_memory(fake):
    managed = fake.module("imagereward_core.scorers.managed_runtime")
    scorer = loaded(fake)
    scorer.runtime.device = torch.device("meta")
    single = scorer.panel.scorers[0]
    scorer.runtime._load = lambda module: None
    per_picture = managed.memory_per_picture(single.spec.size)
    for free, wanted in ((10 * per_picture, 8), (per_picture // 2, 1), (1 << 40, 20)):
        fake.host.management.free = free
        scorer.runtime.plan([single], 0, 20)
        assert single.batch_size == wanted
    scorer.runtime.plan([single], 5, 20)
    assert single.batch_size == 5


def test_a_full_device_halves_the_batch_and_changes_no_number(fake):
    scorer = loaded(fake)
    expected = scorer.score_batch(batch(8), "a red star").scores.values.tolist()
    tower = scorer.panel.scorers[0].tower
    whole, sizes = tower.encode, []

    def small_only(pixels):
        sizes.append(len(pixels))
        if len(pixels) > 2:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return whole(pixels)

    tower.encode = small_only
    assert scorer.score_batch(batch(8), "a red star").scores.values.tolist() == pytest.approx(
        expected, abs=1e-5
    )
    assert sizes == [8, 4, 2, 2, 2, 2] and fake.host.management.emptied >= 2


def test_an_interruption_is_heard_within_one_chunk_and_reaches_the_host(fake):
    management = fake.host.management
    scorer = loaded(fake, batch_size=2)
    tower = scorer.panel.scorers[0].tower
    whole, sizes = tower.encode, []

    def interrupted(pixels):
        sizes.append(len(pixels))
        management.interrupted = True
        return whole(pixels)

    tower.encode = interrupted
    with pytest.raises(management.InterruptProcessingException):
        scorer.score_batch(batch(8), "a red star")
    assert sizes == [2]
    tower.encode = whole
    assert len(scorer.score_batch(batch(8), "a red star")) == 8


def test_the_bar_on_the_node_reaches_its_end(fake):
    loaded(fake, batch_size=3).score_batch(batch(8), "a red star")
    assert ProgressBar.seen == [(3, 8), (6, 8), (8, 8)]


def test_half_precision_only_where_the_host_says_it_is_good(fake):
    management, runtime = fake.host.management, fake.module("nodes.host.runtime")
    assert runtime.HostRuntime().dtype == torch.float32
    management.device = torch.device("cuda")
    assert runtime.HostRuntime().dtype == torch.float32
    management.should_use_fp16 = lambda device=None: True
    assert runtime.HostRuntime().dtype == torch.float16
    management.should_use_bf16 = lambda device=None: True
    assert runtime.HostRuntime().dtype == torch.bfloat16
    assert runtime.HostRuntime(device="cpu").dtype == torch.float32
    assert runtime.HostRuntime(precision="fp32").dtype == torch.float32


@pytest.mark.parametrize(
    "changes, word", [({"device": "tpu"}, "device"), ({"precision": "int4"}, "precision")]
)
def test_settings_older_hosts_do_not_check_are_checked(fake, changes, word):
    with pytest.raises(Exception, match=word):
        loaded(fake, **changes)


def test_weights_made_in_the_hosts_inference_mode_are_ordinary_parameters(fake):
    with torch.inference_mode():
        scorer = loaded(fake)
    assert not any(each.is_inference() for each in scorer.panel.scorers[0].tower.network.parameters())


def test_interrupting_a_long_run_stops_the_real_host_and_the_queue_goes_on(real):
    graph = Graph()
    graph.show(graph.score([graph.pictures("many"), 0], scorer=graph.load(batch_size=1)), 2)
    queued = real.queue(graph)
    end = time.monotonic() + 60
    while time.monotonic() < end and not real.call("/queue")["queue_running"]:
        time.sleep(0.02)
    time.sleep(1.0)
    real.call("/interrupt", {"prompt_id": queued})
    ran = real.result(queued)
    assert ran.kind == "InterruptProcessingException"  # a run that was over before would have no error
    small = Graph()
    values = small.show(small.score([small.pictures("single"), 0]), 2)
    assert len(shown(real.run(small), values)) == 1


def test_the_real_host_frees_our_models_and_scores_the_same_afterwards(real):
    graph = Graph()
    scores = graph.score([graph.pictures("batch"), 0], scorer=graph.load(batch_size=3))
    values = graph.show(scores, 2)
    first = shown(real.run(graph), values)
    real.call("/free", {"unload_models": True, "free_memory": True})
    time.sleep(1.5)
    ran = real.run(graph)
    assert shown(ran, values) == first and scores not in ran.cached
    assert "memory leak" not in real.log.read_text(errors="replace")


def test_the_real_host_imports_the_pack_whole(real):
    text = real.log.read_text(errors="replace")
    assert "IMPORT FAILED" not in text and "is left out" not in text
    assert re.search(r"[\d.]+ seconds: \S*imagereward-curator", text), text[-2000:]
