"""The scorers of one run: one whose number decides, perhaps a blend, and others that are shown beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union, cast

from ..errors import WeightsError
from ..metrics.agreement import Disagreement, PairAgreement, agreement, disagreements
from ..scores import Scores
from ..weights.card import ScorerCard
from .blend import BlendResult, BlendScorer, combine
from .meaning import own_notice

if TYPE_CHECKING:
    import torch

    from ..metadata.missing import Prompt
    from .engine import Memory, PictureScorer
    from .inputs import Picture

AnyScorer = Union["PictureScorer", BlendScorer]


@dataclass(frozen=True)
class PanelResult:
    """The result of a panel: the scores of ``main`` decide.

    Attributes:
        beside: Scores to be shown beside them: of a blend's members, then of the others.
        agreement: How far every two scorers agree; empty for a single one.
        disagreements: Pictures a person should look at, by index.
        basis: For a blend, what its numbers rest on; else empty.
        warnings: What must be known about the scorers, each in a sentence.
    """

    main: Scores
    beside: tuple[Scores, ...] = ()
    agreement: tuple[PairAgreement, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    basis: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def remark(self) -> str:
        """Remarks needed to read the numbers, in sentences."""
        return " ".join(filter(None, (self.basis, *self.warnings)))


class Panel:
    """Scorers that work on the same pictures, each picture decoded once and encoded once per tower.

    Scoring and judging are apart, because blends by rank compare all pictures of a run: score in pieces, join, then judge. The number of
    ``main`` decides, those of ``others`` are shown as well.

    Raises:
        WeightsError: Two checkpoints of different weights have one id.
    """

    def __init__(self, main: AnyScorer, others: Sequence[AnyScorer] = ()) -> None:
        self.main, self.others = main, tuple(others)
        by_id: dict[str, PictureScorer] = {}
        for scorer in (main, *others):
            for single in _singles(scorer):
                same = by_id.setdefault(single.card.id, single)
                if same.revision != single.revision:
                    raise WeightsError(
                        f"two checkpoints with different weights (revisions {same.revision} and {single.revision}) are both called "
                        f"{single.card.id}, and their scores could not be told apart; rename one of the files, or give it another id in "
                        "a card beside it (docs/scorers.md)"
                    )
        self.scorers = tuple(by_id.values())

    @property
    def card(self) -> ScorerCard:
        """The card of the scorer that decides."""
        return self.main.card

    @property
    def needs_prompt(self) -> bool:
        """Whether any of the scorers reads the prompt."""
        return any(scorer.card.needs_prompt for scorer in self.scorers)

    @property
    def has_percentiles(self) -> bool:
        """Whether a reference distribution is known for the numbers that decide, made as they are here."""
        return self.card.distribution is not None and all(
            single.spec == single.card.image for single in _singles(self.main)
        )

    def score(
        self,
        images: Sequence[Picture] | torch.Tensor,
        prompts: str | Sequence[Prompt],
        memory: Memory | None = None,
    ) -> list[Scores]:
        """The Scores of every single scorer, in the order of ``scorers``; each says for itself which missing prompts it needs.

        ``memory`` is empty for the first part of a run, and then handed on, so that a picture which is there twice has one score.
        """
        from .engine import score_together  # judging numbers that are there needs no torch

        return score_together(self.scorers, images, prompts, memory)

    def judge(self, scores: Sequence[Scores]) -> PanelResult:
        """The result of a run, from the scores of all its pictures: one for each of ``scorers``, in their order."""
        by_id = {each.scorer: each for each in scores}

        def blended(scorer: BlendScorer) -> BlendResult:
            return combine(scorer.spec, [by_id[single.card.id] for single in scorer.members])

        def of(scorer: AnyScorer) -> Scores:
            return blended(scorer).scores if isinstance(scorer, BlendScorer) else by_id[scorer.card.id]

        main, basis, beside = of(self.main), "", {}
        if isinstance(self.main, BlendScorer):
            basis = blended(self.main).describe()
            beside = {single.card.id: by_id[single.card.id] for single in self.main.members}
        beside |= {other.card.id: of(other) for other in self.others}
        beside.pop(main.scorer, None)
        shown = tuple(beside.values())
        # A blend agrees with its own members; those who can differ are the scorers it is made of.
        voices = shown if basis else (main, *shown)
        if len(voices) < 2:
            return PanelResult(main, shown, basis=basis, warnings=self.warnings())
        pairs, disputes = tuple(agreement(voices)), tuple(disagreements(voices))
        return PanelResult(main, shown, pairs, disputes, basis, self.warnings())

    def warnings(self) -> tuple[str, ...]:
        """Warnings about the scorers: own checkpoints, those that work otherwise than asked, those that give all one number."""
        own = [own_notice(scorer.card) for scorer in self.scorers]
        notices = [scorer.notice for scorer in self.scorers]
        told = [text for scorer in self.scorers for text in scorer.warnings()]
        return tuple(dict.fromkeys(filter(None, (*own, *notices, *told))))


def _singles(scorer: AnyScorer) -> list[PictureScorer]:
    """The scorer itself, or the members of a blend."""
    singles = scorer.members if isinstance(scorer, BlendScorer) else (scorer,)
    return [cast("PictureScorer", single) for single in singles]
