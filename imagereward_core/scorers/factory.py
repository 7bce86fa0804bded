"""Makes scorers ready: finds weights, builds networks, and lets scorers of one run share what they have in common."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from ..images.spec import ImageSpec
from ..nets import clip, heads, mps, reward, siglip
from ..nets.config import RewardConfig
from ..nets.skeleton import build_skeleton
from ..runtime import LocalRuntime, Runtime
from ..weights.card import ScorerCard, WeightsCard
from ..weights.cards import backbone_of
from ..weights.checkpoint import keymap_of, load_into
from ..weights.locate import FoundWeights, WeightSettings
from ..weights.store import former_revisions
from .blend import Blend, BlendScorer
from .blend_file import Blends, blend_of
from .engine import PictureScorer, Tower, score_together
from .families.aesthetic import AestheticScorer
from .families.cosine import CosineScorer
from .families.imagereward import ImageRewardScorer
from .families.mps import MpsScorer
from .panel import AnyScorer
from .registry import card_of, find, load_network, make_encoder, network_config
from .tokenizers.clip import ClipPromptEncoder, Rules

if TYPE_CHECKING:
    import torch

    from ..images.spec import Framing
    from ..runtime import Runtime
    from ..weights.store import FoundWeights
    from .panel import AnyScorer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """How the network of one layout of weights is made.

    Attributes:
        sizes: Its configuration, as published.
        make: The network for a configuration.
        dtype: Its policy: which parameters leave float32.
    """

    sizes: Callable[[], Any]
    make: Callable[[Any], nn.Module]
    dtype: Callable[[str, torch.dtype], torch.dtype]


KINDS: dict[str, Kind] = {
    "clip-l": Kind(clip.ClipConfig.vit_l_14, clip.ClipNetwork, clip.parameter_dtype),
    "clip-h": Kind(clip.ClipConfig.vit_h_14, clip.ClipNetwork, clip.parameter_dtype),
    "mps": Kind(mps.MpsConfig, mps.MpsNetwork, mps.parameter_dtype),
    "blip": Kind(
        RewardConfig, reward.Blip, lambda name, dtype: reward.parameter_dtype(f"blip.{name}", dtype)
    ),
    "siglip": Kind(siglip.SiglipConfig.so400m_14_384, siglip.SiglipVision, siglip.parameter_dtype),
    "aesthetic": Kind(lambda: 768, heads.AestheticHead, heads.parameter_dtype),
    "aesthetic-v2.5": Kind(lambda: 1152, heads.SiglipAestheticHead, heads.parameter_dtype),
}
"""By the ``layout`` of a card."""

MPS_THRESHOLDS = {"MPS": mps.FORWARD_THRESHOLD, "MPS-0.3": mps.EVALUATION_THRESHOLD}


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
        blends: Blends | None = None,
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
        self._whole |= {card.id for card in self.cards(names)}
        return [self.make(name) for name in names]

    def make(self, name: str | os.PathLike[str]) -> AnyScorer:
        """Makes one scorer ready.

        Args:
            name: A registered id, a checkpoint as in :func:`.registry.card_of`, ``blend:NAME`` for a saved blend, or the text of
                one, such as ``ImageReward-v1.0=0.7,PickScore=0.3@rank``.

        Raises:
            UnknownScorerError: There is no such scorer and no such file.
            BlendError: There is no such blend, or its text cannot be read.
            WeightsError: Weights are missing, damaged or of another layout.
        """
        blend = self.blend_of(name)
        if blend is None:
            return self._single(name)
        self._whole |= {member.scorer for member in blend.members}
        members = [self._single(member.scorer) for member in blend.members]
        return BlendScorer(blend.renamed([member.card.id for member in members]), members, together=_together)

    def blend_of(self, name: str | os.PathLike[str]) -> Blend | None:
        """The blend that ``name`` stands for; None for a single scorer."""
        return blend_of(name, self.blends)

    def cards(self, names: Iterable[str | os.PathLike[str]]) -> list[ScorerCard]:
        """The cards of all registered scorers that ``names`` need, each once; see :meth:`checkpoints` for the others."""
        return [card for card, path in self._needed(names) if path is None]

    def checkpoints(self, names: Iterable[str | os.PathLike[str]]) -> list[tuple[ScorerCard, Path]]:
        """The checkpoints with ImageReward's layout that ``names`` need, by path or as files of the models folders, with their cards."""
        return [(card, path) for card, path in self._needed(names) if path is not None]

    def _needed(self, names: Iterable[str | os.PathLike[str]]) -> list[tuple[ScorerCard, Path | None]]:
        found: dict[tuple[str, Path | None], tuple[ScorerCard, Path | None]] = {}
        for name in names:
            blend = self.blend_of(name)
            members = [member.scorer for member in blend.members] if blend else [os.fspath(name)]
            for member in members:
                card, path = card_of(member, self.settings)
                found.setdefault((card.id, path), (card, path))
        return list(found.values())

    def _single(self, name: str | os.PathLike[str]) -> PictureScorer:
        key = os.fspath(name).casefold()
        if key not in self._scorers:
            card, found = find(name, self.settings)
            self._scorers[key] = self._build(card, found)
            self._scorers[key].former = partial(_former, card, found)
            for warning in self._scorers[key].warnings():
                log.warning(warning)
        return self._scorers[key]

    def _build(self, card: ScorerCard, found: FoundWeights) -> PictureScorer:
        spec = card.image.whole_picture() if self.whole_picture else card.image
        common: dict[str, Any] = {
            "runtime": self.runtime,
            "revision": found.revision,
            "batch_size": self.batch_size,
        }
        if not card.layout:
            network = load_network(network_config(card), found.checkpoint, self.runtime.dtype)
            return ImageRewardScorer(
                card, network, make_encoder(card, found), spec=spec, packing=True, **common
            )
        under = backbone_of(card)
        if under is not None:
            assert found.backbone is not None
            head = self._network(card, found)
            body = self._network(under, found.backbone)
            tower = self._tower(body, spec, lambda pixels: body.encode_images(pixels))
            return AestheticScorer(card, tower, head=partial(_rate, head), **common)
        network = self._network(card, found)
        if isinstance(network, reward.Blip):
            tower = self._tower(network, spec, partial(_blip_pictures, network))
            texts: Callable[[Tensor, Tensor], Tensor] = partial(_blip_texts, network)
            return CosineScorer(card, tower, encoder=make_encoder(card, found), encode_texts=texts, **common)
        tower = self._tower(network, spec, lambda pixels: network.encode_images(pixels))
        assert found.vocabulary is not None and card.token_limit is not None
        rules = cast(Rules, card.text)
        encoder = ClipPromptEncoder(found.vocabulary, card.token_limit, rules)
        if isinstance(network, mps.MpsNetwork):
            return MpsScorer(
                card,
                tower,
                network,
                encoder=encoder,
                padding=encoder.end_id,
                threshold=MPS_THRESHOLDS[card.id],
                **common,
            )
        assert isinstance(network, clip.ClipNetwork)
        scale = partial(_scale, network) if card.id == "PickScore" else _one
        return CosineScorer(
            card, tower, encoder=encoder, encode_texts=network.encode_texts, scale=scale, **common
        )

    def _network(self, card: WeightsCard, found: FoundWeights) -> Any:
        """The network of a card with its weights, on the CPU; the same one for all scorers of this maker that read the same file."""
        if found.checkpoint not in self._networks:
            kind = KINDS[card.layout]
            # The text tower is left out where nobody reads text with it.
            text = not (kind.make is clip.ClipNetwork and self._whole and card.id not in self._whole)
            make = kind.make if text else partial(clip.ClipNetwork, text=False)
            network = build_skeleton(lambda: make(kind.sizes()))
            load_into(
                network,
                found.checkpoint,
                dtype_of=lambda name: kind.dtype(name, self.runtime.dtype),
                rename=None if text else _without_text,
                keymap=keymap_of(card),
            )
            self._networks[found.checkpoint] = network
        return self._networks[found.checkpoint]

    def _tower(self, network: nn.Module, spec: ImageSpec, encode: Callable[[Tensor], Tensor]) -> Tower:
        return self._towers.setdefault((id(network), spec), Tower(network, spec, encode, packing=True))


