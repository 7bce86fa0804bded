"""Blends: the scores of several scorers as one, and a blend as a scorer like any other.

The ImageReward paper interpolates between scores (its Figure 14), which is the method ``weighted``. ``standard`` and ``rank``
bring the members to one scale first. A picture that one member could not score has no blended score: it would otherwise be
compared on fewer votes than the others.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from ..metadata.missing import Prompt
from ..metrics.agreement import check_same_pictures, normalised_ranks, standardised, unscored
from ..scores import FloatArray, Scores
from ..weights.card import Distribution, ScorerCard
from .base import Scorer
from .blend_names import METHODS as METHODS
from .blend_names import BlendError, Method, check_name

if TYPE_CHECKING:
    import torch

    from .engine import PictureScorer
    from .inputs import Picture

Basis = Literal["raw", "reference", "batch", "rank"]


@dataclass(frozen=True)
class BlendMember:
    """One voice of a blend.

    Attributes:
        scorer: Id of a scorer; a blend is no member of another, write its members out instead.
        weight: How much it counts. 0 keeps it in the list, and its scores shown, without a vote.
    """

    scorer: str
    weight: float = 1.0


@dataclass(frozen=True)
class Blend:
    """The members of a blend and its method, one of :data:`METHODS`.

    Attributes:
        name: What people call it; its id as a scorer is ``blend:<name>``.
        members: The scorers with their weights. Under ``weighted`` a weight may be negative (regression against human
            choices gives such weights when two scorers overlap); a mean has no use for a negative vote.

    Raises:
        BlendError: A name or a weight means nothing, a scorer is named twice, or no weight differs from zero.
    """

    name: str
    members: tuple[BlendMember, ...]
    method: Method = "standard"

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise BlendError(f"the method is {self.method!r}; expected one of {', '.join(METHODS)}")
        named: set[str] = set()
        for member in self.members:
            check_name("scorer", member.scorer)
            if member.scorer.casefold() in named:
                raise BlendError(f"{member.scorer} is in the blend twice; expected every scorer once")
            named.add(member.scorer.casefold())
            if not math.isfinite(member.weight):
                raise BlendError(
                    f"the weight of {member.scorer} is {member.weight}; expected a finite number"
                )
            if member.weight < 0 and self.method != "weighted":
                raise BlendError(
                    f"the weight of {member.scorer} is {member.weight:g}; expected 0 or more, since {self.method!r} takes a mean. "
                    "Only 'weighted' can subtract a scorer"
                )
        if not any(member.weight for member in self.members):
            raise BlendError("no scorer of the blend has a weight other than 0; expected at least one")
        check_name("blend", self.name)

    def renamed(self, scorers: Sequence[str]) -> Blend:
        """This blend with its members under other names, such as ids in place of file names; BlendError where two are one."""
        members = tuple(
            replace(member, scorer=name) for member, name in zip(self.members, scorers, strict=True)
        )
        return self if members == self.members else replace(self, members=members)

    @property
    def id(self) -> str:
        """The blend's id as a scorer."""
        return f"blend:{self.name}"

    def factors(self) -> list[float]:
        """What the members' votes are multiplied with: the weights, or, for a mean, their shares of 1."""
        weights = [member.weight for member in self.members]
        if self.method == "weighted":
            return weights
        parts = [weight / max(weights) for weight in weights]  # the sum of very large weights has no end
        return [part / math.fsum(parts) for part in parts]

    def revision(self, revisions: Sequence[str]) -> str:
        """A short label for this blend of members with these revisions, in the members' order."""
        parts = [
            (member.scorer.casefold(), revision, float(member.weight).hex())
            for member, revision in zip(self.members, revisions, strict=True)
        ]
        return hashlib.sha256(repr((self.method, parts)).encode("utf-8", "backslashreplace")).hexdigest()[:12]


@dataclass(frozen=True, eq=False)
class BlendResult:
    """Blended scores and how they came about.

    Attributes:
        members: Each member's own scores, in the blend's order.
        votes: float64 [members, N], what each member brought before its weight: the raw score, the standardised score or the
            place within the prompt. NaN for pictures without a blended score.
        basis: Per member what its votes are: ``raw``; ``reference`` (standardised with the scorer's reference distribution);
            ``batch`` (standardised with the scores given) or ``rank``.
    """

    blend: Blend
    scores: Scores
    members: tuple[Scores, ...]
    votes: FloatArray
    basis: tuple[Basis, ...]

    def describe(self) -> str:
        """How the blended numbers were made, in plain words: the members that have a vote, by what their votes are."""
        voters: dict[Basis, list[str]] = {}
        for member, basis in zip(self.blend.members, self.basis, strict=True):
            if member.weight:
                voters.setdefault(basis, []).append(member.scorer)
        return " ".join(f"{_BASIS_IN_WORDS[basis]}: {', '.join(ids)}." for basis, ids in voters.items())


