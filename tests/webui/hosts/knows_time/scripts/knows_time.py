"""Makes the loaded model of Forge Neo one that knows time, as Anima, Qwen, Krea and Wan do. An extension for tests only.

Latents then have the form [B, C, T, h, w] and decoded pictures [B, T, 3, H, W] all the way through the host's own loop, sampler,
passes and decoder; only the networks behind them still work picture by picture.
"""

import torch
from backend.args import dynamic_args
from modules import processing, script_callbacks, sd_models, shared

SHRINK = 4
"""Frames per step of time, but for the first."""
CHANGED = []
SEEN = set()
"""How many dimensions the latents had that were decoded."""


def change(owner, name, value):
    CHANGED.append((owner, name, vars(owner).get(name)))
    setattr(owner, name, value)


def undo():
    while CHANGED:
        owner, name, before = CHANGED.pop()
        if before is None:
            delattr(owner, name)
        else:
            setattr(owner, name, before)


def upscaled(folder: str):
    """From now on second passes go to ``folder``, as newer builds of the host do it with an option of theirs; see ``model``."""
    kind = processing.StableDiffusionProcessingTxt2Img
    second = kind.sample_hr_pass
    shared.opts.data["outdir_hires_samples"] = folder

    def sample_hr_pass(self, *given, **named):
        self.outpath_samples = shared.opts.outdir_hires_samples or self.outpath_samples
        return second(self, *given, **named)

    change(kind, "sample_hr_pass", sample_hr_pass)


def model(time: bool = False, video: bool = False, black: bool = False):
    """From now on the model knows time, makes videos, decodes to black; without arguments everything is as it was."""
    undo()
    shared.opts.data.pop("outdir_hires_samples", None)
    engine = sd_models.model_data.sd_model
    network = engine.forge_objects_original.unet.model
    apply, decode, encode = network.apply_model, engine.decode_first_stage, engine.encode_first_stage
    shared.latent_upscale_modes.setdefault("Latent", {"mode": "bilinear", "antialias": False})

    def apply_in_time(x, t, c_crossattn=None, **named):
        steps = x.shape[2]
        flat = x.movedim(2, 1).flatten(0, 1)
        every = c_crossattn.repeat_interleave(steps, 0)
        made = apply(flat, t.repeat_interleave(steps, 0), c_crossattn=every, **named)
        return made.unflatten(0, (-1, steps)).movedim(1, 2)

    def decode_in_time(x):
        steps = [0] + [step for step in range(1, x.shape[2]) for _ in range(SHRINK)]
        frames = decode(x.movedim(2, 1).flatten(0, 1)).unflatten(0, (len(x), -1))
        return frames[:, steps]

    if time or video:
        change(engine, "is_wan", True)
        change(network, "apply_model", apply_in_time)
        change(engine, "decode_first_stage", decode_in_time)
        change(engine, "encode_first_stage", lambda x: encode(x).unsqueeze(2))
    if black:
        shown = engine.decode_first_stage
        change(engine, "decode_first_stage", lambda x: torch.full_like(shown(x), -1.0))
    last = engine.decode_first_stage
    change(engine, "decode_first_stage", lambda x: SEEN.add(x.ndim) or last(x))
    dynamic_args.wan = video
    seen = sorted(SEEN)
    SEEN.clear()
    return {"seen": seen}


def started(demo, app):
    app.add_api_route("/knows_time/model", model, methods=["GET"])
    app.add_api_route("/knows_time/upscaled", upscaled, methods=["GET"])


script_callbacks.on_app_started(started)
