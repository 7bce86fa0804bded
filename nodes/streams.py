"""Pictures, latents, masks and other lists that follow the scores: taken apart, checked, and put together in a new order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..imagereward_core.plain import count_of
from .host.errors import GraphError

if TYPE_CHECKING:
    from torch import Tensor


class Stream(Protocol):
    """Something with one entry per picture."""

    @property
    def number(self) -> int:
        """How many entries there are."""

    def take(self, indexes: Sequence[int]) -> list[Any]:
        """Some of them as a list output: one batch where one batch came in, else single entries."""


class Batches:
    """Tensors in batches, with one entry per row."""

    def __init__(self, batches: Sequence[Tensor]) -> None:
        self.batches = list(batches)
        self.singles: list[Tensor] = [each for batch in batches for each in batch]

    @property
    def number(self) -> int:
        """How many entries there are."""
        return len(self.singles)

    def take(self, indexes: Sequence[int]) -> list[Any]:
        """Some of them as one batch where one came in, else as batches of one."""
        if not indexes:
            return []
        if len(self.batches) == 1:
            return [self.batches[0][list(indexes)]]
        return [self.singles[index][None] for index in indexes]


class Pictures(Batches):
    """IMAGE input: one batch [B, H, W, C], or a list of pictures and batches of any sizes.

    Raises:
        GraphError: Something else, or no picture at all.
    """

    def __init__(self, given: Sequence[Any]) -> None:
        super().__init__([_as_batch(each) for each in given])
        if not self.singles:
            raise GraphError(
                "the batch holds no picture; expected at least one. Look at the node that makes the images."
            )


class Latents:
    """LATENT input: one dict with ``samples`` [B, ...], or a list of them."""

    def __init__(self, given: Sequence[Any]) -> None:
        for each in given:
            if not isinstance(each, dict) or not hasattr(each.get("samples"), "shape"):
                found = "a LATENT without samples" if isinstance(each, dict) else type(each).__name__
                raise GraphError(f"latents is {found}; expected the output of a node that gives LATENT")
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


class Masks(Batches):
    """MASK input: [B, H, W] or [H, W], or a list of them; a single one stands for all pictures.

    Raises:
        GraphError: Something else.
    """

    def __init__(self, given: Sequence[Any], number: int) -> None:
        import torch

        for each in given:
            if not isinstance(each, torch.Tensor) or each.dim() < 2:
                raise GraphError(
                    f"masks is {_found(each)}; expected the output of a node that gives MASK, [batch, height, width]"
                )
        batches = [each[None] if each.dim() == 2 else each for each in given]
        if len(batches) == 1 and batches[0].shape[0] == 1:
            batches = [batches[0].expand(number, *batches[0].shape[1:])]
        super().__init__(batches)


class Items:
    """Any input: a list with one entry per picture, or one list, batch tensor or SEGS with one entry per picture.

    Raises:
        GraphError: It is one thing that has parts, such as a pair or a colour, or SEGS with another number of parts, where there are
            several pictures.
    """

    def __init__(self, given: Sequence[Any], number: int) -> None:
        whole = given[0] if len(given) == 1 and number > 1 else None
        if whole is not None and _is_one_thing(whole):
            raise GraphError(
                f"items is one {_name_of_thing(whole)} with {number} pictures. It is one thing with several parts, so it is not taken "
                "apart; expected a list with one entry per picture, or one list, batch or SEGS with one entry per picture."
            )
        if whole is not None and _is_segs(whole) and _counts(whole) != number:
            raise GraphError(
                f"items is SEGS with {count_of(len(whole[1]), 'part')}, with {number} pictures; expected one part per picture, or a list "
                "with one SEGS per picture. Connect what was found in exactly these pictures."
            )
        self.whole = whole if _counts(whole) == number else None
        self.given = list(given)

    @property
    def number(self) -> int:
        """How many items there are."""
        return len(self.given) if self.whole is None else _counts(self.whole) or 0

    def take(self, indexes: Sequence[int]) -> list[Any]:
        """Items as a list output; one container where one came in."""
        if not indexes:
            return []
        if self.whole is None:
            return [self.given[index] for index in indexes]
        if _is_segs(self.whole):
            return [(self.whole[0], [self.whole[1][index] for index in indexes])]
        if isinstance(self.whole, list):
            return [[self.whole[index] for index in indexes]]
        return [self.whole[list(indexes)]]


def _is_segs(value: Any) -> bool:
    """Whether this is SEGS, the pair of a picture's size and the parts found in it, each with its place (Impact Pack)."""
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and isinstance(value[1], list)
        and (bool(value[1]) or _is_size(value[0]))  # a detector that found nothing gives the size alone
        and all(hasattr(part, "crop_region") and hasattr(part, "cropped_mask") for part in value[1])
    )


def _is_size(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(each, int) for each in value)


def _is_conditioning(value: Any) -> bool:
    """Whether this is the host's CONDITIONING, a list of pairs of a tensor and what is said about it: all of it for each picture."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[1], dict) for pair in value
        )
    )


def _is_one_thing(value: Any) -> bool:
    """Whether a value has parts that are no entries: nobody makes lists as tuples, so a tuple is a pair, a size, a colour or a pipe."""
    return (isinstance(value, tuple) and not _is_segs(value)) or _is_conditioning(value)


def _name_of_thing(value: Any) -> str:
    if _is_conditioning(value):
        return f"conditioning of {len(value)} parts"
    return f"{type(value).__name__} of {len(value)} parts ({', '.join(type(part).__name__ for part in value[:4])})"


def _counts(value: Any) -> int | None:
    """How many entries a container has; None for what is no container of entries."""
    if _is_segs(value):
        return len(value[1])
    if isinstance(value, list):
        return len(value)
    shape = getattr(value, "shape", None)
    return int(shape[0]) if shape is not None and len(shape) > 1 else None


def _as_batch(given: Any) -> Tensor:
    import torch

    if isinstance(given, torch.Tensor) and given.dim() == 3:
        given = given[None]
    if not isinstance(given, torch.Tensor) or given.dim() != 4:
        raise GraphError(
            f"images holds {_found(given)}; expected pictures [batch, height, width, channels] with values in 0..1"
        )
    return given


def _found(given: Any) -> str:
    """What was given in place of pictures or masks."""
    shape = getattr(given, "shape", None)
    return type(given).__name__ if shape is None else f"a tensor of shape {list(shape)}"
