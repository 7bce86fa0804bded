"""Model, LoRAs and seed behind the sampler of a ComfyUI graph."""

from __future__ import annotations

import json

from imagereward_core.metadata.formats.comfyui.prompt import positive_prompt
from imagereward_core.metadata.generation import generated_facts
from tests.support.metadata.comfyui_graphs import node


def facts(data):
    found = positive_prompt(data)
    assert found is not None and found.prompt == "a cat"
    return generated_facts(found)


def chain(**extra):
    """Checkpoint, two LoRAs one after another, sampler, save."""
    return {
        "base": node("CheckpointLoaderSimple", ckpt_name="sdxl\\base.safetensors"),
        "one": node(
            "LoraLoader", lora_name="one.safetensors", strength_model=1.0, model=["base", 0], clip=["base", 1]
        ),
        "two": node(
            "LoraLoaderModelOnly", lora_name="sub/two.safetensors", strength_model=0.5, model=["one", 0]
        ),
        "text": node("CLIPTextEncode", text="a cat", clip=["one", 1]),
        "noise": node("EmptyLatentImage", width=8, height=8),
        "sampler": node(
            "KSampler",
            model=["two", 0],
            positive=["text", 0],
            latent_image=["noise", 0],
            seed=7,
            steps=3,
            **extra,
        ),
        "save": node("SaveImage", images=["sampler", 0]),
    }


def test_checkpoint_and_loras_are_named_in_the_order_they_are_applied():
    found = facts(chain())
    assert (found.generator, found.model, found.loras, found.seed) == ("comfyui", "base", ("one", "two"), "7")


def test_loras_that_are_off_do_not_count():
    data = chain()
    data["two"] = node(
        "Power Lora Loader (rgthree)",
        model=["base", 0],
        lora_1={"on": True, "lora": "on.safetensors", "strength": 1},
        lora_2={"on": False, "lora": "off.safetensors", "strength": 1},
        lora_3={"on": True, "lora": "None", "strength": 1},
    )
    assert facts(data).loras == ("on",)
    data["two"] = node(
        "CR LoRA Stack",
        model=["base", 0],
        switch_1="On",
        lora_name_1="a.safetensors",
        switch_2="Off",
        lora_name_2="b.safetensors",
    )
    assert facts(data).loras == ("a",)
    data["two"] = node("LoRA Stacker", model=["base", 0], lora_count=1, lora_name_1="a", lora_name_2="b")
    assert facts(data).loras == ("a",)
    data["two"] = node("LoraLoader", model=["base", 0], lora_name="zero", strength_model=0)
    assert facts(data).loras == ()


def test_the_parts_of_a_flux_graph_are_found_behind_its_guider():
    data = {
        "unet": node("UNETLoader", unet_name="flux1-dev.sft", weight_dtype="default"),
        "lora": node("LoraLoaderModelOnly", lora_name="ink", strength_model=1, model=["unet", 0]),
        "text": node("CLIPTextEncode", text="a cat", clip=["clip", 0]),
        "clip": node("DualCLIPLoader", clip_name1="t5", clip_name2="l"),
        "guider": node("BasicGuider", model=["lora", 0], conditioning=["text", 0]),
        "noise": node("RandomNoise", noise_seed=["seed", 0]),
        "seed": node("PrimitiveInt", value=99),
        "sampler": node(
            "SamplerCustomAdvanced",
            guider=["guider", 0],
            noise=["noise", 0],
            latent_image=["x", 0],
            sigmas=["y", 0],
        ),
        "save": node("SaveImage", images=["sampler", 0]),
    }
    found = facts(data)
    assert (found.model, found.loras, found.seed) == ("flux1-dev", ("ink",), "99")


def test_a_seed_that_goes_round_in_a_circle_or_is_random_is_unknown():
    data = chain()
    data["sampler"]["inputs"]["seed"] = ["loop", 0]
    data["loop"] = node("Reroute", seed=["loop", 0])
    assert facts(data).seed == ""
    data["loop"] = node("Seed (rgthree)", seed="random")
    assert facts(data).seed == ""


def test_models_in_the_editors_file_are_found():
    def entry(number, kind, values, inputs=(), output=None):
        return {
            "id": number,
            "type": kind,
            "mode": 0,
            "widgets_values": values,
            "inputs": [{"name": name, "type": type_, "link": link} for name, type_, link in inputs],
            "outputs": [{"name": output, "type": output}] if output else [],
        }

    data = {
        "nodes": [
            entry(1, "CheckpointLoaderSimple", ["base.ckpt"], (), "MODEL"),
            entry(2, "LoraLoader", ["ink.safetensors", 1, 1], [("model", "MODEL", 1)], "MODEL"),
            entry(3, "CLIPTextEncode", ["a cat"], (), "CONDITIONING"),
            entry(
                4,
                "KSampler",
                [5, "fixed", 20, 7, "euler", "normal", 1],
                [("model", "MODEL", 2), ("positive", "CONDITIONING", 3)],
                "LATENT",
            ),
            entry(5, "SaveImage", ["x"], [("images", "IMAGE", 4)]),
        ],
        "links": [
            [1, 1, 0, 2, 0, "MODEL"],
            [2, 2, 0, 4, 0, "MODEL"],
            [3, 3, 0, 4, 1, "CONDITIONING"],
            [4, 4, 0, 5, 0, "IMAGE"],
        ],
    }
    found = facts(json.dumps(data))
    assert (found.model, found.loras, found.seed) == ("base", ("ink",), "5")
