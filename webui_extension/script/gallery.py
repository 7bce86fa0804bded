"""The result of a run: order, infotexts and remarks. Lists that belong together change together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from imagereward_core.metadata.score_keys import METADATA_KEY

from . import infotext, page, report
from .ordering import Place, Result, arranged, none_passed
from .state import REJECTED, Job, Picture, Run

_STEP = re.compile(r"\d+ out of \d+")
_FIRST = "_imagereward_first"
"""On a p: the result of the first of several runs."""


class _Texts(list[str]):
    """Infotexts of a run that a script drives: what it puts in front of them for a grid of its own says no picture's score."""

    def __init__(self, texts: Sequence[str], pictures: Sequence[Picture]) -> None:
        super().__init__(texts)
        self._plain = {each.text: each.before for each in pictures if each.before}

    def insert(self, index: Any, text: str) -> None:
        """See ``list``."""
        super().insert(index, self._plain.get(text) or text if index == 0 else text)


def note_texts(run: Run, processed: Any) -> None:
    """Gives every picture of the run its infotext.

    Infotexts stand in the order of the pictures, behind those of grids; masks and the like have none.
    """
    texts = processed.infotexts[_grids(processed) :]
    shown = [picture for picture in run.pictures if _is_in(picture.image, processed.images)]
    for at, picture in enumerate(shown):
        own = getattr(picture.image, "info", {}).get("parameters")
        picture.text = texts[at] if len(texts) == len(shown) else own


def finish(run: Run, processed: Any, more: Sequence[Picture] = ()) -> None:
    """Writes scores into the result in place, with ``more`` pictures of further runs.

    It is put in order for those alone who asked for it, since others find pictures by place.
    """
    job = run.job
    mine = [picture for picture in run.pictures if _is_in(picture.image, processed.images)]
    for picture in (*mine, *more):
        _write(picture, run)
    first = _grids(processed)
    fits = len(mine) == len(run.pictures) and len(processed.infotexts) == first + len(mine)
    if job.failure or not fits:
        _amend(run, processed, mine)
        if job.failure:
            _strip(processed, [picture for picture in mine if not picture.fields])
        append(processed, whole(job, more))
        if not fits and not job.failure and job.scored and not run.is_bound:
            job.note(
                "Another script changed the result after the pictures were scored, so that its order is left as it is."
            )
    elif mine:
        if run.reader in ("page", "files"):
            pictures = _as_saved([*run.made, *more])
            processed.images = _in_their_places(processed.images, mine, pictures)
            _put_texts(run, processed, pictures, first)
        else:
            pictures = [*mine, *more]
            _put_texts(run, processed, mine, first)
            append(processed, more)
        if not run.is_bound:
            _order(run, processed, pictures)
    places = [_place(picture, processed) for picture in (*job.pictures, *job.gated)]
    _tell(processed, report.data(job, places))
    add_comment(processed, report.text(job))
    if run.driver:
        # Such a script often makes a result of its own, with what was said about p.
        for line in (report.short(job), *job.notes):
            run.p.comment(line)


def _grids(processed: Any) -> int:
    """How many grids stand before the pictures of a result."""
    return int(getattr(processed, "index_of_first_image", 0) or 0)


def _as_saved(pictures: Sequence[Picture]) -> list[Picture]:
    """Pictures in the order of their files, for who has noted the files as they were saved; those without one stand last.

    First passes that were put away are among them, where they have a file.
    """
    with_file = [each for each in pictures if each.files]
    return with_file + [each for each in pictures if not each.files and not each.reduced]


def _in_their_places(
    images: Sequence[Any], mine: Sequence[Picture], pictures: Sequence[Picture]
) -> list[Any]:
    """A result's images with these pictures in the places of its own, one after another, and what is left of them behind."""
    waiting = iter([each.image for each in pictures])
    own = [each.image for each in mine]
    placed = [next(waiting) if _is_in(image, own) else image for image in images]
    return [*placed, *waiting]


def _put_texts(run: Run, processed: Any, mine: Sequence[Picture], first: int) -> None:
    """Every picture's infotext and seeds at its place; the grid's infotext is the host's."""
    processed.infotexts = [*processed.infotexts[:first], *(each.text or "" for each in mine)]
    if run.driver:
        # What it makes of several pictures gets the infotext of the result or a copy of the first one, and would have its score.
        processed.infotexts = _Texts(processed.infotexts, mine)
        return
    processed.info = processed.infotexts[0]
    put_lists(processed, mine)


def put_lists(processed: Any, pictures: Sequence[Picture]) -> None:
    """Gives the result's lists an entry for each of these pictures."""
    for name, values in _lists(pictures).items():
        setattr(processed, name, values)


