"""The labels of the tab's choices, and the request that somebody's choices stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from imagereward_core.errors import CuratorError
from imagereward_core.files.within import readable_in
from imagereward_core.gallery.filter import Show, Sort
from imagereward_core.gallery.view import Wish
from imagereward_core.library.curate.buckets import REJECTED
from imagereward_core.library.curate.options import KEPT, Action, Per
from imagereward_core.library.scan.options import ScanOptions
from imagereward_core.metadata.prompt_finder import PromptSource
from imagereward_core.plain import encodable

from ..host.allowed_paths import confine

SHOW: dict[str, Show] = {
    "Kept": "kept",
    "Rejected": "rejected",
    "Kept and rejected": "all",
    "Not scored": "failed",
}
SORT: dict[str, Sort] = {
    "Best first": "best",
    "Worst first": "worst",
    "Name": "name",
    "Newest first": "newest",
}
PER: dict[str, Per] = {"Overall": "all", "For each prompt": "prompt", "For each folder": "folder"}
PROMPTS: dict[str, PromptSource | None] = {
    "Text file, else metadata": "auto",
    "Metadata": "metadata",
    "Text file beside the picture": "sidecar",
    "The prompt below": None,
}
WHICH: dict[str, frozenset[str]] = {
    "Kept": frozenset({REJECTED}),
    "Rejected": frozenset({KEPT}),
    "Both": frozenset(),
}
"""For each choice the names whose pictures stay where they are."""
HOW: dict[str, Action] = {
    "Copy": "copy",
    "Move": "move",
    "Hard link": "hardlink",
    "Symbolic link": "symlink",
    "Nothing, write only": "stay",
}


def make_wish(
    folder: str | None,
    scorer: str | None,
    also: Sequence[str] | None,
    recursive: bool,
    prompt_from: str,
    typed: str,
    raw: bool,
    unscored_only: bool,
    kept_folder: str,
    rejected_folder: str,
) -> Wish:
    """The request of somebody's choices, checked.

    Raises:
        PlaceError: The folder lies outside of those that may be read.
        CuratorError: Something is missing, or is not offered.
    """
    from ..host.info import allowed_folders
    from ..scorer_cache import choices, request_from_settings

    allowed = allowed_folders()
    path = confine((folder or "").strip().strip('"'), allowed)
    if not path.is_dir():
        raise CuratorError(f"{path} is not a folder; choose a folder with pictures")
    offered = choices()
    names = [scorer or "", *(also or ())]
    missing = [name for name in names if name and name not in offered]
    if missing:
        raise CuratorError(f"there is no scorer {missing[0]!r} here; choose one of the list")
    request = request_from_settings(names[0])
    request = replace(request, also=tuple(name for name in dict.fromkeys(names[1:]) if name != request.name))
    source = PROMPTS[prompt_from]
    if source is None and not typed.strip():
        raise CuratorError("the prompt is empty; type one, or choose where prompts are read")
    options = ScanOptions(
        recursive=bool(recursive),
        prompt=typed if source is None else None,
        prompt_from=source or "auto",
        raw_prompt=bool(raw),
        unscored_only=bool(unscored_only),
        readable=readable_in(allowed),
    )
    return Wish(path, request, options, destinations(path, kept_folder, rejected_folder))


def destinations(folder: Path, kept: str, rejected: str) -> dict[str, Path]:
    """Where pictures of ``folder`` go, by name.

    Raises:
        PlaceError: One of them lies outside of the folders that may be used, or is empty.
    """
    from ..host.info import allowed_folders

    allowed = allowed_folders()
    return {
        name: confine(str(folder / text.strip()) if text.strip() else "", allowed)
        for name, text in ((KEPT, kept), (REJECTED, rejected))
    }


def folders_offered() -> list[str]:
    """The folders that may be scored and are there."""
    from ..host.info import allowed_folders

    known = [str(folder) for folder in allowed_folders() if Path(folder).is_dir()]
    # No page can be sent a name that is no text.
    return [name for name in known if encodable(name) == name]