_BASIS_IN_WORDS: dict[Basis, str] = {
    "raw": "Raw scores",
    "reference": "Measured against the reference distribution",
    "batch": "Measured against the pictures of this run, so other pictures change the numbers",
    "rank": "Placed among the pictures of this run with the same prompt, so other pictures change the numbers",
}


def combine(blend: Blend, scores: Sequence[Scores]) -> BlendResult:
    """Blends scores that were made already: one for each member, in any order, all of the same pictures and prompts.

    Under ``standard`` a member's scores are measured against its reference distribution where its scores have one, else
    against those given (all prompts together; mean and standard deviation over N); where the given ones are all equal, as
    with a single picture, every picture gets 0. Under ``rank`` a picture alone with its prompt gets 0.5. Only pictures that
    every member with a vote has scored are compared.

    Raises:
        BlendError: The scores are not those of the blend's members.
        DifferentPicturesError: They belong to different pictures or prompts.
    """
    members = tuple(scores[at] for at in _arrange(blend, [part.scorer for part in scores]))
    check_same_pictures(members)
    failures = unscored([part for member, part in zip(blend.members, members, strict=True) if member.weight])
    complete = np.array([index not in failures for index in range(len(members[0]))], dtype=bool)
    votes = np.full((len(members), len(complete)), math.nan)
    basis: list[Basis] = []
    found: Basis
    for row, part in enumerate(members):
        given = np.where(complete, part.values, math.nan)
        if blend.method == "weighted":
            votes[row], found = given, "raw"
        elif blend.method == "rank":
            votes[row], found = normalised_ranks(given, part.groups("prompt")), "rank"
        elif (known := _usable(part.distribution)) is not None:
            votes[row], found = (given - known.mean) / known.std, "reference"
        else:
            votes[row], found = standardised(given), "batch"
        basis.append(found)
    values = _weighted_sum(blend, votes, complete)
    for index in np.flatnonzero(complete & ~np.isfinite(values)).tolist():
        failures[index], values[index] = f"the blend gave {values[index]}; expected smaller weights", math.nan
    blended = Scores(
        values=values,
        scorer=blend.id,
        revision=blend.revision([part.revision for part in members]),
        prompts=members[0].prompts,
        cut=tuple(max(cuts, key=len) for cuts in zip(*(part.cut for part in members), strict=True)),
        failures=failures,
        on_reference=all(part.on_reference for part in members),
    )
    return BlendResult(blend, blended, members, votes, tuple(basis))


def _arrange(blend: Blend, ids: Sequence[str]) -> list[int]:
    """For every member of the blend its place in ``ids``."""
    given = [name.casefold() for name in ids]
    expected = [member.scorer.casefold() for member in blend.members]
    if sorted(given) != sorted(expected):
        raise BlendError(
            f"the blend {blend.name!r} is made of {', '.join(member.scorer for member in blend.members)}, but {', '.join(ids) or 'none'} "
            "was given; expected each of its scorers once"
        )
    return [given.index(name) for name in expected]


def _usable(distribution: Distribution | None) -> Distribution | None:
    return distribution if distribution is not None and distribution.std > 0 else None


