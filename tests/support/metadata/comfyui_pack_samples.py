"""Graphs with nodes of the common node packs, with the prompt each was drawn from."""

from __future__ import annotations

from tests.support.metadata.comfyui_graphs import SDXL, encode, graph, node, sampler

PACKS = {
    "was and kj strings": (
        graph(
            pos=encode(["concat", 0]),
            concat=node(
                "Text Concatenate",
                delimiter=", ",
                clean_whitespace="true",
                text_a=["multi", 0],
                text_b=["join", 0],
                text_d=["replaced", 0],
            ),
            multi=node("Text Multiline", text="a cat"),
            join=node("JoinStrings", delimiter="-", string1="blue", string2=["prim", 0]),
            prim=node("PrimitiveString", value="green"),
            replaced=node("Text Find and Replace", text=["cr", 0], find="mat", replace="hat"),
            cr=node("CR Prompt Text", prompt="on a mat"),
        ),
        "a cat, blue-green, on a hat",
    ),
    "show text": (
        graph(
            pos=encode(["show", 0]),
            show=node("ShowText|pysssss", text=["caption", 0], text_0="a cat seen by a model"),
            caption=node("WD14Tagger|pysssss", image=["load", 0], model="wd", threshold=0.35),
            load=node("LoadImage", image="x.png"),
        ),
        "a cat seen by a model",
    ),
    "string function": (
        graph(
            pos=encode(["f", 0]),
            f=node(
                "StringFunction|pysssss",
                action="append",
                tidy_tags="yes",
                text_a="a cat",
                text_b="hat",
                text_c="",
            ),
        ),
        "a cat, hat",
    ),
    "string function that replaces": (
        graph(
            pos=encode(["f", 0]),
            f=node(
                "StringFunction|pysssss",
                action="replace",
                tidy_tags="no",
                text_a="a cat",
                text_b="cat",
                text_c="dog",
            ),
        ),
        "a dog",
    ),
    "efficiency loader": (
        {
            "1": node(
                "Efficient Loader", ckpt_name="x", positive="a cat", negative="blurry", lora_name="None"
            ),
            "2": sampler(("1", 1), ("1", 2), ("1", 3), "KSampler (Efficient)", optional_vae=["1", 4]),
            "3": sampler(("2", 1), ("2", 2), ("2", 3), "KSampler (Efficient)", optional_vae=["2", 4]),
            "4": node("SaveImage", images=["3", 5], filename_prefix="e"),
        },
        "a cat",
    ),
    "efficiency loader for sdxl": (
        {
            "1": node("Eff. Loader SDXL", positive="a cat", negative="blurry", positive_ascore=6.0),
            "2": node(
                "KSampler SDXL (Eff.)", sdxl_tuple=["1", 0], latent_image=["1", 1], noise_seed=1, steps=20
            ),
            "3": node("SaveImage", images=["2", 3], filename_prefix="e"),
        },
        "a cat",
    ),
    "detailer with words for faces": (
        graph(
            face=encode("a detailed face"),
            detailer=node(
                "FaceDetailer",
                image=["decode", 0],
                positive=["face", 0],
                negative=["neg", 0],
                steps=20,
                sampler_name="euler",
                wildcard="",
            ),
            save=node("SaveImage", images=["detailer", 0], filename_prefix="ComfyUI"),
        ),
        "a cat in a hat",
    ),
    "detailer of a loaded picture": (
        {
            "1": node("LoadImage", image="x.png"),
            "2": encode("a detailed face"),
            "3": encode("blurry"),
            "4": node("ToBasicPipe", model=["9", 0], positive=["2", 0], negative=["3", 0]),
            "5": node(
                "DetailerForEachPipe", image=["1", 0], basic_pipe=["4", 0], steps=20, sampler_name="euler"
            ),
            "6": node("SaveImage", images=["5", 0], filename_prefix="d"),
        },
        "a detailed face",
    ),
    "upscaled by model and tiles": (
        graph(
            tiled=node(
                "UltimateSDUpscale",
                image=["decode", 0],
                positive=["tile", 0],
                negative=["neg", 0],
                upscale_model=["um", 0],
                steps=10,
            ),
            tile=encode("highly detailed"),
            um=node("UpscaleModelLoader", model_name="4x"),
            up=node("ImageUpscaleWithModel", upscale_model=["um", 0], image=["tiled", 0]),
            save=node("SaveImage", images=["up", 0], filename_prefix="ComfyUI"),
        ),
        "a cat in a hat",
    ),
    "wildcards as populated": (
        graph(
            pos=node(
                "ImpactWildcardEncode",
                model=["ckpt", 0],
                clip=["ckpt", 1],
                wildcard_text="a {cat|dog}",
                populated_text="a dog",
                mode="populate",
            ),
            sampler=sampler(("pos", 2)),
        ),
        "a dog",
    ),
    "switches": (
        graph(
            pos=node("ImpactSwitch", select=2, sel_mode=False, input1=["a", 0], input2=["b", 0]),
            a=encode("a dog"),
            b=encode(["text", 0]),
            text=node("CR Text Input Switch", Input=1, text1=["t1", 0], text2=["t2", 0]),
            t1=node("CR Text", text="a cat"),
            t2=node("CR Text", text="a bird"),
        ),
        "a cat",
    ),
    "rgthree context": (
        {
            "1": node("Context (rgthree)", positive=["2", 0], negative=["3", 0], latent=["9", 0]),
            "2": node("Power Prompt (rgthree)", prompt="a cat <lora:x:1>", insert_lora="CHOOSE"),
            "3": encode("blurry"),
            "4": node("Context (rgthree)", base_ctx=["1", 0], seed=3),
            "5": node("Any Switch (rgthree)", any_01=["4", 5], any_02=["1", 5]),
            "6": sampler(("5", 0), ("3", 0)),
            "7": node("VAEDecode", samples=["6", 0]),
            "8": node("Image Save", images=["7", 0]),
        },
        "a cat <lora:x:1>",
    ),
    "easy use pipe": (
        {
            "1": node("easy positive", positive="a cat"),
            "2": node(
                "easy a1111Loader", ckpt_name="x", positive=["1", 0], negative="blurry", lora_name="None"
            ),
            "3": node("easy preSampling", pipe=["2", 0], steps=20, cfg=8, sampler_name="euler", denoise=1),
            "4": node("easy kSampler", pipe=["3", 0], image_output="Hide", save_prefix="ComfyUI"),
            "5": node("PreviewImage", images=["4", 1]),
        },
        "a cat",
    ),
    "styler": (
        graph(
            pos=node(
                "CLIPTextEncodeSDXL", text_g=["style", 0], text_l=["style", 0], clip=["ckpt", 1], **SDXL
            ),
            style=node(
                "SDXLPromptStyler",
                text_positive="a cat",
                text_negative="blurry",
                style="base",
                log_prompt="No",
            ),
        ),
        "a cat",
    ),
    "other encoders": (
        graph(
            a=encode(
                "one", "BNK_CLIPTextEncodeAdvanced", token_normalization="none", weight_interpretation="A1111"
            ),
            b=encode("two", "smZ CLIPTextEncode", parser="A1111", text_g="", text_l=""),
            c=encode("three", "PCLazyTextEncode"),
            d=node("TextEncodeQwenImageEdit", clip=["ckpt", 1], prompt="four", image=["l", 0]),
            ab=node("ConditioningConcat", conditioning_to=["a", 0], conditioning_from=["b", 0]),
            cd=node("ConditioningConcat", conditioning_to=["c", 0], conditioning_from=["d", 0]),
            pos=node("CombineConditionings", conditioning1=["ab", 0], conditioning2=["cd", 0]),
        ),
        "one, two, three, four",
    ),
    "both prompts in one node, one of them named plainly": (
        graph(
            pos=node("XyzPromptPair", prompt="a cat", negative_prompt="blurry", clip=["ckpt", 1]),
            sampler=sampler(("pos", 0), ("pos", 1)),
        ),
        "a cat",
    ),
    "text embeds of a video pack": (
        {
            "1": node("WanVideoTextEncode", positive_prompt="a cat", negative_prompt="blurry", t5=["9", 0]),
            "2": node("WanVideoSampler", text_embeds=["1", 0], steps=4, model=["9", 0], seed=1),
            "3": node("WanVideoDecode", samples=["2", 0], vae=["9", 0]),
            "4": node("VHS_VideoCombine", images=["3", 0], filename_prefix="w"),
        },
        "a cat",
    ),
}
