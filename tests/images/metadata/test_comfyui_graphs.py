"""Prompts traced through graphs in the shape ComfyUI saves them (API format)."""

from __future__ import annotations

import pytest
from comfyui_core_samples import CORE
from comfyui_graph_building import encode, graph, node, sampler
from comfyui_pack_samples import PACKS

from imagereward_core.images.metadata.comfyui import positive_prompt

GRAPHS = {**CORE, **PACKS}


@pytest.mark.parametrize("name", GRAPHS)
def test_the_positive_prompt_is_found(name):
    data, prompt = GRAPHS[name]
    found = positive_prompt(data)
    assert found is not None
    assert found.prompt == prompt
    assert found.source == "comfyui"


@pytest.mark.parametrize(
    ("name", "negative"),
    [
        ("default", "blurry"),
        ("controlnet chain", "blurry"),
        ("efficiency loader", "blurry"),
        ("efficiency loader for sdxl", "blurry"),
        ("cfg guider", "blurry"),
        ("rgthree context", "blurry"),
        ("easy use pipe", "blurry"),
        ("both prompts in one node, one of them named plainly", "blurry"),
        ("text embeds of a video pack", "blurry"),
        ("styler", "blurry"),
        ("flux with a guider", ""),
        ("zeroed negative", ""),
    ],
)
def test_the_negative_prompt_is_kept_apart(name, negative):
    found = positive_prompt(GRAPHS[name][0])
    assert found is not None and found.negative == negative


def test_settings_are_those_of_the_sampler():
    found = positive_prompt(graph(sampler=sampler()))
    assert found is not None
    assert found.settings == {
        "Seed": "5",
        "Steps": "20",
        "CFG scale": "7.5",
        "Sampler": "euler",
        "Schedule type": "normal",
        "Denoising strength": "1.0",
        "Model": "sd15.safetensors",
    }
    linked = graph()
    linked["sampler"]["inputs"]["seed"] = ["empty", 0]
    found = positive_prompt(linked)
    assert found is not None and "Seed" not in found.settings


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hires pass with words of its own", "2 samplers, with different prompts: took node hires"),
        ("efficiency loader", "2 samplers, all with the same prompt: took node 3"),
        ("styler", "adds a style whose words are not stored"),
        ("flux with a guider", "another text in clip_l"),
        ("detailer with words for faces", "2 samplers, with different prompts: took node sampler"),
    ],
)
def test_a_choice_that_was_made_is_told(name, words):
    found = positive_prompt(GRAPHS[name][0])
    assert found is not None
    assert any(words in note for note in found.notes)


def test_a_plain_graph_needs_no_note():
    found = positive_prompt(graph())
    assert found is not None and found.notes == ()


def test_words_chosen_at_random_or_rewritten_are_told():
    data = graph(
        pos=encode(["llm", 0]),
        llm=node("OllamaGenerate", prompt=["dp", 0], model="llama"),
        dp=node("DPRandomGenerator", text="a {cat|dog}", seed=3, autorefresh="No"),
    )
    found = positive_prompt(data)
    assert found is not None and found.prompt == "a {cat|dog}"
    assert any("rewrites" in note for note in found.notes) and any(
        "at random" in note for note in found.notes
    )


def test_a_switch_whose_choice_is_not_stored_is_told():
    data = graph(
        pos=node("ImpactSwitch", select=["x", 0], input1=["a", 0], input2=["b", 0]),
        a=encode("1"),
        b=encode("2"),
    )
    found = positive_prompt(data)
    assert (
        found is not None
        and found.prompt == "1"
        and any("hands on is not stored" in note for note in found.notes)
    )


def two_savers():
    return graph(
        pos2=encode("a dog"),
        sampler2=sampler(("pos2", 0)),
        decode2=node("VAEDecode", samples=["sampler2", 0], vae=["ckpt", 2]),
        save2=node("SaveImage", images=["decode2", 0], filename_prefix="sub/dogs"),
    )


@pytest.mark.parametrize(
    ("file_name", "prompt", "noted"),
    [
        (None, "a cat in a hat", True),
        ("dogs_00001_.png", "a dog", False),
        ("ComfyUI_00001_.png", "a cat in a hat", False),
        ("renamed.png", "a cat in a hat", True),
    ],
)
def test_the_file_name_tells_which_saver_wrote_the_picture(file_name, prompt, noted):
    found = positive_prompt(two_savers(), file_name)
    assert found is not None and found.prompt == prompt
    assert any("2 different prompts" in note for note in found.notes) is noted


def test_a_saver_counts_before_a_preview():
    data = graph()
    data = {
        "early": node("PreviewImage", images=["decode2", 0]),
        "pos2": encode("a dog"),
        "sampler2": sampler(("pos2", 0)),
        "decode2": node("VAEDecode", samples=["sampler2", 0], vae=["ckpt", 2]),
        **data,
    }
    found = positive_prompt(data)
    assert found is not None and found.prompt == "a cat in a hat"


def test_without_a_saver_the_last_sampler_counts():
    data = dict(GRAPHS["hires pass with words of its own"][0])
    del data["save"], data["decode"]
    found = positive_prompt(data)
    assert found is not None and found.prompt == "a cat, 8k"
    assert any("took that of node hires" in note for note in found.notes)


def test_the_only_encoder_is_taken_and_told():
    found = positive_prompt({"1": encode("a cat"), "2": encode(""), "3": node("LoadImage", image="x")})
    assert found is not None and found.prompt == "a cat"
    assert any("only text encoder" in note for note in found.notes)


@pytest.mark.parametrize("name", ["negative", "nag_cond"])
def test_a_negative_prompt_is_never_taken_for_the_positive_one(name):
    data = {
        "1": encode("blurry"),
        "2": node("XyzSchedule", schedule="0: a cat", clip=["9", 1]),
        "3": node("KSampler", positive=["2", 0], latent_image=["9", 0], steps=3, **{name: ["1", 0]}),
        "4": node("SaveImage", images=["3", 0]),
    }
    assert positive_prompt(data) is None


def test_of_two_loose_encoders_neither_is_guessed():
    assert positive_prompt({"1": encode("a cat"), "2": encode("blurry")}) is None
