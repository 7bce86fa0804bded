"""Annotations as columns of numbers: what figures are counted from, one row for each judged picture of each answer.

A file may be large: of every ranking only numbers are kept, and of its prompt one text.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagereward_core.scores import FloatArray, IntArray

from ...data.ranking import Phrase, Ranking
from ..protocol.keys import HIGHEST, LOWEST, RATINGS, ROLES
from .keys import CATEGORIES, NO_CATEGORY, PROBLEMS, PROMPT_PROBLEMS, label_of

MOST_NAMES = 40
"""So many names of categories, problems or ratings stand apart; what a file has beyond them counts together."""
OTHER = "others"
RESEARCHER = ROLES[-1]
_FAR = 1e6


@dataclass(frozen=True, eq=False, kw_only=True)
class Answers:
    """What people said, R answers about N different pictures of P different prompts.

    Attributes:
        prompts: Their texts.
        people: Names of those who answered.
        researchers: Those of them whom the file calls researchers (the field ``role``, as projects of annotation write it).
        categories: Names of categories, as people are shown them.
        picture_prompt: For every picture the number of its prompt, int64 [N].
        prompt: For every answer the number of its prompt, int64 [R].
        person: For every answer the number of the person, -1 where nobody says, int64 [R].
        category: For every answer the number of its category, -1 for none, int64 [R].
        unclear: Whether intent is unclear, 0 or 1, NaN where nobody was asked, float64 [R].
        has_ties: Whether pictures of equal rank were judged equally good, bool [R].
        seconds: How long each took, NaN where nobody knows, float64 [R].
        prompt_problems: For every problem of prompts whether it was ticked, 0 or 1, NaN where nobody was asked, float64 [R].
        row_answer: For every row (a picture of an answer) the number of the answer, int64 [A].
        row_picture: Likewise that of the picture, int64 [A].
        ranks: The picture's rank, as chosen or as the choice of the best and the worst implies, 0 for none, float64 [A].
        ratings: For every rating its values, NaN for none, float64 [A].
        problems: For every problem of pictures whether it was ticked, 0 or 1, NaN where nobody was asked, float64 [A].
        phrases: For prompts in which phrases were marked, what each person marked.
        out_of_range: How many ratings are no marks from 1 to 7; they are left out.
    """

    prompts: Sequence[str]
    people: Sequence[str]
    researchers: Sequence[str]
    categories: Sequence[str]
    picture_prompt: IntArray
    prompt: IntArray
    person: IntArray
    category: IntArray
    unclear: FloatArray
    has_ties: NDArray[np.bool_]
    seconds: FloatArray
    prompt_problems: Mapping[str, FloatArray]
    row_answer: IntArray
    row_picture: IntArray
    ranks: FloatArray
    ratings: Mapping[str, FloatArray]
    problems: Mapping[str, FloatArray]
    phrases: Mapping[int, Sequence[Sequence[Phrase]]]
    out_of_range: int = 0

    @property
    def row_prompt(self) -> IntArray:
        """For every row the number of its prompt, int64 [A]."""
        return self.prompt[self.row_answer]

    @property
    def row_person(self) -> IntArray:
        """For every row the number of the person, int64 [A]."""
        return self.person[self.row_answer]


def prompt_categories(answers: Answers) -> IntArray:
    """For every prompt the category that most answers give it, -1 for none, int64 [P]; of equally many the one that was given first."""
    found = np.full(len(answers.prompts), -1, dtype=np.int64)
    votes: dict[int, Counter[int]] = {}
    for prompt, category in zip(answers.prompt.tolist(), answers.category.tolist()):
        if category >= 0:
            votes.setdefault(prompt, Counter())[category] += 1
    for prompt, counted in votes.items():
        found[prompt] = counted.most_common(1)[0][0]
    return found


class _Names:
    """Numbers for names, in the order they come; beyond :data:`MOST_NAMES` of them the rest have one together."""

    def __init__(self, known: Mapping[str, str], first: Iterable[str] = ()) -> None:
        self._known = dict(known)
        self._numbers: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        for name in first:
            self.number(name)

    def number(self, name: str) -> int:
        found = self._seen.get(name)
        if found is None:
            label = label_of(name, self._known)
            if label not in self._numbers and len(self._numbers) >= MOST_NAMES:
                label = OTHER
            found = self._numbers.setdefault(label, len(self._numbers))
            if len(self._seen) < 100 * MOST_NAMES:
                self._seen[name] = found
        return found

    @property
    def labels(self) -> list[str]:
        return list(self._numbers)


class _Columns:
    """The columns while they are filled."""

    def __init__(self) -> None:
        self.prompts: dict[str, int] = {}
        self.people: dict[str, int] = {}
        self.researchers: dict[str, None] = {}
        self.pictures: dict[tuple[int, str], int] = {}
        self.picture_prompt = array("q")
        self.prompt, self.person, self.category = array("q"), array("q"), array("q")
        self.unclear, self.seconds, self.asked = array("d"), array("d"), array("b")
        self.row_answer, self.row_picture, self.ranks = array("q"), array("q"), array("d")
        self.row_asked, self.has_ties = array("b"), array("b")
        self.category_names = _Names(CATEGORIES)
        self.rating_names = _Names({}, RATINGS)
        self.problem_names = _Names(PROBLEMS, PROBLEMS)
        self.prompt_problem_names = _Names(PROMPT_PROBLEMS, PROMPT_PROBLEMS)
        # What was said, by number of the name: rows, and values or nothing.
        self.rated: dict[int, tuple[array[int], array[float]]] = {}
        self.ticked: dict[int, array[int]] = {}
        self.prompt_ticked: dict[int, array[int]] = {}
        self.phrases: dict[int, list[Sequence[Phrase]]] = {}
        self.out_of_range = 0

    def add(self, ranking: Ranking) -> None:
        answer = len(self.prompt)
        prompt = self.prompts.setdefault(ranking.prompt, len(self.prompts))
        self.prompt.append(prompt)
        who = ranking.annotator
        self.person.append(self.people.setdefault(who, len(self.people)) if who else -1)
        if who and ranking.extra.get("role") == RESEARCHER:
            self.researchers[who] = None
        has_category = bool(ranking.category.strip())
        self.category.append(self.category_names.number(ranking.category) if has_category else -1)
        self.unclear.append(math.nan if ranking.intent_unclear is None else float(ranking.intent_unclear))
        self.seconds.append(math.nan if ranking.seconds is None else ranking.seconds)
        self.asked.append(ranking.intent_unclear is not None or bool(ranking.prompt_problems))
        for name in set(ranking.prompt_problems):
            self.prompt_ticked.setdefault(self.prompt_problem_names.number(name), array("q")).append(answer)
        if ranking.phrases:
            self.phrases.setdefault(prompt, []).append(ranking.phrases)
        self.has_ties.append(ranking.knows_ties)
        self.ranks.extend(ranking.order)
        for place, image in enumerate(ranking.images):
            self._row(ranking, answer, prompt, place, image)

    def _row(self, ranking: Ranking, answer: int, prompt: int, place: int, image: str) -> None:
        row = len(self.row_answer)
        picture = self.pictures.setdefault((prompt, image), len(self.pictures))
        if picture == len(self.picture_prompt):
            self.picture_prompt.append(prompt)
        self.row_answer.append(answer)
        self.row_picture.append(picture)
        self.row_asked.append(bool(ranking.problems))
        for name, value in (ranking.ratings[place] if ranking.ratings else {}).items():
            if abs(value) > _FAR or (name in RATINGS and not LOWEST <= value <= HIGHEST):
                self.out_of_range += 1
                continue
            rows, values = self.rated.setdefault(self.rating_names.number(name), (array("q"), array("d")))
            rows.append(row)
            values.append(value)
        for number in (
            {self.problem_names.number(name) for name in ranking.problems[place]} if ranking.problems else ()
        ):
            self.ticked.setdefault(number, array("q")).append(row)

    def finish(self) -> Answers:
        rows, answers = len(self.row_answer), len(self.prompt)
        ratings = {}
        for number, label in enumerate(self.rating_names.labels):
            if number in self.rated:
                ratings[label] = np.full(rows, math.nan)
                places, values = self.rated[number]
                ratings[label][_whole(places)] = np.array(values)
        return Answers(
            prompts=list(self.prompts),
            people=list(self.people),
            researchers=list(self.researchers),
            categories=self.category_names.labels,
            picture_prompt=_whole(self.picture_prompt),
            prompt=_whole(self.prompt),
            person=_whole(self.person),
            category=_whole(self.category),
            unclear=np.array(self.unclear),
            has_ties=np.array(self.has_ties, dtype=bool),
            seconds=np.array(self.seconds),
            prompt_problems=_ticks(self.prompt_problem_names, self.prompt_ticked, self.asked, answers),
            row_answer=_whole(self.row_answer),
            row_picture=_whole(self.row_picture),
            ranks=np.array(self.ranks),
            ratings=ratings,
            problems=_ticks(self.problem_names, self.ticked, self.row_asked, rows),
            phrases=self.phrases,
            out_of_range=self.out_of_range,
        )


def _whole(values: array[int]) -> IntArray:
    return np.array(values, dtype=np.int64)


def _ticks(
    names: _Names, ticked: Mapping[int, array[int]], asked: array[int], number: int
) -> dict[str, FloatArray]:
    """For every name 1 where it was ticked, 0 where it was not, NaN where nobody was asked; nothing where nobody ever was."""
    if not any(asked):
        return {}
    none = np.where(np.array(asked, dtype=bool), 0.0, math.nan)
    found = {}
    for at, label in enumerate(names.labels):
        found[label] = none.copy()
        if at in ticked:
            found[label][_whole(ticked[at])] = 1.0
    return found


def collect(rankings: Iterable[Ranking]) -> Answers:
    """The answers of rankings, which are read one after another and not kept.

    >>> both = [Ranking("a fox", ("a.png", "b.png"), (1, 2), category="animals", annotator=who) for who in ("ann", "bob")]
    >>> found = collect(both)
    >>> found.people, found.categories, found.row_picture.tolist()
    (['ann', 'bob'], ['Animals'], [0, 1, 0, 1])
    """
    columns = _Columns()
    for ranking in rankings:
        columns.add(ranking)
    return columns.finish()


def category_labels(answers: Answers) -> list[str]:
    """Names of categories and, last, of having none: the number -1 counts from behind."""
    return [*answers.categories, NO_CATEGORY]
