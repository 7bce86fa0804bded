"""What decides which prompts are chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from imagereward_core.settings import check, setting

FORMS = ("table", "text", "csv", "json", "jsonl", "markdown")
ENDINGS = {"txt": "text", "md": "markdown"}
"""Forms by endings of files that are not their names."""
Search = Literal["exact", "faiss"]


@dataclass(frozen=True, kw_only=True)
class SelectOptions:
    """Settings of a choice of prompts.

    Raises:
        ValueError: One is out of its range.
    """

    neighbours: int = setting(
        150, "How many of its nearest neighbours each prompt votes for; 150 is the paper's number", low=1
    )
    groups: int = setting(
        1,
        "Part the prompts into this many groups by chance and choose in each for itself; the paper made 100 of about 20,000, for the "
        "time it "
        "takes grows with the square of a group",
        low=1,
    )
    seed: int = setting(0, "Decides the groups, and the random choices that coverage is compared with", low=0)
    search: Search = setting(
        "exact",
        "How neighbours are found: compared with all others, or by faiss among those in nearby cells, which is faster for millions and "
        "misses a few; how many is measured and told",
        choices=get_args(Search),
    )
    half: bool = setting(
        False,
        "Keep vectors in 16 bits a number, which halves their room on disk; neighbours that are about equally near may change places",
    )

    def __post_init__(self) -> None:
        check(self)
