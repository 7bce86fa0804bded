"""Scores finished pictures, each with its own prompt, all of a batch in one call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from imagereward_core.errors import Cancelled, CuratorError
from imagereward_core.metadata.cleaning import clean_prompt
from imagereward_core.metadata.missing import MissingPrompt
from imagereward_core.metadata.score_keys import score_fields, score_key

from .. import scorer_cache
from .arguments import DEFAULT, Settings
from .state import Job, Picture

if TYPE_CHECKING:
    from imagereward_core.scores import Scores

INTERRUPTED = "the scoring was interrupted"


def scorer_name(settings: Settings) -> str:
    """The scorer to load: a name, or the text of a blend.

    Raises:
        CuratorError: A blend was written into the wrong field.
    """
    chosen = "" if settings.scorer == DEFAULT else settings.scorer
    name = scorer_cache.request_from_settings(chosen).name
    if not settings.blend_with:
        return name
    if name.lower().startswith("blend:") or "=" in name:
        raise CuratorError(
            f"{name} is a blend already and cannot be blended with others; choose a single scorer, or leave 'Blend with' empty"
        )
    others = [part.strip() for part in settings.blend_with.split(",") if part.strip()]
    named = {part.partition("=")[0].strip().casefold() for part in others}
    members = others if name.casefold() in named else [f"{name}=1", *others]
    return f"{','.join(members)}@{settings.blend_method}"


def load(settings: Settings) -> Any:
    """The scorer of these settings, its weights fetched if need be.

    Raises:
        CuratorError: It cannot be had; the text says why.
    """
    return scorer_cache.load(scorer_cache.request_from_settings(scorer_name(settings)))


def score(job: Job, pictures: Sequence[Picture]) -> list[Picture]:
    """Fills in the numbers of the pictures and adds them to the job; returns those that have one.

    A picture that cannot be scored says why; an interrupted batch has no numbers.

    Raises:
        CuratorError: The scorer is broken or missing.
        Exception: Whatever else goes wrong in it.
    """
    ready = [picture for picture in pictures if not picture.unfinished]
    if not ready:
        return []
    scored = evaluate(job, [picture.image for picture in ready], [picture.prompt for picture in ready])
    for picture, found in zip(ready, scored.found):
        take(picture, found)
    rows = [row for row, picture in enumerate(ready) if picture.scored]
    good = [ready[row] for row in rows]
    if scored.main is not None and good:
        job.scores.append(scored.main.take(rows))
        job.scored += good
    return good


class Evaluation(NamedTuple):
    """The scores that decide, None where the scoring was interrupted, and for every picture the fields that :func:`take` gives it."""

    main: Scores | None
    found: list[dict[str, Any]]


def evaluate(job: Job, images: Sequence[Any], prompts: Sequence[str]) -> Evaluation:
    """Scores pictures without remembering them.

    Raises:
        CuratorError: See :func:`score`.
    """
    scorer = load(job.settings)
    texts = [clean_prompt(job.settings.score_prompt or prompt).text for prompt in prompts]
    missing = MissingPrompt(f"its prompt is empty, and {scorer.card.id} compares pictures with their prompt")
    try:
        result = scorer.score([_plain(image) for image in images], [text or missing for text in texts])
    except Cancelled:
        return Evaluation(None, [{"failure": INTERRUPTED} for _ in texts])
    job.card, job.basis = scorer.card, result.remark
    main, every = result.main, {each.scorer: each.values for each in (result.main, *result.beside)}
    percentiles = main.percentiles() if job.settings.show_percentile else [math.nan] * len(main)
    found = [
        {
            "value": float(main.values[place]),
            "scores": {
                name: float(values[place]) for name, values in every.items() if not math.isnan(values[place])
            },
            "percentile": float(percentiles[place]),
            "failure": main.failures.get(place, ""),
            "cut": main.cut[place],
        }
        for place in range(len(main))
    ]
    return Evaluation(main, found)


def _plain(image: Any) -> Any:
    """The picture itself: tensors, such as a first pass has, are [3, H, W] in 0..1 and become [H, W, 3]."""
    return image.movedim(0, -1) if hasattr(image, "movedim") else image


def take(picture: Picture, found: dict[str, Any]) -> None:
    """Gives a picture what was found out about it, and what of that goes into its infotext."""
    for name, value in found.items():
        setattr(picture, name, value)
    picture.fields = score_fields(picture.scores)
    if picture.scored and not math.isnan(picture.percentile):
        main = next(iter(picture.scores))
        picture.fields[f"{score_key(main)} percentile"] = f"{picture.percentile:.1f}"
