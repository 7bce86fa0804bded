"""Where two things lie in a picture, by their colours. No scorer is asked, so this stands apart from what scorers are wrong about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from imagereward_core.demo.scenes import BACKGROUNDS, COLOURS, OPPOSITE, Scene

LEAST = 0.006
"""Share of a picture's pixels that a thing covers at least; a ring covers 2 %."""
_PALETTE = np.asarray([*COLOURS.values(), *BACKGROUNDS.values()], dtype=np.float64)
_NAMES = [*COLOURS, *BACKGROUNDS]


def seen_relation(picture: Image.Image, scene: Scene) -> str:
    """On which side of the second thing of a scene the first one lies in a picture: one of ``RELATIONS``, or nothing if one is missing.

    A thing is where the median of the pixels is that are nearer to its colour than to any other that is drawn.
    """
    assert scene.other is not None
    pixels = np.asarray(picture.convert("RGB"), dtype=np.float64)
    nearest = ((pixels[:, :, None, :] - _PALETTE) ** 2).sum(axis=-1).argmin(axis=-1)
    at = []
    for thing in (scene.thing, scene.other):
        rows, columns = np.nonzero(nearest == _NAMES.index(thing.colour))
        if len(rows) < LEAST * nearest.size:
            return ""
        at.append((float(np.median(columns)), float(np.median(rows))))
    across, down = at[0][0] - at[1][0], at[0][1] - at[1][1]
    if abs(across) > abs(down):
        return "left of" if across < 0 else "right of"
    return "above" if down < 0 else "below"


def places(scenes: Sequence[Scene], pictures: Sequence[Image.Image]) -> dict[str, float]:
    """Of pictures made for scenes with two things: how many, and the shares in which these lie as asked, or have changed places."""
    found = [
        (scene.relation, seen_relation(picture, scene))
        for scene, picture in zip(scenes, pictures)
        if scene.other is not None
    ]
    return {
        "pictures": len(found),
        "right": float(np.mean([seen == asked for asked, seen in found])) if found else 0.0,
        "opposite": float(np.mean([seen == OPPOSITE[asked] for asked, seen in found])) if found else 0.0,
    }
