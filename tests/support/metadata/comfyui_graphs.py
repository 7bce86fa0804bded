"""Graphs in the shape ComfyUI saves them (API format), for the tests in this folder."""

from __future__ import annotations


def node(kind, **inputs):
    return {"class_type": kind, "inputs": inputs, "_meta": {"title": kind}}


def encode(text, kind="CLIPTextEncode", **more):
    return node(kind, text=text, clip=["ckpt", 1], **more)


def sampler(positive=("pos", 0), negative=("neg", 0), latent=("empty", 0), kind="KSampler", **more):
    return node(
        kind,
        seed=5,
        steps=20,
        cfg=7.5,
        sampler_name="euler",
        scheduler="normal",
        denoise=1.0,
        model=["ckpt", 0],
        positive=list(positive),
        negative=list(negative),
        latent_image=list(latent),
        **more,
    )


def graph(**nodes):
    """The default text-to-image graph with nodes added or replaced; ids are names, which ComfyUI allows."""
    base = {
        "ckpt": node("CheckpointLoaderSimple", ckpt_name="sd15.safetensors"),
        "pos": encode("a cat in a hat"),
        "neg": encode("blurry"),
        "empty": node("EmptyLatentImage", width=512, height=512, batch_size=1),
        "sampler": sampler(),
        "decode": node("VAEDecode", samples=["sampler", 0], vae=["ckpt", 2]),
        "save": node("SaveImage", images=["decode", 0], filename_prefix="ComfyUI"),
    }
    return {**base, **nodes}


SDXL = {"width": 1024, "height": 1024, "crop_w": 0, "crop_h": 0, "target_width": 1024, "target_height": 1024}
