"""The host's saves, held back until a picture has its score. Whatever happens, every save that the host asked for is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..door import report
from . import filenames, infotext, rejects
from .arguments import NOT_SAVED, TO_FOLDER
from .records import REJECTED, HeldSave, Picture, Run
from .wrapping import mark, original_of

_CONTEXT = ("batch_index", "iteration", "prompts", "negative_prompts", "seeds", "subseeds")
_runs: list[Run] = []
"""Runs inside the host's loop, the innermost last."""


def current() -> Run | None:
    """The innermost run inside the host's loop."""
    return _runs[-1] if _runs else None


def find(p: Any) -> Run | None:
    """The run of this very p; a copy of it is somebody else's."""
    return next((run for run in reversed(_runs) if run.p is p), None)


@contextmanager
def watching(run: Run) -> Iterator[None]:
    """Holds back the main saves of a run; at the end none is left unmade."""
    from modules import images

    if not _runs:
        _install(images)
    _runs.append(run)
    try:
        yield
    finally:
        try:
            release(run)
        finally:
            _runs.remove(run)
            if not _runs:
                restore(images)


def _install(images: Any) -> None:
    original = images.save_image
    if original_of(original) is not None:
        return

    def save_image(image: Any, *arguments: Any, **named: Any) -> Any:
        run, picture = current(), _to_hold(image, arguments, named)
        if run is None or picture is None:
            return original(image, *arguments, **named)
        p = named["p"]
        context = {name: getattr(p, name) for name in _CONTEXT if hasattr(p, name)}
        for name in ("prompts", "negative_prompts", "seeds", "subseeds"):
            if isinstance(context.get(name), list):
                context[name] = list(context[name])
        picture.held = HeldSave(original, (image, *arguments), dict(named), context)
        if _is_last(run):
            run.finish(run)  # so that every script finds the files of a run behind it, whatever its turn
        return picture.result

    images.save_image = mark(save_image, original)


def restore(images: Any) -> None:
    """Takes our function out; where another extension put its own around it, ours stays and passes everything on."""
    original = original_of(images.save_image)
    if original is not None:
        images.save_image = original


def _to_hold(image: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Picture | None:
    """The picture whose main save this is; None for side copies, grids, masks and everything of others."""
    run = current()
    if run is None or run.job.failure or named.get("p") is not run.p or not run.pending:
        return None
    if named.get("suffix") or named.get("grid") or named.get("forced_filename"):
        return None
    picture = run.pending[-1]
    if picture.held is not None or picture.files or picture.image is not image:
        return None
    return picture


def _is_last(run: Run) -> bool:
    """Whether the picture just held is the last one of its batch."""
    rows = getattr(run.batch, "images", None)
    return rows is not None and len(run.pending) == len(rows)


def release(run: Run) -> None:
    """Makes the saves still held, exactly as the host asked for them, and forgets the batch."""
    for picture in run.pending:
        if picture.held is not None:
            _save_as_asked(run, picture)
    run.pending = []


def save(run: Run, picture: Picture) -> None:
    """Makes the save of a picture with its score in the infotext, at the place that its verdict says."""
    held = picture.held
    if held is None:
        return
    if picture.verdict == REJECTED and run.settings.rejects == NOT_SAVED and run.selects:
        picture.held = None
        return
    try:
        arguments, named = list(held.arguments), dict(held.named)
        picture.folder = str(arguments[1] if len(arguments) > 1 else named["path"])
        if isinstance(named.get("info"), str):
            named["info"] = infotext.with_fields(named["info"], picture.fields, run.job)
        aside = picture.verdict == REJECTED and run.selects
        if aside:
            if run.settings.rejects == TO_FOLDER:
                _redirect(arguments, named)
                run.job.folders.append(str(arguments[1] if len(arguments) > 1 else named["path"]))
            else:
                named["suffix"] = rejects.SUFFIX
        _make(run, picture, tuple(arguments), named, replaces=not aside)
    except Exception as error:
        run.job.note(report("a picture is saved as without the extension", error))
        _save_as_asked(run, picture)


def _redirect(arguments: list[Any], named: dict[str, Any]) -> None:
    if len(arguments) > 1:
        arguments[1] = rejects.folder_in(arguments[1])
    else:
        named["path"] = rejects.folder_in(named["path"])


def _save_as_asked(run: Run, picture: Picture) -> None:
    held = picture.held
    if held is None:
        return
    try:
        named = dict(held.named)
        if run.job.failure and isinstance(named.get("info"), str):
            named["info"] = infotext.without_settings(named["info"])
        _make(run, picture, held.arguments, named)
    except Exception as error:
        picture.held = None
        run.job.note(report("the WebUI could not save a picture", error))


def _make(
    run: Run, picture: Picture, arguments: tuple[Any, ...], named: dict[str, Any], replaces: bool = True
) -> None:
    held = picture.held
    assert held is not None
    now = {name: getattr(run.p, name) for name in held.context if hasattr(run.p, name)}
    try:
        for name, value in held.context.items():
            setattr(run.p, name, value)
        with filenames.saving(run.p, picture, run.job, replaces):
            result = held.save(*arguments, **named)
    finally:
        for name, value in now.items():
            setattr(run.p, name, value)
    picture.held = None
    picture.result = result
    saved = getattr(picture.image, "already_saved_as", None) or (result[0] if result else None)
    sidecar = result[1] if result and len(result) > 1 else None
    picture.files = [str(file) for file in (saved, sidecar) if file]


def demote(run: Run, picture: Picture) -> None:
    """Moves a picture that was saved as kept to where rejected ones go."""
    files = [Path(file) for file in picture.files if Path(file).is_file()]
    if not files:
        return
    first = files[0]
    outputs = Path(picture.folder or str(run.p.outpath_samples))
    to_mark = run.settings.rejects not in (TO_FOLDER, NOT_SAVED)
    target = rejects.marked(first) if to_mark else rejects.place_for(first, outputs)
    try:
        moved = rejects.move(files, target)
    except OSError as error:
        run.job.note(report(f"{first.name} stays where it is", error))
        return
    picture.files = [str(file) for file in moved]
    if not to_mark:
        run.job.folders.append(rejects.folder_in(outputs))
    if getattr(picture.image, "already_saved_as", None):
        picture.image.already_saved_as = picture.files[0]
