"""Records of the service as JSON: field by field, so that nothing is told that a page does not show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...protocol.faults import Fault
from ...protocol.modes import MODES
from ...records import (
    Agreement,
    Inspection,
    Next,
    OwnAnswer,
    Person,
    PersonStatus,
    Picture,
    Progress,
    ProjectFacts,
    Question,
    Results,
    Task,
)


def person(of: Person) -> dict[str, Any]:
    """A person."""
    return {
        "id": of.id,
        "name": of.name,
        "role": of.role,
        "state": of.state,
        "inspects": of.inspects,
        "researches": of.researches,
    }


def facts(of: ProjectFacts) -> dict[str, Any]:
    """What everybody is told about a project: not the settings, which may say what made the pictures."""
    return {
        "title": of.title,
        "mode": of.mode,
        "guide": list(MODES[of.mode].guide),
        "people": of.people,
        "skips": of.skips,
    }


def progress(of: Progress) -> dict[str, Any]:
    """How far a person is."""
    return {
        "done": of.done,
        "left": of.left,
        "skipped": of.skipped,
        "skips_left": of.skips_left,
        "invalid": of.invalid,
        "seconds_each": of.seconds_each,
        "seconds_left": of.seconds_left,
        "testing": of.testing,
        "test_done": of.test_done,
        "test_total": of.test_total,
    }


def images(of: Iterable[Picture]) -> list[dict[str, Any]]:
    """Pictures."""
    return [{"id": each.id, "width": each.width, "height": each.height} for each in of]


def task(of: Task) -> dict[str, Any]:
    """A task."""
    return {
        "id": of.id,
        "mode": of.mode,
        "prompt": of.prompt,
        "translation": of.translation,
        "images": images(of.images),
        "draft": None if of.draft is None else dict(of.draft),
        "test": of.test,
        "note": of.note,
    }


def following(of: Next, so_far: Progress) -> dict[str, Any]:
    """What to do next, or why there is nothing."""
    return {
        "task": None if of.task is None else task(of.task),
        "reason": of.reason,
        "progress": progress(so_far),
    }


def own_answer(of: OwnAnswer) -> dict[str, Any]:
    """An answer of one's own."""
    return {"task": of.task, "prompt": of.prompt, "time": of.at, "versions": of.versions}


def faults(of: Iterable[Fault], stage: str = "") -> list[dict[str, Any]]:
    """Faults, each with the stage in which it can be mended."""
    return [{**fault.plain(), "stage": stage} for fault in of]


def question(of: Question) -> dict[str, Any]:
    """A question of quick mode."""
    return {
        "id": of.id,
        "prompt": of.prompt,
        "translation": of.translation,
        "images": images(of.images),
        "stars": dict(of.stars),
        "across_prompts": of.across_prompts,
    }


def inspection(of: Inspection) -> dict[str, Any]:
    """An answer to judge."""
    return {
        "answer": of.answer,
        "task": task(of.task),
        "document": dict(of.document),
        "seconds": of.seconds,
        "faults": faults(of.faults),
        "left": of.left,
    }


def _agreement(of: Agreement) -> dict[str, Any]:
    return {"share": of.share, "pairs": of.pairs}


def status(of: PersonStatus) -> dict[str, Any]:
    """A person as researchers see them."""
    return {
        "person": person(of.person),
        "progress": progress(of.progress),
        "researchers": _agreement(of.researchers),
        "ensemble": _agreement(of.ensemble),
        "test_researchers": _agreement(of.test_researchers),
        "test_ensemble": _agreement(of.test_ensemble),
    }


def results(of: Results) -> dict[str, Any]:
    """What a project has so far."""
    ranks = [
        {
            "image": each.image,
            "name": each.name,
            "prompt": each.prompt,
            "rank": each.rank,
            "strength": each.strength,
            "low": each.low,
            "high": each.high,
            "asked": each.asked,
        }
        for each in of.ranks
    ]
    counts = ("tasks", "wanted", "answers", "inspected", "invalid", "skipped", "comparisons")
    return {**{name: getattr(of, name) for name in counts}, "ranks": ranks}
