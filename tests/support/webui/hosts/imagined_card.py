"""What our runtime does under the true memory manager of a host, with a graphics card imagined: ``python imagined_card.py WEBUI MAJOR``.

Weights "on the card" are tensors without data that stand for those given; how much of them there is decides how much the card has
free. Prints what was seen as JSON.
"""

import json
import sys
import types
import weakref
from pathlib import Path

import torch
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef

GIB = 1 << 30
TOTAL = 8 * GIB
_true_to = torch.Tensor.to


class Card:
    """Knows what lies on it as long as somebody holds it."""

    def __init__(self):
        self.lying = []

    def put(self, tensor):
        made = _true_to(tensor, "meta")
        self.lying.append((StorageWeakRef(made.untyped_storage()), tensor.detach()))
        return made

    def find(self, tensor):
        storage = tensor.untyped_storage()._cdata
        return next(known for held, known in self.lying if held.cdata == storage and not held.expired())

    def used(self):
        self.lying = [(held, known) for held, known in self.lying if not held.expired()]
        return sum(known.nbytes for _, known in self.lying)


CARD = Card()


def to(tensor, *where, **named):
    """``Tensor.to`` with the card in place."""
    device = where[0] if where else named.get("device")
    kind = torch.device(device).type if isinstance(device, (str, int, torch.device)) else None
    if kind == "cuda":
        return tensor if tensor.device.type == "meta" else CARD.put(tensor)
    if kind == "cpu" and tensor.device.type == "meta":
        known = CARD.find(tensor)
        return known.clone() if known.numel() < 10 else torch.empty_like(known)
    return _true_to(tensor, *where, **named)


def imagine(major):
    """A card of 8 GiB."""
    properties = types.SimpleNamespace(total_memory=TOTAL, name="Card", major=major, minor=0)
    stats = {"reserved_bytes.all.current": 0, "active_bytes.all.current": 0, "allocated_bytes.all.current": 0}
    for name, value in {
        "is_available": True,
        "device_count": 1,
        "current_device": "cuda:0",  # a bare number would be looked for among the machine's own devices
        "get_device_properties": properties,
        "get_device_name": "Card",
        "get_device_capability": (major, 0),
        "get_allocator_backend": "native",
        "memory_stats": stats,
        "is_bf16_supported": major >= 8,
        "synchronize": None,
        "empty_cache": None,
        "ipc_collect": None,
    }.items():
        setattr(torch.cuda, name, lambda *given, value=value, **named: value)
    torch.cuda.mem_get_info = lambda *given: (TOTAL - CARD.used(), TOTAL)
    torch.version.cuda = "12.8"
    torch.Tensor.to = to


def imagine_modules(webui):
    """What our runtime asks of the host outside its memory manager."""
    names = ("modules", "modules.paths", "modules.shared")
    modules, paths, shared = (types.ModuleType(name) for name in names)
    paths.script_path = str(webui)
    shared.opts = types.SimpleNamespace(imagereward_move_out="auto")
    shared.state = types.SimpleNamespace(interrupted=False, textinfo=None)
    modules.__path__ = [str(webui / "modules")]
    modules.paths, modules.shared = paths, shared
    sys.modules.update(zip(names, (modules, paths, shared)))
    return shared


def network(gib):
    """Plain layers of so many GiB; their memory is asked for and never touched."""
    side = 8192
    layers = [nn.Linear(side, side, bias=False, device="meta") for _ in range(int(gib * GIB / 4 / side**2))]
    made = nn.Sequential(*layers, nn.Linear(3, 1)).to_empty(device="cpu")
    made[-1].weight.data.fill_(0.5)
    return made


def on_card(module):
    """Shares of a network's weights that lie on the card."""
    weights = list(module.parameters())
    return sum(each.device.type == "meta" for each in weights) / len(weights)


def seen(webui, major):
    sys.argv = sys.argv[:1]
    imagine(major)
    sys.path[:0] = [
        str(Path(__file__).resolve().parents[4]),
        str(webui),
        str(webui / "modules_forge" / "packages"),
    ]
    shared = imagine_modules(webui)
    from webui_extension import runtime
    from webui_extension.host import info

    ours = runtime.make_runtime()
    manager = ours.management
    found = {"host": info.host(), "device": str(ours.device), "auto": str(ours.dtype)}
    found["fp32"] = str(runtime.make_runtime(precision="fp32").dtype)
    found["full card"] = ours.is_out_of_memory(torch.cuda.OutOfMemoryError("CUDA out of memory"))
    found["other error"] = ours.is_out_of_memory(ValueError("broken"))

    images = network(6)
    with torch.inference_mode():  # as hosts run everything
        theirs = ours._make_patcher(images, load_device=ours.device, offload_device=torch.device("cpu"))
        manager.load_models_gpu([theirs])
        found["image model"] = on_card(images)
        scorer = network(1)
        tower = types.SimpleNamespace(network=scorer, packing=True)
        working = types.SimpleNamespace(
            tower=tower, batch_size=None, spec=types.SimpleNamespace(size=224), card=None
        )
        with ours.working([working], 0, 100), ours.resident(scorer):
            found["scorer"] = on_card(scorer)
            found["beside it"] = on_card(images)
            found["free"], found["needed"] = manager.get_free_memory(ours.device), ours._needed
            found["batch"] = working.batch_size
        found["kept"] = on_card(scorer)
        manager.load_models_gpu([theirs])
        found["image model again"], found["made room"] = on_card(images), on_card(scorer)

        shared.opts.imagereward_move_out = "always"
        with ours.working([working], 4, 100), ours.resident(scorer):
            found["scorer again"] = on_card(scorer)
        found["moved out"] = on_card(scorer)
        found["whole"] = [scorer[-1].weight.tolist(), [each.is_inference() for each in scorer.parameters()]]
        with ours.working([working], 4, 100), ours.resident(scorer):
            pass
        handle = weakref.ref(ours.patcher(scorer))
        ours.release()
        found["released"] = [on_card(scorer), handle() is None]
        found["ours in its list"] = sum(each.model is not theirs for each in manager.current_loaded_models)
        manager.load_models_gpu([theirs])
        found["image model at the end"] = on_card(images)
    return found


if __name__ == "__main__":
    print(json.dumps(seen(Path(sys.argv[1]), int(sys.argv[2]))))
