"""Ways to blend, names that blends and their members may have, and where blends are kept: what doors know without loading a scorer."""

from __future__ import annotations

from typing import Literal

from ..errors import CuratorError, UnknownScorerError
from ..files.devices import is_device

Method = Literal["weighted", "standard", "rank"]

METHODS: dict[Method, str] = {
    "standard": "Weighted mean of the scores after each was brought to mean 0 and standard deviation 1.",
    "weighted": "Sum of the raw scores times their weights, as in the ImageReward paper.",
    "rank": "Weighted mean of the places within each prompt, from 1 (best) to 0 (worst).",
}
"""Ways to blend, each in one sentence for menus."""

NAME_LENGTH = 80
BLEND_PREFIX = "blend:"
BLENDS_FILE = "blends.json"
"""The file of saved blends in a models folder; named here, so that looking for it costs a host's start nothing."""


class BlendError(CuratorError):
    """A blend is described in a way that means nothing, cannot be stored, or does not fit the scorers it is used with."""


class UnknownBlendError(BlendError, UnknownScorerError):
    """What stands where a scorer or a blend is expected is neither: no blend has that name, or its text means nothing."""


def check_name(what: str, name: str) -> None:
    """Raises BlendError unless a name can be an id, a part of a command line and a file name on every system."""
    bad = sorted({mark for mark in name if mark in '/\\:*?"<>|,=@' or not mark.isprintable()})
    if bad:
        raise BlendError(
            f"the {what} {name!r} holds {' '.join(map(repr, bad))}; expected a name without these"
        )
    if not name or name != name.strip() or name.endswith("."):
        raise BlendError(
            f"the {what} {name!r} is empty, begins or ends with a space, or ends with a dot; expected a plain name"
        )
    if len(name) > NAME_LENGTH:
        raise BlendError(f"the {what} {name!r} has {len(name)} characters; expected at most {NAME_LENGTH}")
    if is_device(name):
        raise BlendError(f"the {what} {name!r} is the name of a device on Windows; expected another one")
