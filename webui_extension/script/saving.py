"""Holds the host's saves back until a picture has its score. Every save that the host asked for is made, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ..door import guard, report
from . import filenames, infotext, rejects
from .arguments import NOT_SAVED, TO_FOLDER
from .patching import as_if, mark, original_of
from .state import REJECTED, HeldSave, Picture, Run

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
        run = current()
        try:
            picture = None if run is None else _hold(run, original, (image, *arguments), named)
        except Exception as error:
            report("a picture is saved at once", error)
            picture = None
        if run is None or picture is None:
            result = original(image, *arguments, **named)
            if run is not None and named.get("p") is run.p:
                guard(rejects.note, "noting a file beside a picture")(run, named, result)
            return result
        if _is_last(run):
            run.finish(run)  # so that every script finds the files of a run behind it, whatever its turn
        return picture.result

    images.save_image = mark(save_image, original)


def _hold(run: Run, original: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Picture | None:
    """Holds back a save; returns its picture, or None where it is none of those to be held."""
    picture = _to_hold(run, arguments[0], named)
    if picture is None:
        return None
    context = {name: getattr(run.p, name) for name in _CONTEXT if hasattr(run.p, name)}
    for name in ("prompts", "negative_prompts", "seeds", "subseeds"):
        if isinstance(context.get(name), list):
            context[name] = list(context[name])
    picture.held = HeldSave(original, arguments, dict(named), context)
    return picture


def restore(images: Any) -> None:
    """Takes our function out; where another extension put its own around it, ours stays and passes everything on."""
    original = original_of(images.save_image)
    if original is not None:
        images.save_image = original


def _to_hold(run: Run, image: Any, named: dict[str, Any]) -> Picture | None:
    """The picture whose main save this is; None for side copies, grids, masks and everything of others."""
    if run.job.failure or named.get("p") is not run.p or not run.pending:
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
    """Makes the save of a picture with its score in the infotext, at the place that its verdict says; what belongs to it follows."""
    try:
        _save(run, picture)
    except Exception as error:
        run.job.note(report("a picture is saved as without the extension", error))
        _save_as_asked(run, picture)
    guard(rejects.follow, "what belongs to a picture stays where it is")(run, picture)


def _save(run: Run, picture: Picture) -> None:
    held = picture.held
    if held is None:
        return
    if picture.verdict == REJECTED and run.settings.rejects == NOT_SAVED and run.selects:
        picture.held = None
        return
    arguments, named = list(held.arguments), dict(held.named)
    picture.folder = str(arguments[1] if len(arguments) > 1 else named["path"])
    if isinstance(named.get("info"), str):
        named["info"] = infotext.with_fields(named["info"], picture.fields, run.job)
    aside = picture.verdict == REJECTED and run.selects
    to_folder = aside and run.settings.rejects == TO_FOLDER
    if to_folder:
        _redirect(arguments, named)
    elif aside:
        named["suffix"] = rejects.SUFFIX
    _make(run, picture, tuple(arguments), named, replaces=not aside)
    if to_folder:
        run.job.folders.append(str(arguments[1] if len(arguments) > 1 else named["path"]))


def _redirect(arguments: list[Any], named: dict[str, Any]) -> None:
    if len(arguments) > 1:
        arguments[1] = rejects.folder_in(arguments[1])
    else:
        named["path"] = rejects.folder_in(named["path"])


def _save_as_asked(run: Run, picture: Picture) -> None:
    """The host's own save, with as little of ours around it as can be."""
    held, picture.held = picture.held, None
    if held is None:
        return
    named = guard(_named_as_asked, "an infotext stays as it is", dict(held.named))(run, held)
    with ExitStack() as around:
        around.enter_context(as_if(run.p, held.context))
        try:
            around.enter_context(filenames.saving(run.p, picture, run.job))
        except Exception as error:
            report("a picture is saved under the WebUI's name", error)
        try:
            picture.result = held.save(*held.arguments, **named)
        except Exception as error:
            picture.unsaved = True
            run.job.note(report("the WebUI could not save a picture", error))
            return
    guard(_note_files, "noting where a picture was saved")(picture)


def _named_as_asked(run: Run, held: HeldSave) -> dict[str, Any]:
    named = dict(held.named)
    if run.job.failure and isinstance(named.get("info"), str):
        named["info"] = infotext.without_settings(named["info"])
    return named


def _make(
    run: Run, picture: Picture, arguments: tuple[Any, ...], named: dict[str, Any], replaces: bool = True
) -> None:
    held = picture.held
    assert held is not None
    with as_if(run.p, held.context), filenames.saving(run.p, picture, run.job, replaces):
        picture.result = held.save(*arguments, **named)
    picture.held = None
    _note_files(picture)


def _note_files(picture: Picture) -> None:
    """Writes down where a picture and its text file lie."""
    result: tuple[Any, ...] = picture.result or ()
    saved = getattr(picture.image, "already_saved_as", None) or next(iter(result), None)
    sidecar = result[1] if len(result) > 1 else None
    picture.files = [str(file) for file in (saved, sidecar) if file]


def demote(run: Run, picture: Picture) -> None:
    """Moves a picture that was saved as kept, and what belongs to it, to where rejected ones go."""
    files = [Path(file) for file in picture.files if Path(file).is_file()]
    if files:
        picture.files = rejects.put_aside(run, picture, files)
        if getattr(picture.image, "already_saved_as", None):
            picture.image.already_saved_as = picture.files[0]
    rejects.follow(run, picture)
