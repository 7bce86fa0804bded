"""Names, dtypes and shapes of a checkpoint, and how two layouts differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from .kinds import recognise

Entry = tuple[torch.dtype, tuple[int, ...]]
Layout = dict[str, Entry]

SHOWN = 5
"""Names written out per kind of difference; the rest is counted."""


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
        labels = ("missing", "unexpected", "of another shape or dtype")
        for label, names in zip(labels, (self.missing, self.unexpected, self.misshaped), strict=True):
            if names:
                more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
                parts.append(f"{len(names)} {label}: {', '.join(names[:SHOWN])}{more}")
        if self.resembles:
            parts.append(f"it looks like {self.resembles}")
        return "; ".join(parts)


def compare(expected: Mapping[str, Entry], found: Layout, optional: frozenset[str]) -> Mismatch:
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


def _compatible(found: Entry, expected: Entry) -> bool:
    return found[1] == expected[1] and found[0].is_floating_point == expected[0].is_floating_point


def _text(entry: Entry) -> str:
    return f"{'x'.join(map(str, entry[1])) or 'one number'} {str(entry[0]).removeprefix('torch.')}"
