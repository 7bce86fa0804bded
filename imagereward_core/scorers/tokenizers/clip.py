"""Prompts to the ids of CLIP's byte-pair encoding, and the part that did not fit.

There is one vocabulary and there are three published ways into it, all kept apart because scores depend on them:

- ``openai`` (OpenAI's clip ``simple_tokenizer.py``): the text is repaired by ftfy (which also straightens curly quotes), HTML
  entities are resolved, runs of white space become one space, and all is lower-cased.
- ``open_clip`` (open_clip and hpsv2 ``tokenizer.py``): the same, with other names for the two special tokens.
- ``processor`` (transformers' fast CLIP tokenizer, which PickScore and MPS use): Unicode composition, white space, lower case.

The tokenizer is put together with the ``tokenizers`` library, since the constructors of transformers' own CLIP tokenizers differ
between 4.30 and 5.x and their slow one depends on whether ftfy happens to be installed.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...errors import CuratorError, WeightsError
from .encoder import LONGEST_READ, Encoder, TokenizedPrompt

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Rules = Literal["openai", "open_clip", "processor"]

_TRANSFORMERS_SPECIAL = ("<|startoftext|>", "<|endoftext|>")
_OPEN_CLIP_SPECIAL = ("<start_of_text>", "<end_of_text>")
_ENDINGS = "'s|'t|'re|'ve|'m|'ll|'d"
_WORDS = r"[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
_SUFFIX = "</w>"


def build_clip_tokenizer(merges: Path, rules: Rules = "openai") -> Tokenizer:
    """CLIP's tokenizer over the merges in ``merges.txt``, from which the 49,408 ids follow (OpenAI's clip ``simple_tokenizer.py``).

    The ``rules`` say whose special tokens and, for ``processor``, whose cleaning it has; the others are cleaned before it. WeightsError
    where the file is no list of merges: a line that says its version, then one pair a line, the most frequent first.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    pairs = _read_merges(merges)
    letters = _letters()
    tokens = [*letters, *(letter + _SUFFIX for letter in letters), *("".join(pair) for pair in pairs)]
    start, end = _OPEN_CLIP_SPECIAL if rules == "open_clip" else _TRANSFORMERS_SPECIAL
    vocabulary = {token: number for number, token in enumerate([*tokens, start, end])}
    try:
        core = Tokenizer(
            models.BPE(
                vocab=vocabulary,
                merges=pairs,
                unk_token=end,
                continuing_subword_prefix="",
                end_of_word_suffix=_SUFFIX,
            )
        )
    except Exception as error:  # the library raises plain Exception
        raise WeightsError(
            f"{merges} is not CLIP's list of merges ({error}); expected its merges.txt"
        ) from error
    if rules == "processor":
        core.normalizer = normalizers.Sequence(
            [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
        )
    # Lower-cased or not, the case matters here: the long s counts as an s where it is ignored.
    endings = _ENDINGS if rules == "processor" else f"(?i:{_ENDINGS})"
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(f"{endings}|{_WORDS}"), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}", special_tokens=[(start, vocabulary[start]), (end, vocabulary[end])]
    )
    core.add_special_tokens([start, end])
    return core


class ClipPromptEncoder(Encoder):
    """Prompts to the ids of a ``merges.txt`` by one of the published tokenizers; what is cut comes without what cleaning removed.

    Ids end with the first end token, ``end_id``, with which transformers also pads: a text vector is read there, so an end token typed
    into a prompt hides what follows it, in the published tokenizers too. CuratorError where ftfy is needed and not installed.
    """

    def __init__(self, vocabulary: Path, limit: int = 77, rules: Rules = "openai") -> None:
        super().__init__(limit)
        self.tokenizer = build_clip_tokenizer(vocabulary, rules)
        self.end_id = self.tokenizer.get_vocab_size() - 1
        self._repair = None if rules == "processor" else _repairer()

    def _encode(self, prompt: str) -> TokenizedPrompt:
        text, rest = prompt[:LONGEST_READ], prompt[LONGEST_READ:]
        read = text
        if self._repair is not None:
            text = re.sub(r"\s+", " ", html.unescape(html.unescape(self._repair(text)))).strip()
            read = text.lower()
        encoding = self.tokenizer.encode(read)
        ids: list[int] = encoding.ids
        kept = min(ids.index(self.end_id), self.limit - 1)
        if kept == len(ids) - 1 and not rest:
            return TokenizedPrompt(tuple(ids))
        cut_from = encoding.offsets[kept - 1][1] if kept > 1 else 0
        # Lower-casing keeps places, but for a few letters that become two.
        shown = text if len(text) == len(read) else read
        return TokenizedPrompt((*ids[:kept], self.end_id), (shown[cut_from:] + rest).strip())


def _repairer() -> Callable[[str], str]:
    """Ftfy's repair of text, as the published tokenizers call it."""
    try:
        from ftfy import fix_text
    except ImportError as error:
        raise CuratorError(
            f"the package ftfy cannot be imported ({error}), and without it prompts with curly quotes or broken letters would be read "
            "otherwise than published. Install it into this Python with: pip install ftfy"
        ) from error
    return fix_text


def _read_merges(path: Path) -> list[tuple[str, str]]:
    """The pairs in a ``merges.txt``, most frequent first."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path} cannot be read as a list of merges: {error}") from error
    if not lines[0].startswith("#version"):
        raise WeightsError(
            f"{path} is not CLIP's list of merges: it begins with {lines[0][:40]!r}, expected a line with #version; get merges.txt of "
            "openai/clip-vit-large-patch14"
        )
    pairs = []
    for number, line in enumerate(lines[1:], start=2):
        parts = tuple(line.split())
        if len(parts) == 2:
            pairs.append((parts[0], parts[1]))
        elif parts:
            raise WeightsError(
                f"{path} is not CLIP's list of merges: line {number} is {line[:40]!r}, expected two parts"
            )
    return pairs


def _letters() -> list[str]:
    """The characters that stand for the 256 bytes, in the order of their ids: printable ones stand for themselves and come first."""
    printable = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    ]
    others = 256 - len(printable)
    return [chr(code) for code in (*printable, *range(256, 256 + others))]
