"""All sections of an analysis, from answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from imagereward_core.metrics.uncertainty import FEW_PROMPTS
from imagereward_core.plain import count_of

from ...evaluation.people import Ballot, agreement_of
from ...figures.document import Evaluation
from ...figures.estimates import IntervalOptions
from .alpha import alpha_section
from .answers import Answers
from .function_share import Finder, by_function_share, function_section, function_shares
from .orders import orders_of
from .persons import persons_section
from .phrases.rules import BY_RULES, find_function_phrases
from .sections import by_category, problems_section, prompts_section, ratings_section


def analyse(
    answers: Answers,
    options: IntervalOptions,
    facts: Mapping[str, Any] | None = None,
    researchers: Sequence[str] = (),
    find: Finder = find_function_phrases,
    found_by: str = BY_RULES,
) -> Evaluation:
    """The analysis.

    Args:
        answers: What people said, at least one answer.
        options: How intervals are made.
        facts: What was analysed, by name.
        researchers: People that the others are measured against, besides those whom the file calls so.
        find: Finds phrases in prompts in which nobody marked any.
        found_by: What does so, in words.
    """
    researchers = (*answers.researchers, *researchers)
    categories = by_category(answers)
    shares = function_shares(answers, find)
    buckets = by_function_share(answers, shares)
    ballot = Ballot(orders_of(answers))
    sections = [
        prompts_section(answers, categories, options),
        ratings_section(answers, categories, options),
        problems_section(answers, categories, options),
        function_section(answers, shares, buckets, options, found_by),
        ratings_section(answers, buckets, options),
        problems_section(answers, buckets, options),
        agreement_of(ballot, options, researchers),
        alpha_section(answers, options),
        persons_section(answers, ballot, options, researchers),
    ]
    return Evaluation(
        title="What the annotations say",
        facts=facts or {},
        sections=[section for section in sections if section is not None],
        warnings=list(_warnings(answers, ballot)),
        kind="analysis",
        command="imagereward analyse",
    )


def _warnings(answers: Answers, ballot: Ballot) -> list[str]:
    found = []
    prompts = len(answers.prompts)
    if prompts < FEW_PROMPTS:
        found.append(
            f"There {'is' if prompts == 1 else 'are'} {count_of(prompts, 'prompt')} alone; with fewer than {FEW_PROMPTS} the intervals are "
            "too narrow, and a difference must be large to be seen."
        )
    if not answers.ratings:
        found.append("Nobody gave ratings, so there are no mean ratings.")
    if not answers.problems:
        found.append("Nobody was asked for problems of pictures, so there are no frequencies of problems.")
    if (answers.category < 0).all():
        found.append("No prompt has a category.")
    if answers.out_of_range:
        found.append(
            f"{count_of(answers.out_of_range, 'rating')} left out: overall, alignment and fidelity go from 1 to 7, and others are not "
            "beyond "
            "a million."
        )
    if not answers.people:
        found.append("Nobody who answered has a name (the field annotator), so agreement is not known.")
    elif len(answers.people) == 1:
        found.append(f"All answers are by one person, {answers.people[0]}, so agreement is not known.")
    elif len(ballot.people) < 2:
        found.append(
            "No two people ranked the same two pictures, so agreement about them is not known. Let some prompts be answered by several "
            "people."
        )
    return found
