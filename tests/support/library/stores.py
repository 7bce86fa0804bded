"""Rows written into a library without files, for the tests of what is read from it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imagereward_core.library.library import Library
from imagereward_core.library.store.files import (
    Content,
    State,
    add_file,
    folder_number,
    show_prompt,
    write_generated,
    write_version,
)
from imagereward_core.library.store.records import Generated, ScorerKey
from imagereward_core.library.store.scores import rank_file, scorer_number, write_scores
from imagereward_core.scores import Scores

KEY = ScorerKey("stored", "1")
ROOT = Path("/pictures" if Path("/").drive == "" else "C:/pictures").absolute()


@dataclass(frozen=True)
class Stored:
    """A file: its folder below ``ROOT``, its name, prompt and time, and its score, NaN for a failure, None for not yet."""

    folder: str
    name: str
    prompt: str
    modified_ns: int
    value: float | None

    @property
    def path(self) -> Path:
        return ROOT / self.folder / self.name


@dataclass(frozen=True)
class _Voice:
    number: int
    reads_prompt: bool = True


def store(library: Library, files: Sequence[Stored], key: ScorerKey = KEY) -> None:
    """Writes files in their order; every one holds a picture of its own."""
    with library.database.writing() as connection:
        voice = _Voice(scorer_number(connection, key, True))
        for number, each in enumerate(files):
            file = add_file(connection, folder_number(connection, each.path.parent), each.name)
            digest = hashlib.blake2b(f"{number} {each.path}".encode(), digest_size=16).digest()
            write_version(
                connection, file, 100 + number, each.modified_ns, State.READ, Content(digest, 8, 6, number)
            )
            write_generated(
                connection, file, 0, "auto", Generated(each.prompt, each.prompt, origin="metadata")
            )
            show_prompt(connection, file, None)
            if each.value is not None:
                row = connection.execute("SELECT picture, prompt FROM files WHERE id = ?", (file,)).fetchone()
                failed = {0: "the network gave nan"} if math.isnan(each.value) else {}
                scores = Scores(
                    np.array([each.value]), key.scorer, key.revision, (each.prompt,), ("",), failed
                )
                write_scores(connection, voice, [row[0]], [row[1]], scores)
                rank_file(connection, file, [voice.number])
