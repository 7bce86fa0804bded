"""Examples and blueprints open without a red node: every node, input, link and value exists in the host."""

from __future__ import annotations

import itertools
import json

import pytest
from pack import NODE_IDS, ROOT, WIDGETS, nodes_of_object_info, schemas
from PIL import Image
from workflows import (
    BLUEPRINTS,
    EXAMPLES,
    INPUT_SIDE,
    NOTES,
    OUTPUT_SIDE,
    definitions,
    levels,
    links_of,
    read,
    to_prompt,
    values_of,
    widget_names,
)

FILES = [*EXAMPLES, *BLUEPRINTS]
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def faults(workflow, known):
    """Everything in a workflow that the host would not understand, in words."""
    found = []
    subgraphs = definitions(workflow)
    for level in levels(workflow):
        nodes = {node["id"]: node for node in level["nodes"]}
        found += [f"{level.get('name', 'graph')}: {each}" for each in _link_faults(level, nodes)]
        for node in level["nodes"]:
            if node["type"] in NOTES or node["type"] in subgraphs:
                continue
            if node["type"] not in known:
                found.append(f"no node is called {node['type']}")
                continue
            found += [f"{node['type']} {node['id']}: {each}" for each in _node_faults(node, known)]
    return found


def _link_faults(level, nodes):
    sides = {
        INPUT_SIDE: [each["type"] for each in level.get("inputs", [])],
        OUTPUT_SIDE: [each["type"] for each in level.get("outputs", [])],
    }
    for link, origin, slot, target, place, kind in links_of(level):
        given = sides.get(origin) or [each["type"] for each in nodes[origin]["outputs"]]
        taken = sides.get(target) or [each["type"] for each in nodes[target]["inputs"]]
        if given[slot] != kind or taken[place] not in (kind, "*"):
            yield f"link {link} carries {kind} from {given[slot]} to {taken[place]}"
        if origin != INPUT_SIDE and link not in (nodes[origin]["outputs"][slot]["links"] or []):
            yield f"link {link} is not known to node {origin}, from which it comes"
        if target != OUTPUT_SIDE and nodes[target]["inputs"][place]["link"] != link:
            yield f"link {link} is not known to node {target}, to which it goes"


def _node_faults(node, known):
    inputs, outputs = known[node["type"]]["inputs"], known[node["type"]]["outputs"]
    if [each["type"] for each in node["outputs"]] != outputs[: len(node["outputs"])]:
        yield "other outputs"
    for each in node["inputs"]:
        if inputs.get(each["name"], {}).get("type") != each["type"]:
            yield f"no input {each['name']} of type {each['type']}"
    connected = {each["name"] for each in node["inputs"] if each["link"] is not None}
    promoted = {name for name, each in inputs.items() if each["type"] not in WIDGETS and not each["optional"]}
    yield from (f"{name} is not connected" for name in promoted - connected)
    if len(widget_names(node, known)) != len(node["widgets_values"]):
        yield f"{len(node['widgets_values'])} widget values for {widget_names(node, known)}"
    for name, value in values_of(node, known).items():
        each = inputs[name]
        if "options" in each and value not in each["options"]:
            yield f"{name} has no choice {value!r}"
        if "min" in each and not each["min"] <= value <= each["max"]:
            yield f"{name} is {value}, out of range"


@every_file
def test_the_host_knows_everything_in_it(path, known_nodes):
    assert faults(read(path), known_nodes) == []


@every_file
def test_the_real_host_knows_everything_in_it(path, comfyui):
    known = nodes_of_object_info(comfyui.call("/object_info"))
    assert faults(read(path), known) == []


def test_what_is_recorded_of_built_in_nodes_is_what_the_real_host_has(comfyui, known_nodes):
    known = nodes_of_object_info(comfyui.call("/object_info"))
    for name in set(known_nodes) - set(NODE_IDS):
        recorded, real = known_nodes[name], known[name]
        assert real["outputs"][: len(recorded["outputs"])] == recorded["outputs"], name
        assert {key: each["type"] for key, each in real["inputs"].items()} == {
            key: each["type"] for key, each in recorded["inputs"].items()
        }, name


def test_a_wrong_choice_link_or_widget_is_found(known_nodes):
    workflow = read(EXAMPLES[0])
    scorer = next(node for node in workflow["nodes"] if node["type"].endswith("LoadScorer"))
    scorer["widgets_values"][0] = "no such scorer"
    workflow["links"][0][5] = "AUDIO"
    workflow["nodes"][-2]["widgets_values"].append(1)
    words = " ".join(faults(workflow, known_nodes))
    assert "no such scorer" in words and "AUDIO" in words and "widget values" in words


@every_file
def test_ids_are_unique_in_all_of_it(path):
    workflow = read(path)
    nodes = [node["id"] for level in levels(workflow) for node in level["nodes"]]
    assert len(set(nodes)) == len(nodes)
    for level in levels(workflow):
        links = [link[0] for link in links_of(level)]
        assert len(set(links)) == len(links)


@every_file
def test_nodes_name_the_pack_to_install_when_they_are_missing(path):
    for level in levels(read(path)):
        for node in level["nodes"]:
            if node["type"] in NODE_IDS:
                assert node["properties"]["cnr_id"] == "imagereward-curator"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_has_a_small_thumbnail_and_says_what_to_do(path):
    picture = path.with_suffix(".jpg")
    with Image.open(picture) as image:
        assert image.format == "JPEG" and min(image.size) >= 200 and max(image.size) <= 800
    assert picture.stat().st_size < 80_000
    notes = [node["widgets_values"][0] for node in read(path)["nodes"] if node["type"] == "MarkdownNote"]
    assert any("**Run**" in text for text in notes)


