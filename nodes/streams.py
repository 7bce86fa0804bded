"""Pictures, latents, masks and other lists that follow the scores: taken apart, checked, and put together in a new order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .errors import GraphError
from .hosting import blocked, listed
from .scored import ScoredBatch

if TYPE_CHECKING:
    from torch import Tensor


class Stream(Protocol):
    """Something with one entry per picture."""

    @property
    def number(self) -> int:
        """How many entries there are."""

    def take(self, indexes: Sequence[int]) -> list[Any]:
        """Some of them as a list output: one batch where one batch came in, else single entries."""


class Pictures:
    """IMAGE input: one batch [B, H, W, C], or a list of pictures and batches of any sizes.

    Raises:
        GraphError: Something else, or no picture at all.
    """

    def __init__(self, given: Sequence[Any]) -> None:
        self.batches = [_as_batch(each) for each in given]
        self.singles: list[Tensor] = [picture for batch in self.batches for picture in batch]
        if not self.singles:
            raise GraphError(
                "the batch holds no picture; expected at least one. Look at the node that makes the images."
            )

    @property
    def number(self) -> int:
        """How many pictures there are."""
        return len(self.singles)

    def take(self, indexes: Sequence[int]) -> list[Any]:
        """Pictures as one batch where one came in, else as batches of one."""
        if not indexes:
            return []
        if len(self.batches) == 1:
            return [self.batches[0][list(indexes)]]
        return [self.singles[index][None] for index in indexes]


class Latents:
    """LATENT input: one dict with ``samples`` [B, ...], or a list of them."""

    def __init__(self, given: Sequence[Any]) -> None:
        for each in given:
            if not isinstance(each, dict) or "samples" not in each:
                raise GraphError(
                    f"latents is {type(each).__name__}; expected the output of a node that gives LATENT"
                )
        self.dicts = list(given)
        self.places = [
            (which, at) for which, each in enumerate(given) for at in range(_batch_size(each["samples"]))
        ]

    @property
    def number(self) -> int:
        """How many latents there are."""
        return len(self.places)

    def take(self, indexes: Sequence[int]) -> list[Any]:
        """Latents as one dict where one came in, else as dicts of one."""
        if not indexes:
            return []
        if len(self.dicts) == 1:
            return [take_latents(self.dicts[0], list(indexes))]
        return [
            take_latents(self.dicts[which], [at]) for which, at in (self.places[index] for index in indexes)
        ]


def take_latents(latent: dict[str, Any], indexes: list[int]) -> dict[str, Any]:
    """Some latents of a batch, with their noise masks and their places in the original batch.

    Without ``batch_index`` the places become the indexes themselves, as in the host's own LatentFromBatch, so that a later
    sampler adds the same noise as it would have in the full batch. A mask given for fewer latents repeats, as it does there.
    """
    number = _batch_size(latent["samples"])
    chosen = dict(latent)
    chosen["samples"] = _rows(latent["samples"], indexes)
    if latent.get("noise_mask") is not None:
        chosen["noise_mask"] = _mask_rows(latent["noise_mask"], indexes, number)
    places = latent.get("batch_index")
    chosen["batch_index"] = [index if places is None else places[index] for index in indexes]
    return chosen


def _is_nested(tensor: Any) -> bool:
    """Whether this is the host's own pair of tensors (video with sound)."""
    return bool(getattr(tensor, "is_nested", False)) and hasattr(tensor, "tensors")


def _batch_size(samples: Any) -> int:
    return int((samples.unbind()[0] if _is_nested(samples) else samples).shape[0])


def _rows(samples: Any, indexes: list[int]) -> Any:
    if _is_nested(samples):
        return type(samples)([part[indexes] for part in samples.unbind()])
    return samples[indexes]


def _mask_rows(mask: Any, indexes: list[int], number: int) -> Any:
    if _is_nested(mask):
        return type(mask)([_mask_rows(part, indexes, number) for part in mask.unbind()])
    if mask.shape[0] == 1:
        return mask.clone()
    if mask.shape[0] < number:
        mask = mask.repeat(math.ceil(number / mask.shape[0]), *(1 for _ in mask.shape[1:]))
    return mask[indexes]


