"""Where the prompts of generators' pictures come from: the pictures themselves, a benchmark's list with its file names, or a table."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from imagereward_core.files.regular import read_regular
from imagereward_core.metadata import prompt_finder

from ...data.encoding import text_of
from ...data.form import MOST_PROMPT, FieldError, shown, text_in
from ...data.images import ImageSource
from ...data.strict_json import loads
from ..scoring import Failure
from .pictures import Found, Matched, MatchError, matched

_MOST_BYTES = 256 * 2**20
_NUMBERED = re.compile(r"(?P<id>.+)_\d+", re.DOTALL)
_OTHER_NAMES = {
    "file": "path",
    "image": "path",
    "image_path": "path",
    "caption": "prompt",
    "model": "generator",
}


class PromptFinder(prompt_finder.PromptFinder):
    """Finds prompts, and says what helps here where there is none."""

    without_words = "; use --raw-prompt, or give one in a --table"
    without_prompt = ". Give one in a --table"


class OwnPrompts:
    """Prompts of the pictures themselves: of the text file beside each, or of its metadata, without generator syntax.

    Args:
        finder: Finds them.
    """

    how = "the prompts in the pictures or beside them"

    def __init__(self, finder: prompt_finder.PromptFinder) -> None:
        self.finder = finder

    def __call__(self, picture: Path, folder: Path) -> tuple[str, str]:
        """See :class:`.PromptOf`."""
        found = self.finder(picture)
        return found.seen, found.problem


class BenchmarkPrompts:
    """Prompts by id, and pictures that are called ``<id>_<number>``, or ``<id>`` alone, as in the published benchmark.

    Args:
        prompts: Prompt by id.
        where: Name of the list.
    """

    def __init__(self, prompts: Mapping[str, str], where: str) -> None:
        self.prompts, self.where = prompts, where
        self.how = f"file names and the list {where}"

    def __call__(self, picture: Path, folder: Path) -> tuple[str, str]:
        """See :class:`.PromptOf`."""
        numbered = _NUMBERED.fullmatch(picture.stem)
        for name in filter(None, (picture.stem, numbered and numbered["id"])):
            if name in self.prompts:
                return self.prompts[name], ""
        return "", (
            f"its name has no id of {self.where}; expected <id>_<number> as the name, such as "
            f"{next(iter(self.prompts))}_0{picture.suffix}"
        )


def read_benchmark(path: Path) -> BenchmarkPrompts:
    """The list of a benchmark: JSON ``[{"id": ..., "prompt": ...}]``.

    Raises:
        MatchError: It is not in this form; the text says where.
        OSError: It cannot be read.
    """
    expected = 'expected a list such as [{"id": "000904-0035", "prompt": "a red fox"}]'
    try:
        items = loads(_text(path))
    except ValueError as error:
        raise MatchError(f"{path}: {error}; {expected}") from error
    if not isinstance(items, list) or not items:
        raise MatchError(f"{path}: found {shown(items)}; {expected}")
    prompts: dict[str, str] = {}
    for number, item in enumerate(items):
        try:
            name, prompt = _benchmark_item(item)
        except FieldError as error:
            raise MatchError(f"{path}, item {number}: {error}; {expected}") from error
        if prompts.setdefault(name, prompt) != prompt:
            raise MatchError(f"{path}, item {number}: the id {name!r} is there twice with different prompts")
    return BenchmarkPrompts(prompts, path.name)


def _benchmark_item(item: Any) -> tuple[str, str]:
    if not isinstance(item, dict):
        raise FieldError("the item", shown(item), "an object")
    name = item.get("id")
    name = str(name) if isinstance(name, int) and not isinstance(name, bool) else text_in("id", name, least=1)
    return name, _prompt(item.get("prompt"))


class TablePrompts:
    """Prompts by path: as seen from the folder of the generator, or from that of the table.

    Args:
        prompts: Prompt by the path that the table has.
        path: The table.
    """

    def __init__(self, prompts: Mapping[str, str], path: Path) -> None:
        self.how, self.where = f"the table {path.name}", path.name
        self._relative = {
            os.path.normcase(os.path.normpath(name)): prompt for name, prompt in prompts.items()
        }
        self._absolute = {_whole(path.parent / name): prompt for name, prompt in prompts.items()}

    def __call__(self, picture: Path, folder: Path) -> tuple[str, str]:
        """See :class:`.PromptOf`."""
        relative = os.path.normcase(os.path.relpath(picture, folder))
        found = self._relative.get(relative) or self._absolute.get(_whole(picture))
        return (found, "") if found else ("", f"{self.where} has no row for it")


def _whole(path: Path) -> str:
    return os.path.normcase(os.path.abspath(path))  # noqa: PTH100 - Path.resolve follows links


def read_table(path: Path) -> list[dict[str, str]]:
    """Rows of a table with the columns ``path``, ``prompt`` and perhaps ``generator``; commas, semicolons or tabs part them.

    Raises:
        MatchError: A column is missing, or a row says nothing; the text says which.
        OSError: It cannot be read.
    """
    text = _text(path)
    header = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count))
    try:
        columns = [_OTHER_NAMES.get(each.strip().lower(), each.strip().lower()) for each in next(rows, [])]
        for name in ("path", "prompt"):
            if name not in columns:
                raise MatchError(
                    f"{path}: found the columns {', '.join(columns) or 'none'}; expected path, prompt and, where no folders are named, "
                    "generator"
                )
        made = [
            _row(dict(zip(columns, cells)), f"{path}, line {rows.line_num}") for cells in rows if any(cells)
        ]
    except csv.Error as error:
        raise MatchError(f"{path}: {error}; expected a table as CSV") from error
    if not made:
        raise MatchError(f"{path}: there is no row; expected one for each picture")
    return made


def _row(row: dict[str, str], where: str) -> dict[str, str]:
    try:
        _prompt(row.get("prompt"))
        text_in("path", row.get("path"), least=1)
    except FieldError as error:
        raise MatchError(f"{where}: {error}") from error
    return {name: cell if name == "prompt" else cell.strip() for name, cell in row.items()}


def by_table(rows: Sequence[Mapping[str, str]], path: Path) -> TablePrompts:
    """The prompts of a table that names no generators.

    Raises:
        MatchError: A path has two prompts.
    """
    prompts: dict[str, str] = {}
    for row in rows:
        if prompts.setdefault(row["path"], row["prompt"]) != row["prompt"]:
            raise MatchError(f"{path}: {row['path']} has two different prompts")
    return TablePrompts(prompts, path)


def match_table(rows: Sequence[Mapping[str, str]], path: Path, root: Path) -> Matched:
    """Pictures of a table that names their generators.

    Args:
        rows: Of the table.
        path: The table.
        root: The folder that paths begin at; no path leads out of it.

    Raises:
        MatchError: It names fewer than two generators, gives a picture to two of them, or no prompt has pictures of all.
    """
    generators = list(dict.fromkeys(row["generator"] for row in rows if row.get("generator")))
    if len(generators) < 2:
        raise MatchError(
            f"{path}: found {len(generators) or 'no'} generator{'s' if len(generators) != 1 else ''} in its rows; expected two or more"
        )
    own: dict[str, Mapping[str, str]] = {}
    for row in rows:
        place = os.path.normpath(row["path"])
        first = own.setdefault(place, row)
        for what in ("generator", "prompt"):
            if first.get(what, "") != row.get(what, ""):
                raise MatchError(
                    f"{path}: {row['path']} is there with the {what}s {first.get(what, '')!r} and {row.get(what, '')!r}; expected every "
                    "picture once"
                )
    unmatched = [
        Failure(row["prompt"], row["path"], "", f"its row in {path.name} names no generator")
        for row in rows
        if not row.get("generator")
    ]
    return matched(generators, _found(rows), ImageSource(root), f"the table {path.name}", unmatched)


def _found(rows: Sequence[Mapping[str, str]]) -> Iterator[Found]:
    return (Found(row["generator"], row["prompt"], row["path"]) for row in rows if row.get("generator"))


def _prompt(value: Any) -> str:
    text = text_in("prompt", value, MOST_PROMPT)
    if not text.strip():
        raise FieldError("prompt", "no words", "what the picture was made for")
    return text


def _text(path: Path) -> str:
    data = read_regular(path, _MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise MatchError(f"{path}: found more than {_MOST_BYTES:,} bytes; expected a list of prompts")
    try:
        return text_of(data)
    except ValueError as error:
        raise MatchError(f"{path}: {error}; expected text in UTF-8") from error
