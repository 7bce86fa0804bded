"""Names, dtypes and shapes of a checkpoint: how two layouts differ, and what a foreign one looks like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch

Layout = dict[str, tuple[torch.dtype, tuple[int, ...]]]

SHOWN = 5
"""Names written out per kind of difference; the rest is counted."""

# What it is, and the beginnings of names that tell; a mark with a leading dot may stand anywhere in a name.
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
        "BLIP's own checkpoint (model_large.pth), which has no reward head: training starts from it, scoring "
        "cannot",
        ("text_decoder.", "itm_head.", "image_queue", "visual_encoder_m.", "visual_encoder.blocks."),
    ),
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
    ("a small head alone, such as an aesthetic predictor", ("layers.0.",)),
)


@dataclass(frozen=True)
class Mismatch:
    """How the layout found differs from the one expected; names are those of the network.

    Attributes:
        expected: Number of tensors the network has.
        found: Number of tensors the file has.
        missing: In the network, not in the file.
        unexpected: In the file, not in the network.
        misshaped: In both, but of another shape or kind of number; ``name (found ..., expected ...)``.
        resembles: What the file seems to be instead, or an empty text.
    """

    expected: int
    found: int
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshaped: tuple[str, ...]
    resembles: str = ""

    @property
    def fits(self) -> bool:
        """Whether the file can be loaded."""
        return not (self.missing or self.unexpected or self.misshaped)

    def describe(self) -> str:
        """The difference in words, at most :data:`SHOWN` names of each kind."""
        parts = [f"found {self.found} tensors, expected {self.expected}"]
        for label, names in (
            ("missing", self.missing),
            ("unexpected", self.unexpected),
            ("of another shape or dtype", self.misshaped),
        ):
            if names:
                more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
                parts.append(f"{len(names)} {label}: {', '.join(names[:SHOWN])}{more}")
        if self.resembles:
            parts.append(f"it looks like {self.resembles}")
        return "; ".join(parts)


def compare(
    expected: Mapping[str, tuple[torch.dtype, tuple[int, ...]]], found: Layout, optional: frozenset[str]
) -> Mismatch:
    """How ``found`` differs from ``expected``.

    Precision may differ (float16 for float32); a floating-point tensor in place of whole numbers, or the
    reverse, may not. Names in ``optional`` may be absent from either side.
    """
    misshaped = tuple(
        f"{name} (found {_text(found[name])}, expected {_text(expected[name])})"
        for name in expected
        if name in found and not _compatible(found[name], expected[name])
    )
    missing = tuple(name for name in expected if name not in found and name not in optional)
    unexpected = tuple(name for name in found if name not in expected and name not in optional)
    wrong = bool(missing or unexpected or misshaped)
    return Mismatch(
        len(expected), len(found), missing, unexpected, misshaped, recognise(found) if wrong else ""
    )


def recognise(names: Iterable[str]) -> str:
    """What a foreign checkpoint seems to be, judged by its names; empty where unknown."""
    names = tuple(names)
    for what, marks in _FOREIGN:
        if any(
            name.startswith(mark) or (mark[0] == "." and mark in name) for name in names for mark in marks
        ):
            return what
    return ""


def _compatible(
    found: tuple[torch.dtype, tuple[int, ...]], expected: tuple[torch.dtype, tuple[int, ...]]
) -> bool:
    return found[1] == expected[1] and found[0].is_floating_point == expected[0].is_floating_point


def _text(entry: tuple[torch.dtype, tuple[int, ...]]) -> str:
    return f"{'x'.join(map(str, entry[1])) or 'one number'} {str(entry[0]).removeprefix('torch.')}"
