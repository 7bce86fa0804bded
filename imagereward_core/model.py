"""The reference's own object, so that programs written for it run unchanged: ``load``, ``score``, ``inference_rank``, ``score_gard``.

What differs from the reference on purpose: a list always gives a list, a picture that cannot be read gives NaN for itself
instead of the previous picture's score, no gradient graph outlives ``score``, and ``device`` and precision follow ``.to()``.
"""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from .errors import ImageError
from .images.preprocess import normalize
from .nets.reward import RewardNetwork
from .plain import plain
from .runtime import LocalRuntime, out_of_memory, pick_device
from .scorers.engine import PictureScorer
from .scorers.families.imagereward import ImageRewardScorer
from .scorers.inputs import Picture, prepare
from .scorers.meaning import own_notice
from .scorers.registry import card_of, find, load_network, make_encoder, network_config, text_config_from_json
from .scorers.tokenizers.bert import PromptEncoder
from .weights.card import ScorerCard
from .weights.locate import WeightSettings

if TYPE_CHECKING:
    from .scores import Scores

log = logging.getLogger(__name__)


_OF_IMAGEREWARD = ("score_gard", "blip", "mlp", "mean", "std", "parameters", "state_dict")


class _WhereverTheModelIs:
    """A runtime that leaves the model where its owner has put it."""

    def __init__(self, network: RewardNetwork) -> None:
        self._network = weakref.ref(network)  # the network holds the scorer that holds this

    def _parameter(self) -> Tensor:
        network = self._network()
        assert network is not None
        return next(network.blip.visual_encoder.parameters())

    @property
    def device(self) -> torch.device:
        return self._parameter().device

    @property
    def dtype(self) -> torch.dtype:
        return self._parameter().dtype

    @contextmanager
    def working(self, scorers: Sequence[Any], batch_size: int, pictures: int) -> Iterator[None]:
        yield

    @contextmanager
    def resident(self, module: nn.Module) -> Iterator[None]:
        yield

    def release(self) -> None:
        """The model is its owner's."""

    def progress(self, done: int, total: int) -> None:
        """Nobody is watching."""

    def check_cancelled(self) -> None:
        """Nobody can cancel."""

    def is_out_of_memory(self, error: BaseException) -> bool:
        return out_of_memory(error)


class _Scoring:
    """The reference's object over any scorer of this program, for whole pictures and prompts."""

    scorer: PictureScorer

    def preprocess(self, image: Picture) -> Tensor:
        """A picture as the image tower wants it: float32 [3, S, S], normalised, exactly as the scorer was published with."""
        return normalize(prepare(image, self.scorer.spec)[None], self.scorer.spec)[0]

    def score(
        self, prompt: str | Sequence[str], image: Picture | Sequence[Picture] | Tensor
    ) -> float | list[float]:
        """The reward of one picture as a number, or of several as a list.

        Args:
            prompt: One prompt, or one per picture when ``image`` is a list.
            image: One picture (path, Pillow picture, NumPy array), a list or tuple of them, or a float tensor [B, H, W, C] in 0..1.

        Returns:
            A float for one picture, a list for a list or a tensor, also for one of length 1 or 0. NaN stands for a picture in a list
            that cannot be scored; the reason is logged.

        Raises:
            ImageError: A picture that was given alone cannot be scored.
            PromptError: A list of prompts whose length is not that of the pictures.
        """
        if isinstance(image, (list, tuple)) or (isinstance(image, Tensor) and image.dim() == 4):
            return self._scores(prompt, image).values.tolist()
        scores = self._scores(prompt, [cast("Picture", image)], warn=False)
        if scores.failures:
            raise ImageError(scores.failures[0])
        return float(scores.values[0])

    def inference_rank(
        self, prompt: str | Sequence[str], generations_list: Sequence[Picture] | Tensor
    ) -> tuple[list[int], list[float]]:
        """Ranks (1 is best) and rewards of several pictures. Equal rewards are ranked in input order, NaN last."""
        scores = self._scores(prompt, generations_list)
        ranks = [0] * len(scores)
        for rank, index in enumerate(scores.order().tolist(), start=1):
            ranks[index] = rank
        return ranks, scores.values.tolist()

    def _scores(
        self, prompt: str | Sequence[str], images: Sequence[Picture] | Tensor, warn: bool = True
    ) -> Scores:
        scores = self.scorer.score(images, prompt)
        if warn:
            for index, reason in scores.failures.items():
                log.warning("picture %d has no score: %s", index, plain(reason))
        return scores


