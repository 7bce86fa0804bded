"""Pictures of a folder's library, with the scores that are stored of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from imagereward_core.files import STORE_FOLDER
from imagereward_core.files.values import to_name
from imagereward_core.library.curate.candidates import apart
from imagereward_core.library.curate.options import CurateOptions
from imagereward_core.library.library import FILE_NAME, Library
from imagereward_core.library.store.records import Query, Row, ScorerKey

from ..records import AnnotationError
from .candidates import Candidate, LeftOut, source_of


def has_library(root: Path, place: Path | None = None) -> bool:
    """Whether a folder has a library, by default in itself."""
    return ((place or root / STORE_FOLDER) / FILE_NAME).is_file()


def of_library(
    root: Path, left_out: LeftOut, scorers: Sequence[str] = (), place: Path | None = None
) -> Iterator[Candidate]:
    """Pictures of a library, each content once; copies that runs of ``curate`` have made are left to their originals.

    Args:
        root: The folder.
        left_out: What is left out is counted there.
        scorers: Ids of scorers whose numbers are wanted; none by default.
        place: Where the library is; None for the folder itself.

    Raises:
        AnnotationError: The library has no numbers of a scorer.
        StoreError: It cannot be read.
    """
    with Library.look(place or root / STORE_FOLDER, root=root) as library:
        keys = _keys(library, root, scorers)
        values = {
            name: {row.path: row.value for row in library.rows(Query(key=key, folder=root, order="name"))}
            for name, key in keys.items()
        }
        rows = list(library.rows(Query(folder=root, order="name")))
        homes = CurateOptions().destinations(root)
        judged = apart(library, rows, [homes.home(row.path) for row in rows]).judged
        left_out.counts["copies that curate made"] += len(rows) - len(judged)
        for row in (rows[index] for index in judged):
            name = row.path.relative_to(root).as_posix()
            if reason := _problem(row):
                left_out.add(reason, name)
                continue
            known = {
                scorer: value for scorer, of in values.items() if (value := of.get(row.path)) is not None
            }
            yield Candidate(
                name=name,
                prompt=row.generated.prompt,
                source=source_of(name) or row.generated.model,
                scores=known,
                width=row.width,
                height=row.height,
                content=row.content,
            )


def scorers_of(root: Path) -> list[str]:
    """Ids of the scorers whose numbers a library holds."""
    with Library.look(root / STORE_FOLDER, root=root) as library:
        keys = library.keys()
    return list(dict.fromkeys(key.scorer for key in keys))


def scores_of(root: Path, place: Path | None = None) -> dict[str, dict[str, float]]:
    """Every score that a library holds of the pictures in a folder, by scorer and name; of each scorer the newest key counts.

    Raises:
        StoreError: It cannot be read.
    """
    with Library.look(place or root / STORE_FOLDER, root=root) as library:
        return {
            scorer: {
                row.path.relative_to(root).as_posix(): row.value
                for row in library.rows(Query(key=key, folder=root, order="name", scored=True))
                if row.value is not None
            }
            for scorer, key in _keys(library, root, [each.scorer for each in library.keys()]).items()  # noqa: SIM118
        }


def _keys(library: Library, root: Path, scorers: Sequence[str]) -> dict[str, ScorerKey]:
    """The newest key of each scorer."""
    keys = library.keys()
    known = {key.scorer: key for key in keys}
    for name in scorers:
        if name not in known:
            raise AnnotationError(
                "no_scores",
                f"{root}: its library has no scores by {name!r}; it has {', '.join(known) or 'none'}. Score it first, for example with: "
                f"imagereward curate {root} -s {name} --top 1 --dry-run",
            )
    return {name: known[name] for name in scorers}


def _problem(row: Row) -> str:
    if not row.content:
        return "cannot be read"
    if not row.path.is_file():
        return "not there any more"
    if row.generated.problem or not row.generated.prompt.strip():
        return "no prompt"
    return "" if isinstance(to_name(row.path), str) else "a name that is no text"
