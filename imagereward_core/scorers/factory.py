"""Makes scorers ready: finds weights, builds networks, and lets scorers of one run share what they have in common."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from ..images.spec import ImageSpec
from ..nets.reward import RewardNetwork
from ..nets.skeleton import build_skeleton
from ..runtime import LocalRuntime, Runtime
from ..weights.card import ScorerCard, WeightsCard
from ..weights.cards import backbone_of
from ..weights.checkpoint import keymap_of, load_into
from ..weights.locate import FoundWeights, WeightSettings
from ..weights.store import former_revisions
from .blend import BlendScorer
from .engine import PictureScorer, Tower
from .family import Parts, builder_of, network_of
from .panel import AnyScorer
from .registry import find, network_config
from .saved_blends import SavedBlends, blend_of, needed_cards

if TYPE_CHECKING:
    from ..images.spec import Framing

log = logging.getLogger(__name__)


class Maker:
    """Makes the scorers of one run. Scorers made by the same maker share networks and towers.

    Args:
        runtime: Where they run; by default the best device of this machine.
        settings: Where weights are looked for and whether they may be downloaded.
        batch_size: Pictures per forward pass; None picks by device.
        whole_picture: Whether scorers that see only the middle of a picture are shown all of it (off-reference).
        blends: Where blends are saved; without it only blends given as text can be made.
    """

    def __init__(
        self,
        runtime: Runtime | None = None,
        settings: WeightSettings | None = None,
        batch_size: int | None = None,
        whole_picture: bool = False,
        blends: SavedBlends | None = None,
    ) -> None:
        self.runtime: Runtime = runtime or LocalRuntime()
        self.settings = settings or WeightSettings()
        self.batch_size, self.whole_picture, self.blends = batch_size, whole_picture, blends
        self._scorers: dict[str, PictureScorer] = {}
        self._networks: dict[Path, nn.Module] = {}
        self._towers: dict[tuple[int, ImageSpec], Tower] = {}
        self._whole: set[str] = set()

    def make_all(self, names: Sequence[str | os.PathLike[str]]) -> list[AnyScorer]:
        """One scorer for each name, in order; see :meth:`make`."""
        # A network is built with its text tower where any of the scorers asked for reads text with it.
        self._whole |= {card.id for card, path in self.needed(names) if path is None}
        return [self.make(name) for name in names]

    def make(self, name: str | os.PathLike[str]) -> AnyScorer:
        """Makes one scorer ready, by a name as in :func:`.registry.card_of`, ``blend:NAME`` for a saved blend, or the text of one.

        Raises:
            UnknownScorerError: There is no such scorer and no such file.
            BlendError: There is no such blend, or its text cannot be read.
            WeightsError: Weights are missing, damaged or of another layout.
        """
        blend = blend_of(name, self.blends)
        if blend is None:
            return self._single(name)
        self._whole |= {member.scorer for member in blend.members}
        members = [self._single(member.scorer) for member in blend.members]
        return BlendScorer(blend.renamed([member.card.id for member in members]), members)

    def needed(self, names: Iterable[str | os.PathLike[str]]) -> list[tuple[ScorerCard, Path | None]]:
        """The cards of all scorers that ``names`` need; see :func:`.saved_blends.needed_cards`."""
        return needed_cards(names, self.settings, self.blends)

    def _single(self, name: str | os.PathLike[str]) -> PictureScorer:
        key = os.fspath(name).casefold()
        if key not in self._scorers:
            card, found = find(name, self.settings)
            scorer = self._scorers[key] = self._build(card, found)
            former = "ImageReward-v1.0" if card.own else card.id  # own checkpoints had no ids
            scorer.former = lambda: tuple((former, each) for each in former_revisions(found, card))
            for warning in scorer.warnings():
                log.warning(warning)
        return self._scorers[key]

    def _build(self, card: ScorerCard, found: FoundWeights) -> PictureScorer:
        under, spec = backbone_of(card), card.image.whole_picture() if self.whole_picture else card.image
        return builder_of(card)(
            Parts(
                card=card,
                found=found,
                spec=spec,
                runtime=self.runtime,
                common={
                    "runtime": self.runtime,
                    "revision": found.revision,
                    "batch_size": self.batch_size,
                },
                network=lambda: self.network(card, found),
                backbone=lambda: under and found.backbone and self.network(under, found.backbone),
                tower=lambda network, encode: self.tower(network, spec, encode),
            )
        )

    def network(self, card: WeightsCard, found: FoundWeights) -> Any:
        """The network of a card with its weights, on the CPU; the same one for all scorers of this maker that read the same file."""
        if found.checkpoint not in self._networks:
            kind = network_of(card.layout)
            # The text tower is left out where nobody reads text with it.
            unread = kind.make_without_text if self._whole and card.id not in self._whole else None
            make = unread or kind.make
            network = build_skeleton(lambda: make(kind.sizes()))
            load_into(
                network,
                found.checkpoint,
                dtype_of=lambda name: kind.dtype(name, self.runtime.dtype),
                unused=lambda name: unread is not None and kind.reads_text(name),
                keymap=keymap_of(card),
            )
            self._networks[found.checkpoint] = network
        return self._networks[found.checkpoint]

    def tower(self, network: nn.Module, spec: ImageSpec, encode: Callable[[Tensor], Tensor]) -> Tower:
        """The picture tower of a network; the same one for all scorers of this maker that share network and picture rules."""
        return self._towers.setdefault((id(network), spec), Tower(network, spec, encode, packing=True))


def skeleton_of(card: ScorerCard) -> nn.Module:
    """The network whose weights ``card`` describes, without storage: names, shapes and dtypes."""
    if not card.layout:
        return build_skeleton(lambda: RewardNetwork(network_config(card)))
    kind = network_of(card.layout)
    return build_skeleton(lambda: kind.make(kind.sizes()))


def create_scorer(
    name: str | os.PathLike[str] = "ImageReward-v1.0",
    runtime: Runtime | None = None,
    settings: WeightSettings | None = None,
    batch_size: int | None = None,
    framing: Framing = "center_crop",
) -> AnyScorer:
    """Makes the scorer ``name`` ready: finds, or downloads, its weights and loads them; errors as of :meth:`Maker.make`.

    Args:
        name: A registered id, the path of a checkpoint with ImageReward's layout, or the text of a blend, such as
            ``ImageReward-v1.0=0.7,PickScore=0.3@rank``.
        runtime: Where it runs; by default the best device of this machine.
        settings: Where weights are looked for and whether they may be downloaded.
        batch_size: Pictures per forward pass; None picks by device.
        framing: ``center_crop`` as published, or ``pad`` to see the whole picture (off-reference).
    """
    return Maker(runtime, settings, batch_size, whole_picture=framing == "pad").make(name)
