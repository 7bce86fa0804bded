"""Clips in a graph: a list of batches, each one thing with one prompt and one score, in every node that takes scores."""

from __future__ import annotations

import json
import math

import pytest
from graphs import PROMPTS, Graph, shown

FRAMES = [5, 7, 6]


def clips(graph, kind="clips", prompt=PROMPTS[0], **changes):
    pictures = graph.pictures(kind)
    return pictures, graph.score([pictures, 0], prompt=prompt, score_each="clip", **changes)


def test_a_clip_has_the_score_of_its_frames_and_one_prompt(host):
    graph = Graph()
    pictures = graph.pictures("clips")
    every = graph.show(graph.score([pictures, 0], prompt=PROMPTS[0]), 2)
    rules = {
        "middle": {},
        "first": {"frames": "first"},
        "last": {"frames": "last"},
        "mean": {"frames": "evenly spaced", "frame_count": 3},
        "lowest": {"frames": "evenly spaced", "frame_count": 99, "clip_score": "lowest"},
    }
    found = {
        name: graph.show(graph.score([pictures, 0], prompt=PROMPTS[0], score_each="clip", **rule), 2)
        for name, rule in rules.items()
    }
    ran = host.run(graph)
    values, starts = shown(ran, every), [0, 5, 12]
    whole = [values[start : start + length] for start, length in zip(starts, FRAMES)]
    expected = {
        "middle": [each[len(each) // 2] for each in whole],
        "first": [each[0] for each in whole],
        "last": [each[-1] for each in whole],
        "mean": [
            sum(each[at] for at in (0, round((len(each) - 1) / 2), len(each) - 1)) / 3 for each in whole
        ],
        "lowest": [min(each) for each in whole],
    }
    for name, node in found.items():
        assert shown(ran, node) == pytest.approx(expected[name], abs=2e-6), name


@pytest.mark.parametrize("node", ["sort", "pick", "filter"])
def test_clips_are_handed_on_whole_with_all_that_belongs_to_them(host, node):
    graph = Graph()
    pictures, scores = clips(graph)
    streams = {
        "images": [scores, 1],
        "latents": [pictures, 1],
        "masks": [pictures, 2],
        "items": [pictures, 0],
    }
    number = {"sort": {}, "pick": {"number": 2}, "filter": {"top_k": 2}}[node]
    used = getattr(graph, node)(scores, **streams, **number)
    shows = [graph.show(used, slot) for slot in range(4)]
    indexes = graph.show(used, 10 if node == "filter" else 5)
    values = graph.show(scores, 2)
    ran = host.run(graph)
    given = shown(ran, values)
    best = sorted(range(3), key=lambda at: -given[at])[: 3 if node == "sort" else 2]
    assert shown(ran, indexes) == best
    images, latents, masks, items = (shown(ran, each) for each in shows)
    assert [each["shape"] for each in images] == [[FRAMES[at], 48, 64, 3] for at in best] and items == images
    numbers = [list(range(sum(FRAMES[:at]), sum(FRAMES[: at + 1]))) for at in best]
    assert [each["samples"]["means"] for each in latents] == numbers
    assert [each["means"] for each in masks] == numbers


def test_clips_that_lie_in_one_batch_are_cut_and_so_is_what_belongs_to_them(host):
    graph = Graph()
    pictures, scores = clips(graph, "clips in one batch", clip_length=5)
    # Connected as they came, in one batch, not as Score Images hands them on.
    best = graph.pick(scores, images=[pictures, 0], latents=[pictures, 1], masks=[pictures, 2])
    shows = [graph.show(best, slot) for slot in (0, 1, 2, 5)]
    cut = graph.show(scores, 1)
    ran = host.run(graph)
    assert [each["shape"][0] for each in shown(ran, cut)] == [5, 5, 5]
    images, latents, masks, (index,) = (shown(ran, each) for each in shows)
    numbers = [float(5 * index + at) for at in range(5)]
    assert images == [shown(ran, cut)[index]]
    assert latents[0]["samples"]["means"] == numbers and masks[0]["means"] == numbers


def test_clips_are_shown_told_and_saved(host):
    graph = Graph()
    _, scores = clips(graph, frames="evenly spaced", frame_count=2)
    sheet, plot = graph.sheet(scores, [scores, 1]), graph.plot(scores)
    saved = graph.save(scores, [scores, 1])
    told = graph.add("ScoreToText", scores=[scores, 0], which="best", number=1, decimals=4)
    blend = graph.blend(scores, method="weighted")
    best = graph.show(graph.pick(blend, images=[scores, 1]), 0)
    table, facts = graph.show(scores, 3), graph.show(told, 4)
    ran = host.run(graph)
    assert ran.outputs[sheet]["images"] and ran.outputs[plot]["images"] and len(shown(ran, best)) == 1
    files = [each["filename"] for each in ran.outputs[saved]["images"]]
    assert len(files) == sum(FRAMES)
    assert [int(name.partition("_")[0]) for name in files] == sorted(int(n.partition("_")[0]) for n in files)
    (text,), (found,) = shown(ran, table), shown(ran, facts)
    assert "3 clips" in text and "clip 2" in text and "mean of up to 2 evenly spaced frames" in text
    assert "picture" not in text
    assert [each["frames"] for each in json.loads(found)["pictures"]] == [[1, 5], [1, 7], [1, 6]]


def test_clips_whose_frames_were_changed_in_number_go_on_by_choice(host):
    graph = Graph()
    _, scores = clips(graph)
    longer = graph.pictures("longer clips")
    best = graph.pick(scores, images=[longer, 0])
    images, index = graph.show(best, 0), graph.show(best, 5)
    ran = host.run(graph)
    assert ran.status == "error" and "3 of 3 clips" in ran.error
    graph[best]["inputs"]["changed_pictures"] = True
    ran = host.run(graph)
    (at,) = shown(ran, index)
    assert shown(ran, images)[0]["shape"][0] == 2 * FRAMES[at]


def test_a_clip_with_a_bad_frame_fails_alone(host):
    graph = Graph()
    _, scores = clips(graph, "one bad clip", frames="last")
    values, table = graph.show(scores, 2), graph.show(scores, 3)
    ran = host.run(graph)
    assert [math.isnan(value) for value in shown(ran, values)] == [False, True, False]
    assert "holds NaN" in shown(ran, table)[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"clip_length": 4}, "a batch holds 15 frames; expected a multiple of 4"),
        ({"prompt": "names"}, "15 prompts for 3 clips"),
        ({"frames": "best"}, "best"),
    ],
)
def test_what_does_not_fit_clips_is_refused_in_words(host, changes, words):
    graph = Graph()
    pictures = graph.pictures("clips in one batch")
    given = {"clip_length": 5, "prompt": PROMPTS[0], **changes}
    if given["prompt"] == "names":
        given["prompt"] = [pictures, 3]
    graph.show(graph.score([pictures, 0], score_each="clip", **given), 2)
    ran = host.run(graph)
    assert ran.status == "error" and words in ran.error