def _order(run: Run, processed: Any, pictures: Sequence[Picture]) -> None:
    """Puts a result in order for a program or a plot, and sees to it that the page shows the best first."""
    job = run.job
    if run.reader == "files":
        return
    result = Result(run.sorts, job.shows_rejects, replaces_grid=run.reader == "plot" and run.sorts)
    known = {id(picture.image): Place.of(picture, result) for picture in pictures}
    entries = [(image, known.get(id(image), Place(result))) for image in processed.images]
    if none_passed(pictures):
        job.note("No picture passed; the rejected ones are shown.")
    elif job.unsaved and any(picture.verdict == REJECTED for picture in pictures):
        job.note(
            "Pictures are not saved by themselves here: the rejected ones are shown after the kept ones."
        )
    if run.reader == "page":
        for image, place in entries:
            page.remember(image, place)
        return
    found = arranged(entries, vars(processed))
    if found is not None:
        processed.__dict__.update(found.told)
        processed.images, processed.info = found.images, processed.infotexts[0]


def _write(picture: Picture, run: Run) -> None:
    """The infotext with the picture's fields, in the result and in the picture."""
    if not picture.text or not picture.fields or picture.before:
        return
    changed = infotext.with_fields(picture.text, picture.fields, run.job)
    if picture.image.info.get("parameters") == picture.text:
        picture.image.info["parameters"] = changed
    picture.before, picture.text = picture.text, changed


def _amend(run: Run, processed: Any, pictures: Sequence[Picture]) -> None:
    """Infotexts with scores where it is not known which one stands where."""
    changed = {each.before: each.text for each in pictures if each.before}
    first = _grids(processed)
    # The grid's infotext is often that of the first picture, to the letter.
    own = [changed.get(text, text) for text in processed.infotexts[first:]]
    processed.infotexts = [*processed.infotexts[:first], *own]
    if not run.driver:
        processed.info = processed.infotexts[0]


def _strip(processed: Any, pictures: Sequence[Picture]) -> None:
    """Takes our settings out of the infotexts of pictures that went their way as without the extension."""
    first = _grids(processed)
    plain = {picture.text for picture in pictures} | set(processed.infotexts[:first])
    changed = {text: infotext.without_settings(text) for text in plain if text}
    for image in processed.images:
        told = image.info.get("parameters")
        if told in changed:
            image.info["parameters"] = changed[told]
    processed.infotexts = [changed.get(text, text) for text in processed.infotexts]
    processed.info = changed.get(processed.info, processed.info)


def _tell(processed: Any, data: dict[str, Any]) -> None:
    """The data API callers read; in a dict of the result's own, as p's goes into infotexts."""
    processed.extra_generation_params = {**(processed.extra_generation_params or {}), METADATA_KEY: data}


def tell_notes(run: Run, processed: Any) -> None:
    """Of a run that was left alone programs read why; the page shows the comments of p."""
    _tell(processed, report.data(run.job, ()))


def tell_first(run: Run, processed: Any) -> None:
    """In img2img's folder batch the page shows what was said about the first picture; a line about each later one is put there too.

    The host runs the same p for every file of the folder and keeps the comments of its first result only.
    """
    if run.reader != "page" or not _STEP.fullmatch(run.step):
        return
    first = run.p.__dict__.setdefault(_FIRST, processed)
    if first is not processed:
        add_comment(first, f"{run.step}: {report.short(run.job)}")


def leave(run: Run, processed: Any, more: Sequence[Picture]) -> None:
    """After a failure: the host's result, with pictures of further runs behind it, and the reason."""
    for image in processed.images:
        page.forget(image)
    append(processed, whole(run.job, more))
    _tell(processed, {"version": report.VERSION, "failure": run.job.failure})
    add_comment(processed, run.job.failure)


def whole(job: Job, pictures: Sequence[Picture]) -> list[Picture]:
    """Pictures to be shown as they are: neither small copies of what lies on the disk, nor first passes that were put away."""
    away = {id(each) for each in job.gated}
    return [each for each in pictures if not each.reduced and id(each) not in away]


def append(processed: Any, pictures: Sequence[Picture]) -> None:
    """Puts pictures of further runs behind a result as they are."""
    if not pictures:
        return
    processed.images = [*processed.images, *(picture.image for picture in pictures)]
    processed.infotexts = [*processed.infotexts, *(picture.text or "" for picture in pictures)]
    for name, values in _lists(pictures).items():
        setattr(processed, name, [*getattr(processed, name), *values])


def _lists(pictures: Sequence[Picture]) -> dict[str, list[Any]]:
    """The result's lists that have one entry per picture."""
    return {
        "all_prompts": [each.prompt for each in pictures],
        "all_negative_prompts": [each.negative for each in pictures],
        "all_seeds": [each.seed for each in pictures],
        "all_subseeds": [each.subseed for each in pictures],
    }


def _place(picture: Picture, processed: Any) -> tuple[int, Picture]:
    """Where a picture stands in the result; -1 where it is not shown."""
    found = [at for at, image in enumerate(processed.images) if image is picture.image]
    return (found[0] if found else -1), picture


def _is_in(image: Any, images: Sequence[Any]) -> bool:
    return any(image is each for each in images)


def add_comment(processed: Any, lines: str) -> None:
    """Adds lines to what the page shows below the gallery, each once."""
    known = getattr(processed, "comments", "") or ""
    new = [line for line in lines.splitlines() if line not in known.splitlines()]
    if new:
        between = "" if not known or known.endswith("\n") else "\n"
        processed.comments = f"{known}{between}{chr(10).join(new)}\n"
