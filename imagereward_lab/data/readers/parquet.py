"""Data sets as Parquet with the bytes of pictures in them, which stay there.

These are Pick-a-Pic, and ImageRewardDB as the package datasets saves it.
A picture's name is its file, row and column (:mod:`..images.names`). Only columns of texts and numbers are read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..extras import MissingPackageError
from ..form import FieldError, number_in, ranking_of, shown
from ..images.packed import open_parquet
from ..notes import Notes
from ..ranking import Ranking
from .format import Format
from .grouping import Grouping
from .ranks import from_one
from .records import facts_of, ratings_of
from .splits import split_in

_UNIQUE = re.compile(r"(validation|test)_unique")
_ROWS = 512
PICK_A_PIC = {"jpg_0", "jpg_1", "label_0", "label_1", "caption"}


def parquet_files(path: Path) -> list[Path]:
    """The file itself, or the Parquet files in a folder and in its folder ``data``."""
    if path.is_file():
        return [path] if path.suffix.lower() == ".parquet" else []
    return sorted(
        file
        for folder in (path, path / "data")
        if folder.is_dir()
        for file in folder.glob("*.parquet")
        if file.is_file()
    )


def columns_of(path: Path) -> set[str]:
    """Columns of the first Parquet file; none where it cannot be read."""
    for file in parquet_files(path)[:1]:
        try:
            return set(open_parquet(file).schema_arrow.names)
        except MissingPackageError:
            raise
        except (OSError, ValueError):
            return set()
    return set()


def rows_of(file: Path, columns: set[str], notes: Notes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number of each row and its cells in those of ``columns`` that are there; the rest of a damaged file is noted."""
    number = 0
    try:
        table = open_parquet(file)
        wanted = [name for name in table.schema_arrow.names if name in columns]
        for batch in table.iter_batches(batch_size=_ROWS, columns=wanted, use_threads=False):
            for row in batch.to_pylist():
                yield number, row
                number += 1
    except MissingPackageError:
        raise
    except (OSError, ValueError) as error:
        notes.add(f"{file.name}, row {number}", f"the rest of the file cannot be read ({error})")


def _recognise_pick_a_pic(path: Path) -> bool:
    return columns_of(path) >= PICK_A_PIC


def _read_pick_a_pic(path: Path, notes: Notes) -> Iterator[Ranking]:
    root = path if path.is_dir() else path.parent
    names: dict[str, str] = {}
    texts = {"caption", "label_0", "label_1", "has_label", "user_id", "ranking_id", "model_0", "model_1"}
    for file in parquet_files(path):
        split = found[0] if (found := _UNIQUE.search(file.name)) else split_in(file.name)
        base = file.relative_to(root).as_posix()
        for number, row in rows_of(file, texts | {"image_0_uid", "image_1_uid"}, notes):
            try:
                if row.get("has_label") is False:
                    raise FieldError("has_label", "false", "a row that was labelled")
                images = []
                for side in (0, 1):
                    name = f"{base}#{number}/jpg_{side}"
                    uid = row.get(f"image_{side}_uid")
                    images.append(names.setdefault(uid, name) if isinstance(uid, str) and uid else name)
                yield ranking_of(
                    {
                        "prompt": row.get("caption"),
                        "images": images,
                        "ranks": _labels(row.get("label_0"), row.get("label_1")),
                        "id": _text(row.get("ranking_id")),
                        "annotator": _text(row.get("user_id")),
                        "split": split,
                        "sources": [_text(row.get("model_0")), _text(row.get("model_1"))],
                    }
                )
            except FieldError as error:
                notes.add(f"{file.name}, row {number}", str(error))


def _labels(first: Any, second: Any) -> tuple[int, int]:
    """Ranks of the two pictures; .5 and .5 are a tie."""
    one, two = number_in("label_0", first), number_in("label_1", second)
    if (one, two) not in ((1, 0), (0, 1), (0.5, 0.5)):
        raise FieldError("label_0 and label_1", f"{one:g} and {two:g}", "1 and 0, 0 and 1, or 0.5 and 0.5")
    return (1, 1) if one == two else (1, 2) if one > two else (2, 1)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _recognise_saved(path: Path) -> bool:
    columns = columns_of(path)
    return columns >= {"prompt", "img_better", "img_worse"} or columns >= {
        "prompt_id",
        "prompt",
        "image",
        "rank",
    }


def _read_saved(path: Path, notes: Notes) -> Iterator[Ranking]:
    root = path if path.is_dir() else path.parent
    groups = Grouping()
    texts = {
        "prompt",
        "prompt_id",
        "classification",
        "rank",
        "overall_rating",
        "image_text_alignment_rating",
        "fidelity_rating",
    }
    pairs = "img_better" in columns_of(path)
    for file in parquet_files(path):
        base, split = file.relative_to(root).as_posix(), split_in(file.name)
        for number, row in rows_of(file, texts, notes):
            where, name = f"{file.name}, row {number}", f"{base}#{number}"
            try:
                facts = facts_of(row, split)
                if pairs:
                    yield ranking_of(
                        {**facts, "images": [f"{name}/img_better", f"{name}/img_worse"], "ranks": [1, 2]}
                    )
                elif isinstance(row.get("rank"), list):
                    yield _group(name, row, facts)
                else:
                    key = (split, facts["id"], facts["prompt"])
                    groups.add(key, where, f"{name}/image", row.get("rank"), facts, ratings_of(row))
            except FieldError as error:
                notes.add(where, str(error))
    yield from groups.rankings(notes)


def _group(name: str, row: dict[str, Any], facts: dict[str, Any]) -> Ranking:
    """A row of a configuration ``_group``, in which image, rank and ratings are lists."""
    ranks = from_one("rank", row["rank"])
    given = {
        field: value for field, value in row.items() if field.endswith("_rating") and isinstance(value, list)
    }
    for field, value in given.items():
        if len(value) != len(ranks):
            raise FieldError(field, shown(len(value)), f"{len(ranks)}, one for each of rank")
    each = [
        ratings_of({field: value[place] for field, value in given.items()}) for place in range(len(ranks))
    ]
    images = [f"{name}/image/{place}" for place in range(len(ranks))]
    return ranking_of({**facts, "images": images, "ranks": ranks, **({"ratings": each} if any(each) else {})})


PICK_A_PIC_FORMAT = Format(
    name="pick-a-pic",
    title="Parquet files of Pick-a-Pic, with pictures",
    recognise=_recognise_pick_a_pic,
    read=_read_pick_a_pic,
)
SAVED_FORMAT = Format(
    name="imagerewarddb-parquet",
    title="ImageRewardDB as Parquet with pictures, single, in groups or in pairs",
    recognise=_recognise_saved,
    read=_read_saved,
)
