"""A node pack for tests alone: pictures nobody draws by hand, and an output node that tells over HTTP what reached it."""

import json
from collections import namedtuple

import torch
from comfy_api.latest import ComfyExtension, io

from . import trouble

KINDS = ["batch", "mixed", "one nan", "all nan", "empty", "single", "rgba", "many", "brighter"]
KINDS += ["pair", "clips", "clips in one batch", "longer clips", "one bad clip"]
FRAMES = [5, 7, 6]
Part = namedtuple("SEG", "cropped_image cropped_mask confidence crop_region bbox label control_net_wrapper")


def pictures(kind):
    make = torch.Generator().manual_seed(7)
    batch = torch.rand(4, 48, 64, 3, generator=make)
    if kind == "mixed":
        return [torch.rand(1, 40 + 16 * step, 64, 3, generator=make) for step in range(3)]
    if kind == "one nan":
        batch[1, 3, 3, 0] = float("nan")
    if kind == "all nan":
        batch[:, 0, 0] = float("nan")
    if kind == "brighter":
        batch = (batch * 1.2).clamp(0, 1)
    if "clip" in kind:
        many = 2 if kind == "longer clips" else 1
        clips = [torch.rand(many * number, 48, 64, 3, generator=make) for number in FRAMES]
        if kind == "one bad clip":
            clips[1][6, 3, 3, 0] = float("nan")
        return [torch.cat([clip[:5] for clip in clips])] if kind == "clips in one batch" else clips
    few = {
        "pair": batch[:2],
        "empty": batch[:0],
        "single": batch[:1],
        "rgba": torch.rand(4, 48, 64, 4, generator=make),
    }
    if kind == "many":
        return [torch.rand(6000, 16, 16, 3, generator=make)]
    return [few.get(kind, batch)]


def numbered(images):
    """Latents and masks whose values say to which picture they belong."""
    numbers = iter(range(10_000))
    latents, masks = [], []
    for batch in images:
        index = torch.tensor([float(next(numbers)) for _ in batch])
        latents.append(
            {
                "samples": index.view(-1, 1, 1, 1).expand(-1, 4, 6, 8).clone(),
                "noise_mask": index.view(-1, 1, 1, 1) + 100,
            }
        )
        masks.append(index.view(-1, 1, 1).expand(-1, 6, 8).clone())
    return latents, masks


class ProbePictures(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="CuratorProbePictures",
            category="tests",
            inputs=[io.Combo.Input("kind", options=KINDS)],
            outputs=[
                io.Image.Output("pictures", is_output_list=True),
                io.Latent.Output("latents", is_output_list=True),
                io.Mask.Output("masks", is_output_list=True),
                io.String.Output("names", is_output_list=True),
            ],
        )

    @classmethod
    def execute(cls, kind):
        images = pictures(kind)
        latents, masks = numbered(images)
        names = [f"name {number}" for number in range(sum(len(batch) for batch in images))]
        return io.NodeOutput(images, latents, masks, names)


class ProbeThing(io.ComfyNode):
    """One value with parts, as other packs hand around."""

    THINGS = {
        "segs": ((48, 64), [Part(None, None, 0.5, (0, 0, at, at), None, str(at), None) for at in (1, 2)]),
        "no segs": ((48, 64), []),
        "pair": ("left", "right"),
        "four prompts": ["red", "green", "red", "green"],
        "conditioning": [[torch.zeros(1, 2), {"pooled_output": None}], [torch.ones(1, 2), {}]],
    }

    @classmethod
    def define_schema(cls):
        kind, name = (
            io.Combo.Input("kind", options=list(cls.THINGS)),
            io.String.Input("name", default="", optional=True),
        )
        return io.Schema(
            node_id="CuratorProbeThing",
            category="tests",
            inputs=[kind, name],
            outputs=[io.AnyType.Output("thing"), io.String.Output("texts", is_output_list=True)],
        )

    @classmethod
    def execute(cls, kind, name=""):
        thing = cls.THINGS[kind]
        return io.NodeOutput(thing, [part for part in thing if isinstance(part, str)] or [""])


def described(value):
    if isinstance(value, torch.Tensor):
        means = (
            [round(float(part.double().mean()), 6) for part in value] if value.dim() > 2 else value.tolist()
        )
        return {"shape": list(value.shape), "means": means}
    if isinstance(value, dict):
        return {key: described(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [described(part) for part in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else type(value).__name__


class ProbeShow(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="CuratorProbeShow",
            category="tests",
            inputs=[io.AnyType.Input("source")],
            outputs=[],
            is_input_list=True,
            is_output_node=True,
        )

    @classmethod
    def execute(cls, source):
        return io.NodeOutput(ui={"shown": [json.dumps([described(each) for each in source])]})


class Probe(ComfyExtension):
    async def get_node_list(self):
        try:
            from server import PromptServer
        except ImportError:  # a host in the tests' own process
            pass
        else:
            trouble.install(PromptServer.instance.routes)
        return [ProbePictures, ProbeThing, ProbeShow]


def comfy_entrypoint():
    return Probe()
