"""Blend Scores: any number of opinions as one, the same scorer more than once by names, and saved blends wherever they lie."""

from __future__ import annotations

import json
import time

import pytest
from graphs import PROMPTS, Graph, shown
from made_scores import scored
from PIL import Image

from imagereward_core.scorers.blend_file import BlendFile, parse_blend


def test_two_scorers_are_blended_by_rank_and_agreement_is_told(fake):
    blending = fake.module("nodes.blending")
    one = scored(fake, [3.0, 2.0, 1.0, 0.0])
    other = scored(fake, [0.2, 0.1, 0.4, 0.0], scorer="CLIP")
    output = blending.BlendScores.execute(
        one, scores_2=other, method="rank", weight_1=1.0, weight_2=1.0, name="both"
    )
    blended, parts, report = output.args
    assert blended.scores.values.tolist() == pytest.approx([5 / 6, 0.5, 2 / 3, 0.0])
    assert blended.scores.scorer == "blend:both" and [each.scorer for each in blended.members] == [
        "demo",
        "CLIP",
    ]
    assert len(parts) == 2 and "demo and CLIP order 67 % of 6 pairs" in report


def test_any_number_of_scorers_by_chaining(fake):
    blending = fake.module("nodes.blending")
    ids = ["demo", "CLIP", "BLIP", "PickScore", "HPSv2", "MPS"]
    every = [scored(fake, [float(at), 1.0], scorer=name) for at, name in enumerate(ids)]
    _, parts, _ = blending.BlendScores.execute(
        every[0], scores_2=every[1], scores_3=every[2], scores_4=every[3]
    ).args
    blended, all_parts, _ = blending.BlendScores.execute(
        every[4], scores_2=every[5], more=parts, method="weighted"
    ).args
    assert len(all_parts) == 6 and blended.scores.values.tolist() == [15.0, 6.0]


def test_a_blend_is_no_part_of_a_blend_and_says_how_to_join_them(fake):
    blending = fake.module("nodes.blending")
    first, _, _ = blending.BlendScores.execute(
        scored(fake, [1.0, 2.0]), scores_2=scored(fake, [1.0, 2.0], scorer="CLIP")
    ).args
    with pytest.raises(fake.module("nodes.errors").GraphError, match="is a blend already"):
        blending.BlendScores.execute(first, scores_2=scored(fake, [1.0, 2.0], scorer="BLIP"))


def test_the_same_scorer_twice_is_refused(fake):
    blending = fake.module("nodes.blending")
    with pytest.raises(fake.module("nodes.errors").GraphError, match="demo is in the blend twice.*name_1"):
        blending.BlendScores.execute(scored(fake, [1.0]), scores_2=scored(fake, [2.0]))


def named(graph, first, second, names=("wanted", "unwanted"), weights=(1.0, -1.0), method="weighted"):
    blend = graph.blend(first, second, method=method)
    inputs = graph[blend]["inputs"]
    inputs |= {f"name_{slot}": name for slot, name in enumerate(names, start=1)}
    inputs |= {f"weight_{slot}": weight for slot, weight in enumerate(weights, start=1)}
    return blend


