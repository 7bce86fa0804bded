"""Prompts traced through graphs in the shape ComfyUI saves them (API format)."""

from __future__ import annotations

import pytest

from imagereward_core.metadata.formats.comfyui.prompt import positive_prompt
from tests.support.metadata.comfyui_core_samples import CORE
from tests.support.metadata.comfyui_graphs import encode, graph, node, sampler
from tests.support.metadata.comfyui_pack_samples import PACKS

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
    ("file_name", "prompt"),
    [
        ("dogs_00001_.png", "a dog"),
        ("ComfyUI_00001_.png", "a cat in a hat"),
        ("Dogs_00001_ (2).png", "a dog"),
        (None, ""),
        ("renamed.png", ""),
        ("ComfyUI_temp_abcde_00001_.png", ""),
    ],
)
def test_the_file_name_tells_which_saver_wrote_the_picture(file_name, prompt):
    found = positive_prompt(two_savers(), file_name)
    assert found is not None and found.prompt == prompt
    assert any("2 different prompts" in note for note in found.notes) is not bool(prompt)


def savers(*prefixes, kind="SaveImage"):
    """A graph that saves a picture for each prefix, each drawn from the prefix's number in words."""
    parts = {}
    for number, prefix in enumerate(prefixes):
        parts |= {
            f"pos{number}": encode(f"a picture of number {number}"),
            f"sampler{number}": sampler((f"pos{number}", 0)),
            f"decode{number}": node("VAEDecode", samples=[f"sampler{number}", 0], vae=["ckpt", 2]),
            f"save{number}": node(kind, images=[f"decode{number}", 0], filename_prefix=prefix),
        }
    base = graph()
    return {"ckpt": base["ckpt"], "neg": base["neg"], "empty": base["empty"], **parts}


@pytest.mark.parametrize(
    ("prefixes", "file_name", "number"),
    [
        (("fox", "fox_whale"), "fox_whale_00001_.png", 1),
        (("fox_whale", "fox"), "fox_whale_00001_.png", 0),
        (("fox", "fox_whale"), "fox_00001_.png", 0),
        (("fox", "fox_12"), "fox_12_00003_.png", 1),
        (("fox", "fox_12"), "fox_00012_.png", 0),
        (("fox", "Fox"), "Fox_00001_.png", 1),
        (("a/fox", "b/fox"), "/out/b/fox_00001_.png", 1),
        (("a\\fox", "b\\fox"), "C:\\out\\b\\fox_00001_.png", 1),
        (("final/fox", "fox"), "/ComfyUI/output/fox_00001_.png", 1),
        (("fox_%width%x%height%", "fox_whale"), "fox_512x768_00001_.png", 0),
        (("fox_%width%x%height%", "fox_whale"), "fox_whale_00001_.png", 1),
        (("%date:yyyy-MM-dd%/%KSampler.seed%_fox", "whale"), "2026-01-02/77_fox_00001_.png", 0),
        (("%KSampler.seed%", "whale"), "whale_00001_.png", 1),
        (("fo[x]", "fo*"), "fo[x]_00001_.png", 0),
        (("fox%batch_num%", "whale"), "fox3_00001_.png", 0),
        (("fu\u0308chse", "whale"), "f\u00fcchse_00001_.png", 0),
    ],
)
def test_the_longest_prefix_before_the_counter_tells_who_wrote_the_file(prefixes, file_name, number):
    found = positive_prompt(savers(*prefixes), file_name)
    assert found is not None and found.prompt == f"a picture of number {number}"
    assert found.notes == ()


@pytest.mark.parametrize(
    ("prefixes", "file_name"),
    [
        (("ComfyUI", "ComfyUI"), "ComfyUI_00001_.png"),
        (("a/fox", "b/fox"), "/elsewhere/fox_00001_.png"),
        (("a/fox", "fox"), "fox_00001_.png"),
        (("fox", "whale"), "fox_blue_00001_.png"),
        (("fox", "whale"), "fox_1.png"),
        (("%seed%", "%date:yyyy%"), "2026_00001_.png"),
        (("fox", "x" * 100_000), "renamed.png"),
    ],
)
def test_of_several_prompts_none_is_given_where_the_name_does_not_tell(prefixes, file_name):
    found = positive_prompt(savers(*prefixes), file_name)
    assert found is not None and found.prompt == ""
    assert any("2 different prompts" in note and "save0, save1" in note for note in found.notes)
    # What all have in common is known all the same.
    assert found.negative == "blurry" and found.settings["Model"] == "sd15.safetensors"


def test_savers_that_agree_need_no_name():
    data = savers("ComfyUI", "ComfyUI")
    data["pos1"] = data["pos0"]
    found = positive_prompt(data, "renamed.png")
    assert found is not None and found.prompt == "a picture of number 0" and found.notes == ()


@pytest.mark.parametrize(
    ("file_name", "prompt"),
    [("fox_00001.png", "0"), ("fox.png", "0"), ("fox-1.webp", "0"), ("whale2.gif", "1")],
)
def test_savers_of_other_packs_count_in_other_ways(file_name, prompt):
    found = positive_prompt(savers("fox", "whale", kind="VHS_VideoCombine"), file_name)
    assert found is not None and found.prompt == f"a picture of number {prompt}"


def test_a_prefix_put_together_by_nodes_is_read():
    data = savers(["name", 0], "whale")
    data["name"] = node("StringConcatenate", string_a="fox", string_b="es", delimiter="")
    found = positive_prompt(data, "foxes_00001_.png")
    assert found is not None and found.prompt == "a picture of number 0"


def test_a_saver_of_a_loaded_picture_does_not_take_the_prompt_of_another():
    data = graph(
        load=node("LoadImage", image="pose.png"),
        pose=node("DWPreprocessor", image=["load", 0]),
        save2=node("SaveImage", images=["pose", 0], filename_prefix="pose"),
    )
    found = positive_prompt(data, "pose_00001_.png")
    assert found is not None and found.prompt == ""
    assert any("node save2, which saved this picture, leads to no prompt" in note for note in found.notes)
    assert positive_prompt(data, "ComfyUI_00001_.png").prompt == "a cat in a hat"
    data["save2"]["inputs"]["filename_prefix"] = "ComfyUI"
    assert positive_prompt(data, "ComfyUI_00001_.png").prompt == ""


def test_the_temporary_name_of_a_preview_is_known():
    data = two_savers()
    data["save2"] = node("PreviewImage", images=["decode2", 0])
    assert positive_prompt(data, "ComfyUI_temp_abcde_00001_.png").prompt == "a dog"
    assert positive_prompt(data, "ComfyUI_00001_.png").prompt == "a cat in a hat"
    # Without a name that tells, a saver counts before a preview.
    assert positive_prompt(data, "renamed.png").prompt == "a cat in a hat"


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
