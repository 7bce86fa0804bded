"""A Stable Diffusion 1 checkpoint of 17 M random numbers, so that a real WebUI generates pictures (of coloured noise) in seconds.

    python tests/support/webui/hosts/tiny_checkpoint.py FOLDER --merges bpe_simple_vocab_16e6.txt.gz [--forge WEBUI]

Needs torch and safetensors; the merges are CLIP's, which the package open_clip_torch carries (or ``merges.txt`` of its tokenizer).
FOLDER gets ``tiny.safetensors`` with ``tiny.yaml`` beside it for Automatic1111 (both belong into its models/Stable-diffusion), and with
``--forge`` also ``diffusers/``, which the test extension ``tiny_model`` shows to Forge and Forge Neo.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
from pathlib import Path

CHANNELS, CONTEXT, HEADS, LAYERS, MLP = 32, 64, 4, 12, 128
MULTIPLIERS = (1, 2, 4, 4)
TEXT = {
    "architectures": ["CLIPTextModel"],
    "attention_dropout": 0.0,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "pad_token_id": 1,
    "hidden_act": "quick_gelu",
    "hidden_size": CONTEXT,
    "intermediate_size": MLP,
    "layer_norm_eps": 1e-05,
    "max_position_embeddings": 77,
    "model_type": "clip_text_model",
    "num_attention_heads": HEADS,
    "num_hidden_layers": LAYERS,
    "projection_dim": CONTEXT,
    "vocab_size": 49408,
}


class Names:
    """Collects the names and shapes of a state dict, as the published networks name them."""

    def __init__(self, prefix):
        self.prefix, self.shapes = prefix, {}

    def put(self, name, *shape, bias=True):
        """A weight, and the bias that goes with it."""
        self.shapes[f"{self.prefix}{name}.weight"] = shape
        if bias:
            self.shapes[f"{self.prefix}{name}.bias"] = shape[:1]

    def conv(self, name, out, into, size=3):
        self.put(name, out, into, size, size)


def unet():
    """ldm.modules.diffusionmodules.openaimodel.UNetModel."""
    names, wide = Names("model.diffusion_model."), 4 * CHANNELS

    def residual(at, into, out):
        names.put(f"{at}.in_layers.0", into)
        names.conv(f"{at}.in_layers.2", out, into)
        names.put(f"{at}.emb_layers.1", out, wide)
        names.put(f"{at}.out_layers.0", out)
        names.conv(f"{at}.out_layers.3", out, out)
        if into != out:
            names.conv(f"{at}.skip_connection", out, into, 1)

    def attention(at, size):
        names.put(f"{at}.norm", size)
        names.conv(f"{at}.proj_in", size, size, 1)
        block = f"{at}.transformer_blocks.0"
        for which, source in (("attn1", size), ("attn2", CONTEXT)):
            names.put(f"{block}.{which}.to_q", size, size, bias=False)
            names.put(f"{block}.{which}.to_k", size, source, bias=False)
            names.put(f"{block}.{which}.to_v", size, source, bias=False)
            names.put(f"{block}.{which}.to_out.0", size, size)
        names.put(f"{block}.ff.net.0.proj", 8 * size, size)
        names.put(f"{block}.ff.net.2", size, 4 * size)
        for number in (1, 2, 3):
            names.put(f"{block}.norm{number}", size)
        names.conv(f"{at}.proj_out", size, size, 1)

    names.put("time_embed.0", wide, CHANNELS)
    names.put("time_embed.2", wide, wide)
    names.conv("input_blocks.0.0", CHANNELS, 4)
    width, block, skips = CHANNELS, 1, [CHANNELS]
    for level, times in enumerate(MULTIPLIERS):
        for _ in range(2):
            residual(f"input_blocks.{block}.0", width, times * CHANNELS)
            width = times * CHANNELS
            if level < 3:
                attention(f"input_blocks.{block}.1", width)
            skips.append(width)
            block += 1
        if level < 3:
            names.conv(f"input_blocks.{block}.0.op", width, width)
            skips.append(width)
            block += 1
    residual("middle_block.0", width, width)
    attention("middle_block.1", width)
    residual("middle_block.2", width, width)
    block = 0
    for level, times in reversed(list(enumerate(MULTIPLIERS))):
        for number in range(3):
            residual(f"output_blocks.{block}.0", width + skips.pop(), times * CHANNELS)
            width = times * CHANNELS
            if level < 3:
                attention(f"output_blocks.{block}.1", width)
            if number == 2 and level:
                names.conv(f"output_blocks.{block}.{2 if level < 3 else 1}.conv", width, width)
            block += 1
    names.put("out.0", width)
    names.conv("out.2", 4, width)
    return names.shapes


def vae():
    """ldm.models.autoencoder.AutoencoderKL."""
    names = Names("first_stage_model.")
    widths = [CHANNELS * times for times in MULTIPLIERS]

    def residual(at, into, out):
        names.put(f"{at}.norm1", into)
        names.conv(f"{at}.conv1", out, into)
        names.put(f"{at}.norm2", out)
        names.conv(f"{at}.conv2", out, out)
        if into != out:
            names.conv(f"{at}.nin_shortcut", out, into, 1)

    def middle(at, size):
        residual(f"{at}.mid.block_1", size, size)
        names.put(f"{at}.mid.attn_1.norm", size)
        for part in ("q", "k", "v", "proj_out"):
            names.conv(f"{at}.mid.attn_1.{part}", size, size, 1)
        residual(f"{at}.mid.block_2", size, size)

    names.conv("encoder.conv_in", widths[0], 3)
    width = widths[0]
    for level, size in enumerate(widths):
        for number in range(2):
            residual(f"encoder.down.{level}.block.{number}", width, size)
            width = size
        if level < 3:
            names.conv(f"encoder.down.{level}.downsample.conv", width, width)
    middle("encoder", width)
    names.put("encoder.norm_out", width)
    names.conv("encoder.conv_out", 8, width)
    names.conv("decoder.conv_in", width, 4)
    middle("decoder", width)
    for level, size in reversed(list(enumerate(widths))):
        for number in range(3):
            residual(f"decoder.up.{level}.block.{number}", width, size)
            width = size
        if level:
            names.conv(f"decoder.up.{level}.upsample.conv", width, width)
    names.put("decoder.norm_out", width)
    names.conv("decoder.conv_out", 3, width)
    names.conv("quant_conv", 8, 8, 1)
    names.conv("post_quant_conv", 4, 4, 1)
    return names.shapes


def text():
    """transformers.CLIPTextModel."""
    names = Names("cond_stage_model.transformer.text_model.")
    names.put("embeddings.token_embedding", TEXT["vocab_size"], CONTEXT, bias=False)
    names.put("embeddings.position_embedding", 77, CONTEXT, bias=False)
    for layer in range(LAYERS):
        at = f"encoder.layers.{layer}"
        for part in ("k_proj", "v_proj", "q_proj", "out_proj"):
            names.put(f"{at}.self_attn.{part}", CONTEXT, CONTEXT)
        names.put(f"{at}.mlp.fc1", MLP, CONTEXT)
        names.put(f"{at}.mlp.fc2", CONTEXT, MLP)
        for number in (1, 2):
            names.put(f"{at}.layer_norm{number}", CONTEXT)
    names.put("final_layer_norm", CONTEXT)
    return names.shapes


def weights(seed=0):
    """The checkpoint: weights of ordinary size, so that every prompt and every seed gives another picture."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    made = {}
    for name, shape in {**unet(), **vae(), **text()}.items():
        if name.endswith(".bias"):
            made[name] = torch.zeros(shape)
        elif len(shape) == 1:  # a norm
            made[name] = torch.ones(shape)
        else:
            inputs = shape[1] if "embedding" in name else torch.Size(shape[1:]).numel()
            made[name] = torch.randn(shape, generator=generator) * inputs**-0.5
    # Automatic1111 divides by the mean of the text encoder's output, which a plain LayerNorm makes zero.
    made["cond_stage_model.transformer.text_model.final_layer_norm.bias"] += 0.5
    made["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
    return made


def write_tokenizer(folder, merges):
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
    (folder / "config.json").write_text(json.dumps(TEXT))


def write_yaml(path, tokenizer):
    """The configuration Automatic1111 looks for beside a checkpoint (JSON is YAML too)."""
    stage = {
        "double_z": True,
        "z_channels": 4,
        "resolution": 256,
        "in_channels": 3,
        "out_ch": 3,
        "ch": CHANNELS,
        "ch_mult": list(MULTIPLIERS),
        "num_res_blocks": 2,
        "attn_resolutions": [],
        "dropout": 0.0,
    }
    network = {
        "image_size": 32,
        "in_channels": 4,
        "out_channels": 4,
        "model_channels": CHANNELS,
        "attention_resolutions": [4, 2, 1],
        "num_res_blocks": 2,
        "channel_mult": list(MULTIPLIERS),
        "num_heads": 8,
        "use_spatial_transformer": True,
        "transformer_depth": 1,
        "context_dim": CONTEXT,
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
                "ddconfig": stage,
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


def write_diffusers(folder, forge):
    """Forge's own configuration of Stable Diffusion 1, with our sizes."""
    source = Path(forge) / "backend" / "huggingface" / "runwayml" / "stable-diffusion-v1-5"
    shutil.copytree(source, folder, dirs_exist_ok=True)
    (folder / "text_encoder" / "config.json").write_text(json.dumps(TEXT))
    configuration = json.loads((folder / "vae" / "config.json").read_text("utf-8"))
    configuration["block_out_channels"] = [CHANNELS * times for times in MULTIPLIERS]
    (folder / "vae" / "config.json").write_text(json.dumps(configuration))


def main():
    from safetensors.torch import save_file

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--merges", type=Path, required=True)
    parser.add_argument("--forge", type=Path)
    args = parser.parse_args()
    folder = args.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights(), folder / "tiny.safetensors")
    write_tokenizer(folder / "clip", args.merges)
    write_yaml(folder / "tiny.yaml", folder / "clip")
    if args.forge:
        write_diffusers(folder / "diffusers", args.forge)


if __name__ == "__main__":
    main()
