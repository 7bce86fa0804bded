"""Rankings in the layout of ImageRewardDB, pictures copied into it; :mod:`...data.readers.imagerewarddb` reads it back.

The nine published fields stand in ``<split>_<n>.json`` of each shard and, for all of them, in ``metadata-<split>.parquet``. What they
cannot say (who answered, problems, the prompt stage) stands in further fields of the JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from imagereward_core.errors import ImageError
from imagereward_core.files.whole import written_whole
from imagereward_core.plain import encodable
from imagereward_core.report.replace import replacing

from ...data.extras import pyarrow_parquet
from ...data.form import object_of
from ...data.images import ImageSource
from ...data.notes import Notes
from ...data.ranking import Ranking
from ...data.readers.records import FURTHER, RATINGS
from ..protocol.keys import CATEGORIES
from ..records import AnnotationError

_IN_SHARD = 1000
"""Rankings of one shard."""
_PUBLISHED = (
    "image_path",
    "prompt_id",
    "prompt",
    "classification",
    "image_amount_in_total",
    "rank",
    *RATINGS,
)


def write_imagerewarddb(
    folder: Path, rankings: Iterable[Ranking], images: ImageSource, left_out: Notes
) -> int:
    """Writes a data set into a new folder; returns how many rankings it has.

    Args:
        folder: Where to; it must be new or empty.
        rankings: Of the protocol: the layout has a place for ratings alone.
        images: Where the pictures are.
        left_out: Rankings that are left out are noted there, with the reason.

    Raises:
        AnnotationError: There is something in the folder.
        MissingPackageError: pyarrow is not installed.
        OSError: It cannot be written.
    """
    parquet = pyarrow_parquet()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AnnotationError(
            "not_empty", f"{folder}: there is something already; expected the name of a new folder"
        )
    shards: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    for ranking in rankings:
        split = ranking.split if ranking.split in ("train", "validation", "test") else "train"
        shard = counts[split] // _IN_SHARD + 1
        home = PurePosixPath("images", split, f"{split}_{shard}")
        try:
            records = _records(ranking, home, folder, images)
        except ImageError as error:
            left_out.add(ranking.id, str(error))
            continue
        counts[split] += 1
        shards[split, shard] += records
    for (split, shard), records in shards.items():
        name = f"{split}_{shard}"
        text = json.dumps(encodable(records), ensure_ascii=False, allow_nan=False, indent=2)
        with replacing(folder / "images" / split / name / f"{name}.json") as temporary:
            temporary.write_text(text + "\n", encoding="utf-8", newline="\n")
    for split in counts:
        every = [each for (of, _), records in sorted(shards.items()) if of == split for each in records]
        _write_metadata(parquet, folder / f"metadata-{split}.parquet", every)
    return sum(counts.values())


def _records(
    ranking: Ranking, home: PurePosixPath, folder: Path, images: ImageSource
) -> list[dict[str, Any]]:
    if not (ranking.ratings and ranking.ranks):
        raise ImageError("it has no ratings, which this layout is about; export it as jsonl")
    whole = object_of(ranking)
    further = {name: whole[name] for name in FURTHER if name in whole}
    missing = ranking.extra.get("missing") or [[]] * len(ranking.images)
    paths = [_copied(images.read(name), name, folder, home) for name in ranking.images]
    if len(set(paths)) < len(paths):
        raise ImageError(
            "two of its pictures are the same file, byte for byte, which this layout cannot keep apart"
        )
    return [
        {
            "image_path": path,
            "prompt_id": ranking.id,
            "prompt": ranking.prompt,
            "classification": title_of(ranking.category),
            "image_amount_in_total": len(paths),
            "rank": ranking.ranks[place],
            **{theirs: ranking.ratings[place].get(ours, 0) for theirs, ours in RATINGS.items()},
            **further,
            **({"image_problems": list(ranking.problems[place])} if ranking.problems else {}),
            **({"missing": list(missing[place])} if missing[place] else {}),
        }
        for place, path in enumerate(paths)
    ]


def title_of(category: str) -> str:
    """The name of a category as ImageRewardDB writes it.

    >>> title_of("world_knowledge"), title_of("my own")
    ('World Knowledge', 'my own')
    """
    return category.replace("_", " ").title() if category in CATEGORIES else category


def _copied(data: bytes, name: str, folder: Path, home: PurePosixPath) -> str:
    """The path of a picture's copy, named by its content: the same picture lies there once, and a second export is equal to the first."""
    suffix = PurePosixPath(name).suffix.lower()
    path = home / f"{hashlib.sha256(data).hexdigest()[:32]}{suffix}"
    target = folder / path
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(target) as temporary:
            temporary.write_bytes(data)
    return str(path)


def _write_metadata(parquet: Any, path: Path, records: list[dict[str, Any]]) -> None:
    import pyarrow

    table = pyarrow.table({name: [record[name] for record in records] for name in _PUBLISHED})
    with replacing(path) as temporary:
        parquet.write_table(table, temporary)