def skeleton_of(card: ScorerCard) -> nn.Module:
    """The network whose weights ``card`` describes, without storage: names, shapes and dtypes."""
    if not card.layout:
        return reward.build_skeleton(network_config(card))
    kind = KINDS[card.layout]
    return build_skeleton(lambda: kind.make(kind.sizes()))


def _former(card: ScorerCard, found: FoundWeights) -> tuple[tuple[str, str], ...]:
    """Ids and revisions under which earlier versions kept scores of these weights; they had no ids for own checkpoints."""
    name = "ImageReward-v1.0" if card.own else card.id
    return tuple((name, revision) for revision in former_revisions(found, card))


def _together(scorers: Sequence[Any], images: Any, prompts: Any) -> list[Any]:
    return score_together(scorers, images, prompts)


def _without_text(name: str) -> str | None:
    return None if name.startswith("text_") or name == "logit_scale" else name


def _rate(head: nn.Module, features: Tensor) -> Tensor:
    """Scores [B] of a head, which stays on the CPU."""
    return head(features.float())[:, 0].double()


def _one() -> float:
    return 1.0


def _scale(network: clip.ClipNetwork) -> float:
    return float(network.logit_scale.detach().double().exp())


def _blip_pictures(network: reward.Blip, pixels: Tensor) -> Tensor:
    """BLIPScore.py: the projected state of the class token."""
    return network.vision_proj(network.visual_encoder(pixels)[:, 0].float())


def _blip_texts(network: reward.Blip, ids: Tensor, mask: Tensor) -> Tensor:
    """BLIPScore.py: the projected state of token 0, read without the picture."""
    return network.text_proj(network.text_encoder(ids, mask, first_only=True)[:, 0].float())


def create_scorer(
    name: str | os.PathLike[str] = "ImageReward-v1.0",
    runtime: Runtime | None = None,
    settings: WeightSettings | None = None,
    batch_size: int | None = None,
    framing: Framing = "center_crop",
) -> AnyScorer:
    """Makes the scorer ``name`` ready: finds, or downloads, its weights and loads them.

    Args:
        name: A registered id, the path of a checkpoint with ImageReward's layout, or the text of a blend, such as
            ``ImageReward-v1.0=0.7,PickScore=0.3@rank``.
        runtime: Where it runs; by default the best device of this machine.
        settings: Where weights are looked for and whether they may be downloaded.
        batch_size: Pictures per forward pass; None picks by device.
        framing: ``center_crop`` as published, or ``pad`` to see the whole picture (off-reference).

    Raises:
        UnknownScorerError: There is no such scorer and no such file.
        BlendError: The text of a blend cannot be read.
        WeightsError: The weights are missing, damaged or of another layout.
    """
    return Maker(runtime, settings, batch_size, whole_picture=framing == "pad").make(name)
