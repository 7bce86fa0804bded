"""Names of tensors in published checkpoints, mapped to those of our networks: one map for each kind.

Every map takes its own result too, so that a file reads the same before and after it has been converted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from ...errors import WeightsError
from ..card import WeightsCard
from .kinds import recognise
from .layout import Layout


@dataclass(frozen=True)
class View:
    """Where one tensor of the network lies in a file.

    Attributes:
        source: Name in the file.
        part: Which of ``parts`` equal blocks of rows it is.
        parts: Number of blocks the file's tensor consists of.
        transposed: Whether the file has rows and columns exchanged.
    """

    source: str
    part: int = 0
    parts: int = 1
    transposed: bool = False

    def of(self, tensor: torch.Tensor) -> torch.Tensor:
        """The network's tensor as a view of the file's ``tensor``."""
        if self.parts > 1:
            rows = tensor.shape[0] // self.parts
            tensor = tensor[self.part * rows : (self.part + 1) * rows]
        return tensor.t() if self.transposed and tensor.dim() == 2 else tensor


Views = dict[str, View]


@dataclass(frozen=True)
class KeyMap:
    """How files of one kind are read.

    Attributes:
        kind: What is expected, in words.
        views: From the layout of a file to where each tensor of the network lies in it. A tensor it does not know keeps its
            name, so that the difference is reported; one the network does not need is left out.
        marks: Tensors, by their names in the network, whose shapes tell a file of this kind from others.
        whole_model: Whether a whole pickled model is read too, as data.
    """

    kind: str
    views: Callable[[Layout], Views]
    marks: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    whole_model: bool = False

    def check(self, path: Path, found: Layout) -> None:
        """Raises WeightsError unless ``found``, a layout in the names of the network, is of this kind; it says what it seems to be."""
        for name, shape in self.marks.items():
            if name in found and found[name][1] == shape:
                continue
            what = (
                f"{name} is {'x'.join(map(str, found[name][1]))}" if name in found else f"there is no {name}"
            )
            seems = recognise(found)
            raise WeightsError(
                f"{path} is not {self.kind}: {what}, expected {'x'.join(map(str, shape))}"
                f"{f'. It looks like {seems}' if seems else ''}. Put the right file in its place"
            )


def keymap_of(card: WeightsCard) -> KeyMap | None:
    """How the files of ``card`` are read; None where their tensors are named as in the network."""
    return KEYMAPS.get(card.layout)


_BLOCK = re.compile(r"(visual\.)?transformer\.resblocks\.(\d+)\.(.+)")
_IN_BLOCK = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}
_PACKED = {"attn.in_proj_weight": "weight", "attn.in_proj_bias": "bias"}
_OUTSIDE = {
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "visual.ln_pre.weight": "vision_model.pre_layrnorm.weight",
    "visual.ln_pre.bias": "vision_model.pre_layrnorm.bias",
    "visual.ln_post.weight": "vision_model.post_layernorm.weight",
    "visual.ln_post.bias": "vision_model.post_layernorm.bias",
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
}
_TRANSPOSED = {"visual.proj": "visual_projection.weight", "text_projection": "text_projection.weight"}
_CLIP_UNUSED = {
    "attn_mask",
    "input_resolution",
    "context_length",
    "vocab_size",
    "text_model.embeddings.position_ids",
    "vision_model.embeddings.position_ids",
}


def clip_views(layout: Layout) -> Views:
    """CLIP as OpenAI and open_clip save it (open_clip ``transformer.py``), or as transformers does."""
    views: Views = {}
    for source in layout:
        if source in _CLIP_UNUSED:
            continue
        if source in _TRANSPOSED:
            views[_TRANSPOSED[source]] = View(source, transposed=True)
            continue
        match = _BLOCK.fullmatch(source)
        if match is None:
            views[_OUTSIDE.get(source, source)] = View(source)
            continue
        block = f"{'vision' if match[1] else 'text'}_model.encoder.layers.{match[2]}."
        if match[3] in _PACKED:
            for part, letter in enumerate("qkv"):
                views[f"{block}self_attn.{letter}_proj.{_PACKED[match[3]]}"] = View(source, part, 3)
            continue
        stem, _, last = match[3].rpartition(".")
        views[f"{block}{_IN_BLOCK.get(stem, stem)}.{last}"] = View(source)
    return views


# BLIP's pretraining checkpoint (BLIP ``blip_pretrain.py``) has a decoder, momentum copies and queues, a SigLIP model a text encoder.
_BLIP_UNUSED = (
    "visual_encoder_m.",
    "text_encoder_m.",
    "vision_proj_m.",
    "text_proj_m.",
    "text_decoder.",
    "itm_head.",
    "image_queue",
    "text_queue",
    "queue_ptr",
    "ptr_queue",
    "temp",
)
_SIGLIP_UNUSED = ("text_model.", "logit_scale", "logit_bias", "vision_model.embeddings.position_ids")


def as_named(layout: Layout, unused: tuple[str, ...] = ()) -> Views:
    """A file that names its tensors as the network does; those whose names begin with ``unused`` are left out."""
    return {source: View(source) for source in layout if not source.startswith(unused)}


def mps_views(layout: Layout) -> Views:
    """MPS as its authors' classes name it, or with the ``mps.`` of the imscore project's copy before every name.

    Left out are buffers that never change: the zeros its LayerNorms have for a bias, rotary frequencies and positions
    (MPS ``cross_modeling.py``).
    """
    views: Views = {}
    for source in layout:
        name = source.removeprefix("mps.")
        constant = name.startswith("cross_model.") and name.endswith((".norm.bias", ".inv_freq"))
        if not constant and not name.endswith(".position_ids"):
            views[name] = View(source)
    return views


KEYMAPS: dict[str, KeyMap] = {
    "clip-l": KeyMap(
        "the CLIP ViT-L/14 of OpenAI",
        clip_views,
        {"visual_projection.weight": (768, 1024), "text_projection.weight": (768, 768)},
    ),
    "clip-h": KeyMap(
        "a CLIP of size ViT-H/14",
        clip_views,
        {"visual_projection.weight": (1024, 1280), "text_projection.weight": (1024, 1024)},
    ),
    "blip": KeyMap(
        "BLIP's model_large.pth",
        partial(as_named, unused=_BLIP_UNUSED),
        {"vision_proj.weight": (256, 1024), "text_proj.weight": (256, 768)},
    ),
    "siglip": KeyMap(
        "the SigLIP so400m of 384 pixels",
        partial(as_named, unused=_SIGLIP_UNUSED),
        {
            "vision_model.head.probe": (1, 1, 1152),
            "vision_model.embeddings.position_embedding.weight": (729, 1152),
        },
    ),
    "aesthetic": KeyMap("LAION's aesthetic head for ViT-L/14", as_named, {"layers.0.weight": (1024, 768)}),
    "aesthetic-v2.5": KeyMap(
        "the head of Aesthetic Predictor V2.5", as_named, {"scoring_head.0.weight": (1024, 1152)}
    ),
    "mps": KeyMap(
        "MPS",
        mps_views,
        {
            "cross_model.layers.0.0.fn.to_q.weight": (1024, 1024),
            "model.visual_projection.weight": (1024, 1280),
        },
        whole_model=True,
    ),
}
"""By the ``layout`` of a card."""
