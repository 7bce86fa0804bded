"""Which device a scorer works on, when it goes there, when it leaves, and what a full device means, host by host."""

from __future__ import annotations

import contextlib
import types

import pytest
import torch
from torch import nn

from imagereward_core.errors import CuratorError
from tests.support.webui import fake_memory
from tests.support.webui.fake_webui import FakeHost, ours


class Network(nn.Module):
    """Notes where it is sent."""

    def __init__(self, full=False):
        super().__init__()
        self.full, self.sent = full, []

    def to(self, device):
        self.sent.append((str(device), torch.is_inference_mode_enabled()))
        if self.full and str(device) != "cpu":
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return self


@pytest.fixture
def a1111(monkeypatch, tmp_path):
    host = FakeHost(monkeypatch, tmp_path, "a1111")
    return types.SimpleNamespace(
        host=host, plain=fake_memory.install(monkeypatch, host), monkeypatch=monkeypatch
    )


@pytest.fixture(params=["forge", "neo", "reforge", "classic"])
def managed(request, monkeypatch, tmp_path):
    host = FakeHost(monkeypatch, tmp_path, request.param)
    return types.SimpleNamespace(host=host, manager=fake_memory.install(monkeypatch, host))


def on_a_card(runtime):
    """The runtime as it would be on a graphics card; this machine has none."""
    runtime.device = torch.device("cuda")
    return runtime


def run(runtime, network):
    with torch.inference_mode(), runtime.working([], 0, 3), runtime.resident(network):
        pass


def places(network):
    return [place for place, _ in network.sent]


def test_a1111_is_asked_for_the_device_under_our_own_name(a1111):
    assert ours("runtime").make_runtime().device == torch.device("cpu")
    assert a1111.plain.calls == ["device for imagereward"]


def test_a1111_moves_a_scorer_in_for_a_run_and_out_after_it_and_empties_the_cache(a1111):
    runtime, network = on_a_card(ours("runtime").make_runtime()), Network()
    run(runtime, network)
    assert places(network) == ["cuda", "cpu"] and a1111.plain.calls[-1] == "gc"


def test_moves_happen_outside_inference_mode(a1111):
    network = Network()
    run(on_a_card(ours("runtime").make_runtime()), network)
    assert not any(inference for _, inference in network.sent)


def test_never_moving_out_keeps_it_there_unless_the_host_is_short_of_memory(a1111):
    a1111.host.shared.opts.imagereward_move_out = "never"
    runtime, network = on_a_card(ours("runtime").make_runtime()), Network()
    run(runtime, network)
    assert places(network) == ["cuda"] and "everything to cpu" not in a1111.plain.calls
    a1111.plain.short = True
    run(runtime, network)
    assert places(network) == ["cuda", "cuda", "cpu"] and "everything to cpu" in a1111.plain.calls


def test_with_medvram_the_hosts_models_leave_before_the_scorer_comes(a1111):
    a1111.plain.short = True
    runtime, network = on_a_card(ours("runtime").make_runtime()), Network()
    with runtime.working([], 0, 3):
        assert "everything to cpu" in a1111.plain.calls and not network.sent


def test_a_scorer_that_does_not_fit_beside_the_image_model_leaves_and_says_what_to_do(a1111):
    runtime, network = on_a_card(ours("runtime").make_runtime()), Network(full=True)
    with pytest.raises(CuratorError, match="does not fit on cuda.*device cpu in Settings"):
        run(runtime, network)
    assert places(network)[-1] == "cpu"


def test_a_failure_in_a_run_still_moves_the_scorer_out(a1111):
    runtime, network = on_a_card(ours("runtime").make_runtime()), Network()
    with (
        contextlib.suppress(RuntimeError),
        runtime.working([], 0, 3),
        runtime.resident(network),
    ):
        raise RuntimeError("broken")
    assert places(network) == ["cuda", "cpu"]


def test_nothing_is_moved_or_emptied_on_a_cpu(a1111):
    network = Network()
    run(ours("runtime").make_runtime(), network)
    assert set(places(network)) == {"cpu"} and "gc" not in a1111.plain.calls


def test_a_host_started_without_half_precision_scores_without_it(a1111, monkeypatch):
    make = ours("runtime").make_runtime
    monkeypatch.setattr(ours("runtime.plain"), "checked_dtype", lambda precision, device: torch.bfloat16)
    assert make().dtype == torch.bfloat16
    a1111.host.shared.cmd_opts.no_half = True
    try:
        assert make().dtype == torch.float32
    finally:
        del a1111.host.shared.cmd_opts.no_half


def test_true_float32_while_a_scorer_works_and_the_hosts_setting_afterwards(a1111):
    common, settings = ours("runtime.common"), torch.backends.cuda.matmul
    before = settings.allow_tf32
    settings.allow_tf32 = True
    try:
        with common.exact(torch.device("cuda"), torch.float32):
            assert not settings.allow_tf32
        assert settings.allow_tf32
        with common.exact(torch.device("cuda"), torch.bfloat16):
            assert settings.allow_tf32
    finally:
        settings.allow_tf32 = before


