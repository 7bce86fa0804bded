"""A data set of rankings: what was read, where its images are, and what was left out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .form import object_of
from .images import ImageSource
from .notes import Note
from .ranking import Ranking


@dataclass(frozen=True, kw_only=True)
class RankingSet:
    """Rankings with their images.

    Attributes:
        path: The file or folder they were read from.
        rankings: In the order of the file.
        images: Where their images are read from.
        format: Name of the reader.
        notes: What was left out with its reason, the first thousand.
        left_out: How many things were.
    """

    path: Path
    rankings: Sequence[Ranking]
    images: ImageSource
    format: str = "jsonl"
    notes: tuple[Note, ...] = ()
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.rankings)

    def sha256(self, progress: Callable[[int], None] | None = None) -> str:
        """Hash of the data: prompts, names, ranks and everything else that was said, and the bytes of every image's file.

        The order of the rankings does not count. Images are not read; their sizes stand for them.

        Args:
            progress: Told how many rankings are done.
        """
        sizes: dict[str, int] = {}
        digests = []
        for done, ranking in enumerate(self.rankings):
            data = {name: value for name, value in object_of(ranking).items() if name not in ranking.extra}
            for name in ranking.images:
                if name not in sizes:
                    sizes[name] = self.images.size(name)
            data["sizes"] = [sizes[name] for name in ranking.images]
            digests.append(hashlib.sha256(json.dumps(data, sort_keys=True).encode()).digest())
            if progress is not None:
                progress(done + 1)
        return hashlib.sha256(b"".join(sorted(digests))).hexdigest()
