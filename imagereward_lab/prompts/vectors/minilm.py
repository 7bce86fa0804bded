"""all-MiniLM-L6-v2, the network for sentences that is used where no other is named: computed by the text tower of this program."""

from __future__ import annotations

import torch

from imagereward_core.nets.bert import TextEncoder
from imagereward_core.nets.config import TextConfig
from imagereward_core.nets.skeleton import build_skeleton
from imagereward_core.scorers.tokenizers.bert import build_tokenizer
from imagereward_core.weights.cards.sentences import MINILM
from imagereward_core.weights.checkpoint import StateFile, load_into
from imagereward_core.weights.locate import WeightSettings
from imagereward_core.weights.manifest import Progress
from imagereward_core.weights.store import resolve

from .sentences import Sentences

SIZES = TextConfig(vocab_size=30522, width=384, depth=6, heads=12, mlp_width=1536)
TOKENS = 256
"""The most that its authors let it read of a sentence, the two special ones included."""
_SEGMENTS = "embeddings.token_type_embeddings.weight"
_POSITIONS = "embeddings.position_ids"


def load_minilm(settings: WeightSettings, progress: Progress | None = None) -> Sentences:
    """The network, found on this machine or fetched, and checked, as all weights are.

    Raises:
        WeightsError: It is nowhere and may not be fetched, or damaged.
    """
    found = resolve(MINILM, settings, progress)
    assert found.vocabulary is not None
    tokenizer = build_tokenizer(found.vocabulary)
    tokenizer.enable_truncation(TOKENS)
    network = build_skeleton(_network)
    load_into(
        network,
        found.checkpoint,
        dtype_of=lambda _: torch.float32,
        optional=frozenset({_POSITIONS}),
        unused=lambda name: name.startswith("pooler.") or name in (_SEGMENTS, _POSITIONS),
    )
    # All tokens of a single sentence are of the first segment, whose embedding is added to each.
    (segments,) = StateFile(found.checkpoint).map([_SEGMENTS]).values()
    positions = network.embeddings.position_embeddings.weight
    positions.data = positions.data + segments[0].float()
    return Sentences(
        name=MINILM.id,
        label=f"{found.revision} mean {TOKENS}",
        width=SIZES.width,
        network=network,
        tokens=lambda texts: [each.ids for each in tokenizer.encode_batch(list(texts))],
    )


def _network() -> TextEncoder:
    """The text tower without what looks at a picture."""
    network = TextEncoder(SIZES, SIZES.width)
    for layer in network.encoder.layer:
        del layer.crossattention
    return network