def height_of(schema):
    """The least height of a node in the classic renderer: its sockets side by side, then its widgets; measured on 1.27 and 1.49."""
    widgets = [each for each in schema.inputs if each.io_type in WIDGETS]
    texts = sum(1 for each in widgets if each.given.get("multiline"))
    rows = max(len(schema.inputs) - len(widgets), len(schema.outputs))
    return 14 + 20 * rows + 24 * (len(widgets) - texts) + 54 * texts


@every_file
def test_no_widget_leaves_its_node_and_no_node_lies_on_another(path):
    for level in levels(read(path)):
        boxes = {}
        for node in level["nodes"]:
            (left, top), (width, height) = node["pos"], node["size"]
            if node["type"] in schemas():
                assert height >= height_of(schemas()[node["type"]]), (
                    f"{node['type']} {node['id']} is too small"
                )
            # Above a node of a pack the classic renderer writes the pack's name, 20 high.
            head = 54 if node["type"] in schemas() else 30
            boxes[node["id"]] = (left, top - head, left + width, top + height)
        for (one, a), (other, b) in itertools.combinations(boxes.items(), 2):
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert apart, f"{one} and {other} overlap"


@every_file
def test_notes_mark_words_in_a_way_that_every_renderer_shows_on_brown(path):
    """Inline code is blue on blue there in Nodes 2.0."""
    notes = [node for level in levels(read(path)) for node in level["nodes"] if node["type"] in NOTES]
    assert not [note["id"] for note in notes if "`" in note["widgets_values"][0]]


def test_labels_of_switches_fit_into_a_node_as_it_is_added():
    """A fresh node is 270 wide in the classic renderer, and a switch writes its name and its value into one line."""
    for name, schema in schemas().items():
        for each in schema.inputs:
            values = [each.given.get(key) or "" for key in ("label_on", "label_off")]
            assert len(each.id) + max(map(len, values)) <= 30, f"{each.id} of {name}"


def test_every_node_but_plain_helpers_is_shown_in_an_example():
    text = "".join(path.read_text(encoding="utf-8") for path in FILES)
    unseen = {name.removeprefix("ImageRewardCurator") for name in NODE_IDS if f'"{name}"' not in text}
    assert unseen == {"ScoreToText", "PromptForScoring"}


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_a_blueprint_is_one_node_with_named_inputs_and_outputs(path, known_nodes):
    workflow = read(path)
    (node,) = workflow["nodes"]
    (subgraph,) = workflow["definitions"]["subgraphs"]
    assert node["type"] == subgraph["id"] and node["title"] == subgraph["name"] == path.stem
    assert [each["name"] for each in node["inputs"]] == [each["name"] for each in subgraph["inputs"]]
    assert [each["name"] for each in node["outputs"]] == [each["name"] for each in subgraph["outputs"]]
    assert subgraph["description"] and subgraph["category"] == "ImageReward Curator"
    sides = {INPUT_SIDE: subgraph["inputs"], OUTPUT_SIDE: subgraph["outputs"]}
    for side, end in ((INPUT_SIDE, 1), (OUTPUT_SIDE, 3)):
        links = [(link[end + 1], link[0]) for link in links_of(subgraph) if link[end] == side]
        assert sorted(links) == sorted(
            (at, link) for at, each in enumerate(sides[side]) for link in each["linkIds"]
        )


def test_the_blueprint_samples_many_and_upscales_one(known_nodes):
    workflow = read(BLUEPRINTS[0])
    (node,) = workflow["nodes"]
    for at, each in enumerate(node["inputs"]):  # stand-ins for the three models a user connects
        if "widget" not in each:
            each["link"] = 900 + at
            workflow["links"].append([900 + at, 900, at, node["id"], at, each["type"]])
    loader = {
        "id": 900,
        "type": "CheckpointLoaderSimple",
        "inputs": [],
        "widgets_values": ["any.safetensors"],
    }
    loader["outputs"] = [{"type": kind, "links": []} for kind in ("MODEL", "CLIP", "VAE")]
    workflow["nodes"].append(loader)
    prompt = to_prompt(workflow, known_nodes)
    by_kind = {}
    for number, each in prompt.items():
        by_kind.setdefault(each["class_type"], []).append((number, each["inputs"]))
    (first, many), (_, once) = by_kind["KSampler"]
    (best, chosen), (upscaled, upscale) = (
        by_kind["ImageRewardCuratorPickBest"][0],
        by_kind["LatentUpscaleBy"][0],
    )
    assert prompt[many["latent_image"][0]]["inputs"]["batch_size"] > 1 and many["denoise"] == 1.0
    assert chosen["latents"] == [first, 0] and upscale["samples"] == [best, 1]
    assert once["latent_image"] == [upscaled, 0] and once["denoise"] < 1
    scored = by_kind["ImageRewardCuratorScoreImages"][0][1]
    positive = prompt[many["positive"][0]]["inputs"]["text"]
    assert scored["prompt"] == positive and many["seed"] == once["seed"] == 7


def test_the_recorded_nodes_are_those_that_are_used():
    recorded = json.loads(
        (ROOT / "tests" / "comfy_package" / "builtin_nodes.json").read_text(encoding="utf-8")
    )
    used = {node["type"] for path in FILES for level in levels(read(path)) for node in level["nodes"]}
    subgraphs = {each for path in FILES for each in definitions(read(path))}
    assert set(recorded["nodes"]) == used - NOTES - subgraphs - set(NODE_IDS)
