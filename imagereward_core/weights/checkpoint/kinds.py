"""Guesses the kind of a checkpoint by the names in it and the shapes of a few tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_VIT_H = "a CLIP of size ViT-H/14 (PickScore, HPSv2 and HPSv2.1 are such)"
_VIT_L = "a CLIP of size ViT-L/14 (CLIP score, and what Aesthetic sits on)"
_BLIP = (
    "BLIP's own checkpoint (model_large.pth), which has no reward head: training starts from it, and it is the "
    "scorer BLIP"
)

# What it is, a tensor it has, and that tensor's shape; the most particular first.
_TELLING = (
    ("MPS", "cross_model.layers.0.0.fn.to_q.weight", (1024, 1024)),
    ("MPS", "mps.cross_model.layers.0.0.fn.to_q.weight", (1024, 1024)),
    ("SigLIP so400m, which Aesthetic-v2.5 sits on", "vision_model.head.probe", (1, 1, 1152)),
    (_VIT_H, "visual_projection.weight", (1024, 1280)),
    (_VIT_H, "visual.proj", (1280, 1024)),
    (_VIT_L, "visual_projection.weight", (768, 1024)),
    (_VIT_L, "visual.proj", (1024, 768)),
    ("LAION's aesthetic head for ViT-L/14 (Aesthetic)", "layers.0.weight", (1024, 768)),
    ("the head of Aesthetic-v2.5", "scoring_head.0.weight", (1024, 1152)),
    ("ImageReward", "blip.visual_encoder.pos_embed", (1, 197, 1024)),
    (_BLIP, "vision_proj.weight", (256, 1024)),
)

# What it is, and beginnings of names that show it; a mark with a leading dot may stand anywhere in a name.
_FOREIGN = (
    ("a LoRA (small additions to an image model)", ("lora_", ".lora_", "lycoris_")),
    (
        "an image-generating checkpoint (Stable Diffusion, SDXL, Flux or alike)",
        (
            "model.diffusion_model.",
            "first_stage_model.",
            "cond_stage_model.",
            "conditioner.embedders.",
            "double_blocks.",
            "down_blocks.",
        ),
    ),
    (
        _BLIP,
        ("text_decoder.", "itm_head.", "image_queue", "visual_encoder_m.", "visual_encoder.blocks."),
    ),
    ("MPS", ("cross_model.", "mps.cross_model.")),
    (
        "a CLIP model (PickScore and HPS are of this kind too)",
        (
            "visual.transformer.resblocks.",
            "visual.conv1.",
            "vision_model.encoder.",
            "text_model.encoder.",
            "logit_scale",
        ),
    ),
    ("a BERT text model alone", ("bert.embeddings.", "embeddings.word_embeddings.")),
    ("a vision transformer alone", ("blocks.0.attn.", "patch_embed.")),
    ("a small head alone, such as an aesthetic predictor", ("layers.0.", "scoring_head.")),
)


_HEAD = "mlp.layers."
_REWARD = ("blip.visual_encoder.", "blip.text_encoder.", _HEAD)


def has_reward_head(names: Iterable[str]) -> bool:
    """Whether a checkpoint is an ImageReward, of whatever size: both towers and the head, by the names of its tensors."""
    names = tuple(names)
    return all(any(name.startswith(part) for name in names) for part in _REWARD)


def is_of_head(name: str) -> bool:
    """Whether a tensor of an ImageReward belongs to its reward head."""
    return name.startswith(_HEAD)


def recognise(names: Iterable[str] | Mapping[str, tuple[Any, tuple[int, ...]]]) -> str:
    """The likely kind of a foreign checkpoint, by the names in it or, which shows more, its layout; empty where unknown."""
    if isinstance(names, Mapping):
        for what, name, shape in _TELLING:
            if name in names and names[name][1] == shape:
                return what
    names = tuple(names)
    for what, marks in _FOREIGN:
        if any(
            name.startswith(mark) or (mark[0] == "." and mark in name) for name in names for mark in marks
        ):
            return what
    return ""
