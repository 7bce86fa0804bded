"""The card of the network that turns prompts into vectors by their meaning, to choose among prompts. It scores no picture."""

from __future__ import annotations

from ..card import WeightFile, WeightsCard
from .imagereward import BERT_VOCABULARY

MINILM = WeightsCard(
    id="all-MiniLM-L6-v2",
    title="all-MiniLM-L6-v2 (vectors of prompts for select-prompts, 384 numbers each; scores no picture)",
    paper="arXiv:1908.10084, arXiv:2002.10957",
    licence="Apache-2.0",
    checkpoint=(
        WeightFile(
            name="all-MiniLM-L6-v2.safetensors",
            repository="sentence-transformers/all-MiniLM-L6-v2",
            remote_name="model.safetensors",
            sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            size=90_868_376,
        ),
    ),
    tokenizer=BERT_VOCABULARY,  # byte for byte the vocab.txt of its own repository
    download_size=90_868_376,
)
