"""Shows Forge, Forge Neo and reForge how large the tiny generator is; they tell models apart by sizes. An extension for tests only."""

import json
from functools import partial
from pathlib import Path

from modules import paths

HOME = Path(paths.models_path).absolute() / "Stable-diffusion"
TOLD = json.loads((HOME / "sizes.json").read_text("utf-8"))
SIZES = {name: TOLD[name] for name in ("context_dim", "model_channels")}


def show_forge():
    from huggingface_guess import model_list

    # Not a subclass: Forge Neo asks for exactly its own.
    model_list.SD15.unet_config = {**model_list.SD15.unet_config, **SIZES}
    model_list.SD15.huggingface_repo = str(HOME / "diffusers")


def show_reforge():
    from ldm_patched.modules import sd1_clip, supported_models, supported_models_base
    from modules_forge import forge_loader

    class TinyText(sd1_clip.SDClipModel):
        def __init__(self, device="cpu", dtype=None, model_options=None):
            super().__init__(
                device=device,
                dtype=dtype,
                model_options=model_options or {},
                return_projected_pooled=False,
                textmodel_json_config=str(HOME / "clip" / "config.json"),
            )

    class TinyClip(sd1_clip.SD1ClipModel):
        def __init__(self, **named):
            super().__init__(clip_model=TinyText, **named)

    class TinySD15(supported_models.SD15):
        unet_config = {**supported_models.SD15.unet_config, **SIZES}

        def clip_target(self, state_dict=None):
            return supported_models_base.ClipTarget(sd1_clip.SD1Tokenizer, TinyClip)

    supported_models.models.insert(0, TinySD15)
    configuration = {"params": {"ddconfig": TOLD["stage"], "embed_dim": 4}}
    forge_loader.VAE = partial(forge_loader.VAE, config=configuration)


for show in (show_forge, show_reforge):
    try:
        show()
    except ImportError:  # the other host
        continue
