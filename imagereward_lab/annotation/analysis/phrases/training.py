"""Trains a network on phrases that people marked, and measures it on prompts it has not seen."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from imagereward_core.plain import count_of
from imagereward_core.scorers.tokenizers.bert import pad_ids
from imagereward_core.settings import check, setting

from ....data.prompts import prompt_key, prompt_place
from ....data.ranking import PHRASE_KINDS, Phrase, Ranking
from ....figures.document import Figure, Section, Table
from ....figures.estimates import Estimate, IntervalOptions
from ..groups import Group, Measures
from .network import PhraseError, PhraseLabels
from .rules import find_function_phrases
from .words_of_tokens import labels_of

LEAST_PROMPTS = 10
"""Fewer marked prompts teach nothing that could be measured."""
_NO_WORD = -100
_NETWORK, _RULES = "the network", "the list and rules"


@dataclass(frozen=True, kw_only=True)
class PhraseOptions:
    """How phrases are learnt.

    Raises:
        ValueError: A setting is out of its range.
    """

    held_out: float = setting(
        20.0, "Share of the marked prompts that is kept back to measure on", low=1, high=80, unit="percent"
    )
    epochs: int = setting(8, "How often every marked prompt is seen", low=1, high=1000)
    learning_rate: float = setting(
        1e-4, "Of the network; the layer for labels takes ten times as much", low=1e-8, high=1
    )
    batch_size: int = setting(16, "Prompts in a step", low=1, high=4096)
    seed: int = setting(0, "Number from which everything random is drawn", low=0, high=2**31 - 1)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Example:
    """A prompt with the phrases that one person marked in it."""

    prompt: str
    phrases: tuple[Phrase, ...]


def examples_of(rankings: Iterable[Ranking]) -> list[Example]:
    """The prompts in which phrases were marked, once for each person who marked them otherwise."""
    found = {
        (each.prompt, tuple(sorted(each.phrases, key=lambda phrase: phrase.start)))
        for each in rankings
        if each.phrases
    }
    return [Example(*each) for each in sorted(found, key=lambda each: (each[0], str(each[1])))]


def parted(examples: Sequence[Example], options: PhraseOptions) -> tuple[list[Example], list[Example]]:
    """Examples to learn from, and those kept back: by the prompt's text, so that more annotations move none.

    Raises:
        PhraseError: There are too few.
    """
    prompts = {prompt_key(each.prompt) for each in examples}
    if len(prompts) < LEAST_PROMPTS:
        raise PhraseError(
            f"found {count_of(len(prompts), 'prompt')} with marked phrases; expected at least {LEAST_PROMPTS}, better hundreds. Phrases "
            "are "
            "marked in the prompt stage of annotation, in the field 'phrases'"
        )
    kept = {each for each in prompts if 100 * prompt_place(each, options.seed) < options.held_out}
    if not kept or kept == prompts:
        kept = {min(prompts, key=lambda each: prompt_place(each, options.seed))}
    return (
        [each for each in examples if prompt_key(each.prompt) not in kept],
        [each for each in examples if prompt_key(each.prompt) in kept],
    )


def data_hash(examples: Sequence[Example]) -> str:
    """SHA-256 of prompts and marks."""
    every = [[each.prompt, [[mark.start, mark.end, mark.kind] for mark in each.phrases]] for each in examples]
    return hashlib.sha256(json.dumps(every).encode()).hexdigest()


def learn(
    labels: PhraseLabels,
    examples: Sequence[Example],
    options: PhraseOptions,
    progress: Callable[[int, int], None] | None = None,
) -> float:
    """Trains the network in place; returns the mean loss of the last epoch.

    Args:
        labels: The network, on its device.
        examples: To learn from.
        options: How.
        progress: Told how many steps are done, and how many there are.

    Raises:
        PhraseError: The loss is no number.
    """
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    words = labels.words([each.prompt for each in examples])
    marks = [labels_of(some, each.phrases) for some, each in zip(words, examples)]
    network, device = labels.network.train(), next(labels.network.parameters()).device
    rate = options.learning_rate
    groups: list[dict[str, Any]] = [
        {"params": network.encoder.parameters()},
        {"params": network.head.parameters(), "lr": 10 * rate},
    ]
    optimiser = torch.optim.AdamW(groups, lr=rate, weight_decay=0.01)
    steps = options.epochs * math.ceil(len(examples) / options.batch_size)
    warm = max(1, steps // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / warm, (steps - step) / max(1, steps - warm))
    )
    done, losses = 0, [0.0]
    for _ in range(options.epochs):
        order, losses = rng.permutation(len(examples)).tolist(), []
        for start in range(0, len(order), options.batch_size):
            some = order[start : start + options.batch_size]
            ids, mask = pad_ids([words[each].ids for each in some])
            wanted = torch.full(ids.shape, _NO_WORD)
            for row, each in enumerate(some):
                wanted[row, list(words[each].first)] = torch.tensor(marks[each])
            logits = network(ids.to(device), mask.to(device))
            loss = functional.cross_entropy(logits.transpose(1, 2), wanted.to(device), ignore_index=_NO_WORD)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
            done += 1
            if not math.isfinite(losses[-1]):
                raise PhraseError(f"the loss of step {done} is {losses[-1]}; try a smaller --learning-rate")
            if progress is not None:
                progress(done, steps)
    network.eval()
    return float(np.mean(losses))


def measured(labels: PhraseLabels, examples: Sequence[Example], options: IntervalOptions) -> Section:
    """How well marks of people are found again in prompts that were kept back, by the network and by the list and rules."""
    prompts = [each.prompt for each in examples]
    numbers: dict[str, int] = {}
    by_prompt = np.array([numbers.setdefault(prompt, len(numbers)) for prompt in prompts], dtype=np.int64)
    words = labels.words(prompts)
    found = {_NETWORK: labels.find(prompts), _RULES: find_function_phrases(prompts)}
    figures, rows = [], []
    for name, every in found.items():
        counted: dict[str, list[tuple[float, float]]] = {}
        for example, some, phrases in zip(examples, words, every):
            for measure, counts in _compared(
                example, labels_of(some, example.phrases), labels_of(some, phrases), phrases
            ).items():
                counted.setdefault(measure, []).append(counts)
        shown: dict[str, Estimate] = {}
        for measure, pairs in counted.items():
            if name == _RULES and "function" not in measure:
                continue
            shown[measure] = _ratio(np.array(pairs), by_prompt, len(numbers), options)
            figures.append(Figure.made("phrases", measure, shown[measure], "prompts", scorer=name))
        rows += [(measure, name, each.percent()) for measure, each in shown.items()]
    rows.sort(key=lambda row: row[0])
    return Section(
        "phrases",
        "Phrases found again",
        "In prompts that were kept back, in percent. Words: how often a word is given to the kind of phrase that people gave it to, or "
        "to none. "
        "Phrases: how often most of a marked phrase is of the right kind. Spans: begin, end and kind all as marked (F1, the balance of "
        "what is "
        "found wrongly and what is missed). The list and rules know function phrases alone.",
        [Table(("Measure", "Found by", "%"), rows, texts=2)],
        figures,
        [f"Measured on {count_of(len(numbers), 'prompt')} that were kept back."],
    )


def _compared(
    example: Example, marked: Sequence[int], found: Sequence[int], phrases: Sequence[Phrase]
) -> Mapping[str, tuple[float, float]]:
    """For every measure how much is right, and of how much, in one prompt."""
    kinds = [((one + 1) // 2, (two + 1) // 2) for one, two in zip(marked, found)]
    measures = {"words": (float(sum(one == two for one, two in kinds)), float(len(kinds)))}
    function = PHRASE_KINDS.index("function") + 1
    both = sum(one == two == function for one, two in kinds)
    either = sum(one == function for one, _ in kinds) + sum(two == function for _, two in kinds)
    measures["function words, F1"] = (2.0 * both, float(either))
    right = 0
    spans = {(each.start, each.end, each.kind) for each in phrases}
    for each in example.phrases:
        right += _covered(each, phrases)
    measures["phrases"] = (float(right), float(len(example.phrases)))
    wanted = {(each.start, each.end, each.kind) for each in example.phrases}
    measures["spans, F1"] = (2.0 * len(spans & wanted), float(len(spans) + len(wanted)))
    only = [{span for span in some if span[2] == "function"} for some in (spans, wanted)]
    measures["function spans, F1"] = (2.0 * len(only[0] & only[1]), float(len(only[0]) + len(only[1])))
    return measures


def _covered(phrase: Phrase, found: Sequence[Phrase]) -> bool:
    """Whether most characters of a marked phrase are in found ones of its kind."""
    inside = sum(
        max(0, min(phrase.end, each.end) - max(phrase.start, each.start))
        for each in found
        if each.kind == phrase.kind
    )
    return 2 * inside > phrase.end - phrase.start


def _ratio(pairs: np.ndarray, by_prompt: np.ndarray, number: int, options: IntervalOptions) -> Estimate:
    sums = np.zeros((number, 2))
    np.add.at(sums, by_prompt, pairs)
    measures = Measures(("",), sums[:, :1], sums[:, 1:])
    found = measures.within(Group("", np.arange(number, dtype=np.int64)), options)[""]
    return Estimate(found.value, found.low, found.high, int(np.count_nonzero(sums[:, 1])))
