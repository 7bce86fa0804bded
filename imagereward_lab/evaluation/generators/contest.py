"""Who won against whom, prompt by prompt: from the scores of the best pictures, or from what people said about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imagereward_core.metrics.uncertainty import sums_by_group
from imagereward_core.metrics.wins import win_counts
from imagereward_core.scores import FloatArray, IntArray

from ...data.ranking import Ranking


@dataclass(frozen=True, eq=False)
class Contest:
    """N rounds among G generators. A round is one prompt, or one person's answer about a prompt.

    Attributes:
        won: Whether the first beat the second, float64 [N, G, G].
        tied: Whether they were equal, float64 [N, G, G], symmetric, 0 on the diagonal.
        firsts: Each generator's share of the first place, float64 [N, G]: where several are best they share it; a round in which not all
            took part has none.
        prompts: For every round the number of its prompt, int64 [N].
    """

    won: FloatArray
    tied: FloatArray
    firsts: FloatArray
    prompts: IntArray

    @property
    def points(self) -> FloatArray:
        """Wins and half of the ties of every generator over all others, float64 [N, G]."""
        return np.asarray((self.won + self.tied / 2).sum(axis=2))

    @property
    def judged(self) -> FloatArray:
        """Comparisons that each generator was in, float64 [N, G]."""
        return np.asarray((self.won + self.won.transpose(0, 2, 1) + self.tied).sum(axis=2))

    def differences(self, one: int, two: int) -> FloatArray:
        """Wins of the one minus wins of the other by prompt, over the rounds of the prompt in which they met, float64 [P]."""
        number = int(self.prompts.max(initial=-1)) + 1
        met = self.won[:, one, two] + self.won[:, two, one] + self.tied[:, one, two]
        gained = sums_by_group(self.won[:, one, two] - self.won[:, two, one], self.prompts, number)
        rounds = sums_by_group(met, self.prompts, number)
        return np.asarray(gained[rounds > 0] / rounds[rounds > 0])


def contest_of_scores(best: FloatArray) -> Contest:
    """Rounds of the best pictures' scores, float64 [P, G]; the higher one wins.

    >>> contest_of_scores(np.array([[2.0, 1.0, 2.0]])).firsts.tolist()
    [[0.5, 0.0, 0.5]]
    """
    won = (best[:, :, None] > best[:, None, :]).astype(np.float64)
    tied = (best[:, :, None] == best[:, None, :]) * (1.0 - np.eye(best.shape[1]))
    return Contest(won, tied, _shared(best), np.arange(len(best), dtype=np.int64))


def contest_of_answers(answers: Sequence[Ranking], generators: Sequence[str]) -> Contest:
    """Rounds of rankings with sources; equal ranks are ties where the form of the ranking knows ties."""
    place = {name: at for at, name in enumerate(generators)}
    number = len(generators)
    won = np.zeros((len(answers), number, number))
    tied, firsts = np.zeros_like(won), np.zeros((len(answers), number))
    prompts: dict[str, int] = {}
    of = np.array([prompts.setdefault(each.prompt, len(prompts)) for each in answers], dtype=np.int64)
    for row, answer in enumerate(answers):
        counts = win_counts(answer.order, answer.sources, answer.knows_ties)
        for (one, two), (first, level, second) in counts.items():
            i, j = place[one], place[two]
            won[row, i, j], won[row, j, i] = first, second
            tied[row, i, j] = tied[row, j, i] = level
        ranked = {place[name]: rank for name, rank in zip(answer.sources, answer.order) if rank}
        if len(ranked) == number:
            firsts[row] = _shared(np.array([[-float(ranked[at]) for at in range(number)]]))[0]
    return Contest(won, tied, firsts, of)


def _shared(values: FloatArray) -> FloatArray:
    first = values == values.max(axis=1, keepdims=True)
    return np.asarray(first / first.sum(axis=1, keepdims=True))
