"""A network that labels the words of prompts (BERT with a layer for labels; Devlin et al., arXiv 1810.04805), kept as a folder.

The folder holds ``model.safetensors``, ``tokenizer.json`` and ``phrases.json``, its card. Nothing in it is executed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from imagereward_core.errors import CuratorError
from imagereward_core.files.regular import read_regular
from imagereward_core.files.whole import written_whole
from imagereward_core.nets.bert import TextEncoder
from imagereward_core.nets.config import TextConfig
from imagereward_core.nets.skeleton import build_skeleton
from imagereward_core.scorers.tokenizers.bert import build_tokenizer, pad_ids
from imagereward_core.weights.checkpoint import StateFile, load_into, write_state

from ....data.form import shown
from ....data.ranking import Phrase
from ....data.strict_json import loads
from .words_of_tokens import LABELS, Words, phrases_of, words_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CARD, WEIGHTS, TOKENIZER = "phrases.json", "model.safetensors", "tokenizer.json"
CONFIG = "config.json"
"""The sizes of a BERT as transformers saves it."""
KIND = "imagereward phrase labels"
_SIZES = {
    "vocab_size": "vocab_size",
    "max_position_embeddings": "positions",
    "hidden_size": "width",
    "num_hidden_layers": "depth",
    "num_attention_heads": "heads",
    "intermediate_size": "mlp_width",
}
"""Our names of the sizes in a ``config.json`` of transformers."""
_MOST = {
    "vocab_size": 1_000_000,
    "positions": 8192,
    "width": 4096,
    "depth": 48,
    "heads": 64,
    "mlp_width": 16384,
}
_MOST_TOKENS = 512
_MOST_BYTES = 2**26
_SEGMENTS = "embeddings.token_type_embeddings.weight"
_BATCH = 64


class PhraseError(CuratorError):
    """A folder cannot be used to find phrases, or to begin with."""


class LabelNetwork(nn.Module):
    """Words to labels.

    Args:
        sizes: Of the encoder.
    """

    def __init__(self, sizes: TextConfig) -> None:
        super().__init__()
        self.encoder = TextEncoder(sizes, sizes.width)
        for layer in self.encoder.encoder.layer:
            del layer.crossattention
        self.dropout = nn.Dropout(sizes.dropout)
        self.head = nn.Linear(sizes.width, len(LABELS))

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Logits of all tokens, float32 [B, L, labels].

        Args:
            ids: int64 [B, L], padded on the right.
            mask: int64 [B, L], 1 for real tokens.
        """
        found: Tensor = self.head(self.dropout(self.encoder(ids, mask)))
        return found


