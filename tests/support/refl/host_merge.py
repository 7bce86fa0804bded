"""What a host's own code makes of a LoRA: ``python host_merge.py comfyui|neo HOST FOLDERS``, run by the host's interpreter.

A folder has ``lora.safetensors`` and ``model.json``: the ``kind`` of model, the sizes of its ``denoiser`` in the host's words, and those of
its ``text`` encoders by the host's name. It gets ``merged.safetensors``, what was added to each weight of the host's model under the host's
name, with the keys that were left over as its metadata.
"""

import json
import logging
import sys
import types
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


class Heard(logging.Handler):
    """Warnings and errors of the host."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.said = []

    def emit(self, record):
        self.said.append(record.getMessage())


def zeroed(module):
    """The module with nothing but zeros, so that what is added is all that is there."""
    with torch.no_grad():
        for each in module.parameters():
            each.zero_()
    return module.float().eval()


def comfyui(lora, kind, denoiser, text):
    """By ComfyUI's ``load_lora_for_models``, as its node LoraLoader calls it, and its ModelPatcher."""
    sys.argv = ["main.py", "--cpu"]
    import comfy.options

    comfy.options.enable_args_parsing()
    import comfy.sd
    from comfy import model_patcher, sd1_clip, sdxl_clip, supported_models
    from comfy.text_encoders import sd2_clip

    heard = Heard()
    logging.getLogger().handlers = [heard]
    config = {"sd": supported_models.SD15, "sd2": supported_models.SD20}
    config |= {"sdxl": supported_models.SDXL, "sd3": supported_models.SD3, "flux": supported_models.Flux}
    if kind == "flux":
        from comfy.ldm.flux.model import FluxParams

        asked = FluxParams.__dataclass_fields__  # older versions have fewer
        denoiser = {
            "image_model": "flux",
            **{name: value for name, value in denoiser.items() if name in asked},
        }
    known = config[kind](denoiser)
    known.unet_config.update(denoiser)  # it puts the real model's heads in, which are wider than the tiny one
    known.set_inference_dtype(torch.float32, None)
    device = torch.device("cpu")
    model = model_patcher.ModelPatcher(zeroed(known.get_model({}, "", device)), device, device)
    clip = None
    if text:
        made = {"sd": sd1_clip.SD1ClipModel, "sd2": sd2_clip.SD2ClipModel, "sdxl": sdxl_clip.SDXLClipModel}
        options = {f"{name}_model_config": sizes for name, sizes in text.items()}
        clip = comfy.sd.CLIP(no_init=True)
        clip.cond_stage_model = zeroed(made[kind](dtype=torch.float32, model_options=options))
        clip.patcher = model_patcher.ModelPatcher(clip.cond_stage_model, device, device)
        clip.tokenizer = clip.layer_idx = clip.use_clip_schedule = clip.apply_hooks_to_conds = None
        clip.tokenizer_options = {}
    model, clip = comfy.sd.load_lora_for_models(model, clip, lora, 1.0, 1.0)
    patchers = [model] + ([clip.patcher] if clip else [])
    merged = {}
    for patcher in patchers:
        patcher.patch_model()
        merged |= patcher.model.state_dict()
    return merged, heard.said


def neo(lora, kind, denoiser, text):
    """By Forge Neo's ``load_lora`` and ``merge_lora_to_weight``, as its extension and its patcher call them."""
    sys.argv = ["launch.py", "--cpu"]
    from backend.nn.clip import IntegratedCLIP
    from backend.nn.flux import IntegratedFluxTransformer2DModel
    from backend.nn.unet import IntegratedUNet2DConditionModel
    from backend.patcher import lora as patcher
    from huggingface_guess import model_list
    from transformers import CLIPTextConfig, CLIPTextModel

    network = IntegratedFluxTransformer2DModel if kind == "flux" else IntegratedUNet2DConditionModel
    guess = {"sd": model_list.SD15, "sdxl": model_list.SDXL, "flux": model_list.Flux}[kind]
    denoiser = {name: value for name, value in denoiser.items() if name != "image_size"}
    model = torch.nn.Module()
    model.diffusion_model = zeroed(network(**denoiser))
    if kind == "flux":
        model.diffusion_model.config = denoiser  # as its loader does
    model.config = types.SimpleNamespace(huggingface_repo=guess.huggingface_repo)
    encoders = {
        name: IntegratedCLIP(CLIPTextModel, CLIPTextConfig(**sizes), add_text_projection=True)
        for name, sizes in text.items()
    }
    clip = zeroed(torch.nn.ModuleDict(encoders))
    merged, left = {}, lora
    for module, keys in ((model, patcher.model_lora_keys_unet), (clip, patcher.model_lora_keys_clip)):
        patches, left = patcher.load_lora(left, keys(module, {}))
        weights = module.state_dict()
        for target, patch in patches.items():
            name, offset, function = (
                (*target, None)[:3] if isinstance(target, tuple) else (target, None, None)
            )
            whole = (1.0, patch, 1.0, offset, function)
            weights[name] = patcher.merge_lora_to_weight([whole], weights[name].clone(), name)
        merged |= weights
    return merged, [f"lora key not loaded: {name}" for name in left]


def main():
    host, home, *folders = sys.argv[1:]
    sys.path[0:0] = [home, f"{home}/modules_forge/packages"]
    for folder in map(Path, folders):
        sizes = json.loads((folder / "model.json").read_text("utf-8"))
        merged, left = {"comfyui": comfyui, "neo": neo}[host](load_file(folder / "lora.safetensors"), **sizes)
        changed = {
            name: each.float().contiguous().clone()
            for name, each in merged.items()
            if each.is_floating_point() and each.any()
        }
        shapes = {name: list(each.shape) for name, each in merged.items()}
        facts = {"left": json.dumps(left), "shapes": json.dumps(shapes)}
        save_file(changed, folder / "merged.safetensors", facts)


if __name__ == "__main__":
    main()
