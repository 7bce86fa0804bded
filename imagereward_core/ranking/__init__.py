"""Ranks of pictures from a person's comparisons; NumPy alone. The same code behind every page that asks which picture is better.

    ranking = QuickRanking(images=("a", "b", "c"), seed=1)       # pictures of one prompt, by any names
    question = ranking.question(size=2)                          # which to show side by side; None with fewer than two
    ranking = ranking.answered(Comparison(question.images, winner=question.images[0]))   # winner=None: a tie
    ranking = ranking.skipped(question.images)                   # shown, no answer: not asked again while there are others
    rows = ranking.rows()                                        # ranks with intervals, best first
    csv_text(rows), json_text(rows)

A :class:`QuickRanking` never changes: undo is to make it of one comparison less. Making one and asking takes milliseconds, so it may be
made anew of the stored answers for each request. Rankings of several people are pooled by giving the :func:`comparisons_of_ranking` of all
of them.

``comparisons`` is what people said, ``strengths`` the fit with its errors, ``prior`` what is thought before anybody said anything,
``intervals`` ranks and how sure they are, ``question`` what to ask next, ``quick`` all of that for pictures with names, ``rows`` the result
as CSV and JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .comparisons import Comparison as Comparison
    from .comparisons import comparisons_of_ranking as comparisons_of_ranking
    from .intervals import rank_intervals as rank_intervals
    from .prior import StrengthPrior as StrengthPrior
    from .prior import prior_from_scores as prior_from_scores
    from .question import Question as Question
    from .question import next_question as next_question
    from .quick import QuickRanking as QuickRanking
    from .rows import RankedRow as RankedRow
    from .rows import csv_text as csv_text
    from .rows import json_text as json_text
    from .strengths import StrengthFit as StrengthFit
    from .strengths import fit_strengths as fit_strengths

_HOMES = {
    "Comparison": "comparisons",
    "QuickRanking": "quick",
    "Question": "question",
    "RankedRow": "rows",
    "StrengthFit": "strengths",
    "StrengthPrior": "prior",
    "comparisons_of_ranking": "comparisons",
    "csv_text": "rows",
    "fit_strengths": "strengths",
    "json_text": "rows",
    "next_question": "question",
    "prior_from_scores": "prior",
    "rank_intervals": "intervals",
}
__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazy(__name__, _HOMES)