@dataclass(frozen=True, eq=False)
class PhraseLabels:
    """A network with its tokenizer.

    Attributes:
        network: On its device.
        tokenizer: BERT's.
        sizes: Of the network.
        card: What is known of it.
    """

    network: LabelNetwork
    tokenizer: Tokenizer
    sizes: TextConfig
    card: Mapping[str, Any]

    def words(self, prompts: Sequence[str]) -> list[Words]:
        """Prompts as the network reads them."""
        return words_of(self.tokenizer, prompts, self.sizes.vocab_size)

    @torch.inference_mode()
    def find(
        self, prompts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> list[list[Phrase]]:
        """The phrases of prompts, whatever stands beside each.

        Args:
            prompts: Texts.
            progress: Told how many are done.
        """
        found: list[list[Phrase]] = [[] for _ in prompts]
        words = self.words(prompts)
        order = sorted(range(len(prompts)), key=lambda each: len(words[each].ids))
        device = next(self.network.parameters()).device
        self.network.eval()
        for start in range(0, len(order), _BATCH):
            some = order[start : start + _BATCH]
            ids, mask = pad_ids([words[each].ids for each in some])
            best = self.network(ids.to(device), mask.to(device)).argmax(dim=-1).tolist()
            for row, each in zip(best, some):
                labels = [row[at] for at in words[each].first]
                found[each] = phrases_of(prompts[each], words[each], labels)
            if progress is not None:
                progress(start + len(some))
        return found

    def write(self, folder: Path) -> None:
        """Puts the network into a folder: each file whole or not at all, the card last.

        Raises:
            OSError: A file cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        card = {
            "kind": KIND,
            "schema_version": 1,
            "labels": list(LABELS),
            "network": asdict(self.sizes),
            **self.card,
        }
        write_state(folder / WEIGHTS, self.network.state_dict(), {"format": "pt"})
        for name, text in (
            (TOKENIZER, self.tokenizer.to_str()),
            (CARD, json.dumps(card, ensure_ascii=False, indent=1) + "\n"),
        ):
            with written_whole(folder / name) as temporary:
                temporary.write_text(text, encoding="utf-8", newline="\n")


def load_labels(folder: Path, device: torch.device) -> PhraseLabels:
    """The network of a folder that ``imagereward train-phrases`` wrote.

    Raises:
        PhraseError: It is none, or damaged.
        WeightsError: The weights are not those of the network.
    """
    card = _object(folder / CARD, "the folder that imagereward train-phrases wrote")
    if card.get("kind") != KIND or card.get("labels") != list(LABELS):
        raise PhraseError(
            f"{folder / CARD}: found the kind {shown(card.get('kind'))} with the labels {shown(card.get('labels'))}; expected {KIND!r} "
            "as this version writes it"
        )
    network = card.get("network")
    sizes = _sizes(folder / CARD, network if isinstance(network, dict) else {})
    made = build_skeleton(lambda: LabelNetwork(sizes))
    load_into(made, folder / WEIGHTS, dtype_of=lambda _: torch.float32)
    return PhraseLabels(made.to(device), _tokenizer(folder, sizes), sizes, card)


def start_from(
    weights: Path, sizes: TextConfig, tokenizer: Tokenizer, card: Mapping[str, Any]
) -> PhraseLabels:
    """A network to train: a BERT with a layer for labels that has learnt nothing.

    Raises:
        PhraseError: The weights are not those of such a network.
        WeightsError: They cannot be read.
    """
    found = {_name(name): tensor for name, tensor in StateFile(weights).map().items()}
    network = LabelNetwork(sizes)
    wanted = network.encoder.state_dict()
    odd = [
        name
        for name, tensor in wanted.items()
        if not name.endswith("position_ids") and (name not in found or found[name].shape != tensor.shape)
    ]
    if odd:
        raise PhraseError(
            f"{weights}: found {len(odd)} tensors missing or of another shape, such as {odd[0]}; expected a BERT with the sizes of its "
            "config.json"
        )
    taken = {name: found.get(name, tensor).to(tensor.dtype).clone() for name, tensor in wanted.items()}
    if _SEGMENTS in found:
        # All tokens of a prompt are of the first segment, whose embedding is added to each.
        positions = "embeddings.position_embeddings.weight"
        taken[positions] = taken[positions] + found[_SEGMENTS][0].float()
    network.encoder.load_state_dict(taken)
    nn.init.normal_(network.head.weight, std=0.02)
    nn.init.zeros_(network.head.bias)
    return PhraseLabels(network, _limited(tokenizer, sizes), sizes, card)


def start_folder(folder: Path) -> PhraseLabels:
    """A network to train, from the folder of a BERT as transformers and sentence-transformers publish it.

    Raises:
        PhraseError, WeightsError: The folder does not hold one.
    """
    config = _object(folder / CONFIG, "the folder of a BERT as transformers saves it")
    kind, act = config.get("model_type"), config.get("hidden_act", "gelu")
    if kind != "bert" or act != "gelu" or config.get("position_embedding_type", "absolute") != "absolute":
        raise PhraseError(
            f"{folder}: found a network of the type {shown(kind)} with {shown(act)}; expected bert with gelu and absolute positions, "
            "such as "
            "bert-base-uncased or all-MiniLM-L6-v2"
        )
    sizes = _sizes(
        folder / CONFIG,
        {
            **{ours: config.get(theirs) for theirs, ours in _SIZES.items()},
            "layer_norm_eps": config.get("layer_norm_eps", 1e-12),
            "dropout": config.get("hidden_dropout_prob", 0.1),
        },
    )
    weights = next(
        (folder / name for name in (WEIGHTS, "pytorch_model.bin") if (folder / name).is_file()), None
    )
    if weights is None:
        raise PhraseError(f"{folder}: found no {WEIGHTS}; expected one beside config.json")
    return start_from(weights, sizes, _tokenizer(folder, sizes), {"from": {"name": folder.resolve().name}})


def _name(name: str) -> str:
    """A tensor's name in the encoder; files of transformers have a prefix, and old ones other names for two."""
    name = name.removeprefix("bert.")
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


def _object(path: Path, expected: str) -> dict[str, Any]:
    try:
        found = loads(read_regular(path, _MOST_BYTES).decode("utf-8"))
    except (OSError, ValueError) as error:
        raise PhraseError(f"{path}: cannot be read ({error}); expected {expected}") from error
    if not isinstance(found, dict):
        raise PhraseError(f"{path}: found {shown(found)}; expected {expected}")
    return found


def _sizes(path: Path, given: Mapping[str, Any]) -> TextConfig:
    """Sizes out of a stranger's file, none of which asks for more than a large BERT has."""
    for name, most in _MOST.items():
        value = given.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise PhraseError(
                f"{path}: found {shown(value)} for {name}; expected a whole number from 1 to {most:,}"
            )
    eps, dropout = given.get("layer_norm_eps"), given.get("dropout")
    if (
        not isinstance(eps, float)
        or not 0 < eps < 1
        or not isinstance(dropout, (int, float))
        or not 0 <= dropout < 1
    ):
        raise PhraseError(
            f"{path}: found {shown(eps)} and {shown(dropout)} for eps and dropout; expected numbers from 0 to 1"
        )
    if given["width"] % given["heads"]:
        raise PhraseError(
            f"{path}: found a width of {given['width']} for {given['heads']} heads; expected a multiple of the number of heads"
        )
    sizes = {name: given[name] for name in _MOST}
    return TextConfig(**sizes, layer_norm_eps=eps, dropout=float(dropout))


def _tokenizer(folder: Path, sizes: TextConfig) -> Tokenizer:
    from tokenizers import Tokenizer

    path = folder / TOKENIZER
    if not path.is_file():
        return _limited(build_tokenizer(folder / "vocab.txt"), sizes)
    try:
        return _limited(Tokenizer.from_str(read_regular(path, _MOST_BYTES).decode("utf-8")), sizes)
    except Exception as error:  # the library raises its own kinds, which are no more than Exception
        raise PhraseError(
            f"{path}: cannot be read as a tokenizer ({str(error)[:200]}); expected BERT's"
        ) from error


def _limited(tokenizer: Tokenizer, sizes: TextConfig) -> Tokenizer:
    """The tokenizer, cutting where the network ends and filling nothing up."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(min(sizes.positions, _MOST_TOKENS))
    return tokenizer
