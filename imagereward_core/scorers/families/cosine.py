"""Scorers whose number is the cosine of picture and prompt: CLIP score, BLIP score, PickScore, HPSv2."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from ...nets import clip, reward
from ...nets.config import RewardConfig
from ...runtime import Runtime
from ...weights.card import ScorerCard
from ..engine import PictureScorer, Tower
from ..family import Network, Parts, family
from ..registry import make_clip_encoder, make_encoder
from ..tokenizers.bert import pad_ids
from ..tokenizers.encoder import Encoder

PROMPTS_AT_ONCE = 64
PROMPTS_KEPT = 4096


class CosineScorer(PictureScorer):
    """Cosine of projected features, times a constant where the scorer's authors have one.

    Features of prompts are kept, so that a prompt goes through the text tower once.

    Args as of :class:`PictureScorer`, and:
        tower: Gives projected features of pictures, [B, P], not normalised.
        encode_texts: Ids int64 [B, L] and mask [B, L] to projected features [B, P], not normalised.
        scale: Asked for the factor of the cosine; by default it is 1.
    """

    def __init__(
        self,
        card: ScorerCard,
        tower: Tower,
        runtime: Runtime,
        revision: str,
        encoder: Encoder,
        encode_texts: Callable[[Tensor, Tensor], Tensor],
        scale: Callable[[], float] = lambda: 1.0,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(card, tower, runtime, revision, batch_size, encoder)
        self.encoder, self.encode_texts, self.scale = encoder, encode_texts, scale
        self._texts: OrderedDict[str, Tensor] = OrderedDict()

    def rewards(self, features: Tensor, prompts: Sequence[str], rows: Sequence[int] | None = None) -> Tensor:
        """Scores of pictures from their features [B, P]; see :meth:`PictureScorer.rewards`."""
        texts = self._features(list(dict.fromkeys(prompts)))
        pictures = unit(features)
        places = range(len(prompts)) if rows is None else rows
        # One product for each pair: a product of whole matrices would depend on what else is in the batch.
        cosines = [pictures[row] @ usable(texts[prompt]) for row, prompt in zip(places, prompts)]
        return self.scale() * (torch.stack(cosines) if cosines else pictures.new_empty(0))

    def _features(self, prompts: Sequence[str]) -> dict[str, Tensor]:
        """Unit vectors float64 [P] of prompts, from earlier calls or from the text tower."""
        missing = sorted(
            (prompt for prompt in prompts if prompt not in self._texts),
            key=lambda prompt: len(self.encoder(prompt).ids),
        )
        for start in range(0, len(missing), PROMPTS_AT_ONCE):
            group = missing[start : start + PROMPTS_AT_ONCE]
            ids, mask = pad_ids([self.encoder(prompt).ids for prompt in group])
            device = self.runtime.device
            with torch.no_grad():
                made = unit(self.encode_texts(ids.to(device), mask.to(device)))
            self._texts.update(zip(group, made))
        wanted = {prompt: self._texts[prompt] for prompt in prompts}
        while len(self._texts) > PROMPTS_KEPT:
            self._texts.popitem(last=False)
        return wanted


def usable(tensor: Tensor) -> Tensor:
    """A tensor that was kept, fit for arithmetic with gradients: one made in inference mode is not, outside of it."""
    return tensor.clone() if tensor.is_inference() and not torch.is_inference_mode_enabled() else tensor


def unit(features: Tensor) -> Tensor:
    """Rows of length 1, float64 on the CPU: one number for one pair of vectors, whatever device made them."""
    exact = features.to("cpu", torch.promote_types(features.dtype, torch.float32))
    return F.normalize(exact.double(), dim=-1)


_CLIP = partial(
    Network,
    make=clip.ClipNetwork,
    dtype=clip.parameter_dtype,
    make_without_text=partial(clip.ClipNetwork, text=False),
    reads_text=lambda name: name.startswith("text_") or name == "logit_scale",
)


@family(
    "clip",
    **{
        "clip-l": _CLIP(sizes=clip.ClipConfig.vit_l_14),
        "clip-h": _CLIP(sizes=clip.ClipConfig.vit_h_14),
    },
)
def build_clip(parts: Parts) -> CosineScorer:
    """CLIP score, PickScore and HPSv2."""
    network, learned = parts.network(), parts.card.learned_scale
    tower = parts.tower(network, lambda pixels: network.encode_images(pixels))
    return CosineScorer(
        parts.card,
        tower,
        encoder=make_clip_encoder(parts.card, parts.found),
        encode_texts=network.encode_texts,
        scale=lambda: float(network.logit_scale.detach().cpu().double().exp()) if learned else 1.0,
        **parts.common,
    )


@family(
    "blip",
    blip=Network(
        sizes=RewardConfig,
        make=reward.Blip,
        dtype=lambda name, dtype: reward.parameter_dtype(f"blip.{name}", dtype),
    ),
)
def build_blip(parts: Parts) -> CosineScorer:
    """BLIP score, as BLIPScore.py has it."""
    network = parts.network()
    tower = parts.tower(network, partial(_blip_pictures, network))
    return CosineScorer(
        parts.card,
        tower,
        encoder=make_encoder(parts.card, parts.found),
        encode_texts=partial(_blip_texts, network),
        **parts.common,
    )


def _blip_pictures(network: reward.Blip, pixels: Tensor) -> Tensor:
    """BLIPScore.py: the projected state of the class token."""
    return network.vision_proj(network.visual_encoder(pixels)[:, 0].float())


def _blip_texts(network: reward.Blip, ids: Tensor, mask: Tensor) -> Tensor:
    """BLIPScore.py: the projected state of token 0, read without the picture."""
    return network.text_proj(network.text_encoder(ids, mask, first_only=True)[:, 0].float())
