"""Reads one file: its bytes, decoded pixels, prompt, and the exact pixels scorers want. Runs in threads."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ImageError
from ...files.regular import NotAFileError, open_regular
from ...images.decode import not_a_file, open_bytes, open_image, source_name
from ...images.identity import content_hash, fingerprint
from ...metadata.generation import Facts, generated_facts
from ...metadata.prompt_finder import FoundPrompt, PromptFinder
from ..store.files import Content
from ..store.records import Generated

if TYPE_CHECKING:
    from torch import Tensor

    from ...images.spec import ImageSpec

_MOST_BYTES = 256 * 1024 * 1024
"""Larger files are decoded from the disk instead of from memory."""

_SETTLED_NS = 2_500_000_000
"""A file changed shorter ago than this may change again without a new time: FAT counts in steps of two seconds."""


@dataclass(frozen=True)
class Task:
    """A file to be read, and what of it is wanted: its ``content`` decoded, its own ``prompt``, the exact pixels of some ``specs``.

    ``file`` is its number in the library, ``beside`` the mark of the texts beside it, as the folder was listed.
    """

    file: int
    path: Path
    beside: int
    content: bool
    prompt: bool
    specs: tuple[ImageSpec, ...] = ()


@dataclass(frozen=True)
class Finding:
    """The result of reading a file.

    Attributes:
        size, modified_ns: Of the version that was read, in bytes and nanoseconds.
        settled: Whether the next scan may believe size and time.
        content: What it holds; None where it was not to be decoded or could not be.
        generated: How the picture was made; None where that was not asked.
        pixels: The exact pixels, by spec.
        problem: Why it could not be decoded; empty where it could.
        passing: Whether the problem may pass without the file being changed.
        read_seconds, decode_seconds: Time spent reading, and on everything else.
    """

    task: Task
    size: int = -1
    modified_ns: int = 0
    settled: bool = True
    content: Content | None = None
    generated: Generated | None = None
    pixels: Mapping[ImageSpec, Tensor] = field(default_factory=dict)
    problem: str = ""
    passing: bool = False
    read_seconds: float = 0.0
    decode_seconds: float = 0.0


def examine(task: Task, finder: PromptFinder) -> Finding:
    """Finds out what ``task`` asks. Never raises for anything a file can hold or do."""
    began, name = time.perf_counter(), source_name(task.path)
    if finder.readable is not None and finder.readable(task.path) is None:
        what = "it is a link that leads out of the folders that may be read here."
        return _failed(task, f"{name}: {what}", began)
    try:
        data, status = _read(task.path) if task.content else (None, os.stat(task.path))  # noqa: PTH116
    except FileNotFoundError:
        link = os.path.islink(task.path)  # noqa: PTH114
        what = "it is a link to a file that is not there." if link else "the file is no longer there."
        return _failed(task, f"{name}: {what}", began)
    except NotAFileError as error:
        return _failed(task, not_a_file(name, error), began)
    except (OSError, MemoryError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return _failed(task, f"{name}: the file cannot be read ({reason}).", began)
    read = time.perf_counter()
    content: Content | None = None
    pixels: Mapping[ImageSpec, Tensor] = {}
    generated: Generated | None = None
    problem, passing = "", False
    if task.content:
        try:
            content, pixels = _decode(task, data)
        except Exception as error:
            problem, passing = _why(task.path, error)
        if _changed(task.path, status):
            content, pixels = None, {}
            problem, passing = f"{name}: the file was being written while it was read.", True
    if task.prompt:
        generated = Generated() if problem else _generated(task.path, data, finder)
    return Finding(
        task=task,
        size=status.st_size,
        modified_ns=status.st_mtime_ns,
        settled=abs(time.time_ns() - status.st_mtime_ns) > _SETTLED_NS,
        content=content,
        generated=generated,
        pixels=pixels,
        problem=problem,
        passing=passing,
        read_seconds=read - began,
        decode_seconds=time.perf_counter() - read,
    )


def from_found(found: FoundPrompt) -> Generated:
    """The prompt and facts found beside or in a picture, as the library keeps them."""
    texts = [text for text in (found.text, found.made) if text is not None]
    facts = Facts()
    for text in texts:
        facts = facts.completed(generated_facts(text))
    return Generated(
        **vars(facts),
        written=found.written,
        prompt=found.seen,
        negative=next((text.negative for text in texts if text.negative), ""),
        origin=found.source,
        problem=found.problem,
        notes="; ".join(note for note in found.notes if note != found.picture_note),
        picture_note=found.picture_note,
    )


def _generated(path: Path, data: bytes | None, finder: PromptFinder) -> Generated:
    try:
        return from_found(finder(path, data))
    except (
        Exception
    ) as error:  # whatever a hostile file makes a reader raise costs this file its prompt, and nothing else
        return Generated(problem=f"its metadata cannot be read ({type(error).__name__}: {error})")


def _why(path: Path, error: Exception) -> tuple[str, bool]:
    """Why a picture cannot be decoded, and whether that may pass without the file being changed."""
    cause = error.__cause__ or error
    # an error of the disk has a number; Pillow's own OSErrors about damaged data have none
    passing = isinstance(cause, MemoryError) or (isinstance(cause, OSError) and cause.errno is not None)
    if isinstance(error, ImageError):
        return str(error), passing
    return f"{source_name(path)}: the picture cannot be decoded ({type(error).__name__}: {error}).", passing


def _read(path: Path) -> tuple[bytes | None, os.stat_result]:
    """All bytes of a file, or None for a very large one, with what it looked like just before."""
    with open_regular(path) as stream:
        status = os.fstat(stream.fileno())
        return (None if status.st_size > _MOST_BYTES else stream.read()), status


def _decode(task: Task, data: bytes | None) -> tuple[Content, Mapping[ImageSpec, Tensor]]:
    """Decodes a picture and makes of it whatever is wanted."""
    image = open_image(task.path) if data is None else open_bytes(data, source_name(task.path))
    content = Content(content_hash(image), image.width, image.height, fingerprint(image))
    if not task.specs:
        return content, {}
    from ...scorers.inputs import prepare_all

    return content, prepare_all(image, task.specs)


def _changed(path: Path, before: os.stat_result) -> bool:
    try:
        now = os.stat(path)  # noqa: PTH116
    except OSError:
        return True
    return (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns)


def _failed(task: Task, problem: str, began: float) -> Finding:
    spent = time.perf_counter() - began
    return Finding(task, problem=problem, passing=True, settled=False, read_seconds=spent)
