"""Scorers by name, and the weights and tokenizers of each."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..errors import UnknownScorerError, WeightsError
from ..nets.config import RewardConfig, TextConfig
from ..weights.card import ScorerCard
from ..weights.cards import CARDS, get_card
from ..weights.locate import WeightSettings
from ..weights.own import find_by_name, is_official, labelled, own_card, own_checkpoints
from ..weights.suffixes import SUFFIXES
from ..weights.trained import merged

if TYPE_CHECKING:
    import torch

    from ..nets.reward import RewardNetwork
    from ..weights.locate import FoundWeights
    from .tokenizers.bert import PromptEncoder
    from .tokenizers.clip import ClipPromptEncoder


BASES = {"imagereward": ("imagereward", "blip"), "clip-mlp": ("clip",)}
"""Families of the scorers that a head alone or a LoRA of a family may change."""


def list_scorers(pattern: str = "*") -> list[str]:
    """Ids of the registered scorers, the default first, that fit a pattern as of file names, in any letter case.

    >>> list_scorers("hps*")
    ['HPSv2', 'HPSv2.1']
    """
    return [name for name in CARDS if fnmatch(name.casefold(), pattern.casefold())]


def is_checkpoint(name: str | os.PathLike[str]) -> bool:
    """Whether ``name`` is the path or file name of a checkpoint, and not the id of a scorer or the text of a blend."""
    return Path(name).suffix.lower() in SUFFIXES and ("=" not in os.fspath(name) or _is_file(Path(name)))


def network_config(card: ScorerCard) -> RewardConfig:
    """Sizes of the network whose weights ``card`` describes."""
    if card.sizes is None:
        return RewardConfig()
    try:
        return RewardConfig.from_dict(merged(RewardConfig().to_dict(), card.sizes))
    except (TypeError, KeyError, ValueError) as error:
        raise WeightsError(
            f"the card of {card.id} describes no network that can be made ({error}); mend its 'network', or take it away"
        ) from error


def text_config_from_json(path: str | os.PathLike[str]) -> TextConfig:
    """Text tower sizes from a BERT configuration file in the reference's form (``med_config.json``).

    ``encoder_width`` is ignored, as in the reference, which overwrites it with the width of the image tower.

    Raises:
        WeightsError: The file is missing, is not JSON, or lacks a size.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        return TextConfig(
            vocab_size=data["vocab_size"],
            positions=data["max_position_embeddings"],
            width=data["hidden_size"],
            depth=data["num_hidden_layers"],
            heads=data["num_attention_heads"],
            mlp_width=data["intermediate_size"],
            layer_norm_eps=data["layer_norm_eps"],
            dropout=data["hidden_dropout_prob"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"{path} cannot be read as a BERT configuration ({type(error).__name__}: {error}); expected the reference's med_config.json"
        ) from error


def load_network(
    config: RewardConfig, checkpoint: Path, dtype: torch.dtype, kind: type[RewardNetwork] | None = None
) -> RewardNetwork:
    """A network with the weights of ``checkpoint`` on the CPU, its image tower in ``dtype``; errors as of ``load_into``."""
    from ..nets.reward import POSITION_IDS, RewardNetwork, parameter_dtype
    from ..nets.skeleton import build_skeleton
    from ..weights.checkpoint import load_into

    network = build_skeleton(lambda: (kind or RewardNetwork)(config))
    load_into(
        network,
        checkpoint,
        dtype_of=lambda name: parameter_dtype(name, dtype),
        optional=frozenset({POSITION_IDS}),
    )
    return network


def card_of(
    name: str | os.PathLike[str], settings: WeightSettings | None = None
) -> tuple[ScorerCard, Path | None]:
    """The card that ``name`` stands for, and for a checkpoint named by path, file name or id where it lies.

    A name is a registered id; the path of a checkpoint with ImageReward's layout; or, of one in the models folders, its file name or id.

    Raises:
        UnknownScorerError: There is no such scorer.
        WeightsError: There is no such file, or its own card cannot be used.
    """
    settings = settings or WeightSettings()
    text = os.fspath(name)
    if is_checkpoint(name):
        path = Path(name).expanduser()
        if not _is_file(path):
            path = find_by_name(text, settings) or path
        if not _is_file(path):
            # No part of a file's name is longer than file systems allow.
            if "\0" in str(path) or any(len(os.fsencode(part)) > 255 for part in path.parts):
                raise UnknownScorerError(
                    f"a name of {len(text):,} characters, {text[:60]!r} and so on, is none of a file; expected the name of a scorer or "
                    "the path of a checkpoint"
                )
            raise WeightsError(f"there is no checkpoint {path}; expected a .safetensors or .pt file")
        return (CARDS["ImageReward-v1.0"] if is_official(path) else own_card(path)), path
    try:
        return get_card(text), None
    except UnknownScorerError as error:
        own = own_checkpoints(settings)
        if text.casefold() in own:
            return own[text.casefold()].card, own[text.casefold()].path
        known = ", ".join((*CARDS, *(each.card.id for each in own.values())))
        raise UnknownScorerError(
            f"no scorer is called {text[:200]!r}; expected one of {known} or the path of a checkpoint"
        ) from error


def find(name: str | os.PathLike[str], settings: WeightSettings) -> tuple[ScorerCard, FoundWeights]:
    """The card and the weights of a scorer; ``name`` and errors as of :func:`card_of`, and WeightsError where a file is missing."""
    card, found = _find_alone(name, settings)
    return card, _with_base(card, found, settings) if card.base else found


def _find_alone(name: str | os.PathLike[str], settings: WeightSettings) -> tuple[ScorerCard, FoundWeights]:
    """As :func:`find`, and of a change of another scorer the change alone."""
    from ..weights.store import resolve, resolve_file

    card, path = card_of(name, settings)
    found = resolve(card, settings) if path is None else resolve_file(path, card, settings)
    if found.vocabulary is None and card.tokenizer is not None:
        raise WeightsError(
            f"{found.checkpoint} is there, but the vocabulary {card.tokenizer.name} is not; expected it in the same folder. It comes from "
            f"{card.tokenizer.repository or 'this package'}"
        )
    if card.recipe:
        found = replace(found, revision=labelled(found.revision, card))
    return card, found


def _with_base(card: ScorerCard, found: FoundWeights, settings: WeightSettings) -> FoundWeights:
    """The weights of a head alone or a LoRA together with those of the scorer they change.

    Raises:
        WeightsError: That scorer is not there, has other weights, or is itself such a change.
    """
    # What the base is a change of is not looked for: cards of strangers may go in circles.
    base_card, base = _find_alone(card.base, settings)
    if base_card.base or base_card.family not in BASES[card.family]:
        raise WeightsError(
            f"{card.id} is a change of {card.base}, which is no whole network of its kind; expected the scorer it was trained from"
        )
    if base.revision != card.base_revision:
        raise WeightsError(
            f"{card.id} is a change of {card.base} with the weights {card.base_revision}, and those found in {base.checkpoint} are "
            f"{base.revision}; put the checkpoint it was trained from in their place"
        )
    return replace(found, backbone=base, revision=f"{found.revision}+{base.revision}")


def make_encoder(card: ScorerCard, found: FoundWeights) -> PromptEncoder:
    """The tokenizer that belongs to the weights, with the scorer's token limit."""
    from .tokenizers.bert import PromptEncoder

    assert found.vocabulary is not None and card.token_limit is not None
    return PromptEncoder(found.vocabulary, card.token_limit)


def make_clip_encoder(card: ScorerCard, found: FoundWeights) -> ClipPromptEncoder:
    """CLIP's tokenizer by the card's rules, with the scorer's token limit."""
    from .tokenizers.clip import ClipPromptEncoder, Rules

    assert found.vocabulary is not None and card.token_limit is not None
    return ClipPromptEncoder(found.vocabulary, card.token_limit, cast(Rules, card.text))


def _is_file(path: Path) -> bool:
    """Whether there is a file of this name, whatever it is; some Pythons raise for names that no file can have."""
    return os.path.isfile(path)  # noqa: PTH113