def test_another_number_of_latents_than_clips_is_refused(host):
    graph = Graph()
    _, scores = clips(graph)
    graph.show(graph.sort(scores, latents=[graph.pictures("batch"), 1]), 5)
    ran = host.run(graph)
    assert ran.status == "error" and "1 latent was given with the scores of 3 clips" in ran.error


@pytest.mark.parametrize(
    ("kind", "words"), [("pair", "items is one tuple"), ("conditioning", "conditioning")]
)
def test_one_thing_with_parts_is_not_taken_apart(host, kind, words):
    graph = Graph()
    scores = graph.score([graph.pictures("pair"), 0])
    thing = graph.add("CuratorProbeThing", kind=kind)
    graph.show(graph.sort(scores, items=[thing, 0]), 3)
    ran = host.run(graph)
    assert ran.status == "error" and words in ran.error and "of 2 parts" in ran.error


def test_segs_go_in_step_part_by_part(host):
    graph = Graph()
    scores = graph.score([graph.pictures("pair"), 0])
    ordered = graph.sort(scores, items=[graph.add("CuratorProbeThing", kind="segs"), 0])
    items, indexes = graph.show(ordered, 3), graph.show(ordered, 5)
    ran = host.run(graph)
    size, parts = shown(ran, items)[0]
    assert size == [48, 64] and [part[5] for part in parts] == [str(at + 1) for at in shown(ran, indexes)]


@pytest.mark.parametrize(("kind", "number"), [("segs", "2 parts"), ("no segs", "0 parts")])
def test_segs_with_another_number_of_parts_are_counted_by_their_parts(host, kind, number):
    graph = Graph()
    scores = graph.score([graph.pictures("batch"), 0])
    graph.show(graph.sort(scores, items=[graph.add("CuratorProbeThing", kind=kind), 0]), 3)
    ran = host.run(graph)
    assert ran.status == "error" and f"items is SEGS with {number}, with 4 pictures" in ran.error
