"""The tiny generator as a WebUI finds it: its checkpoint, and beside it what tells each host the sizes that it does not know."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

from tests.support.refl.generator_file import place_checkpoint

NAME = "tiny.safetensors"


def write_checkpoint(folder, merges, forge=None):
    """Fills a folder for checkpoints.

    Args:
        folder: The host's ``models/Stable-diffusion``.
        merges: CLIP's merges, which the package open_clip_torch carries (or ``merges.txt`` of its tokenizer).
        forge: The folder of Forge or Forge Neo, whose own configuration of Stable Diffusion 1 gets our sizes; None for others.
    """
    sizes = place_checkpoint(folder / NAME)
    write_tokenizer(folder / "clip", merges, sizes)
    (folder / "sizes.json").write_text(
        json.dumps({"context_dim": sizes.text_width, "model_channels": sizes.width, "stage": stage_of(sizes)})
    )
    if forge is None:
        write_yaml(folder / "tiny.yaml", folder / "clip", sizes)
    else:
        write_diffusers(folder / "diffusers", forge, sizes)


def text_of(sizes):
    """The text tower in transformers' words."""
    return {
        "architectures": ["CLIPTextModel"],
        "attention_dropout": 0.0,
        "layer_norm_eps": 1e-05,
        "model_type": "clip_text_model",
        **sizes.text(),
        # As the published file has them; with the true ids transformers 4 looks for the prompt's end otherwise.
        "bos_token_id": 0,
        "eos_token_id": 2,
        "pad_token_id": 1,
    }


def stage_of(sizes):
    """The autoencoder in the words of the published networks."""
    return {
        "double_z": True,
        "z_channels": 4,
        "resolution": 256,
        "in_channels": 3,
        "out_ch": 3,
        "ch": sizes.vae_width,
        "ch_mult": list(sizes.vae_multipliers),
        "num_res_blocks": sizes.vae_layers,
        "attn_resolutions": [],
        "dropout": 0.0,
    }


def write_tokenizer(folder, merges, sizes):
    """CLIP's tokenizer in the form transformers reads."""
    opened = gzip.open if merges.suffix == ".gz" else open
    with opened(merges, "rt", encoding="utf-8") as file:
        lines = file.read().split("\n")[1 : 49152 - 256 - 2 + 1]
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    extra = [byte for byte in range(256) if byte not in printable]
    letters = [chr(byte) for byte in printable] + [chr(256 + number) for number in range(len(extra))]
    words = [*letters, *(letter + "</w>" for letter in letters), *("".join(line.split()) for line in lines)]
    words += ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({word: at for at, word in enumerate(words)}), "utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *lines]), "utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "CLIPTokenizer",
                "model_max_length": 77,
                "do_lower_case": True,
                "bos_token": "<|startoftext|>",
                "eos_token": "<|endoftext|>",
                "unk_token": "<|endoftext|>",
                "pad_token": "<|endoftext|>",
            }
        )
    )
    (folder / "config.json").write_text(json.dumps(text_of(sizes)))


def write_yaml(path, tokenizer, sizes):
    """The configuration Automatic1111 looks for beside a checkpoint (JSON is YAML too)."""
    network = {
        "image_size": 32,
        "in_channels": 4,
        "out_channels": 4,
        "model_channels": sizes.width,
        "attention_resolutions": [2**level for level in range(len(sizes.multipliers))],
        "num_res_blocks": sizes.layers,
        "channel_mult": list(sizes.multipliers),
        "num_heads": sizes.heads,
        "use_spatial_transformer": True,
        "transformer_depth": 1,
        "context_dim": sizes.text_width,
        "use_checkpoint": False,
        "legacy": False,
    }
    parameters = {
        "linear_start": 0.00085,
        "linear_end": 0.0120,
        "num_timesteps_cond": 1,
        "log_every_t": 200,
        "timesteps": 1000,
        "first_stage_key": "jpg",
        "cond_stage_key": "txt",
        "image_size": 64,
        "channels": 4,
        "cond_stage_trainable": False,
        "conditioning_key": "crossattn",
        "monitor": "val/loss_simple_ema",
        "scale_factor": 0.18215,
        "use_ema": False,
        "unet_config": {
            "target": "ldm.modules.diffusionmodules.openaimodel.UNetModel",
            "params": network,
        },
        "first_stage_config": {
            "target": "ldm.models.autoencoder.AutoencoderKL",
            "params": {
                "embed_dim": 4,
                "monitor": "val/rec_loss",
                "ddconfig": stage_of(sizes),
                "lossconfig": {"target": "torch.nn.Identity"},
            },
        },
        "cond_stage_config": {
            "target": "ldm.modules.encoders.modules.FrozenCLIPEmbedder",
            "params": {"version": str(tokenizer)},
        },
    }
    target = {"target": "ldm.models.diffusion.ddpm.LatentDiffusion", "params": parameters}
    path.write_text(json.dumps({"model": target}, indent=1))


def write_diffusers(folder, forge, sizes):
    """Forge's own configuration of Stable Diffusion 1, with our sizes."""
    source = Path(forge) / "backend" / "huggingface" / "runwayml" / "stable-diffusion-v1-5"
    shutil.copytree(source, folder, dirs_exist_ok=True)
    (folder / "text_encoder" / "config.json").write_text(json.dumps(text_of(sizes)))
    configuration = json.loads((folder / "vae" / "config.json").read_text("utf-8"))
    own = sizes.vae()
    del own["sample_size"]
    (folder / "vae" / "config.json").write_text(json.dumps({**configuration, **own}))
