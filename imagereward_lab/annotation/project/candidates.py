"""Pictures that could be asked about, with their prompts: out of a folder, its library, or a table."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from imagereward_core.files.regular import open_regular
from imagereward_core.images.decode import unloaded
from imagereward_core.images.suffixes import is_picture_name
from imagereward_core.metadata.prompt_finder import PromptFinder

from ...data.form import FieldError, text_in
from ...data.images.names import ImageFolder, packed, problem_of, relative
from ...data.jsonl import MOST_LINE
from ...data.notes import Notes
from ...data.readers.json_items import json_items
from ...data.readers.parquet import rows_of
from ...data.readers.pictures import pictures_below
from ...data.strict_json import loads
from ..records import AnnotationError

MOST_PROMPT = 100_000
_OTHER_NAMES = {
    "file": "image",
    "image_path": "image",
    "path": "image",
    "file_name": "image",
    "caption": "prompt",
    "text": "prompt",
    "model": "source",
    "generator": "source",
}
COLUMNS = {"image", "prompt", "source", "translation", *_OTHER_NAMES}


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A picture that could be asked about.

    Attributes:
        name: Relative to the folder of pictures, with ``/``.
        prompt: What it was made for, without generator syntax.
        source: What made it; empty where nobody says.
        scores: Its scores by the id of the scorer.
        content: What is equal for pictures of the same pixels; empty where that is not known.
    """

    name: str
    prompt: str
    source: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    width: int = 0
    height: int = 0
    content: str = ""


@dataclass
class LeftOut:
    """What was left out, by reason, with the first few of each.

    Attributes:
        counts: How many, by reason.
        examples: The first names, by reason.
    """

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    MOST = 3

    def add(self, reason: str, name: str, count: int = 1) -> None:
        """Counts something that is left out."""
        self.counts[reason] += count
        some = self.examples.setdefault(reason, [])
        if len(some) < self.MOST:
            some.append(name)


def of_folder(root: Path, left_out: LeftOut) -> Iterator[Candidate]:
    """Pictures of a folder and those below, with the prompts from the text files beside them or their metadata."""
    find = PromptFinder(None)
    for path in pictures_below(root):
        name = path.relative_to(root).as_posix()
        found = find(path)
        if found.problem:
            reason = "cannot be read" if found.text is None and _is_broken(path) else "no prompt"
            left_out.add(reason, name)
            continue
        candidate = _with_size(root, name, found.seen, left_out, source_of(name))
        if candidate is not None:
            yield candidate


def source_of(name: str) -> str:
    """What made a picture by its name: the first folder it lies in; empty where it lies in none.

    >>> source_of("SD 2.1/0001.png"), source_of("0001.png")
    ('SD 2.1', '')
    """
    first, below, _ = name.partition("/")
    return first if below else ""


def of_table(path: Path, root: Path, left_out: LeftOut) -> Iterator[Candidate]:
    """Pictures that a table names: CSV, JSON, JSON Lines or Parquet with the columns ``image`` and ``prompt``, perhaps ``source``.

    Rankings in the documented form are such a table too: their pictures are taken, what people said is not.

    Raises:
        AnnotationError: It cannot be read, or has no such columns.
    """
    seen: set[tuple[str, str]] = set()
    for where, row in rows_of_table(path, left_out):
        names, prompt = row.get("images", row.get("image")), row.get("prompt")
        sources = row.get("sources", row.get("source"))
        for place, name in enumerate(names if isinstance(names, list) else [names]):
            source = sources[place] if isinstance(sources, list) and place < len(sources) else sources
            try:
                name = relative(root, text_in("image", name, least=1))
                prompt = text_in("prompt", prompt, MOST_PROMPT)
                source = "" if source is None else text_in("source", source)
            except FieldError as error:
                left_out.add(f"rows of the table: {error.field} is no text", where)
                continue
            if (prompt, name) in seen:
                left_out.add("named twice in the table", name)
                continue
            seen.add((prompt, name))
            if not prompt.strip():
                left_out.add("no prompt", name)
                continue
            candidate = _with_size(root, name, prompt, left_out, source if isinstance(source, str) else "")
            if candidate is not None:
                yield candidate


