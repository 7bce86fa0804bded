"""Readers of rankings: one file for each format, recognised by what a file or folder holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from ..images import ImageSource
from ..notes import Notes
from ..ranking import Ranking, RankingError
from ..ranking_set import RankingSet
from . import hpdv2, imagerewarddb, label_studio, lines, parquet, pictures, reference, table
from .format import Format

FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        lines.FORMAT,
        reference.FORMAT,
        imagerewarddb.FORMAT,
        parquet.SAVED_FORMAT,
        hpdv2.FORMAT,
        hpdv2.ANNOTATORS,
        parquet.PICK_A_PIC_FORMAT,
        label_studio.FORMAT,
        table.FORMAT,
        pictures.STARS,
        pictures.CURATED,
    )
}
"""By name; the first that recognises a file or folder reads it."""


def open_rankings(
    path: Path | str,
    images: Path | str | None = None,
    split: str = "",
    format: str = "",
    progress: Callable[[int], None] | None = None,
) -> RankingSet:
    """Reads a data set of any format that is known. Images are not read, only named.

    Args:
        path: A file or folder.
        images: The folder of images; by default the one that goes with the format, mostly the file's own.
        split: Only rankings of this split; empty for all.
        format: Name of the format, see ``FORMATS``; empty to find it out.
        progress: Told now and then how many rankings were read.

    Raises:
        RankingError: There is nothing, it is of no known format, or has no ranking (of that split).
    """
    path = Path(path)
    found = format_of(path, format)
    notes = Notes()
    everything = list(told(read(path, found, notes), progress))
    rankings = [ranking for ranking in everything if not split or ranking.split == split]
    if not rankings:
        splits = {ranking.split for ranking in everything}
        raise RankingError(nothing_found(path, found, split, splits, notes))
    return RankingSet(
        path=path,
        rankings=rankings,
        images=ImageSource(images_folder(path, found, images)),
        format=found.name,
        notes=tuple(notes),
        left_out=notes.total,
    )


def told(rankings: Iterable[Ranking], progress: Callable[[int], None] | None) -> Iterator[Ranking]:
    """The rankings, while ``progress`` is told now and then how many there were."""
    for done, ranking in enumerate(rankings, 1):
        yield ranking
        if progress is not None and done % 1000 == 0:
            progress(done)


def format_of(path: Path, name: str = "") -> Format:
    """The format of a file or folder, or the one of that name.

    Raises:
        RankingError: There is nothing at ``path``, or it is of no known format.
    """
    if not path.exists():
        raise RankingError(f"{path}: there is no such file or folder; expected rankings. Check the path")
    if name:
        if name not in FORMATS:
            raise RankingError(f"found the format {name!r}; expected one of {', '.join(FORMATS)}")
        return FORMATS[name]
    for each in FORMATS.values():
        if each.recognise(path):
            return each
    known = "; ".join(f"{each.name} ({each.title})" for each in FORMATS.values())
    raise RankingError(
        f"{path}: found no rankings that are known here; expected one of: {known}. Say which with --from"
    )


def read(path: Path, format: Format, notes: Notes) -> Iterator[Ranking]:
    """The rankings of a file or folder, one after another.

    Raises:
        RankingError: It cannot be read at all.
    """
    try:
        yield from format.read(path, notes)
    except (OSError, ValueError) as error:
        raise RankingError(
            f"{path}: cannot be read ({error}); expected {format.title}. Check the file"
        ) from error


def images_folder(path: Path, format: Format, images: Path | str | None) -> Path:
    """The folder of images: the one that is named, else the one that goes with the format.

    Raises:
        RankingError: The one that is named is none.
    """
    if images is None:
        return format.folder(path)
    if not Path(images).is_dir():
        raise RankingError(f"{images}: there is no such folder; expected the folder of images")
    return Path(images)


def streamed(path: Path, format: Format, split: str, notes: Notes) -> Iterator[Ranking]:
    """The rankings of a split, or all, one after another; none is kept.

    Raises:
        RankingError: It cannot be read at all, or, at the end, there was none.
    """
    splits: set[str] = set()
    count = 0
    for ranking in read(path, format, notes):
        splits.add(ranking.split)
        if not split or ranking.split == split:
            count += 1
            yield ranking
    if not count:
        raise RankingError(nothing_found(path, format, split, splits, notes))


def nothing_found(path: Path, format: Format, split: str, splits: Collection[str], notes: Notes) -> str:
    """What to say where there is no ranking.

    Args:
        path: What was read.
        format: As what.
        split: The split that was asked for.
        splits: The splits of the rankings that are there, an empty one for none; nothing where there are no rankings.
        notes: What was left out.
    """
    if splits:
        names = sorted({*splits} - {""})
        has = (
            f"it has {', '.join(names)}"
            if names
            else "its rankings name no split; make some with: imagereward rankings split"
        )
        return f"{path}: found no ranking of the split {split!r}; {has}"
    first = next(iter(notes), None)
    why = f" The first thing that was left out: {first}" if first else ""
    return f"{path}: found no ranking; expected {format.title}.{why}"
