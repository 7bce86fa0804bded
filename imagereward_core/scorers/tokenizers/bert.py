"""Prompts to BERT's token ids, and the part that did not fit.

The tokenizer is BERT's WordPiece as BLIP extends it (BLIP ``blip.py``, ``init_tokenizer``): ``[DEC]`` and ``[ENC]`` take the two ids
after the vocabulary. It is put together from a ``vocab.txt`` with the ``tokenizers`` library, because the constructors of transformers'
own BERT tokenizers changed their arguments and their handling of special tokens between 4.30 and 5.x; made this way the ids are the
same beside all of them. transformers wraps it for those who call a tokenizer as the reference's users do; scoring goes without, for
importing transformers takes as long as a small batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import WeightsError
from .encoder import LONGEST_READ, Encoder, TokenizedPrompt

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor
    from transformers import PreTrainedTokenizerFast

SPECIAL_TOKENS = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}


def build_tokenizer(vocabulary: Path) -> Tokenizer:
    """BLIP's tokenizer over the words in ``vocabulary``, one per line in the order of their ids; WeightsError where it is none."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    try:
        lines = vocabulary.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsError(f"{vocabulary} cannot be read as a vocabulary: {error}") from error
    words = {
        line.rstrip("\r"): number
        for number, line in enumerate(lines)
        if line.rstrip("\r") or number < len(lines) - 1
    }
    missing = [token for token in SPECIAL_TOKENS.values() if token not in words]
    if missing:
        raise WeightsError(
            f"{vocabulary} is not a BERT vocabulary: {', '.join(missing)} missing among its {len(words)} lines; expected the vocab.txt "
            "of bert-base-uncased (30,522 lines)"
        )
    core = Tokenizer(models.WordPiece(words, unk_token="[UNK]", max_input_chars_per_word=100))
    core.normalizer = normalizers.BertNormalizer(lowercase=True)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", words["[CLS]"]), ("[SEP]", words["[SEP]"])]
    )
    core.decoder = decoders.WordPiece()
    core.add_special_tokens([*SPECIAL_TOKENS.values(), "[DEC]", "[ENC]"])
    return core


def wrap_tokenizer(core: Tokenizer) -> PreTrainedTokenizerFast:
    """A copy of the tokenizer as transformers' callers know it, with BLIP's ``enc_token_id``."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, model_max_length=512, **SPECIAL_TOKENS)
    tokenizer.add_special_tokens({"bos_token": "[DEC]"})
    tokenizer.add_special_tokens({"additional_special_tokens": ["[ENC]"]})
    tokenizer.enc_token_id = tokenizer.convert_tokens_to_ids("[ENC]")
    return tokenizer


class PromptEncoder(Encoder):
    """Prompts to the ids of a ``vocab.txt``."""

    def __init__(self, vocabulary: Path, limit: int) -> None:
        super().__init__(limit)
        self._core = build_tokenizer(vocabulary)

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerFast:
        """The tokenizer as transformers' callers know it. What they set on it changes no score."""
        return wrap_tokenizer(self._core)

    def _encode(self, prompt: str) -> TokenizedPrompt:
        encoding = self._core.encode(prompt[:LONGEST_READ])
        ids = encoding.ids
        if len(ids) <= self.limit and len(prompt) <= LONGEST_READ:
            return TokenizedPrompt(tuple(ids))
        kept = min(len(ids), self.limit) - 1
        cut_from = encoding.offsets[kept - 1][1] if kept > 1 else 0
        return TokenizedPrompt((*ids[:kept], ids[-1]), prompt[cut_from:].strip())


def pad_ids(sequences: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Token ids of different lengths as one batch, padded on the right with 0 to the longest: ids and mask, int64 [B, L]."""
    import torch

    length = max(map(len, sequences))
    ids = torch.tensor([[*sequence, *[0] * (length - len(sequence))] for sequence in sequences])
    mask = torch.tensor([[1] * len(sequence) + [0] * (length - len(sequence)) for sequence in sequences])
    return ids, mask
