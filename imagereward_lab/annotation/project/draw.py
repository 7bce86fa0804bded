"""Tasks out of candidates: grouped by prompt, drawn by the seed, with a count of what is left out and why."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from imagereward_core.metrics.wins import SHARED

from ...data.prompts import prompt_key
from ..protocol.keys import PER_GENERATOR, QUICK, TOP_PICKS
from ..protocol.modes import MODES
from ..records import AnnotationError
from ..store.tasks import NewImage, NewTask
from .candidates import Candidate, LeftOut, distinct
from .options import ProjectOptions

ACROSS = "across-prompts"
"""Key of the one task of quick mode in which pictures of all prompts are compared."""


def draw(
    candidates: Iterable[Candidate],
    options: ProjectOptions,
    left_out: LeftOut,
    *,
    wanted: Mapping[str, str] | None = None,
    scorers: Sequence[str] = (),
) -> list[NewTask]:
    """The tasks of a project, in the order in which they are given: by chance, so that neighbours in a folder are not neighbours there.

    What a seed draws of a prompt follows from its own pictures alone.

    Args:
        candidates: All pictures that could be asked about.
        options: Settings.
        left_out: What is left out is counted there.
        wanted: Only prompts with these keys (:func:`~...data.prompts.prompt_key`), with a translation or an empty text; None for all.
        scorers: Whose picks are pooled, or who chooses each generator's best picture.

    Raises:
        AnnotationError: Nothing is left to ask about, or fewer prompts than the test needs.
    """
    groups: dict[str, list[Candidate]] = defaultdict(list)
    for each in candidates:
        key = prompt_key(each.prompt)
        if wanted is not None and key not in wanted:
            left_out.add("a prompt that --prompts does not name", each.name)
        else:
            groups[key].append(each)
    if wanted is not None:
        for key in wanted.keys() - groups.keys():
            left_out.add("prompts of --prompts without pictures", key[:60])
    if options.mode == QUICK and options.across_prompts:
        groups = {ACROSS: [replace(each, prompt="") for group in groups.values() for each in group]}
    chosen = {}
    for key, group in groups.items():
        images = _images(distinct(group, left_out), options, left_out, scorers)
        if images:
            chosen[key] = NewTask(
                key=key_of(group[0].prompt) if group[0].prompt else ACROSS,
                mode=options.mode,
                prompt=group[0].prompt,
                translation="" if wanted is None else wanted.get(key, ""),
                images=images,
                people=options.people,
            )
    order = sorted(chosen, key=lambda key: _place(options.seed, key))
    if options.prompts is not None and len(order) > options.prompts:
        left_out.add("prompts beyond those drawn", order[options.prompts][:60], len(order) - options.prompts)
        order = order[: options.prompts]
    return _with_test([chosen[key] for key in order], options)


def key_of(prompt: str) -> str:
    """The key of a prompt's task: from its text alone, so that projects about the same prompts know them by the same keys."""
    return hashlib.sha256(prompt_key(prompt).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _with_test(tasks: list[NewTask], options: ProjectOptions) -> list[NewTask]:
    if not tasks:
        raise AnnotationError("nothing_to_ask", "no prompt has enough pictures to ask about")
    if options.test and (options.test >= len(tasks) or options.mode == QUICK):
        what = "quick mode has no test" if options.mode == QUICK else f"there are {len(tasks)} prompts in all"
        raise AnnotationError("bad_number", f"found --test {options.test}; {what}")
    return [
        NewTask(
            key=task.key,
            mode=task.mode,
            prompt=task.prompt,
            translation=task.translation,
            images=task.images,
            people=task.people,
            test=place < options.test,
        )
        for place, task in enumerate(tasks)
    ]


def _images(
    group: Sequence[Candidate], options: ProjectOptions, left_out: LeftOut, scorers: Sequence[str]
) -> list[NewImage]:
    """The pictures that are asked about; none where there are too few."""
    if options.mode == TOP_PICKS:
        chosen = _top_picks(group, options, scorers)
    elif options.mode == PER_GENERATOR:
        chosen = _per_generator(group, options, left_out, scorers)
    else:
        chosen = [(each, "") for each in group]
        if options.mode != QUICK and len(chosen) > options.most:
            left_out.add(
                f"pictures beyond the {options.most} drawn of a prompt",
                group[0].prompt[:60],
                len(chosen) - options.most,
            )
            kept = _rng(options, group).sample(range(len(chosen)), options.most)
            chosen = [chosen[place] for place in sorted(kept)]
    if len(chosen) < options.fewest:
        if chosen:
            left_out.add(
                f"pictures of prompts with fewer than {options.fewest}", group[0].prompt[:60], len(chosen)
            )
        return []
    if len(chosen) > MODES[options.mode].most and options.mode != QUICK:
        left_out.add("pictures of prompts with more than can be ranked", group[0].prompt[:60], len(chosen))
        return []
    return [
        NewImage(name=each.name, source=source, width=each.width, height=each.height)
        for each, source in chosen
    ]


def _top_picks(
    group: Sequence[Candidate], options: ProjectOptions, scorers: Sequence[str]
) -> list[tuple[Candidate, str]]:
    """The best of each scorer in one pool; of pictures without all scores nobody picks one, as they were not all compared."""
    whole = [each for each in group if all(name in each.scores for name in scorers)]
    picked: dict[str, list[str]] = defaultdict(list)
    for name in scorers:
        ranked = sorted(whole, key=lambda each: (-each.scores[name], each.name))
        for each in ranked[: options.top]:
            picked[each.name].append(name)
    return [(each, SHARED.join(picked[each.name])) for each in whole if each.name in picked]


def _per_generator(
    group: Sequence[Candidate], options: ProjectOptions, left_out: LeftOut, scorers: Sequence[str]
) -> list[tuple[Candidate, str]]:
    """One picture of each generator: the best by the scorer where one is named, else one by the seed."""
    by_source: dict[str, list[Candidate]] = defaultdict(list)
    for each in group:
        if not each.source:
            left_out.add("nobody says which generator made it", each.name)
        else:
            by_source[each.source].append(each)
    rng, chosen = _rng(options, group), []
    for source, some in sorted(by_source.items()):
        if scorers:
            scored = [each for each in some if scorers[0] in each.scores]
            if not scored:
                continue
            chosen.append((min(scored, key=lambda each: (-each.scores[scorers[0]], each.name)), source))
        else:
            chosen.append((rng.choice(some), source))
    return chosen


def _rng(options: ProjectOptions, group: Sequence[Candidate]) -> random.Random:
    return random.Random(f"{options.seed}/{prompt_key(group[0].prompt)}")


def _place(seed: int, key: str) -> str:
    return hashlib.sha256(f"{seed}\n{key}".encode("utf-8", "surrogatepass")).hexdigest()
