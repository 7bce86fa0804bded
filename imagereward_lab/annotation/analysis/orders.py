"""How people ordered the pictures of prompts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from imagereward_core.metrics.agreement import average_ranks
from imagereward_core.scores import FloatArray, IntArray

from ...evaluation.people import Order
from .answers import Answers


def orders_of(answers: Answers) -> Iterator[Order]:
    """The orders of all who have a name; pictures without a rank are in none."""
    for rows in _answers_with_ranks(answers):
        answer = answers.row_answer[rows[0]]
        yield Order(
            answers.people[answers.person[answer]],
            int(answers.prompt[answer]),
            answers.row_picture[rows],
            answers.ranks[rows],
        )


def same_tasks(answers: Answers) -> tuple[IntArray, FloatArray, IntArray, IntArray]:
    """Places of pictures that can be compared between people: those in tasks of the same pictures, by people who say what is equally good.

    Returns:
        For every picture that somebody ranked: the number of the picture in its task, int64 [A]; its place there, 1 is best, ties share,
        float64 [A]; the number of the prompt, int64 [A]; and that of the person, int64 [A].
    """
    tasks: dict[bytes, int] = {}
    things: dict[tuple[int, int], int] = {}
    thing, place, prompt, person = [], [], [], []
    for rows in _answers_with_ranks(answers):
        if not answers.has_ties[answers.row_answer[rows[0]]]:
            continue
        rows = rows[np.argsort(answers.row_picture[rows], kind="stable")]
        pictures = answers.row_picture[rows]
        task = tasks.setdefault(pictures.tobytes(), len(tasks))
        thing += [things.setdefault((task, picture), len(things)) for picture in pictures.tolist()]
        place.append(average_ranks(-answers.ranks[rows]))
        prompt += answers.row_prompt[rows].tolist()
        person += answers.row_person[rows].tolist()
    return (
        np.array(thing, dtype=np.int64),
        np.concatenate(place) if place else np.zeros(0),
        np.array(prompt, dtype=np.int64),
        np.array(person, dtype=np.int64),
    )


def _answers_with_ranks(answers: Answers) -> Iterator[IntArray]:
    """For every answer of somebody with a name its rows that have a rank."""
    fit = np.flatnonzero((answers.ranks > 0) & (answers.row_person >= 0))
    if len(fit):
        yield from np.split(fit, np.flatnonzero(np.diff(answers.row_answer[fit])) + 1)