@pytest.mark.parametrize("method", ["weighted", "rank", "standard"])
def test_wanted_minus_unwanted_by_one_scorer_with_two_prompts(host, method):
    graph = Graph()
    pictures = graph.pictures("batch")
    wanted = graph.score([pictures, 0], prompt=[graph.add("CuratorProbeThing", kind="four prompts"), 1])
    unwanted = graph.score([pictures, 0], prompt="a blurred drawing")
    weights = (1.0, -1.0) if method == "weighted" else (1.0, 0.5)
    blend = named(graph, wanted, unwanted, weights=weights, method=method)
    values = [graph.show(node, 2) for node in (wanted, unwanted)]
    ordered = graph.show(graph.sort(blend), 7)
    saved = graph.save(blend, [wanted, 1])
    told = graph.show(graph.add("ScoreToText", scores=[blend, 0], which="best", number=1, decimals=4), 4)
    ran = host.run(graph)
    facts = json.loads(shown(ran, told)[0])
    assert list(facts["members"]) == ["wanted (demo)", "unwanted (demo)"]
    assert set(shown(ran, ordered)) == {"red", "green"}  # the prompts of what is wanted
    one, other = (shown(ran, node) for node in values)
    if method == "weighted":
        found = [each["score"] for each in facts["pictures"]]
        assert found == pytest.approx([a - b for a, b in zip(one, other)], abs=1e-6)
    best = ran.outputs[saved]["images"][0]
    with Image.open(host.base / "output" / best["subfolder"] / best["filename"]) as picture:
        assert {"Reward_wanted_demo", "Reward_unwanted_demo"} <= set(picture.info)
        assert "ImageRewardDemo" not in picture.info


def test_one_scorer_with_two_framings_and_clips_among_them(host):
    graph = Graph()
    pictures = graph.pictures("clips")
    plain = graph.score([pictures, 0], prompt=PROMPTS[0], score_each="clip")
    padded = graph.score(
        [pictures, 0], prompt=PROMPTS[0], score_each="clip", scorer=graph.load(whole_picture=True)
    )
    blend = named(graph, plain, padded, names=("middle", "all"), weights=(1.0, 1.0))
    values = [graph.show(node, slot) for node, slot in ((plain, 2), (padded, 2))]
    total = graph.show(graph.pick(blend, images=[plain, 1], number=3), 6)
    ran = host.run(graph)
    sums = sorted((a + b for a, b in zip(*(shown(ran, node) for node in values))), reverse=True)
    assert shown(ran, total) == pytest.approx(sums, abs=1e-6)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("", ""), "demo is in the blend twice"),
        (("same", "Same"), "is in the blend twice"),
        (("a/b", "c"), "expected a name without these"),
    ],
)
def test_names_that_tell_nothing_apart_are_refused(host, names, words):
    graph = Graph()
    pictures = graph.pictures("batch")
    first, second = (graph.score([pictures, 0], prompt=PROMPTS[0]) for _ in range(2))
    graph.show(named(graph, first, second, names=names), 2)
    ran = host.run(graph)
    assert ran.status == "error" and words in ran.error


def test_other_prompts_without_a_name_are_refused_with_what_to_do(host):
    graph = Graph()
    pictures = graph.pictures("batch")
    first, second = (graph.score([pictures, 0], prompt=prompt) for prompt in PROMPTS)
    blend = named(graph, first, second, names=("wanted", ""))
    graph.show(blend, 2)
    ran = host.run(graph)
    assert ran.status == "error" and "give each of these scores a name" in ran.error
    assert "both by demo, were made with different prompts" in ran.error


def test_names_take_the_hosts_tokens_and_leave_what_nobody_knows(host):
    graph = Graph()
    pictures = graph.pictures("batch")
    scorer = graph.load()
    scores = [
        graph.score([pictures, 0], scorer=scorer),
        graph.score([pictures, 0], prompt="a cat", scorer=scorer),
    ]
    blend = graph.blend(*scores, name="%CuratorProbePictures.kind%_%year%_%nothing%")
    graph[blend]["inputs"] |= {"name_1": "%CuratorProbePictures.kind%", "name_2": "other"}
    facts = graph.add("ScoreToText", scores=[blend, 0], which="best", number=1, decimals=4)
    told = graph.show(facts, 4)
    found = json.loads(shown(host.run(graph), told)[0])
    year = time.localtime().tm_year
    assert found["scorer"] == f"blend:batch_{year}_%nothing%"
    assert list(found["members"]) == ["batch (demo)", "other (demo)"]


