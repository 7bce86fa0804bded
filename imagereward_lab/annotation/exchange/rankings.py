"""Answers as rankings in the documented form, and rankings as answers. ``answer_of(ranking_of(answer)) == answer``.

What that form has no field for stands in further ones, which every reader keeps: ``task`` (its key), ``mode``, ``role`` (of who is no mere
annotator), ``missing`` (for each picture the phrases of the prompt that are missing in it) and ``test``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from imagereward_core.ranking import Comparison, comparisons_of_ranking

from ...data.ranking import Phrase, Ranking
from ..project.folder import Project
from ..protocol.keys import BEST_WORST, PROTOCOL, QUICK, RATINGS, ROLES, SLOTS
from ..quick import questions
from ..quick.session import QuickSession
from ..store.answers import Answered, final_answers
from ..store.tasks import StoredTask


def rankings_of(connection: Connection, quick: QuickSession | None = None) -> Iterator[Ranking]:
    """All answers that count, by task and then by name: the same store gives the same rankings in the same order.

    Args:
        connection: To the project's store.
        quick: Knows the answers of quick mode; None for those that the project keeps itself.
    """
    answers = final_answers(connection)
    places = {task: place for place, task in enumerate(dict.fromkeys(each.task.id for each in answers))}
    for each in sorted(answers, key=lambda each: (places[each.task.id], each.person.name)):
        yield ranking_of(each)
    numbers: dict[str, int] = {}
    kept = questions if quick is None else quick.refreshed(connection)
    for task, name, role, comparison, seconds in kept.said_by(connection):
        number = numbers[task.key] = numbers.get(task.key, 0) + 1
        yield _of_comparison(task, name, role, comparison, seconds, number)


def ranking_of(answered: Answered) -> Ranking:
    """The ranking that an answer says."""
    task, document = answered.task, answered.document
    extra: dict[str, Any] = {"task": task.key, "mode": task.mode}
    if answered.person.role != ROLES[0]:
        extra["role"] = answered.person.role
    if task.test:
        extra["test"] = True
    known: dict[str, Any] = {
        "prompt": task.prompt,
        "images": task.names,
        "id": f"{task.key}/{answered.person.name}",
        "annotator": answered.person.name,
        "seconds": answered.seconds,
        "sources": task.sources if any(task.sources) else (),
    }
    if task.mode == BEST_WORST:
        known |= {name: task.ids.index(document[name]) for name in ("best", "worst")}
    else:
        slots = {image: place for place, slot in enumerate(document["ranking"], 1) for image in slot}
        known["ranks"] = tuple(slots[image] for image in task.ids)
    if task.mode == PROTOCOL:
        prompt, images = document["prompt"], [document["images"][image] for image in task.ids]
        known |= {
            "category": prompt["category"],
            "intent_unclear": prompt["intent_unclear"],
            "prompt_problems": tuple(prompt["problems"]),
            "phrases": tuple(
                Phrase(each["start"], each["end"], each["kind"]) for each in prompt.get("phrases", [])
            ),
            "ratings": tuple({name: each[name] for name in RATINGS} for each in images),
            "problems": tuple(tuple(each["problems"]) for each in images),
        }
        if any(each.get("missing") for each in images):
            extra["missing"] = [list(each.get("missing", [])) for each in images]
    return Ranking(**known, extra=extra)


def document_of(mode: str, ranking: Ranking, images: Sequence[str], *, fill: bool = False) -> dict[str, Any]:
    """The answer that a ranking says, as far as it says it; the validators tell what is missing.

    Args:
        mode: What the project asks.
        ranking: The ranking.
        images: Ids of its pictures, in its order.
        fill: Whether what a ranking leaves unsaid about the prompt's intent and about problems stands for "none of these".
    """
    if mode == BEST_WORST:
        best, worst = ranking.extremes
        chosen = {"best": best, "worst": worst}
        return {name: images[place] for name, place in chosen.items() if place is not None}
    slots = _slots(ranking, images, SLOTS if mode == PROTOCOL else len(images))
    if mode != PROTOCOL:
        return {"ranking": slots}
    prompt: dict[str, Any] = {"problems": list(ranking.prompt_problems)}
    if ranking.category:
        prompt["category"] = ranking.category.strip().lower().replace(" ", "_")
    if ranking.intent_unclear is not None or fill:
        prompt["intent_unclear"] = bool(ranking.intent_unclear)
    elif not fill:
        del prompt["problems"]  # who was not asked about the prompt has not said "none of these"
    if ranking.phrases:
        prompt["phrases"] = [
            {"start": each.start, "end": each.end, "kind": each.kind} for each in ranking.phrases
        ]
    asked = fill or ranking.intent_unclear is not None
    missing = ranking.extra.get("missing")
    rated: dict[str, Any] = {}
    for place, image in enumerate(images):
        ratings: Mapping[str, float] = ranking.ratings[place] if ranking.ratings else {}
        each: dict[str, Any] = {name: _whole(ratings[name]) for name in RATINGS if name in ratings}
        if ranking.problems or asked:
            each["problems"] = list(ranking.problems[place]) if ranking.problems else []
        if isinstance(missing, list) and place < len(missing) and missing[place]:
            each["missing"] = missing[place]
        rated[image] = each
    return {"prompt": prompt, "images": rated, "ranking": slots}


def comparisons_of(ranking: Ranking) -> list[Comparison[int]]:
    """Answers of quick mode that a ranking stands for, pictures by their places in it."""
    if not ranking.ranks and ranking.best is not None and ranking.worst is None:
        return [Comparison(tuple(range(len(ranking.images))), ranking.best)]
    ranks = sorted({rank for rank in ranking.order if rank})
    found = comparisons_of_ranking(
        [[place for place, rank in enumerate(ranking.order) if rank == each] for each in ranks]
    )
    # Equal stars, and what was left between the best and the worst, are no ties.
    return [each for each in found if each.winner is not None or ranking.knows_ties]


def _of_comparison(
    task: StoredTask, name: str, role: str, comparison: Comparison[str], seconds: float | None, number: int
) -> Ranking:
    names, sources = dict(zip(task.ids, task.names)), dict(zip(task.ids, task.sources))
    extra: dict[str, Any] = {"task": task.key, "mode": QUICK}
    if role != ROLES[0]:
        extra["role"] = role
    winner = comparison.winner
    return Ranking(
        prompt=task.prompt,
        images=tuple(names[image] for image in comparison.images),
        id=f"{task.key}/{number}",
        annotator=name,
        best=None if winner is None else comparison.images.index(winner),
        ranks=() if winner is not None else (1,) * len(comparison.images),
        seconds=seconds,
        sources=tuple(sources[image] for image in comparison.images) if any(task.sources) else (),
        extra=extra,
    )


def _slots(ranking: Ranking, images: Sequence[str], most: int) -> list[list[str]]:
    """Slots by rank, best first. Ranks that leave gaps beyond the last slot move up; an unranked picture is in none."""
    ranks = ranking.order
    if max(ranks, default=0) > most:
        order = sorted({rank for rank in ranks if rank})
        ranks = tuple(order.index(rank) + 1 if rank else 0 for rank in ranks)
    count = max(most, *ranks) if most == SLOTS else max(ranks, default=0)
    return [[image for image, rank in zip(images, ranks) if rank == slot] for slot in range(1, count + 1)]


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) else value


def rankings_in(project: Project) -> list[Ranking]:
    """All answers of a project that count, as :func:`rankings_of` gives them.

    Raises:
        StoreError: Its store, or its library's answers, cannot be read.
    """
    quick = QuickSession(project)
    try:
        return project.database.read(lambda connection: list(rankings_of(connection, quick)))
    finally:
        quick.close()
