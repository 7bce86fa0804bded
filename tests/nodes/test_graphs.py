"""Promises of the nodes as a person meets them in a graph; each holds in this process and in a real ComfyUI."""

from __future__ import annotations

import contextlib
import io
import json

import pytest
from PIL import Image

from imagereward_core.cli.main import main
from tests.support.comfyui.graphs import PROMPTS, Graph, shown

TOKENS = {"folder": ["0_0", "0_1", "0_2", "0_3", "1_0", "1_1", "1_2", "1_3"]}


def by_command(files, prompt):
    """Scores the command line gives."""
    command = ["score", "-s", "demo", "-f", "json", "--device", "cpu", "-p", prompt, *map(str, files)]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main(command) == 0
    return [row["score"] for row in json.loads(printed.getvalue())["rows"]]


def test_a_folder_comes_out_in_rank_order_with_scores_names_and_prompts_in_step(host):
    graph = Graph()
    folder, scores = graph.scored_folder()
    values, names = graph.show(scores, 2), graph.show(folder, 2)
    by_score = graph.sort(scores, images=[scores, 1], items=[folder, 2])
    ordered = [graph.show(by_score, slot) for slot in (0, 3, 5, 6, 7)]
    ran = host.run(graph)
    given, names = shown(ran, values), shown(ran, names)
    assert names == TOKENS["folder"]
    pictures, items, indexes, in_order, prompts = (shown(ran, each) for each in ordered)
    assert indexes == sorted(range(8), key=lambda index: -given[index])
    assert items == [names[index] for index in indexes]
    assert in_order == [given[index] for index in indexes]
    assert prompts == [PROMPTS[index // 4] for index in indexes]
    assert [each["shape"] for each in pictures] == [[1, 96, 96, 3]] * 8


def test_a_saved_picture_scored_by_the_command_gets_the_number_it_was_saved_with(host):
    graph = Graph()
    pictures = graph.pictures("batch")
    scores = graph.score([pictures, 0], prompt=PROMPTS[0])
    values = graph.show(scores, 2)
    ordered = graph.sort(scores)
    saved = graph.save(scores, [scores, 1])
    in_order = graph.show(ordered, 6)
    ran = host.run(graph)
    assert len(set(shown(ran, values))) == 4
    files = [
        host.base / "output" / each["subfolder"] / each["filename"] for each in ran.outputs[saved]["images"]
    ]
    # The files come in another order than the batch had, which can move the last digit of a float32 product.
    assert by_command(files, PROMPTS[0]) == pytest.approx(shown(ran, in_order), abs=1e-6)


def test_latents_masks_and_items_of_a_batch_follow_the_pictures(host):
    graph = Graph()
    pictures = graph.pictures("batch")
    scores = graph.score([pictures, 0])
    chosen = graph.filter(
        scores, images=[scores, 1], latents=[pictures, 1], masks=[pictures, 2], items=[pictures, 3], top_k=2
    )
    slots = [graph.show(chosen, slot) for slot in range(14) if slot not in (4, 9)]
    ran = host.run(graph)
    images, latents, masks, items, *others = (shown(ran, each) for each in slots)
    gone_images, gone_latents, _, gone_items, kept, gone, number, rejected = others
    assert sorted(kept + gone) == [0, 1, 2, 3] and (number, rejected) == ([2], [2])
    assert (
        images[0]["shape"] == [2, 48, 64, 3]
        and len(images) == 1
        and gone_images[0]["shape"] == [2, 48, 64, 3]
    )
    assert latents[0]["samples"]["means"] == kept and latents[0]["batch_index"] == kept
    assert latents[0]["noise_mask"]["means"] == [100.0 + index for index in kept]
    assert masks[0]["means"] == kept and items == [f"name {index}" for index in kept]
    assert gone_latents[0]["samples"]["means"] == gone and gone_items == [f"name {index}" for index in gone]


def test_pictures_of_mixed_sizes_stay_a_list_of_single_pictures(host):
    graph = Graph()
    pictures = graph.pictures("mixed")
    scores = graph.score([pictures, 0])
    ordered = graph.sort(scores, images=[scores, 1], latents=[pictures, 1], order="worst first")
    out = [graph.show(ordered, slot) for slot in (0, 1, 5, 6)]
    ran = host.run(graph)
    images, latents, indexes, values = (shown(ran, each) for each in out)
    assert [each["shape"] for each in images] == [[1, 40 + 16 * index, 64, 3] for index in indexes]
    assert len(latents) == 3 and all(each["samples"]["shape"] == [1, 4, 6, 8] for each in latents)
    assert values == sorted(values)


def test_the_best_of_each_prompt_is_picked(host):
    graph = Graph()
    _, scores = graph.scored_folder()
    best = graph.pick(scores, images=[scores, 1], within="each prompt")
    values, indexes, prompts = graph.show(scores, 2), graph.show(best, 5), graph.show(best, 7)
    ran = host.run(graph)
    given = shown(ran, values)
    wanted = {max(range(4), key=given.__getitem__), max(range(4, 8), key=given.__getitem__)}
    assert set(shown(ran, indexes)) == wanted and sorted(shown(ran, prompts)) == sorted(PROMPTS)


def test_when_nothing_passes_only_the_branch_behind_kept_is_skipped(host):
    graph = Graph()
    scores = graph.score([graph.pictures("batch"), 0])
    chosen = graph.filter(scores, images=[scores, 1], min_score=999.0)
    kept, rejected = graph.show(chosen, 0), graph.show(chosen, 5)
    kept_scores, count, everyone = graph.plot(chosen), graph.show(chosen, 12), graph.save(scores, [scores, 1])
    graph[kept_scores]["inputs"]["scores"] = [chosen, 4]
    ran = host.run(graph)
    assert ran.status == "success"
    assert kept not in ran.outputs and kept_scores not in ran.outputs
    assert shown(ran, rejected)[0]["shape"][0] == 4 and shown(ran, count) == [0]
    assert len(ran.outputs[everyone]["images"]) == 4


@pytest.mark.parametrize("policy, kept", [("keep the best one", 1), ("pass all", 4)])
def test_the_other_policies_hand_pictures_on(host, policy, kept):
    graph = Graph()
    scores = graph.score([graph.pictures("batch"), 0])
    chosen = graph.filter(scores, images=[scores, 1], min_score=999.0, when_nothing_passes=policy)
    images, report, indexes = graph.show(chosen, 0), graph.show(chosen, 15), graph.show(chosen, 10)
    order = graph.show(graph.sort(scores), 5)
    ran = host.run(graph)
    assert shown(ran, images)[0]["shape"][0] == kept
    assert shown(ran, indexes) == shown(ran, order)[:kept]
    assert f"kept {kept} of 4" in shown(ran, report)[0]


def test_the_policy_error_says_what_the_best_one_has_and_the_next_prompt_runs(host):
    graph = Graph()
    scores = graph.score([graph.pictures("batch"), 0])
    chosen = graph.filter(scores, images=[scores, 1], min_score=999.0, when_nothing_passes="error")
    graph.show(chosen, 0)
    ran = host.run(graph)
    assert ran.status == "error" and "nothing passed the filter: the best of 4 pictures has" in ran.error
    graph[chosen]["inputs"]["when_nothing_passes"] = "pass all"
    assert host.run(graph).status == "success"


def test_nothing_is_computed_again_when_only_a_later_node_changes(host):
    graph = Graph()
    pictures = graph.pictures("batch")
    loader = graph.load(precision="fp32")
    scores = graph.score([pictures, 0], scorer=loader)
    plot = graph.plot(scores)
    assert host.run(graph).status == "success"
    graph[plot]["inputs"]["width"] = 648
    ran = host.run(graph)
    assert (
        ran.status == "success" and {pictures, loader, scores} <= set(ran.cached) and plot not in ran.cached
    )


def test_kept_and_rejected_are_saved_apart_and_never_over_each_other(host):
    graph = Graph()
    scores = graph.score([graph.pictures("batch"), 0])
    chosen = graph.filter(scores, top_k=1)
    saved = graph.save(scores, [scores, 1], selection=[chosen, 14])
    prefix = graph[saved]["inputs"]["filename_prefix"] = "twice" + graph[saved]["inputs"]["filename_prefix"]
    folder = prefix.partition("/")[0]
    first = host.run(graph)
    before = {
        name: (host.base / "output" / name).read_bytes() for name in host.files() if name.startswith(folder)
    }
    graph[saved]["inputs"]["quality"] = 91
    second = host.run(graph)
    after = [name for name in host.files() if name.startswith(folder)]
    assert first.status == second.status == "success" and len(before) == 4 and len(after) == 8
    assert all((host.base / "output" / name).read_bytes() == data for name, data in before.items())
    assert sum(name.startswith(f"{folder}/kept/001_") for name in after) == 2
    assert sum(name.startswith(f"{folder}/rejected/") for name in after) == 6


@pytest.mark.parametrize("kind, suffix", [("png", ".png"), ("webp (lossless)", ".webp")])
def test_scores_travel_in_the_file_beside_prompt_and_workflow(host, kind, suffix):
    from imagereward_core.metadata.containers.blocks import read_blocks

    graph = Graph()
    scores = graph.score([graph.pictures("rgba"), 0], prompt=PROMPTS[0])
    saved = graph.save(scores, [scores, 1], format=kind)
    values = graph.show(graph.sort(scores), 6)
    ran = host.run(graph)
    best = ran.outputs[saved]["images"][0]
    path = host.base / "output" / best["subfolder"] / best["filename"]
    assert path.suffix == suffix and path.name.startswith("001_")
    with Image.open(path) as picture:
        assert picture.mode == "RGBA"
        exif = {tag: str(text) for tag, text in picture.getexif().items()}
    blocks = read_blocks(path)
    assert json.loads(blocks["prompt"])[saved]["class_type"] == "ImageRewardCuratorSaveScored"
    value = shown(ran, values)[0]
    if suffix == ".png":
        facts = json.loads(blocks["imagereward"])
        assert blocks["ImageRewardDemo"] == f"{value:.4f}"
    else:
        facts = json.loads(
            next(text for text in exif.values() if text.startswith("imagereward:")).partition(":")[2]
        )
        assert f"ImageRewardDemo: {value:.4f}" in blocks["UserComment"]
    assert facts["scores"][0]["score"] == value and facts["rank"] == 1 and facts["prompt"] == PROMPTS[0]
    # The very same pixels; alone instead of in a batch of four, float32 sums round differently.
    assert by_command([path], PROMPTS[0]) == [pytest.approx(value, abs=2e-6)]