def test_forge_is_asked_once_for_each_network_and_outside_inference_mode(managed):
    runtime, network = ours("runtime").make_runtime(), nn.Linear(2, 2)
    run(runtime, network)
    run(runtime, network)
    patchers = [models[0] for models, _, _ in managed.manager.loads]
    assert len(set(map(id, patchers))) == 1 and patchers[0].model.network is network
    assert not any(inference for _, _, inference in managed.manager.loads)
    assert len(managed.manager.current_loaded_models) == 1


def test_forge_keeps_a_scorer_until_the_room_is_needed_and_the_setting_can_send_it_away(managed):
    runtime, network = ours("runtime").make_runtime(), nn.Linear(2, 2)
    run(runtime, network)
    assert managed.manager.current_loaded_models
    managed.host.shared.opts.imagereward_move_out = "always"
    run(runtime, network)
    assert not managed.manager.current_loaded_models and len(managed.manager.unloads) == 1


def test_a_scorer_leaves_outside_inference_mode_as_it_came(managed):
    managed.host.shared.opts.imagereward_move_out = "always"
    run(ours("runtime").make_runtime(), nn.Linear(2, 2))
    assert [inference for _, inference in managed.manager.unloads] == [False]


def test_freeing_takes_only_our_own_networks_out_of_the_managers_hands(managed):
    other = fake_memory.Loaded(fake_memory.Patcher(None, None, None), managed.manager)
    managed.manager.current_loaded_models.append(other)
    runtime = ours("runtime").make_runtime()
    run(runtime, nn.Linear(2, 2))
    runtime.release()
    assert managed.manager.current_loaded_models == [other] and len(managed.manager.unloads) == 1


def test_forge_is_told_how_much_room_a_batch_needs_and_batches_fit_what_is_free(managed):
    core = ours("runtime.managed").ManagedRuntime
    per_picture = __import__("sys").modules[core.__module__].memory_per_picture(224)
    runtime = ours("runtime").make_runtime()
    runtime.device = torch.device("meta")
    network = nn.Linear(2, 2, device="meta")
    tower = types.SimpleNamespace(network=network, packing=True)
    scorer = types.SimpleNamespace(
        tower=tower, batch_size=None, spec=types.SimpleNamespace(size=224), card=None
    )
    for free, wanted in ((10 * per_picture, 8), (per_picture // 2, 1), (1 << 40, 20)):
        managed.manager.free = free
        runtime.plan([scorer], 0, 20)
        assert scorer.batch_size == wanted and not tower.packing
    assert managed.manager.loads[-1][1] == 20 * per_picture
    runtime.plan([scorer], 5, 20)
    assert scorer.batch_size == 5


def test_a_network_the_manager_left_half_outside_is_brought_in_whole(managed):
    runtime = ours("runtime").make_runtime()
    runtime.device = torch.device("meta")
    network = nn.Linear(2, 2)
    run(runtime, network)
    assert {weight.device.type for weight in network.parameters()} == {"meta"}


def test_half_precision_only_where_forge_says_its_device_is_good_at_it(managed):
    dtype = __import__("sys").modules[ours("runtime.managed").ManagedRuntime.__module__].managed_dtype
    manager, card = managed.manager, torch.device("cuda")
    assert dtype(manager, "auto", torch.device("cpu")) == dtype(manager, "auto", card) == torch.float32
    manager.good_at = "fp16"
    assert dtype(manager, "auto", card) == torch.float16
    manager.good_at = "fp16 bf16"
    # Forge Classic's manager cannot be asked for the second kind.
    assert dtype(manager, "auto", card) == (
        torch.float16 if managed.host.name == "classic" else torch.bfloat16
    )
    assert dtype(manager, "fp32", card) == torch.float32


def test_a_host_whose_manager_knows_neither_bf16_nor_full_cards_scores_on_its_card(monkeypatch, tmp_path):
    manager = fake_memory.install(monkeypatch, FakeHost(monkeypatch, tmp_path, "classic"))
    manager.device, manager.good_at = torch.device("cuda"), "fp16 bf16"
    assert not hasattr(manager, "should_use_bf16") and not hasattr(manager, "is_oom")
    runtime = ours("runtime").make_runtime()
    assert runtime.dtype == torch.float16 and runtime.device == manager.device
    assert runtime.is_out_of_memory(torch.cuda.OutOfMemoryError("CUDA out of memory"))
    assert not runtime.is_out_of_memory(ValueError("broken"))


def test_a_network_is_loaded_whole_where_the_manager_would_leave_some_of_it_outside(managed):
    run(ours("runtime").make_runtime(), Network())
    assert getattr(managed.manager, "full_loads", [True]) == [True]
