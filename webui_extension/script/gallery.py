"""The result of a run: order, infotexts, and what is said about it. Lists that belong together change together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from imagereward_core.images.metadata.score_keys import METADATA_KEY

from . import infotext, report
from .records import REJECTED, Picture, Run, order

_STEP = re.compile(r"\d+ out of \d+")
_FIRST = "_imagereward_first"
"""On a p: the result of the first of several runs."""


def note_texts(run: Run, processed: Any) -> None:
    """Gives every picture of the run its infotext.

    Infotexts stand in the order of the pictures, behind those of grids; masks and the like have none.
    """
    first = int(getattr(processed, "index_of_first_image", 0) or 0)
    texts = processed.infotexts[first:]
    shown = [picture for picture in run.pictures if _is_in(picture.image, processed.images)]
    for at, picture in enumerate(shown):
        own = getattr(picture.image, "info", {}).get("parameters")
        picture.text = texts[at] if len(texts) == len(shown) else own


def finish(run: Run, processed: Any, more: Sequence[Picture] = ()) -> None:
    """Rewrites the result in place.

    Args:
        run: The run.
        processed: What the host returns for it.
        more: Pictures of further runs of the same job.
    """
    job = run.job
    mine = [picture for picture in run.pictures if _is_in(picture.image, processed.images)]
    for picture in (*mine, *more):
        _write(picture, run)
    first = int(getattr(processed, "index_of_first_image", 0) or 0)
    fits = len(mine) == len(run.pictures) and len(processed.infotexts) == first + len(mine)
    if job.failure or run.is_upscale or not fits:
        _amend(processed, mine)
        if job.failure:
            _strip(processed, [picture for picture in mine if not picture.fields])
        append(processed, more)
        if not fits and not job.failure and job.scored:
            job.note(
                "Another script changed the result after the pictures were scored, so that its order is left as it is."
            )
    elif mine:
        _arrange(run, processed, mine, more, first)
    places = [_place(picture, processed) for picture in (*job.pictures, *job.gated)]
    _tell(processed, report.data(job, places))
    add_comment(processed, report.text(job))


def _arrange(run: Run, processed: Any, mine: list[Picture], more: Sequence[Picture], first: int) -> None:
    settings = run.settings
    front = [] if run.cell >= 0 and settings.sort_gallery else processed.images[:first]
    texts = processed.infotexts[: len(front)]
    rest = [image for image in processed.images[first:] if not any(image is each.image for each in mine)]
    everything = [*mine, *more]
    passed = order([each for each in everything if each.verdict != REJECTED], settings.sort_gallery)
    rejected = order([each for each in everything if each.verdict == REJECTED], settings.sort_gallery)
    none_passed = bool(rejected) and not any(each.scored for each in passed)
    if none_passed:
        run.job.note("No picture passed; the rejected ones are shown.")
    shown = passed + (rejected if run.job.shows_rejects or none_passed else [])
    if run.job.unsaved and rejected and passed:
        run.job.note(
            "Pictures are not saved by themselves here: the rejected ones are shown after the kept ones."
        )
    processed.images = [*front, *(each.image for each in shown), *rest]
    processed.infotexts = [*texts, *(each.text or "" for each in shown)]
    processed.index_of_first_image = len(front)
    processed.info = processed.infotexts[0]
    for name, values in _lists(shown).items():
        setattr(processed, name, values)
    processed.seed, processed.subseed = processed.all_seeds[0], processed.all_subseeds[0]


def _write(picture: Picture, run: Run) -> None:
    """The infotext with the picture's fields, in the result and in the picture."""
    if not picture.text or not picture.fields:
        return
    changed = infotext.with_fields(picture.text, picture.fields, run.job)
    if picture.image.info.get("parameters") == picture.text:
        picture.image.info["parameters"] = changed
    picture.before, picture.text = picture.text, changed


def _amend(processed: Any, pictures: Sequence[Picture]) -> None:
    """Infotexts with scores where the order must stay."""
    changed = {each.before: each.text for each in pictures if each.before}
    first = int(getattr(processed, "index_of_first_image", 0) or 0)
    # The grid's infotext is often that of the first picture, to the letter.
    own = [changed.get(text, text) for text in processed.infotexts[first:]]
    processed.infotexts = [*processed.infotexts[:first], *own]
    processed.info = processed.infotexts[0]


def _strip(processed: Any, pictures: Sequence[Picture]) -> None:
    """Takes our settings out of the infotexts of pictures that went their way as without the extension."""
    first = int(getattr(processed, "index_of_first_image", 0) or 0)
    plain = {picture.text for picture in pictures} | set(processed.infotexts[:first])
    changed = {text: infotext.without_settings(text) for text in plain if text}
    for image in processed.images:
        told = image.info.get("parameters")
        if told in changed:
            image.info["parameters"] = changed[told]
    processed.infotexts = [changed.get(text, text) for text in processed.infotexts]
    processed.info = changed.get(processed.info, processed.info)


def _tell(processed: Any, data: dict[str, Any]) -> None:
    """What API callers read; in a dict of the result's own, as p's goes into infotexts."""
    processed.extra_generation_params = {**(processed.extra_generation_params or {}), METADATA_KEY: data}


def tell_first(run: Run, processed: Any) -> None:
    """In img2img's folder batch the page shows what was said about the first picture; a line about each later one is put there too.

    The host runs the same p for every file of the folder and keeps the comments of its first result only.
    """
    if run.cell >= 0 or not _STEP.fullmatch(run.step):
        return
    first = run.p.__dict__.setdefault(_FIRST, processed)
    if first is not processed:
        add_comment(first, f"{run.step}: {report.short(run.job)}")


def leave(run: Run, processed: Any, more: Sequence[Picture]) -> None:
    """After a failure: the host's result, with pictures of further runs behind it, and the reason."""
    append(processed, more)
    _tell(processed, {"version": report.VERSION, "failure": run.job.failure})
    add_comment(processed, run.job.failure)


def append(processed: Any, pictures: Sequence[Picture]) -> None:
    """Puts pictures of further runs behind a result as they are."""
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
    """Adds lines to what the page shows below the gallery."""
    if lines:
        known = getattr(processed, "comments", "") or ""
        processed.comments = f"{known}{'' if not known or known.endswith(chr(10)) else chr(10)}{lines}\n"
