"""Recognises files of results that this program wrote, in this version or an earlier one, by all that they hold.

A file is ours where it has what we write and nothing else: a table to which somebody has added a column, a text below a printed table, or
a program's own JSON that happens to have ``rows`` and ``scorer`` is somebody's work.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import struct
from collections.abc import Collection, Iterator
from typing import BinaryIO

from ..files.regular import open_regular
from .own_figures import is_figures

_ALWAYS = frozenset(
    "file score percentile rank rank_in_prompt scored_in_prompt kept reason prompt prompt_cut prompt_written prompt_source notes".split()
)
"""Columns that every table of ours has had from the first version on."""
_SOURCE = frozenset(("scorer", "revision"))
_EVER = frozenset(
    (
        *_ALWAYS,
        *"disputed beside_reason percentile_in_history bucket stars negative generator model loras seed".split(),
        *"width height bytes modified content fingerprint".split(),
    )
)
"""Columns that tables of ours have or have had, but for the scorer's and those of other scorers."""
_OTHER = "score:"
_HEAD = frozenset(("schema_version", "scorer", "revision", "on_reference", "card", "rule", "counts", "rows"))

_PAGE_START = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="ImageReward Curator">
<meta http-equiv="Content-Security-Policy" content=\""""
_PAGE_END = b"</script>\n</body>\n</html>\n"

_FIRST_TITLES, _LAST_TITLES = (
    ("Rank", "Score"),
    ("Percentile", "In prompt", "Kept", "Cut", "File", "Prompt", "Reason"),
)
_PRINTED_ROW = re.compile(r" *(\d+|-) {2,}(-?\d+\.\d{4}|-)( {2,}|$)")

_LONGEST_LINE = 16 * 1024 * 1024
_MOST_FOOTER = 16 * 1024 * 1024


def written_by_us(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a page or a table of this program, of this version or an earlier one, and nothing has been added to it.

    What somebody changed within our columns cannot be noticed.
    """
    try:
        with open_regular(path) as stream:
            start = stream.read(len(_PAGE_START))
            stream.seek(0)
            if start == _PAGE_START:
                return _is_page(stream)
            if start.startswith(b"PAR1"):
                return _is_parquet(stream)
            if is_figures(stream):
                return True
            stream.seek(0)
            if start.startswith(b'{\n  "'):
                return _is_json(_lines(stream))
            if start.startswith(b"{"):
                return _is_json_lines(_lines(stream))
            if start.lstrip().startswith(b"Rank "):
                return _is_printed(_lines(stream))
            return _is_csv(stream)
    # RecursionError: JSON as deep as only somebody else's is.
    except (OSError, ValueError, RecursionError, csv.Error):
        return False


def _lines(stream: BinaryIO) -> Iterator[str]:
    while line := stream.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise ValueError("a line longer than any of ours")
        yield line.decode("utf-8", "replace")


def _is_page(stream: BinaryIO) -> bool:
    stream.seek(-len(_PAGE_END), os.SEEK_END)
    return stream.read() == _PAGE_END


def _are_columns(names: Collection[str]) -> bool:
    """Whether a row has the columns of csv and Parquet: all that were always there, and none that never was."""
    own = frozenset(name for name in names if not name.startswith(_OTHER))
    return len(set(names)) == len(names) and _ALWAYS | _SOURCE <= own <= _EVER | _SOURCE


def _is_csv(stream: BinaryIO) -> bool:
    text = io.TextIOWrapper(stream, "utf-8-sig", "replace", newline="")
    try:
        rows = csv.reader(iter(lambda: text.readline(_LONGEST_LINE), ""))
        columns = next(rows, [])
        # Fewer cells: the first versions let a lone carriage return in a prompt end its row.
        return _are_columns(columns) and all(len(row) <= len(columns) for row in rows)
    finally:
        text.detach()


def _is_row(row: object, source: frozenset[str]) -> bool:
    """Whether an object is a row of JSON, which has other scorers' numbers under ``beside``."""
    return isinstance(row, dict) and _ALWAYS | source <= row.keys() <= _EVER | source | {"beside"}


def _is_json_lines(lines: Iterator[str]) -> bool:
    return all(_is_row(json.loads(line), _SOURCE) for line in lines)


def _is_json(lines: Iterator[str]) -> bool:
    """Whether it is the head and the rows as we write them, row by row, so that a million of them need little memory."""
    head = ""
    for line in lines:
        head += line
        if line.startswith('  "rows": ['):
            break
        if len(head) > _LONGEST_LINE:
            return False
    closed = head.endswith('  "rows": []\n')
    found = json.loads(head + ("}" if closed else "]}"))
    if not (isinstance(found, dict) and found.keys() == _HEAD and found["rows"] == []):
        return False
    return (closed or _are_rows(lines)) and next(lines, "").strip() == "}" and next(lines, None) is None


def _are_rows(lines: Iterator[str]) -> bool:
    """Whether what comes up to the end of the list are rows of ours: one a line, or with every value on its own, as at first."""
    row = ""
    for line in lines:
        if line == "  ]\n":
            return not row
        row += line
        if len(row) > _LONGEST_LINE:
            return False
        if line.startswith('    {"') or line.startswith("    }"):
            if not _is_row(json.loads(row.rstrip().removesuffix(",")), frozenset()):
                return False
            row = ""
    return False


def _is_printed(lines: Iterator[str]) -> bool:
    titles = re.split(r" {2,}", next(lines, "").strip())
    last = [title for title in _LAST_TITLES if title in titles]
    # Between those of the left and of the right there are other scorers.
    if (
        tuple(titles[:2]) != _FIRST_TITLES
        or titles[-len(last) :] != last
        or not {"In prompt", "File"} <= {*last}
    ):
        return False
    return all(not line.strip() or _PRINTED_ROW.match(line.rstrip("\n")) for line in lines)


def _is_parquet(stream: BinaryIO) -> bool:
    """Whether the footer, where Parquet keeps a file's own metadata, holds ours, and the columns are ours; without pyarrow none is."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - 8))
    length, mark = struct.unpack("<I4s", stream.read(8).rjust(8, b"\0"))
    if mark != b"PAR1" or length > min(size - 8, _MOST_FOOTER):
        return False
    stream.seek(size - 8 - length)
    footer = stream.read(length)
    if b"imagereward" not in footer or b'"percentiles_against"' not in footer:
        return False
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        return False
    try:
        return _are_columns(parquet.read_schema(stream).names)
    except ArrowException:
        return False
