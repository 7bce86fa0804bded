"""A simulated person who answers quick questions about the pictures of one prompt, and what is made of the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from imagereward_core.ranking import Comparison, Question, QuickRanking

from .annotator import Annotator
from .scenes import Task

Chooser = Callable[[QuickRanking, int, np.random.Generator], "tuple[str, ...]"]


def most_telling(ranking: QuickRanking, size: int, rng: np.random.Generator) -> tuple[str, ...]:
    """The pictures that the ranking itself asks about next."""
    question: Question[str] | None = ranking.question(size)
    assert question is not None
    return question.images


def at_random(ranking: QuickRanking, size: int, rng: np.random.Generator) -> tuple[str, ...]:
    """Any pictures."""
    places = rng.choice(len(ranking.images), size, replace=False)
    return tuple(ranking.images[place] for place in places)


def answer(
    annotator: Annotator, task: Task, images: Sequence[str], rng: np.random.Generator
) -> Comparison[str]:
    """The answer to a question: a tie where all look equally good to the annotator, else one of those that look best."""
    places = [task.images.index(image) for image in images]
    ranks = annotator.ranks(
        [task.qualities[place] for place in places], rng, [task.kinds[place] for place in places]
    )
    best = [image for image, rank in zip(images, ranks, strict=True) if rank == 1]
    return Comparison(tuple(images), None if len(best) == len(images) else best[rng.integers(len(best))])


def answered(
    task: Task,
    annotator: Annotator,
    choose: Chooser,
    *,
    questions: int,
    size: int,
    seed: int = 0,
    scores: Sequence[Sequence[float]] = (),
) -> Iterator[QuickRanking]:
    """The ranking after each of so many questions; equal arguments give equal answers.

    Args:
        task: The pictures.
        annotator: Who answers.
        choose: :func:`most_telling` or :func:`at_random`.
        questions: How many.
        size: How many pictures are shown at a time.
        seed: Of the person's errors and of equally good questions.
        scores: What scorers say beforehand, see :class:`~imagereward_core.ranking.QuickRanking`.
    """
    rng = np.random.default_rng(seed)
    ranking = QuickRanking(images=task.images, scores=tuple(scores), seed=seed)
    for _ in range(questions):
        ranking = ranking.answered(answer(annotator, task, choose(ranking, size, rng), rng))
        yield ranking
