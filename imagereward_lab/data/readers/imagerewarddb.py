"""ImageRewardDB as it is downloaded: shards ``images/<split>/<split>_<n>/``, unpacked or still as ``<split>_<n>.zip``.

Each record is about one picture: ``image_path``, ``prompt_id``, ``prompt``, ``classification``, ``image_amount_in_total``, ``rank`` and
three ratings. They stand in ``<split>_<n>.json`` inside each shard and, for all shards, in ``metadata-<split>.parquet``. Pictures of
a shard that is a ZIP file are read in place.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from imagereward_core.files.regular import open_regular

from ..form import FieldError, text_in
from ..images.names import problem_of
from ..notes import Notes
from ..ranking import Ranking
from .format import Format
from .grouping import Grouping
from .json_items import first_item, json_items
from .parquet import rows_of
from .records import RATINGS, facts_of, ratings_of
from .splits import split_in

_RECORD = {"image_path", "prompt_id", "prompt", "rank", *RATINGS, "classification", "image_amount_in_total"}
_SPLITS = ("train", "validation", "test")


def _recognise(path: Path) -> bool:
    if path.is_dir():
        return any((path / f"metadata-{split}.parquet").is_file() for split in _SPLITS) or bool(_shards(path))
    item = first_item(path) if path.suffix.lower() == ".json" else None
    return isinstance(item, dict) and item.keys() >= {"image_path", "prompt_id", "prompt", "rank"}


def _shards(root: Path) -> list[Path]:
    """Folders and archives of pictures below ``images``; an archive that is unpacked beside itself counts once."""
    found = {}
    for split in _SPLITS:
        folder = root / "images" / split
        for each in sorted(folder.iterdir()) if folder.is_dir() else ():
            name = each.stem if each.suffix.lower() == ".zip" else each.name
            is_shard = each.is_dir() or (each.suffix.lower() == ".zip" and (split, name) not in found)
            if is_shard and split_in(name) == split:
                found[split, name] = each
    return [found[key] for key in sorted(found, key=lambda key: (key[0], len(key[1]), key[1]))]


def _read(path: Path, notes: Notes) -> Iterator[Ranking]:
    if path.is_file():
        yield from _read_shard(path, path.parent, _root_of(path), notes)
        return
    shards = _shards(path)
    for split in _SPLITS:
        own = [shard for shard in shards if shard.parent.name == split]
        metadata = path / f"metadata-{split}.parquet"
        if metadata.is_file() and (not own or not all(map(_has_json, own))):
            yield from _read_metadata(metadata, path, own, split, notes)
        else:
            for shard in own:
                yield from _read_shard(shard, shard, path, notes)


def _has_json(shard: Path) -> bool:
    return shard.is_dir() and (shard / f"{shard.name}.json").is_file()


def _read_shard(source: Path, shard: Path, root: Path, notes: Notes) -> Iterator[Ranking]:
    """Rankings of one shard: of its JSON, or that in its archive."""
    groups, split = Grouping(), split_in(shard.stem)
    try:
        if source.suffix.lower() == ".zip":
            with zipfile.ZipFile(open_regular(source)) as archive:
                inside = next(
                    (
                        name
                        for name in archive.namelist()
                        if PurePosixPath(name).name == f"{source.stem}.json"
                    ),
                    "",
                )
                if not inside:
                    notes.add(
                        source.name,
                        f"found no {source.stem}.json in it; expected one, or metadata-{split}.parquet beside images",
                    )
                    return
                with archive.open(inside) as stream:
                    _add_all(groups, json_items(Path(inside), notes, stream), split, _Places(root), notes)
        else:
            file = source if source.is_file() else source / f"{source.name}.json"
            _add_all(groups, json_items(file, notes), split, _Places(root, file.parent), notes)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        notes.add(source.name, f"cannot be read ({error}); expected a shard of ImageRewardDB")
    yield from groups.rankings(notes)


def _read_metadata(file: Path, root: Path, shards: list[Path], split: str, notes: Notes) -> Iterator[Ranking]:
    """Rankings of a split from its metadata, without those of shards that were not downloaded."""
    here = {shard.stem if shard.suffix.lower() == ".zip" else shard.name for shard in shards}
    groups, absent = Grouping(), dict[str, set[Any]]()

    def records() -> Iterator[tuple[str, Any]]:
        for number, row in rows_of(file, _RECORD, notes):
            shard = PurePosixPath(str(row.get("image_path"))).parent.name
            if here and shard not in here:
                absent.setdefault(shard, set()).add(row.get("prompt_id"))
            else:
                yield f"{file.name}, row {number}", row

    _add_all(groups, records(), split, _Places(root), notes)
    for shard, prompts in absent.items():
        notes.add(
            file.name,
            f"{len(prompts):,} rankings are left out: there is neither a folder nor a ZIP file images/{split}/{shard}. "
            "Download it to have them",
        )
    yield from groups.rankings(notes)


def _add_all(
    groups: Grouping, records: Iterator[tuple[str, Any]], split: str, places: _Places, notes: Notes
) -> None:
    for where, record in records:
        try:
            if not isinstance(record, dict):
                raise FieldError("the record", "no object", "an object with image_path, prompt and rank")
            facts = facts_of(record, split)
            name = places.of(text_in("image_path", record.get("image_path"), least=1))
            groups.add(
                (facts["id"], facts["prompt"]),
                where,
                name,
                record.get("rank"),
                facts,
                ratings_of(record),
                problems=record.get("image_problems"),
                missing=record.get("missing"),
            )
        except FieldError as error:
            notes.add(where, str(error))


class _Places:
    """Finds the pictures of records: in folders, or in the archives that were not unpacked.

    Args:
        root: The folder of images.
        shard: Folder of the file that the records are from, where that is known.
    """

    def __init__(self, root: Path, shard: Path | None = None) -> None:
        self.root = root
        self.own = "" if shard is None or shard == root else f"{shard.relative_to(root).as_posix()}/"
        self._archives: dict[str, str | None] = {}

    def of(self, path: str) -> str:
        """The name of a picture for its ``image_path``."""
        folder, _, file = path.rpartition("/")
        folder = f"{folder}/" if folder else ""
        if self.own:
            return f"{self.own}{file}"
        if folder not in self._archives:
            self._archives[folder] = self._inside(folder)
        inside = self._archives[folder]
        return path if inside is None else f"{inside}{file}"

    def _inside(self, folder: str) -> str | None:
        """What comes before the names of pictures in the archive of a folder; None where there is a folder, or no archive."""
        name = folder.rstrip("/")
        archive = self.root / f"{name}.zip"
        if problem_of(name) or (self.root / name).is_dir() or not archive.is_file():
            return None
        try:
            with zipfile.ZipFile(open_regular(archive)) as opened:
                nested = any(member.startswith(f"{archive.stem}/") for member in opened.namelist())
        except (OSError, zipfile.BadZipFile):
            nested = False
        return f"{name}.zip#{archive.stem}/" if nested else f"{name}.zip#"


def _root_of(file: Path) -> Path:
    """The folder of the data set for the JSON of one shard."""
    above = file.parents
    return above[3] if len(above) > 3 and above[2].name == "images" else above[0]


def _folder(path: Path) -> Path:
    return path if path.is_dir() else _root_of(path)


FORMAT = Format(
    name="imagerewarddb",
    title="ImageRewardDB as downloaded, with images/ and metadata",
    recognise=_recognise,
    read=_read,
    folder=_folder,
)
