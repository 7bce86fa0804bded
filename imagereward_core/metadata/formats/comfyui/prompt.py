"""The prompt a ComfyUI picture was made from, traced through its graph.

From the node that saved the picture the search goes back along images and latents to the sampler, and from
the sampler's positive conditioning back to the words. Nodes nobody has listed are followed by the names of
their inputs.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from ...types import PictureText
from . import nodes as known
from .answers import with_shown_texts
from .graph import Graph, Link, Node, load_json, read_api_graph
from .models import models_behind, seed_of
from .savers import saver_groups, writers_of
from .strings import UNTOLD, chosen_input, is_switch
from .tracer import TextTracer, is_told_nothing
from .workflow import read_workflow

_MOST_CANDIDATES = 16
"""Savers or samplers looked at before giving up on a graph that is none."""


def positive_prompt(
    graph: object, file_name: str | None = None, workflow: object = None
) -> PictureText | None:
    """Find the positive prompt of a picture in the graph it carries.

    Where several samplers stand behind the picture (hires passes, refiners) the one nearest to it counts;
    detailers and tiled upscalers, which work on a finished picture, count only if there is no other. Where
    nothing can be traced but the graph holds a single text encoder with words, those are taken. ``notes``
    names each such choice. Where a graph saves several pictures and the file's name does not say which of
    them this is, it has a prompt only if all have the same.

    Args:
        graph: The ``prompt`` chunk (API format) or the ``workflow`` chunk (the editor's format), as JSON text or parsed.
        file_name: The picture's file name or path, which shows which saver wrote this one.
        workflow: The editor's file beside an API graph, which holds what its nodes have shown while it ran.

    Returns:
        The words, empty where the picture was drawn from none or it cannot be told from which; None if the graph
        holds none. Never raises, whatever the graph.
    """
    data = load_json(graph) if isinstance(graph, str) else graph
    nodes = read_workflow(data) or read_api_graph(data)
    if not nodes:
        return None
    tracer = TextTracer(
        with_shown_texts(nodes, load_json(workflow) if isinstance(workflow, str) else workflow)
    )
    notes: list[str] = []
    origins = _origins(nodes, tracer, file_name, notes)
    if origins is None and not _leads_to_samplers(nodes):
        sampler = _any_sampler(nodes, tracer, notes)
        origins = [sampler] if sampler is not None else None
    if origins is None:
        encoder = _only_text(nodes, tracer, notes)
        if encoder is None:
            return None
        return PictureText(_known(tracer.text(encoder)), "", "comfyui", {}, (*notes, *tracer.notes))
    prompt = _known(_shared([tracer.told(name, "positive").strip() for name in origins]))
    negative = _known(_shared([tracer.told(name, "negative").strip() for name in origins]))
    settings, loras = _made(nodes, origins)
    return PictureText(prompt, negative, "comfyui", settings, (*notes, *tracer.notes), loras)


def _origins(nodes: Graph, tracer: TextTracer, file_name: str | None, notes: list[str]) -> list[str] | None:
    """The samplers this picture may come from: one, or several with different prompts, or none; None where no saver leads to one."""
    groups = saver_groups(nodes)
    writers = writers_of(nodes, groups, file_name, tracer.text)
    ends: dict[str, str | None] = {}
    for group in [writers] if writers else groups:
        ends = {saver: _nearest(nodes, tracer, saver, notes) for saver in group[:_MOST_CANDIDATES]}
        if any(ends.values()):
            break
    else:
        others = [saver for group in groups for saver in group if saver not in writers][:_MOST_CANDIDATES]
        if writers and any(_nearest(nodes, tracer, saver, []) for saver in others):
            notes.append(f"node {writers[0]}, which saved this picture, leads to no prompt")
            return []
        return None
    found = list(dict.fromkeys(end for end in ends.values() if end is not None))
    prompts = {tracer.told(end, "positive").strip() if end else "" for end in ends.values()}
    if len(prompts) == 1:
        return found[:1]
    which = "more than one of them gives such names" if writers else "the file's name does not tell which did"
    notes.append(
        f"the nodes {', '.join(list(ends)[:4])} save pictures with {len(prompts)} different prompts, and {which}"
    )
    return found if all(ends.values()) else []


def _nearest(nodes: Graph, tracer: TextTracer, saver: str, notes: list[str]) -> str | None:
    """The sampler nearest to a saver that has words; without words anywhere the nearest, if it is told to draw nothing."""
    samplers = _samplers_behind(nodes, saver)
    told = {name: text for name in samplers if (text := tracer.told(name, "positive").strip())}
    # A detailer's words are about a part of the picture: they say nothing where the picture itself was drawn without.
    drawing = [
        name for name in samplers if _is_sampler(nodes[name]) and not _refines(nodes[name])
    ] or samplers
    nearest = next((name for name in drawing if name in told), None)
    if nearest is None:
        return next((name for name in drawing if is_told_nothing(nodes, name)), None)
    if len(told) > 1:
        same = "all with the same prompt" if len(set(told.values())) == 1 else "with different prompts"
        note = f"{len(told)} samplers, {same}: took node {nearest}, the one that feeds the saved picture"
        if note not in notes:
            notes.append(note)
    return nearest


def _known(text: str | None) -> str:
    """A text as it is stored; none where words of it are not."""
    return "" if text is None or UNTOLD in text else text.strip()


def _shared(values: list[Any]) -> Any:
    """The one value that all have; None where they differ or there are none."""
    return values[0] if values and all(value == values[0] for value in values) else None


def _made(nodes: Graph, samplers: list[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Settings and LoRAs of these samplers, as far as they share them."""
    each: list[dict[str, str]] = []
    loras: list[tuple[str, ...]] = []
    for name in samplers:
        model, applied = models_behind(nodes, name)
        each.append(_settings(nodes, name) | ({"Model": model} if model else {}))
        loras.append(applied)
    shared = {
        key: value
        for key, value in (each[0] if each else {}).items()
        if all(found.get(key) == value for found in each)
    }
    return shared, _shared(loras) or ()


def _leads_to_samplers(nodes: Graph) -> bool:
    savers = [saver for group in saver_groups(nodes) for saver in group]
    return any(_samplers_behind(nodes, saver) for saver in savers[:_MOST_CANDIDATES])


def _samplers_behind(nodes: Graph, start: str) -> list[str]:
    """Samplers from which a picture comes, the nearest first.

    Behind them stand those that only refine a finished picture, then nodes that are no samplers but have a
    prompt: services that draw elsewhere.
    """
    for follow_all in (False, True):
        samplers: list[str] = []
        refiners: list[str] = []
        services: list[str] = []
        seen = {start}
        pictures = {start}
        waiting = deque([start])
        while waiting and len(samplers) < _MOST_CANDIDATES:
            name = waiting.popleft()
            node = nodes[name]
            if name != start and _is_sampler(node):
                (refiners if _refines(node) else samplers).append(name)
            elif name != start and name in pictures and _draws_elsewhere(node):
                services.append(name)
            for key, link in _ways_back(node):
                if (
                    (follow_all or key not in known.NOT_PICTURE)
                    and link.node in nodes
                    and link.node not in seen
                ):
                    seen.add(link.node)
                    waiting.append(link.node)
                    if name in pictures and key not in known.NOT_PICTURE:
                        pictures.add(link.node)
        if samplers or refiners or (follow_all and services):
            groups = (samplers, refiners, services)
            return [name for group in groups for name in group][:_MOST_CANDIDATES]
    return []


def _draws_elsewhere(node: Node) -> bool:
    """Whether a node that is no sampler has a prompt to draw from, not one that says what to find in a picture."""
    return "prompt" in node.inputs and not known.DETECTOR.search(node.kind)


def _ways_back(node: Node) -> list[tuple[str, Link]]:
    chosen = chosen_input(node) if is_switch(node) else None
    return [("", chosen)] if isinstance(chosen, Link) else node.links()


def _is_sampler(node: Node) -> bool:
    """Whether a node is told what to draw and draws it, by its class or by the inputs it has."""
    guided = any(
        key in known.GUIDES or known.PIPES.match(key) or known.ROLE_FIELDS["positive"].match(key)
        for key, _ in node.links()
    )
    return guided and (
        bool(known.SAMPLER.search(node.kind)) or any(key in known.SAMPLER_INPUTS for key in node.inputs)
    )


def _refines(node: Node) -> bool:
    return any(isinstance(node.inputs.get(key), Link) for key in known.PICTURE_TAKEN)


def _any_sampler(nodes: Graph, tracer: TextTracer, notes: list[str]) -> str | None:
    """Without a saver: the last sampler with words, that is one from which no other sampler goes on."""
    samplers = [name for name, node in nodes.items() if _is_sampler(node)][:_MOST_CANDIDATES]
    earlier = {name for sampler in samplers for name in _samplers_behind(nodes, sampler)}
    for name in sorted(samplers, key=lambda sampler: sampler in earlier):
        if tracer.told(name, "positive").strip():
            notes.append(f"no saved picture leads to a prompt: took that of node {name} ({nodes[name].kind})")
            return name
    return None


def _only_text(nodes: Graph, tracer: TextTracer, notes: list[str]) -> str | None:
    """The only text encoder with words that nothing is told to avoid, if there is exactly one."""
    encoders = [name for name, node in nodes.items() if known.ENCODER.search(node.kind)][
        : 8 * _MOST_CANDIDATES
    ]
    disliked = {
        link.node
        for node in nodes.values()
        for key, link in node.links()
        if known.DISLIKED.search(key.lower())
    }
    avoided = {tracer.told(name, "negative") for name, node in nodes.items() if _is_sampler(node)}
    holding: dict[str, str] = {}
    for name in encoders:
        text = tracer.text(name).strip()
        if text and name not in disliked and not any(text in negative for negative in avoided):
            holding.setdefault(text, name)
    if len(holding) != 1:
        return None
    (found,) = holding.values()
    notes.append(f"no sampler leads to a prompt: took the only text encoder, node {found}")
    return found


def _settings(nodes: Graph, name: str) -> dict[str, str]:
    """The sampler's own values under the WebUI's names, and the seed wherever it comes from."""
    sampler = nodes[name]
    found = {
        title: str(sampler.inputs[key])
        for key, title in known.SETTINGS.items()
        if isinstance(sampler.inputs.get(key), (str, int, float)) and sampler.inputs.get(key) != ""
    }
    seed = seed_of(nodes, name)
    return {**found, "Seed": seed} if seed else found
