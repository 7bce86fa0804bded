"""Graphs of ComfyUI's own nodes, and of nodes nobody knows, with the prompt each was drawn from."""

from __future__ import annotations

from tests.support.metadata.comfyui_graphs import SDXL, encode, graph, node, sampler

CORE = {
    "default": (graph(), "a cat in a hat"),
    "two sdxl fields": (
        graph(
            pos=node("CLIPTextEncodeSDXL", text_g="a cat", text_l="oil on canvas", clip=["ckpt", 1], **SDXL)
        ),
        "a cat, oil on canvas",
    ),
    "the same words in both sdxl fields": (
        graph(pos=node("CLIPTextEncodeSDXL", text_g="a cat", text_l="a cat", clip=["ckpt", 1], **SDXL)),
        "a cat",
    ),
    "refiner": (
        graph(
            refine_pos=encode(
                "a cat, fine detail", "CLIPTextEncodeSDXLRefiner", ascore=6.0, width=1, height=1
            ),
            refine_neg=encode("blurry", "CLIPTextEncodeSDXLRefiner", ascore=2.0, width=1, height=1),
            refiner=sampler(("refine_pos", 0), ("refine_neg", 0), ("sampler", 0), "KSamplerAdvanced"),
            decode=node("VAEDecode", samples=["refiner", 0], vae=["ckpt", 2]),
        ),
        "a cat, fine detail",
    ),
    "flux with a guider": (
        {
            "1": node("DualCLIPLoader", clip_name1="t5", clip_name2="clip_l", type="flux"),
            "2": node(
                "CLIPTextEncodeFlux", clip=["1", 0], clip_l="cat", t5xxl="a cat on a wall", guidance=3.5
            ),
            "3": node("FluxGuidance", conditioning=["2", 0], guidance=3.5),
            "4": node("BasicGuider", model=["9", 0], conditioning=["3", 0]),
            "5": node("RandomNoise", noise_seed=3),
            "6": node("KSamplerSelect", sampler_name="euler"),
            "7": node("BasicScheduler", model=["9", 0], scheduler="simple", steps=20, denoise=1.0),
            "8": node(
                "SamplerCustomAdvanced",
                noise=["5", 0],
                guider=["4", 0],
                sampler=["6", 0],
                sigmas=["7", 0],
                latent_image=["10", 0],
            ),
            "9": node("UNETLoader", unet_name="flux.safetensors", weight_dtype="default"),
            "10": node("EmptySD3LatentImage", width=8, height=8, batch_size=1),
            "11": node("VAEDecode", samples=["8", 0], vae=["12", 0]),
            "12": node("VAELoader", vae_name="ae.safetensors"),
            "13": node("SaveImage", images=["11", 0], filename_prefix="flux"),
        },
        "a cat on a wall",
    ),
    "cfg guider": (
        graph(
            guider=node("CFGGuider", model=["ckpt", 0], positive=["pos", 0], negative=["neg", 0], cfg=5.0),
            sampler=node("SamplerCustomAdvanced", guider=["guider", 0], latent_image=["empty", 0]),
        ),
        "a cat in a hat",
    ),
    "sd3 fields": (
        graph(pos=node("CLIPTextEncodeSD3", clip_l="cat", clip_g="cat, hat", t5xxl="", clip=["ckpt", 1])),
        "cat, hat, cat",
    ),
    "hires pass with words of its own": (
        graph(
            pos2=encode("a cat, 8k"),
            upscale=node(
                "LatentUpscale", samples=["sampler", 0], upscale_method="nearest-exact", width=1, height=1
            ),
            hires=sampler(("pos2", 0), latent=("upscale", 0)),
            decode=node("VAEDecode", samples=["hires", 0], vae=["ckpt", 2]),
        ),
        "a cat, 8k",
    ),
    "controlnet chain": (
        graph(
            load=node("LoadImage", image="pose.png"),
            net=node("ControlNetLoader", control_net_name="pose"),
            cn1=node(
                "ControlNetApply",
                conditioning=["pos", 0],
                control_net=["net", 0],
                image=["load", 0],
                strength=1.0,
            ),
            cn2=node(
                "ControlNetApplyAdvanced",
                positive=["cn1", 0],
                negative=["neg", 0],
                control_net=["net", 0],
                image=["load", 0],
                strength=1.0,
                start_percent=0.0,
                end_percent=1.0,
            ),
            sampler=sampler(("cn2", 0), ("cn2", 1)),
        ),
        "a cat in a hat",
    ),
    "combined, concatenated, averaged, limited in time": (
        graph(
            a=encode("a cat"),
            b=encode("a dog"),
            c=encode("a bird"),
            range=node("ConditioningSetTimestepRange", conditioning=["b", 0], start=0.0, end=0.5),
            combine=node("ConditioningCombine", conditioning_1=["a", 0], conditioning_2=["range", 0]),
            average=node(
                "ConditioningAverage",
                conditioning_to=["combine", 0],
                conditioning_from=["c", 0],
                conditioning_to_strength=0.5,
            ),
            unclip=node(
                "unCLIPConditioning", conditioning=["average", 0], clip_vision_output=["v", 0], strength=1.0
            ),
            sampler=sampler(("unclip", 0)),
        ),
        "a cat, a dog, a bird",
    ),
    "zeroed negative": (
        graph(neg=node("ConditioningZeroOut", conditioning=["pos", 0])),
        "a cat in a hat",
    ),
    "string concatenation": (
        graph(
            pos=encode(["join", 0]),
            join=node("StringConcatenate", string_a=["lit", 0], string_b=" on a mat", delimiter=""),
            lit=node("String Literal", string="a cat"),
        ),
        "a cat on a mat",
    ),
    "primitive and reroute": (
        graph(
            pos=encode(["value", 0]),
            value=node("PrimitiveStringMultiline", value="a cat\nin a hat"),
            way=node("Reroute", **{"": ["pos", 0]}),
            again=node("Reroute (rgthree)", **{"": ["way", 0]}),
            sampler=sampler(("again", 0)),
        ),
        "a cat\nin a hat",
    ),
    "subgraph ids": (
        {
            "12:3": encode("a cat"),
            "12:4": encode("blurry"),
            "12:5": sampler(("12:3", 0), ("12:4", 0), ("12:6:1", 0)),
            "12:6:1": node("EmptyLatentImage", width=8, height=8, batch_size=1),
            "12:7": node("VAEDecode", samples=["12:5", 0], vae=["8", 2]),
            "9": node("SaveImage", images=["12:7", 0], filename_prefix="s"),
        },
        "a cat",
    ),
    "a switch of pictures": (
        graph(
            pos2=encode("a dog"),
            sampler2=sampler(("pos2", 0)),
            decode2=node("VAEDecode", samples=["sampler2", 0], vae=["ckpt", 2]),
            switch=node("ComfySwitchNode", switch=True, on_false=["decode", 0], on_true=["decode2", 0]),
            save=node("SaveImage", images=["switch", 0], filename_prefix="ComfyUI"),
        ),
        "a dog",
    ),
    "nodes nobody knows": (
        graph(
            pos=node("XyzEncode", clip=["ckpt", 1], prompt=["y", 0], strength=0.5, mode="fast"),
            y=node("XyzStringTool", text=["z", 0], separator=" "),
            z=node("XyzBox", string="a cat", width=5),
            decode=node("XyzDecoder", latents=["sampler", 0], decoder=["ckpt", 2]),
            fx=node("XyzEffect", picture=["decode", 0], amount=3),
            save=node("XyzOutput", images=["fx", 0]),
        ),
        "a cat",
    ),
    "a service that draws elsewhere": (
        {
            "1": node("FluxProUltraImageNode", prompt="a cat", seed=3, aspect_ratio="16:9"),
            "2": node("SaveImage", images=["1", 0], filename_prefix="s"),
        },
        "a cat",
    ),
    "saved only as a preview": (graph(save=node("PreviewImage", images=["decode", 0])), "a cat in a hat"),
    "list as a value": (graph(pos=encode(["a cat", "a hat", "a mat"])), "a cat, a hat, a mat"),
    "wrapped value": (graph(pos=encode({"__value__": ["a cat", 0]})), "a cat"),
    "request body": ({"prompt": graph(), "client_id": "x"}, "a cat in a hat"),
    "numbered ids as numbers": (
        {
            "1": node("CLIPTextEncode", text="a cat", clip=[9, 1]),
            "2": node("KSampler", seed=1, steps=2, positive=[1, 0], negative=[1, 0], latent_image=[9, 0]),
            "3": node("SaveImage", images=[2, 0], filename_prefix="s"),
        },
        "a cat",
    ),
}
