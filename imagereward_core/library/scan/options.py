"""Options of a scan."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from ...records import record
from ...settings import check, setting

if TYPE_CHECKING:
    from ...metadata.prompt_finder import PromptSource
    from ...metadata.sidecar import Readable


@record(frozen=True)
class ScanOptions:
    """Which files a scan looks at, and where their prompts come from.

    Attributes:
        include: Patterns of files to look at; without any, all pictures. ``*``, ``?`` and ``[...]`` as in a shell, in any letter case.
            A pattern without a slash speaks of the name of a file, one with slashes of its path below the scanned folder, where
            ``*`` stands for slashes as well.
        exclude: Patterns of files and folders to pass over, in the same way.
        skip: Folders to pass over with all that is in them, such as those that kept pictures are copied to.
        follow_links: Whether links to folders are followed, each folder once. Links to pictures always are pictures.
        prompt: A prompt for all pictures; None for each picture's own.
        retry: Whether pictures that could not be decoded are tried again although their files have not changed.
        files: Only these of the files that the other options allow; None for all. Files that are gone are not noticed then.
        readable: Says which files, pictures and those beside them, may be read; all by default.
    """

    recursive: bool = setting(True, "Pictures in folders inside the folder count as well")
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    skip: tuple[Path, ...] = ()
    follow_links: bool = False
    unscored_only: bool = setting(
        False, "Leave alone pictures that have stars, or any number of the same scorer"
    )
    prompt: str | None = None
    prompt_from: PromptSource = setting(
        "auto",
        "Where each picture's own prompt is read from: a text file beside it (sidecar), its metadata, or the first of the two that has one "
        "(auto)",
        choices=("auto", "sidecar", "metadata"),
    )
    raw_prompt: bool = setting(
        False, "Give the scorer prompts as written, with LoRA tags, weights and the like left in"
    )
    retry: bool = False
    files: tuple[Path, ...] | None = None
    readable: Readable | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        check(self)