class Masks:
    """MASK input: [B, H, W] or [H, W], or a list of them; a single one stands for all pictures."""

    def __init__(self, given: Sequence[Any], number: int) -> None:
        batches = [each[None] if each.dim() == 2 else each for each in given]
        if len(batches) == 1 and batches[0].shape[0] == 1:
            batches = [batches[0].expand(number, *batches[0].shape[1:])]
        self.batches = batches
        self.singles = [mask for batch in batches for mask in batch]

    @property
    def number(self) -> int:
        """How many masks there are."""
        return len(self.singles)

    def take(self, indexes: Sequence[int]) -> list[Any]:
        """Masks as one batch where one came in, else as batches of one."""
        if not indexes:
            return []
        if len(self.batches) == 1:
            return [self.batches[0][list(indexes)]]
        return [self.singles[index][None] for index in indexes]


class Items:
    """Any input: a list with one entry per picture, or one list, tuple or batch tensor with one entry per picture."""

    def __init__(self, given: Sequence[Any], number: int) -> None:
        whole = given[0] if len(given) == 1 else None
        self.whole = (
            whole if _counts(whole) == number and (number != 1 or not isinstance(whole, str)) else None
        )
        self.given = list(given)

    @property
    def number(self) -> int:
        """How many items there are."""
        return len(self.given) if self.whole is None else len(self.whole)

    def take(self, indexes: Sequence[int]) -> list[Any]:
        """Items as a list output; one container where one came in."""
        if not indexes:
            return []
        if self.whole is None:
            return [self.given[index] for index in indexes]
        if isinstance(self.whole, (list, tuple)):
            return [type(self.whole)(self.whole[index] for index in indexes)]
        return [self.whole[list(indexes)]]


def _counts(value: Any) -> int | None:
    """How many entries a container has; None for what is no container of entries."""
    if isinstance(value, (list, tuple)):
        return len(value)
    shape = getattr(value, "shape", None)
    return int(shape[0]) if shape is not None and len(shape) > 1 else None


def _as_batch(given: Any) -> Tensor:
    import torch

    if isinstance(given, torch.Tensor) and given.dim() == 3:
        given = given[None]
    if not isinstance(given, torch.Tensor) or given.dim() != 4:
        found = (
            f"a tensor of shape {list(given.shape)}"
            if isinstance(given, torch.Tensor)
            else type(given).__name__
        )
        raise GraphError(
            f"images holds {found}; expected pictures [batch, height, width, channels] with values in 0..1"
        )
    return given


class Carried:
    """The four inputs that follow the scores, checked against them.

    Args:
        scored: The scores.
        images, latents, masks, items: Inputs as lists; None where not connected.
        changed: Whether pictures may differ from those that were scored.

    Raises:
        GraphError: Something has another number of entries than the scores, or the pictures are others.
    """

    NAMES = ("images", "latents", "masks", "items")

    def __init__(
        self, scored: ScoredBatch, images: Any, latents: Any, masks: Any, items: Any, changed: bool = False
    ) -> None:
        pictures = Pictures(images) if images else None
        if pictures is not None:
            scored.check_pictures(pictures.singles, only_count=changed)
        self.streams: list[Stream | None] = [
            pictures,
            Latents(latents) if latents else None,
            Masks(masks, len(scored)) if masks else None,
            Items(items, len(scored)) if items else None,
        ]
        for name, stream in zip(self.NAMES, self.streams):
            if stream is not None:
                scored.check_number(stream.number, name)

    def take(self, indexes: Sequence[int]) -> list[Any]:
        """The four outputs; what is not connected or empty blocks the nodes behind it."""
        chosen = [int(index) for index in indexes]
        return [
            blocked(
                f"nothing is connected to the input '{name}' of this node, so its output '{name}' is empty. Connect it."
            )
            if stream is None
            else listed(stream.take(chosen))
            for name, stream in zip(self.NAMES, self.streams)
        ]
