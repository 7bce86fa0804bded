"""The card of a scorer: everything a person is shown about it, and everything needed to get and use its weights."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Mapping
from typing import Any, Literal

from ..images.spec import ImageSpec
from ..records import record

_COMMIT = re.compile(r"[0-9a-f]{40}")

TextRules = Literal["", "bert", "openai", "open_clip", "processor"]
"""How a prompt becomes tokens: not at all, as BLIP does it, or as one of CLIP's three tokenizers does."""


@record(frozen=True)
class WeightFile:
    """One file of a scorer, as it lies in a models folder and as it lies on the hub.

    Attributes:
        name: File name inside the scorer's folder, for example ``ImageReward.pt``.
        repository: Hub repository, ``owner/name``; empty for a file that is on no hub.
        remote_name: Path inside the repository, where it differs from ``name``.
        revision: Pinned branch, tag or commit of the repository.
        sha256: Expected checksum, or None where the publisher states none; a download is then checked against the
            checksum the hub itself declares for the file.
        size: Size in bytes; None where unknown.
        address: Web address of a file that this program does not fetch itself and a person has to.
    """

    name: str
    repository: str = ""
    remote_name: str = ""
    revision: str = "main"
    sha256: str | None = None
    size: int | None = None
    address: str = ""

    @property
    def pinned(self) -> str:
        """How the file fetched is known to be the one this program was written for: ``checksum``, ``revision`` or ``not pinned``.

        A commit of a repository cannot be changed, and the hub states the checksum of a large file in it; a branch can.
        """
        if self.sha256 is not None:
            return "checksum"
        return "revision" if self.repository and _COMMIT.fullmatch(self.revision) else "not pinned"

    @property
    def by_hand(self) -> bool:
        """Whether it is on no hub, but a person can get it elsewhere."""
        return bool(self.address) and not self.repository

    @property
    def path_in_repository(self) -> str:
        """The file's path inside its hub repository."""
        return self.remote_name or self.name


@record(frozen=True)
class Distribution:
    """The scores a percentile is read against.

    Either the normal distribution with ``mean`` and ``std``, or, where ``quantiles`` are given, the empirical one: evenly
    spaced quantiles from 0 % to 100 %.
    """

    source: str
    mean: float
    std: float
    quantiles: tuple[float, ...] = ()

    def percentile(self, value: float) -> float:
        """Share of the reference scores below ``value``, in 0..100; NaN stays NaN."""
        if math.isnan(value):
            return math.nan
        if not self.quantiles:
            return 50.0 * math.erfc((self.mean - value) / (self.std * math.sqrt(2.0)))
        marks = self.quantiles
        if value <= marks[0]:
            return 0.0
        if value >= marks[-1]:
            return 100.0
        above = bisect_left(marks, value)
        low, high = marks[above - 1], marks[above]
        return 100.0 * (above - 1 + (value - low) / (high - low)) / (len(marks) - 1)


@record(frozen=True, kw_only=True)
class WeightsCard:
    """A set of weights: what a person is shown about it, and what is needed to get and read it.

    Attributes:
        id: Name people type, for example ``ImageReward-v1.0``.
        title: One line for menus.
        paper: Where it is described; empty where there is none.
        licence: Licence of the weights.
        checkpoint: The weights; the first entry is preferred, later ones are other forms of the same weights.
        tokenizer: The vocabulary the text encoder reads, or None for weights without text.
        layout: Key of ``checkpoint.keymaps.KEYMAPS`` for files whose tensors have other names than the network's; empty where the
            names are the same.
        download_size: Bytes to fetch, for messages; rounded where no exact number is published, 0 where none is.
        home: Name of the folder inside a models folder, for scorers that use the same files as another; else empty.
    """

    id: str
    title: str
    paper: str
    licence: str
    checkpoint: tuple[WeightFile, ...]
    tokenizer: WeightFile | None = None
    layout: str = ""
    download_size: int = 0
    home: str = ""

    @property
    def pinned(self) -> str:
        """How the form that is fetched is pinned (see :attr:`WeightFile.pinned`); empty where there is none to fetch."""
        return self.preferred.pinned if self.preferred else ""

    @property
    def preferred(self) -> WeightFile | None:
        """The form to get: one that this program fetches, else one that a person can get; None where there is neither."""
        fetched = [form for form in self.checkpoint if form.repository]
        by_person = [form for form in self.checkpoint if form.address]
        return next(iter(fetched + by_person), None)

    @property
    def address(self) -> str:
        """Where a person has to get the weights, since no hub has them; else empty."""
        return self.preferred.address if self.preferred and self.preferred.by_hand else ""

    @property
    def folder(self) -> str:
        """Name of the folder for these files inside a models folder."""
        return self.home or self.id


@record(frozen=True, kw_only=True)
class ScorerCard(WeightsCard):
    """A scorer: what it is, what it needs and what its number means.

    Attributes:
        summary: What it judges, in plain words.
        token_limit: Longest prompt in tokens, the two special ones included; None for scorers without text.
        needs_prompt: Whether a score without a prompt means nothing.
        typical_range: Scores between which most pictures lie, or None where nobody knows.
        distribution: Reference distribution for percentiles, or None where none is published.
        notes: Known biases and limits, one sentence each.
        higher_is_better: Always True so far; reported to programs that read scores.
        backbone: For a head, the id of the weights its picture encoder is read from, themselves a card; else empty.
        cross_prompt: False where the authors advise against comparing raw scores of pictures with different prompts.
        family: Which file of ``scorers.families`` makes it.
        metadata_key: Under which name its number stands in metadata of pictures; chosen so that other programs read it, and read it
            rightly (see ``metadata.score_keys``). Empty for a key made from the id.
        place: Where it stands in lists; lower first, then by id.
        sizes: Sizes of its network, where they are not those of its family.
        learned_scale: For a cosine, whether it is multiplied by the factor that lies among the weights.
        mask_threshold: For MPS, the share of its greatest similarity to the condition that a position of the prompt must exceed.
        own: Whether it is a checkpoint of the user's own, of which only its card knows more than its name.
        base: For a head alone or a LoRA, the id of the scorer whose network it changes; else empty.
        base_revision: The label that scorer's weights must have.
        lora_scale: Factor of what a LoRA adds to the weights of ``base``.
        recipe: Six digits for what an own card says that changes its numbers, which belong to the label of the weights; else empty.
    """

    summary: str
    image: ImageSpec
    token_limit: int | None
    needs_prompt: bool = True
    typical_range: tuple[float, float] | None
    distribution: Distribution | None = None
    notes: tuple[str, ...] = ()
    higher_is_better: bool = True
    backbone: str = ""
    text: TextRules = ""
    cross_prompt: bool = True
    family: str
    metadata_key: str = ""
    place: int = 50
    sizes: Mapping[str, Any] | None = None
    learned_scale: bool = False
    mask_threshold: float | None = None
    own: bool = False
    base: str = ""
    base_revision: str = ""
    lora_scale: float = 1.0
    recipe: str = ""

    @property
    def typical_text(self) -> str:
        """The typical range in words."""
        if self.typical_range is None:
            return "not known"
        return "{:.4g} to {:.4g}".format(*self.typical_range)