def test_names_go_along_with_parts(fake):
    blending = fake.module("nodes.blending")
    one, other = scored(fake, [1.0, 2.0]), scored(fake, [2.0, 1.0], prompts=["q", "q"])
    _, parts, _ = blending.BlendScores.execute(one, scores_2=other, name_1="a", name_2="b").args
    blended, _, _ = blending.BlendScores.execute(scored(fake, [0.0, 1.0], scorer="CLIP"), more=parts).args
    assert [each.scorer for each in blended.members] == ["CLIP", "a (demo)", "b (demo)"]


def test_blends_are_found_in_every_models_folder(fake, tmp_path):
    """As extra_model_paths.yaml gives them: those of the user before ours."""
    paths, loaded = fake.host.folder_paths, fake.module("nodes.loaded")
    own, ours = tmp_path / "elsewhere", tmp_path / "models" / "imagereward"
    for folder in (own, ours):
        folder.mkdir(parents=True, exist_ok=True)
    paths.add_model_folder_path("imagereward", str(own), is_default=True)
    BlendFile(ours).save(parse_blend("demo=1@weighted", "ours"))
    BlendFile(ours).save(parse_blend("demo=5@weighted", "Both"))
    BlendFile(own).save(parse_blend("demo=2@weighted", "both"))
    assert loaded.saved_blends() == ["blend:both", "blend:ours"]
    for name, weight in (("blend:ours", 1.0), ("blend:BOTH", 2.0)):
        request = loaded.LoadRequest(name)
        before = loaded.load_key(request)
        assert (
            loaded.load(request).panel.main.spec.members[0].weight == weight and f"demo={weight:g}" in before
        )
    (own / "blends.json").write_text("{", encoding="utf-8")
    assert loaded.saved_blends() == ["blend:ours", "blend:Both"]
    with pytest.raises(
        fake.module("imagereward_core.errors").CuratorError, match="nowhere.*there is ours, Both"
    ):
        loaded.load(loaded.LoadRequest("blend:nowhere"))


def test_own_checkpoints_are_members_under_their_own_names_also_below_a_models_folder(
    fake, tmp_path, monkeypatch
):
    from tiny import install_own

    folder = tmp_path / "models" / "imagereward"
    install_own(folder / "mine", monkeypatch, lambda name: fake.module(f"imagereward_core.{name}"))
    loaded = fake.module("nodes.loaded")
    assert "mine/mine.safetensors" in loaded.own_checkpoints()
    for text in ("mine=1,demo=0.5@weighted", "mine.safetensors=1,demo=0.5@weighted"):
        panel = loaded.load(loaded.LoadRequest(text, allow_download=False)).panel
        assert [each.card.id for each in panel.scorers] == ["mine", "demo"]


def test_a_real_host_finds_blends_where_extra_model_paths_say(tmp_path):
    from real_host import from_environment

    where = tmp_path / "data"
    BlendFile(where / "scorers").save(parse_blend("demo=3@weighted", "mine"))
    (tmp_path / "paths.yaml").write_text(f"mine:\n  base_path: {where}\n  imagereward: scorers\n")
    host = from_environment(tmp_path / "host", ("--extra-model-paths-config", str(tmp_path / "paths.yaml")))
    if host is None:
        pytest.skip("COMFYUI_PATH is not set; set it to a ComfyUI folder to run this against the real host")
    try:
        BlendFile(host.base / "models" / "imagereward").save(parse_blend("demo=2@weighted", "beside"))
        graph = Graph()
        pictures = graph.pictures("batch")
        values = [
            graph.show(graph.score([pictures, 0], scorer=graph.load(scorer=name)), 2)
            for name in ("demo", "blend:mine", "blend:beside")
        ]
        ran = host.run(graph)
        one, three, two = (shown(ran, node) for node in values)
        assert three == pytest.approx([3 * value for value in one], abs=1e-6)
        assert two == pytest.approx([2 * value for value in one], abs=1e-6)
    finally:
        host.close()
