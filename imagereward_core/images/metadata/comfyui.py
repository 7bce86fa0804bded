"""The prompt a ComfyUI picture was made from, traced through its graph.

From the node that saved the picture the search goes back along images and latents to the sampler, and from
the sampler's positive conditioning back to the words. Nodes nobody has listed are followed by the names of
their inputs.
"""

from __future__ import annotations

from collections import deque
from pathlib import PurePath

from . import comfyui_nodes as known
from .comfyui_graph import Graph, Link, Node, load_json, read_api_graph
from .comfyui_models import models_behind, seed_of
from .comfyui_strings import chosen_input, is_switch
from .comfyui_text import TextTracer
from .comfyui_workflow import read_workflow
from .prompt import PictureText

_MOST_CANDIDATES = 16
"""Savers or samplers looked at before giving up on a graph that is none."""


def positive_prompt(graph: object, file_name: str | None = None) -> PictureText | None:
    """Find the positive prompt of a picture in the graph it carries.

    Where several samplers stand behind the picture (hires passes, refiners) the one nearest to it counts;
    detailers and tiled upscalers, which work on a finished picture, count only if there is no other. Where
    nothing can be traced but the graph holds a single text encoder with words, those are taken. ``notes``
    tells of each such choice.

    Args:
        graph: The ``prompt`` chunk (API format) or the ``workflow`` chunk (the editor's format), as JSON text
            or parsed.
        file_name: The picture's file name. In a graph that saves several pictures it tells which saver wrote
            this one.

    Returns:
        The words, or None if the graph holds none. Never raises, whatever the graph.
    """
    data = load_json(graph) if isinstance(graph, str) else graph
    nodes = read_workflow(data) or read_api_graph(data)
    if not nodes:
        return None
    tracer = TextTracer(nodes)
    notes: list[str] = []
    sampler = _sampler_of_picture(nodes, tracer, file_name, notes)
    if sampler is None:
        sampler = _any_sampler(nodes, tracer, notes)
    if sampler is not None:
        prompt, negative = tracer.told(sampler, "positive"), tracer.told(sampler, "negative")
        settings = _settings(nodes, sampler)
        model, loras = models_behind(nodes, sampler)
        settings |= {"Model": model} if model else {}
    else:
        sampler = _only_text(nodes, tracer, notes)
        if sampler is None:
            return None
        prompt, negative, settings, loras = tracer.text(sampler), "", {}, ()
    return PictureText(prompt.strip(), negative.strip(), "comfyui", settings, (*notes, *tracer.notes), loras)


def _sampler_of_picture(
    nodes: Graph, tracer: TextTracer, file_name: str | None, notes: list[str]
) -> str | None:
    """The sampler behind the saver that wrote this file, or behind the first saver that leads to words."""
    found: dict[str, str] = {}
    for saver in _savers(nodes, file_name):
        samplers = _samplers_behind(nodes, saver)
        told = {name: text for name in samplers if (text := tracer.told(name, "positive")).strip()}
        if not told:
            continue
        nearest = next(iter(told))
        if not found and len(told) > 1:
            same = "all with the same prompt" if len(set(told.values())) == 1 else "with different prompts"
            notes.append(
                f"{len(told)} samplers, {same}: took node {nearest}, the one that feeds the saved picture"
            )
        found[saver] = nearest
        if _names(nodes[saver], file_name):
            break
    prompts = {tracer.told(name, "positive") for name in found.values()}
    if not found:
        return None
    first = next(iter(found))
    if len(prompts) > 1 and not _names(nodes[first], file_name):
        notes.append(
            f"the graph saves pictures with {len(prompts)} different prompts: took that of node {first}"
        )
    return found[first]


def _savers(nodes: Graph, file_name: str | None) -> list[str]:
    """Nodes that save or show a picture, the likeliest writer of this file first."""
    consumed = {link.node for node in nodes.values() for _, link in node.links()}
    ranked: list[tuple[int, int, str]] = []
    for position, (name, node) in enumerate(nodes.items()):
        if not any(known.IMAGE_INPUT.match(key.lower()) for key, _ in node.links()):
            continue
        saves = bool(known.SAVER.search(node.kind))
        if saves or name not in consumed:
            rank = 1 if saves else 3 if known.VIEWER.search(node.kind) else 2
            ranked.append((0 if saves and _names(node, file_name) else rank, position, name))
    return [name for _, _, name in sorted(ranked)[:_MOST_CANDIDATES]]


def _names(saver: Node, file_name: str | None) -> bool:
    """Whether a saver's file name prefix is that of this file; prefixes with placeholders cannot be told."""
    prefix = saver.inputs.get("filename_prefix")
    if not file_name or not isinstance(prefix, str) or "%" in prefix:
        return False
    last = PurePath(prefix.replace("\\", "/")).name
    return bool(last) and file_name.startswith(f"{last}_")


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
        waiting = deque([start])
        while waiting and len(samplers) < _MOST_CANDIDATES:
            name = waiting.popleft()
            node = nodes[name]
            if name != start and _is_sampler(node):
                takes_picture = any(isinstance(node.inputs.get(key), Link) for key in known.PICTURE_TAKEN)
                (refiners if takes_picture else samplers).append(name)
            elif name != start and "prompt" in node.inputs:
                services.append(name)
            for key, link in _ways_back(node):
                if (
                    (follow_all or key not in known.NOT_PICTURE)
                    and link.node in nodes
                    and link.node not in seen
                ):
                    seen.add(link.node)
                    waiting.append(link.node)
        if samplers or refiners or (follow_all and services):
            return (samplers + refiners + services)[:_MOST_CANDIDATES]
    return []


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