def _weighted_sum(blend: Blend, votes: FloatArray, complete: npt.NDArray[np.bool_]) -> FloatArray:
    """The blended values, float64 [N]: a sum under ``weighted``, else a mean; NaN where not ``complete``."""
    values = np.where(complete, 0.0, math.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        for weight, row in zip(blend.factors(), votes, strict=True):
            if weight:
                values += weight * row
    # Places are fractions: without the rounding, weights 0.1 + 0.2 against 0.3 would decide what is a tie.
    return values.round(12) if blend.method == "rank" else values


class BlendScorer:
    """A blend that scores pictures, for use wherever a scorer is used.

    ``members`` are a scorer for each member of ``spec``, in any order and none of them a blend; BlendError where they are others.
    """

    def __init__(self, spec: Blend, members: Sequence[Scorer]) -> None:
        self.spec = spec
        self.members = tuple(members[at] for at in _arrange(spec, [member.card.id for member in members]))
        self.card = blend_card(spec, [member.card for member in self.members])
        self.revision = spec.revision([member.revision for member in self.members])

    def score(self, images: Sequence[Picture] | torch.Tensor, prompts: str | Sequence[Prompt]) -> Scores:
        """One blended score per picture; see :meth:`imagereward_core.scorers.base.Scorer.score`."""
        return self.score_with_members(images, prompts).scores

    def score_with_members(
        self, images: Sequence[Picture] | torch.Tensor, prompts: str | Sequence[Prompt]
    ) -> BlendResult:
        """The blended scores together with those of every member; errors as for any scorer."""
        from .engine import score_together  # blending numbers that are there needs no torch

        members = cast("Sequence[PictureScorer]", self.members)
        return combine(self.spec, score_together(members, images, prompts))


def blend_card(spec: Blend, cards: Sequence[ScorerCard]) -> ScorerCard:
    """The card of a blend, made from its members' cards in the blend's order.

    It has no weights of its own, hence no files. Each member prepares pictures by its own rules; ``image`` shows the first
    member's. ``typical_range`` is what the members' typical ranges add up to, with -2 to 2 for a member that is standardised
    against the pictures of the run; how members go together is unknown, so most blended scores lie well inside it. It is None
    where it is not known for a member that counts.
    """
    parts = list(zip(spec.members, cards, strict=True))
    limits = [card.token_limit for card in cards if card.token_limit is not None]
    licences: dict[str, list[str]] = {}
    for card in cards:
        licences.setdefault(card.licence, []).append(card.id)
    weights = ", ".join(f"{card.id} {member.weight:g}" for member, card in parts)
    return ScorerCard(
        id=spec.id,
        title=f"{spec.name} (blend of {len(parts)})",
        summary=f"{METHODS[spec.method]} Weights: {weights}.",
        paper="; ".join(dict.fromkeys(card.paper for card in cards if card.paper)),
        licence="; ".join(f"{licence} ({', '.join(ids)})" for licence, ids in licences.items()),
        checkpoint=(),
        image=cards[0].image,
        token_limit=min(limits, default=None),
        needs_prompt=any(card.needs_prompt for card in cards),
        family="blend",
        typical_range=_typical_range(spec, cards),
        notes=(*_notes(spec, cards), *(f"{card.id}: {note}" for card in cards for note in card.notes)),
        download_size=sum(card.download_size for card in cards),
        cross_prompt=spec.method != "rank"
        and all(card.cross_prompt for member, card in parts if member.weight),
    )


def _typical_range(spec: Blend, cards: Sequence[ScorerCard]) -> tuple[float, float] | None:
    if spec.method == "rank":
        return 0.0, 1.0
    bounds = []
    for weight, card in zip(spec.factors(), cards, strict=True):
        low, high = card.typical_range or (math.nan, math.nan)
        if spec.method == "standard":
            known = _usable(card.distribution) if card.typical_range else None
            low, high = ((end - known.mean) / known.std for end in (low, high)) if known else (-2, 2)
        if weight:
            bounds.append(sorted((weight * low, weight * high)))
    if any(math.isnan(low) for low, _ in bounds):
        return None
    return sum(low for low, _ in bounds), sum(high for _, high in bounds)


def _notes(spec: Blend, cards: Sequence[ScorerCard]) -> list[str]:
    """Remarks on the blend itself."""
    voters = [(member, card) for member, card in zip(spec.members, cards, strict=True) if member.weight]
    notes = ["A picture that one of the scorers cannot score has no blended score."]
    if spec.method == "rank":
        return [
            "The score says where a picture stands among those of the same run with the same prompt; other company, other score.",
            "A picture alone with its prompt gets 0.5.",
            *notes,
        ]
    if spec.method == "weighted":
        ranges = [card.typical_range or (math.nan, math.nan) for _, card in voters]
        widths = [
            abs(member.weight) * (high - low) for (member, _), (low, high) in zip(voters, ranges, strict=True)
        ]
        total = sum(widths)
        if 0 < total < math.inf:
            shares = ", ".join(
                f"{card.id} {100 * width / total:.0f} %" for (_, card), width in zip(voters, widths)
            )
            notes.insert(
                0, f"Raw scores differ in scale. By their typical ranges the sum is moved by {shares}."
            )
        return notes
    by_batch = [card.id for _, card in voters if _usable(card.distribution) is None]
    if by_batch:
        notes.insert(
            0,
            f"{', '.join(by_batch)}: no reference distribution, so measured against the pictures of the same run, all prompts "
            "together; other company, other score. A single picture counts 0.",
        )
    return notes
