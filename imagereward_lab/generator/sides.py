"""Heads that ask the text tower what is on which side. They are thrown away when the generator has learnt.

The tower sees only words that came before: those of the first of two things cannot say on which side it will be. Whoever draws has to
find it at the end, where the prompt is known whole; there the heads ask for colour and shape on each side.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imagereward_core.demo.scenes import COLOURS, OPPOSITE, RELATIONS, SHAPES, Scene, Thing

from ..demo_model.teaching import new_heads
from .networks import END_ID

_ASPECTS: tuple[tuple[str, tuple[str, ...]], ...] = (("colour", tuple(COLOURS)), ("shape", SHAPES))
_NOTHING = -100


class SideHeads(nn.Module):
    """For each side a colour and a shape.

    Args:
        width: Of the text tower.
        seed: Of the heads.
    """

    def __init__(self, width: int, seed: int) -> None:
        super().__init__()
        self.sizes = [len(names) for _, names in _ASPECTS] * len(RELATIONS)
        self.linear = new_heads(width, sum(self.sizes), seed)

    def loss(self, states: Tensor, ids: Tensor, scenes: Sequence[Scene | None]) -> Tensor:
        """Mean cross entropy over sides of two things; 0 where no scene has two.

        Args:
            states: Of prompts, float [N, L, C].
            ids: Their tokens, int64 [N, L]; padding is the end token too, and is asked as well.
            scenes: What the prompts say; None for the empty one.
        """
        expected = torch.tensor([answers(scene) for scene in scenes], device=states.device)
        at_end = ids == END_ID
        lost, known = states.new_zeros(()), 0
        for logits, answer in zip(self.linear(states).split(self.sizes, dim=-1), expected.T):
            asked = at_end & (answer != _NOTHING)[:, None]
            lost = lost + F.cross_entropy(
                logits[asked], answer[:, None].expand_as(asked)[asked], reduction="sum"
            )
            known += int(asked.sum())
        return lost / max(1, known)


def answers(scene: Scene | None) -> list[int]:
    """Colour and shape on each of ``RELATIONS``' sides, as places in their lists; -100 where nothing is."""
    things: dict[str, Thing] = {}
    if scene is not None and scene.other is not None:
        things = {scene.relation: scene.thing, OPPOSITE[scene.relation]: scene.other}
    return [
        names.index(getattr(things[side], aspect)) if side in things else _NOTHING
        for side in RELATIONS
        for aspect, names in _ASPECTS
    ]
