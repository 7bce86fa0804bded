"""Memory management of the hosts, imitated: managers of ComfyUI's family, and Automatic1111's modules."""

from __future__ import annotations

import sys
import types

import torch

BACKEND = ("backend.memory_management", "backend.patcher.base")
PATCHED = ("ldm_patched.modules.model_management", "ldm_patched.modules.model_patcher")
MANAGERS = {"forge": BACKEND, "neo": BACKEND, "reforge": PATCHED, "classic": PATCHED}


class Patcher:
    """The host's handle of a network."""

    def __init__(self, model, load_device, offload_device):
        self.model, self.load_device, self.offload_device = model, load_device, offload_device


class Loaded:
    """An entry in the manager's list."""

    def __init__(self, model, manager):
        self.model, self.manager = model, manager

    def model_unload(self, *given):
        self.manager.unloads.append((self.model, torch.is_inference_mode_enabled()))


class Manager:
    """Keeps what it is given until somebody takes it out."""

    def __init__(self):
        self.current_loaded_models, self.loads, self.unloads = [], [], []
        self.device, self.free, self.emptied = torch.device("cpu"), 1 << 40, 0
        self.good_at = ""

    def get_torch_device(self):
        return self.device

    def load_models_gpu(self, models, memory_required=0):
        self.loads.append((list(models), memory_required, torch.is_inference_mode_enabled()))
        for model in models:
            if not any(each.model is model for each in self.current_loaded_models):
                self.current_loaded_models.insert(0, Loaded(model, self))

    def get_free_memory(self, device):
        return self.free

    def soft_empty_cache(self, *given):
        self.emptied += 1

    def should_use_fp16(self, device=None):
        return "fp16" in self.good_at

    def should_use_bf16(self, device=None):
        return "bf16" in self.good_at


class NeoManager(Manager):
    """Leaves part of a network outside a card that is nearly full, unless told otherwise."""

    def __init__(self):
        super().__init__()
        self.full_loads = []

    def load_models_gpu(self, models, memory_required=0, force_full_load=False):
        self.full_loads.append(force_full_load)
        super().load_models_gpu(models, memory_required)


class ClassicManager(Manager):
    """Knows half precision of one kind only."""

    should_use_bf16 = property()


class Plain:
    """Automatic1111's modules as far as a scorer meets them."""

    def __init__(self):
        self.calls, self.short = [], False
        self.device = torch.device("cpu")


def install(monkeypatch, host):
    """Puts the memory management of ``host`` (a FakeHost) into place and returns what a test looks at."""
    call_queue = types.ModuleType("modules.call_queue")
    call_queue.queue_lock = Queue()
    monkeypatch.setitem(sys.modules, "modules.call_queue", call_queue)
    monkeypatch.setattr(sys.modules["modules"], "call_queue", call_queue, raising=False)
    if host.name in MANAGERS:
        manager = {"neo": NeoManager, "classic": ClassicManager}.get(host.name, Manager)()
        home, patchers = MANAGERS[host.name]
        monkeypatch.setitem(sys.modules, home, manager)
        name = ""
        for piece in patchers.split("."):
            name = f"{name}.{piece}" if name else piece
            if name not in sys.modules:
                module = types.ModuleType(name)
                module.__path__ = []
                monkeypatch.setitem(sys.modules, name, module)
        sys.modules[patchers].ModelPatcher = Patcher
        return manager
    plain = Plain()
    devices, lowvram, models = (
        types.ModuleType(f"modules.{name}") for name in ("devices", "lowvram", "sd_models")
    )
    devices.get_device_for = lambda task: plain.calls.append(f"device for {task}") or plain.device
    devices.torch_gc = lambda: plain.calls.append("gc")
    lowvram.is_enabled = lambda model: plain.short
    lowvram.send_everything_to_cpu = lambda: plain.calls.append("everything to cpu")
    models.model_data = types.SimpleNamespace(sd_model=object())
    for module in (devices, lowvram, models):
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(sys.modules["modules"], module.__name__.partition(".")[2], module, raising=False)
    return plain


class Queue:
    """The host's queue: one holder at a time, and who asked for it without waiting."""

    def __init__(self):
        self.busy, self.tries = False, 0

    def acquire(self, blocking=True):
        self.tries += 1
        assert not blocking, "the watch must never wait for a generation"
        return not self.busy

    def release(self):
        pass