class RewardModel(_Scoring, RewardNetwork):
    """ImageReward as a torch module with the reference's methods and attributes.

    Attributes:
        blip: The two towers; ``blip.tokenizer`` is where the reference keeps its tokenizer.
        mean: Mean of the raw reward that ``score`` subtracts.
        std: Standard deviation of the raw reward that ``score`` divides by.
    """

    scorer: ImageRewardScorer  # type: ignore[mutable-override]

    def attach(self, card: ScorerCard, encoder: PromptEncoder, revision: str) -> RewardModel:
        """Gives the network its tokenizer and its picture rules."""
        self.scorer = ImageRewardScorer(card, self, encoder, _WhereverTheModelIs(self), revision)
        self.blip.tokenizer = encoder.tokenizer  # type: ignore[assignment]
        return self

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device

    @property
    def mean(self) -> float:
        """Mean of the raw reward over the authors' test set."""
        return self.config.head.mean

    @property
    def std(self) -> float:
        """Standard deviation of the raw reward over the authors' test set."""
        return self.config.head.std

    def score_gard(self, prompt_ids: Tensor, prompt_attention_mask: Tensor, image: Tensor) -> Tensor:
        """Differentiable rewards [B, 1] of token ids [B, L], their mask and normalised pixels [B, 3, S, S]; spelt as in the reference."""
        return self(prompt_ids, prompt_attention_mask, image)


class ScorerModel(_Scoring):
    """Another scorer with the methods of the reference's object that it can have: ``score``, ``inference_rank``, ``preprocess``, ``to``."""

    def __init__(self, scorer: PictureScorer) -> None:
        self.scorer = scorer

    @property
    def device(self) -> torch.device:
        """Where it works."""
        return self.scorer.runtime.device

    def to(self, device: str | torch.device) -> ScorerModel:
        """Lets it work on another device from the next call on."""
        self.scorer.runtime = LocalRuntime(device, "fp32")
        return self

    def __getattr__(self, name: str) -> Any:
        if name in _OF_IMAGEREWARD and "scorer" in self.__dict__:
            raise AttributeError(
                f"{self.scorer.card.id} has no {name}, which belongs to ImageReward's network; it has score, inference_rank, "
                "preprocess, device and to. Load ImageReward-v1.0, demo or a checkpoint of your own for the rest"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def load(
    name: str | os.PathLike[str] = "ImageReward-v1.0",
    device: str | torch.device | None = None,
    download_root: str | os.PathLike[str] | None = None,
    med_config: str | os.PathLike[str] | None = None,
) -> Any:
    """Loads a reward model, as the reference's ``load`` does.

    Args:
        name: Any of ``available_models()``; or a checkpoint of your own, by its path, or by its name in ``download_root``.
        device: Where to put it; by default the best device of this machine.
        download_root: Folder where weights are looked for first and downloaded to.
        med_config: A BERT configuration in JSON that overrides the text tower's sizes.

    Returns:
        A :class:`RewardModel` for ImageReward and what has its layout, a :class:`ScorerModel` for every other scorer.

    Raises:
        UnknownScorerError: No such model and no such file.
        ValueError: ``med_config`` is given for a scorer without such a text tower; nothing was fetched.
        WeightsError: The weights are missing and cannot be downloaded, are damaged, or belong to another network.
    """
    folders = (Path(download_root).expanduser(),) if download_root is not None else ()
    settings = WeightSettings(folders=folders)
    card, _ = card_of(name, settings)
    if card.layout:
        if med_config is not None:
            raise ValueError(
                f"med_config describes ImageReward's text tower; {card.id} has another. Leave it out"
            )
        from .scorers.factory import Maker

        made = Maker(LocalRuntime("auto" if device is None else device, "fp32"), settings).make(name)
        assert isinstance(made, PictureScorer)
        return ScorerModel(made)
    card, found = find(name, settings)
    config = network_config(card)
    if med_config is not None:
        config = replace(config, text=text_config_from_json(med_config))
    model = load_network(config, found.checkpoint, torch.float32, RewardModel)
    assert isinstance(model, RewardModel)
    model.attach(card, make_encoder(card, found), found.revision)
    if notice := own_notice(card):
        log.info(notice)
    for warning in model.scorer.warnings():
        log.warning(warning)
    return model.to(pick_device("auto" if device is None else device))