def rows_of_table(path: Path, left_out: LeftOut) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place and cells of each row, by the documented names of columns.

    Raises:
        AnnotationError: It cannot be read, or is of no known kind.
    """
    notes = Notes()
    try:
        yield from ((where, _renamed(row)) for where, row in _rows(path, notes))
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise AnnotationError("bad_table", f"{path}: cannot be read ({error})") from error
    for note in notes:
        left_out.add("rows of the table that cannot be read", str(note))


def _rows(path: Path, notes: Notes) -> Iterator[tuple[str, Mapping[str, Any]]]:
    kind = path.suffix.lower()
    if kind == ".parquet":
        wanted = {*COLUMNS, *(name.title() for name in COLUMNS)}
        yield from ((f"{path.name}, row {number}", row) for number, row in rows_of(path, wanted, notes))
    elif kind in (".json", ".jsonl"):
        for where, item in json_items(path, notes) if kind == ".json" else _lines(path, notes):
            if isinstance(item, Mapping):
                yield where, item
            else:
                notes.add(where, "found no object; expected one with image and prompt")
    else:
        with io.TextIOWrapper(open_regular(path), "utf-8-sig", newline="") as stream:
            header = stream.readline()
            stream.seek(0)
            rows = csv.DictReader(stream, delimiter=max(",;\t", key=header.count))
            names = {
                _OTHER_NAMES.get(each.strip().lower(), each.strip().lower()) for each in rows.fieldnames or ()
            }
            if "prompt" not in names:
                raise AnnotationError(
                    "bad_table",
                    f"{path}: found the columns {', '.join(sorted(names))[:200] or 'none'}; expected a column prompt",
                )
            for row in rows:
                yield f"{path.name}, line {rows.line_num}", row


def _lines(path: Path, notes: Notes) -> Iterator[tuple[str, Any]]:
    """For each line of a file: where it stands, and the value it is."""
    with open_regular(path) as stream:
        for number, line in enumerate(iter(lambda: stream.readline(MOST_LINE + 1), b""), 1):
            where = f"{path.name}, line {number}"
            try:
                if len(line) > MOST_LINE:
                    raise ValueError(f"found a line of more than {MOST_LINE:,} bytes")
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                if text.strip():
                    yield where, loads(text)
            except ValueError as error:  # also bytes that are no UTF-8
                notes.add(where, str(error))


def _renamed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Cells by the documented names; where one stands under both, that counts."""
    plain = {str(name).strip().lower(): value for name, value in row.items() if name is not None}
    return {_OTHER_NAMES.get(name, name): value for name, value in plain.items()} | {
        name: plain[name] for name in ("image", "prompt", "source", "images", "sources") if name in plain
    }


def _is_broken(path: Path) -> bool:
    try:
        with unloaded(path):
            return False
    except Exception:  # whatever Pillow raises about a file, which is much
        return True


def _with_size(root: Path, name: str, prompt: str, left_out: LeftOut, source: str = "") -> Candidate | None:
    """The candidate with its size in pixels; None where its file cannot be shown, which is counted."""
    if packed(name) is not None:
        left_out.add("inside a larger file (unpack it to ask about them)", name)
        return None
    if problem_of(name):
        left_out.add("not inside the folder of pictures", name)
        return None
    if "\0" in prompt or not is_picture_name(PurePosixPath(name).name):
        left_out.add("not a picture by its name", name)
        return None
    try:
        name.encode("utf-8")
        with unloaded(ImageFolder(root).path(name)) as image:
            width, height = image.size
    except Exception:  # a name that is no text, and whatever Pillow raises about a file
        left_out.add("cannot be read", name)
        return None
    return Candidate(name=name, prompt=prompt, source=source, width=width, height=height)


def distinct(candidates: Iterable[Candidate], left_out: LeftOut) -> list[Candidate]:
    """Those of different pixels, as far as that is known, for one prompt."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for each in candidates:
        key = (each.prompt, each.content)
        if each.content and key in seen:
            left_out.add("the same picture as another one", each.name)
            continue
        seen.add(key)
        kept.append(each)
    return kept
