"""Networks for sentences out of a folder as sentence-transformers publishes it, through transformers alone."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from imagereward_core.plain import plain
from imagereward_core.weights.manifest import sha256_of

from ..errors import SelectionError
from .sentences import Sentences

_MOST_TOKENS = 4096
_POOLED = ("pooling_mode_mean_tokens", "pooling_mode_cls_token")


def load_folder(folder: Path) -> Sentences:
    """Another network out of a folder as sentence-transformers publishes it: its config, ``.safetensors`` and tokenizer.

    Nothing in the folder is executed, and nothing is fetched.

    Raises:
        SelectionError: Something is missing or is not what this program can compute with; the text says what.
    """
    if not (folder / "config.json").is_file():
        raise SelectionError(
            f"{folder}: found no config.json; expected the folder of a sentence-transformers model with config.json, model.safetensors "
            "and its "
            "tokenizer"
        )
    first_token = _pooling(folder)
    given: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        from transformers import AutoModel, AutoTokenizer

        network = AutoModel.from_pretrained(folder, use_safetensors=True, **given).float().eval()
        tokenizer = AutoTokenizer.from_pretrained(folder, **given)
        limit = _limit(folder, tokenizer, network)
        sentences = Sentences(
            name=folder.resolve().name,
            label=_label(folder, f"{'first token' if first_token else 'mean'} {limit}"),
            width=int(network.config.hidden_size),
            network=_States(network),
            tokens=lambda texts: tokenizer(list(texts), truncation=True, max_length=limit)["input_ids"],
            first_token=first_token,
            pad=tokenizer.pad_token_id or 0,
        )
        sentences.encode(["a red fox", "a blue bird on a branch"], torch.device("cpu"))
    except Exception as error:  # whatever libraries raise about a folder of somebody else
        raise SelectionError(
            f"{folder}: cannot be used as a network for sentences ({type(error).__name__}: {plain(error)[:300]}); expected one that "
            "sentence-transformers would load, with its weights as .safetensors and without code of its own"
        ) from error
    return sentences


class _States(nn.Module):
    """A network of transformers as :class:`Sentences` calls one."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """States of all tokens, [B, L, width]."""
        states: Tensor = self.network(input_ids=ids, attention_mask=mask).last_hidden_state
        return states


def _pooling(folder: Path) -> bool:
    """Whether vectors are the first token's state, as the folder says; the mean where it says nothing.

    Raises:
        SelectionError: They are made in a way that is not known here.
    """
    modules = _read(folder / "modules.json", [])
    kinds = [str(each.get("type", "")).rpartition(".")[2] for each in modules if isinstance(each, dict)]
    if odd := [kind for kind in kinds if kind not in ("Transformer", "Pooling", "Normalize")]:
        raise SelectionError(
            f"{folder}: found a part of the kind {odd[0]} in modules.json; expected Transformer, Pooling and Normalize alone. Compute "
            "the vectors "
            "with another program and give them with --vectors"
        )
    pooling = _read(folder / "1_Pooling" / "config.json", {})
    modes = [name for name, value in pooling.items() if name.startswith("pooling_mode") and value is True]
    if modes and modes not in ([name] for name in _POOLED):
        raise SelectionError(
            f"{folder}: found {', '.join(modes)} in 1_Pooling/config.json; expected {' or '.join(_POOLED)}. Compute the vectors with "
            "another "
            "program and give them with --vectors"
        )
    return modes == [_POOLED[1]]


def _limit(folder: Path, tokenizer: Any, network: Any) -> int:
    """The most tokens that are read of a sentence."""
    said = _read(folder / "sentence_bert_config.json", {}).get("max_seq_length")
    known = (said, tokenizer.model_max_length, getattr(network.config, "max_position_embeddings", None))
    return min((each for each in known if isinstance(each, int) and each > 2), default=_MOST_TOKENS)


def _label(folder: Path, settings: str) -> str:
    """Names what the vectors depend on."""
    found = hashlib.sha256(settings.encode())
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix in (".json", ".txt", ".model", ".safetensors"):
            found.update(f"{path.name} {sha256_of(path)}\n".encode())
    return f"{found.hexdigest()[:12]} {settings}"


def _read(path: Path, default: Any) -> Any:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return default
    return found if isinstance(found, type(default)) else default
