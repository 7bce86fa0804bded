"""What people answered to a blind task: wins of the generators over one another (arXiv 2304.05977, Table 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from imagereward_core.metrics.agreement import average_ranks
from imagereward_core.metrics.uncertainty import FEW_PROMPTS
from imagereward_core.plain import count_of

from ....data.notes import Note, Notes
from ....data.options import plainly
from ....data.ranking import Ranking
from ....data.readers import open_rankings
from ....figures.document import Evaluation, Figure, Section, Table
from ....figures.estimates import Estimate
from ...options import EvaluateOptions
from ..compare import COMMAND, CONTEST_COLUMNS, contest_parts
from ..contest import Contest, contest_of_answers
from ..pictures import MatchError
from ..verdicts import figures_of, table_of, verdicts
from .key import Key

PEOPLE = "people"
_IN_TASK = re.compile(r"\d{4,}_[0-9a-f]{12}\.png\Z")


@dataclass(frozen=True)
class Answers:
    """Answers with the generators put back.

    Attributes:
        generators: All of the task.
        rankings: With ``sources``; one for each person and prompt.
        empty: Tasks handed back without ranks, or with one alone.
        repeated: Answers that the same person gave anew, of which the last counts.
        notes: What was left out, with the reason.
        left_out: How much that was.
    """

    generators: tuple[str, ...]
    rankings: tuple[Ranking, ...]
    empty: int = 0
    repeated: int = 0
    notes: tuple[Note, ...] = ()
    left_out: int = 0

    @property
    def contest(self) -> Contest:
        """The answers as rounds."""
        return contest_of_answers(self.rankings, self.generators)


def read_answers(path: Path, key: Key) -> Answers:
    """Answers in any form that rankings are read in, joined with the key by the names of the pictures.

    Raises:
        MatchError: Not one answer fits the key.
        NoScorerError: A package that its format needs is missing.
        UsageError: The file is in no known form.
    """
    with plainly():
        data = open_rankings(path)
    notes = Notes()
    for note in data.notes:
        notes.add(note.where, note.reason)
    found: dict[tuple[Any, ...], Ranking] = {}
    empty = repeated = 0
    for place, ranking in enumerate(data.rankings, 1):
        names = [_own_name(name) for name in ranking.images]
        where = f"{path.name}, answer {ranking.id or place}"
        strange = next((name for name in names if name not in key.pictures), None)
        if strange is not None:
            notes.add(where, f"found the picture {strange!r}; expected those of the key")
        elif len({_task([name]) for name in names}) > 1:
            notes.add(where, "found pictures of several tasks in one answer; expected those of one")
        elif sum(map(bool, ranking.order)) < 2:  # one rank alone compares nothing
            empty += 1
        elif len(set(names)) < len(names) and not (ranking.annotator and ranking.ranks):
            notes.add(
                where,
                "found a picture twice in one answer; expected each once. Where several people answered in one table, put their names "
                "into the column annotator",
            )
        else:
            # A table with a person's rows from before and after a change: the later ones count.
            last = {name: at for at, name in enumerate(names)}
            ranks = tuple(ranking.ranks[at] for at in last.values()) if ranking.ranks else ()
            # People may have changed the text of the prompt; the pictures are the task.
            same: tuple[Any, ...] = (frozenset(last), ranking.annotator or place)
            repeated += same in found or len(last) < len(names)
            found[same] = replace(
                ranking,
                prompt=_task(names),
                images=tuple(last),
                ranks=ranks,
                sources=tuple(key.pictures[name].generator for name in last),
                ratings=(),
                problems=(),
            )
    left_out = data.left_out + len(notes) - len(data.notes)
    if not found:
        why = f" Of one: {notes.kept[0]}." if notes.kept else ""
        raise MatchError(
            f"{path}: there is no answer to this task ({count_of(empty, 'answer')} with fewer than two ranks, {left_out:,} left out).{why} "
            "Expected ranks for the pictures of the task, 1 for the best, equal ones for ties"
        )
    return Answers(key.generators, tuple(found.values()), empty, repeated, tuple(notes), left_out)


def _own_name(name: str) -> str:
    """The name that a picture has in the task: without folders, and without what a program put before it when it was uploaded.

    >>> _own_name("upload/1/5f3c9a2e-0001_0a1b2c3d4e5f.png")
    '0001_0a1b2c3d4e5f.png'
    """
    last = PurePosixPath(name.replace("\\", "/")).name
    found = _IN_TASK.search(last)
    return found[0] if found else last


def _task(names: Sequence[str]) -> str:
    """The number of a task, which its pictures' names begin with."""
    return min(names).partition("_")[0]


def answers_section(answers: Answers, options: EvaluateOptions) -> Section:
    """Wins and verdicts."""
    contest = answers.contest
    figures, rows = contest_parts(contest, answers.generators, "answers", PEOPLE, options)
    won = contest.points.sum(axis=0)
    places = average_ranks(won)
    figures += [
        Figure.made("answers", "rank", Estimate(float(place)), "answers", scorer=PEOPLE, group=name)
        for name, place in zip(answers.generators, places)
    ]
    found = verdicts(answers.generators, contest.differences, options)
    figures += figures_of(found, "answers", PEOPLE)
    prompts = len({each.prompt for each in answers.rankings})
    people = len({each.annotator for each in answers.rankings if each.annotator})
    who = f" by {count_of(people, 'person')}" if people == 1 else f" by {people:,} people" if people else ""
    sentences = [
        f"Counted from {count_of(len(answers.rankings), 'answer')}{who} about {count_of(prompts, 'prompt')}."
    ]
    if answers.empty:
        sentences.append(
            f"Handed back with fewer than two ranks, and not counted: {count_of(answers.empty, 'task')}."
        )
    if answers.repeated:
        sentences.append(
            f"{count_of(answers.repeated, 'answer')} given anew by the same person: the last one counts."
        )
    sentences += [
        each.sentence("By the answers", lambda value: f"{100 * value:.0f} % of the comparisons")
        for each in found
    ]
    order = np.argsort(places, kind="stable").tolist()
    return Section(
        "answers",
        "Wins by the answers of people",
        "Wins: how often people put a generator's picture above that of another, as in the paper's Table 4; equal ranks are ties. First: "
        "how often its picture was the best, shared where several were. Win rate: share in percent, ties counting half, with an interval "
        "by prompt. Several answers about one prompt are one result in intervals and tests. Difference: share of comparisons won minus "
        "share lost. The p value is from a permutation test by prompt, corrected by Holm.",
        [
            Table(
                ("Generator", "Rank", *CONTEST_COLUMNS),
                [(answers.generators[at], f"{places[at]:g}", *rows[at]) for at in order],
            ),
            table_of(found, "Every two", Estimate.plain),
        ],
        figures,
        sentences,
    )


def evaluation_of(
    answers: Answers, options: EvaluateOptions, facts: Mapping[str, Any], scorer: str
) -> Evaluation:
    """The answers as a document of their own."""
    prompts = len({each.prompt for each in answers.rankings})
    warnings = [f"The best pictures of the task were chosen by {scorer}."] if scorer else []
    if prompts < FEW_PROMPTS:
        warnings.append(
            f"There are answers about {count_of(prompts, 'prompt')} alone; with fewer than {FEW_PROMPTS} the intervals are too narrow, and "
            "a difference must be large to be seen."
        )
    return Evaluation(
        title=f"{count_of(len(answers.generators), 'generator')} compared by people",
        facts=facts,
        sections=[answers_section(answers, options)],
        warnings=warnings,
        kind="answers to a blind task",
        command=COMMAND,
    )
