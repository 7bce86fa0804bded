"""An annotator whose choices are random in a known way, and how likely each choice is.

The annotator sees every picture's quality with an error of its own. With normal errors these are Thurstone's comparisons (case V; L. L.
Thurstone, A law of comparative judgment, 1927), with Gumbel's the model of Bradley and Terry for pairs and of Plackett and Luce for
rankings. Ties come from marks on a scale: what falls between the same two marks is equally good.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from imagereward_core.scores import FloatArray

MODELS = ("thurstone", "bradley-terry")
_FAR = 40.0
"""Errors beyond this many times the noise do not occur: a Gumbel error does with a probability of 4e-18."""
_MOST_MARKS = 100_000


@dataclass(frozen=True, kw_only=True)
class Annotator:
    """Somebody who ranks pictures, more or less reliably.

    Attributes:
        name: Who.
        noise: Scale of the errors in units of quality: their standard deviation (thurstone), or the scale of Gumbel's distribution.
        model: One of :data:`MODELS`.
        step: Distance between marks; 0 has no ties.
        careless: Share of the tasks that are answered at random, without looking.
        tastes: What is added to the quality of pictures of a kind: a bias.

    Raises:
        ValueError: A number is out of its range.
    """

    name: str
    noise: float
    model: str = "thurstone"
    step: float = 0.0
    careless: float = 0.0
    tastes: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.model not in MODELS or not self.noise > 0 or not 0 <= self.careless <= 1:
            raise ValueError(
                f"found the model {self.model!r}, a noise of {self.noise} and carelessness of {self.careless}; expected one of "
                f"{', '.join(MODELS)}, more than 0, and 0 to 1"
            )
        if self.step < 0 or (self.step and self.noise / self.step > _MOST_MARKS / (4 * _FAR)):
            raise ValueError(
                f"found marks {self.step} apart with a noise of {self.noise}; expected 0 for none, or at least {4 * _FAR / _MOST_MARKS:g} "
                "times the noise"
            )

    def seen(self, qualities: Sequence[float], kinds: Sequence[str] = ()) -> FloatArray:
        """Qualities as this annotator sees them but for the errors, float64 [K]."""
        tastes = [self.tastes.get(kind, 0.0) for kind in kinds] or [0.0] * len(qualities)
        return np.asarray(qualities, dtype=np.float64) + tastes

    def ranks(
        self, qualities: Sequence[float], rng: np.random.Generator, kinds: Sequence[str] = ()
    ) -> tuple[int, ...]:
        """Ranks of K pictures, 1 is best, equal ones are ties; other draws of ``rng`` give others.

        Args:
            qualities: True qualities, higher is better.
            rng: Where the errors come from.
            kinds: Of what kind the pictures are, for tastes.
        """
        errors = rng.normal if self.model == "thurstone" else rng.gumbel
        values = self.seen(qualities, kinds) + errors(0.0, self.noise, len(qualities))
        if rng.random() < self.careless:
            values = rng.permutation(len(qualities)).astype(np.float64)
        elif self.step:
            values = np.floor(values / self.step)
        return tuple((np.unique(-values, return_inverse=True)[1] + 1).tolist())


@dataclass(frozen=True)
class Odds:
    """How likely somebody's choices are, for P pairs; the rest to 1 is no choice.

    Attributes:
        first: That the first picture is called the better one, float64 [P].
        second: That the second one is.
    """

    first: FloatArray
    second: FloatArray


def odds(annotator: Annotator, qualities: Sequence[float], kinds: Sequence[str] = ()) -> Odds:
    """How likely an annotator's choices are, exactly, in the order of pairs (0, 1), (0, 2), ..., (1, 2), ...

    >>> odds(Annotator(name="a", noise=1.0, model="bradley-terry"), [math.log(3.0), 0.0]).first.round(6).tolist()
    [0.75]
    """
    seen = annotator.seen(qualities, kinds)
    one, two = np.triu_indices(len(seen), 1)
    above = _above(annotator, seen)
    first, second = above[one, two], above[two, one]
    attentive = 1.0 - annotator.careless
    return Odds(*(attentive * each + annotator.careless / 2 for each in (first, second)))


def certain(values: Sequence[float]) -> Odds:
    """The odds of somebody who always chooses by the same numbers, such as a scorer."""
    numbers = np.asarray(values, dtype=np.float64)
    one, two = np.triu_indices(len(numbers), 1)
    first, second = numbers[one] > numbers[two], numbers[one] < numbers[two]
    return Odds(first.astype(np.float64), second.astype(np.float64))


def _above(annotator: Annotator, seen: FloatArray) -> FloatArray:
    """Probability that the row's picture is seen above the column's, float64 [K, K]."""
    if not annotator.step:
        difference = (seen[:, None] - seen[None, :]) / annotator.noise
        if annotator.model == "thurstone":
            return _normal(difference / math.sqrt(2))
        return 1 / (1 + np.exp(-np.clip(difference, -700, 700)))
    step, reach = annotator.step, _FAR * annotator.noise
    marks = np.arange(math.floor((seen.min() - reach) / step), math.ceil((seen.max() + reach) / step) + 1)
    # The chance to fall below each mark, [K, M]; between two marks lies one answer.
    below = _below(annotator, marks[None, :] * step - seen[:, None])
    return np.diff(below, axis=1) @ below[:, :-1].T


def _below(annotator: Annotator, errors: FloatArray) -> FloatArray:
    """The chance of an error below each of these."""
    errors = errors / annotator.noise
    if annotator.model == "thurstone":
        return _normal(errors)
    return np.exp(-np.exp(np.clip(-errors, -700, 700)))


def _normal(values: FloatArray) -> FloatArray:
    """The standard normal distribution function."""
    flat = [0.5 * math.erfc(-value / math.sqrt(2)) for value in values.ravel().tolist()]
    return np.array(flat).reshape(values.shape)
