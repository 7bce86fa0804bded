"""Random weights of the other scorers' networks, in files as their authors publish them, for ``published.py``."""

from __future__ import annotations

import gzip
import importlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from imagereward_core.nets.clip import ClipConfig, TowerConfig

from . import reference

SEED = 20230502
LAION = "laion/CLIP-ViT-H-14-laion2B-s32B-b79K"
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def fill(state: Mapping[str, Tensor], seed: int = SEED) -> None:
    """Random numbers for every weight, in place: scores vary, and an error anywhere shows in them.

    Norms and biases are random, and queries and keys are large enough for attention to pick few tokens. Constants stay.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in state.items():
            if not tensor.is_floating_point() or name.endswith((".norm.bias", "inv_freq")):
                continue
            values = torch.randn(tensor.shape, generator=generator)
            if name.endswith("logit_scale"):
                values = torch.tensor(math.log(100.0))
            elif "norm" in name or "ln_" in name:
                values = 1.0 + 0.25 * values if name.endswith("weight") else 0.2 * values
            elif name.endswith("bias"):
                values *= 0.1
            elif tensor.dim() == 4:
                values /= math.sqrt(math.prod(tensor.shape[1:]))
            elif "embedding" in name or name.endswith("probe"):
                values *= 0.5
            elif not name.endswith(
                ("layers.0.weight", "scoring_head.0.weight")
            ):  # those read vectors of length one
                values *= _gain(name) / math.sqrt(tensor.shape[-1 if "weight" in name else 0])
                if "in_proj" in name:
                    values[: 2 * len(values) // 3] *= 1.5
            tensor.copy_(values)


def _gain(name: str) -> float:
    if any(part in name for part in ("q_proj", "k_proj", "to_q")):
        return 1.5
    return 0.5 if any(part in name for part in ("out_proj", "c_proj", "fc2")) else 1.0


def half(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state as most of these checkpoints are published, in half precision."""
    return {
        name: tensor.half().contiguous() if tensor.is_floating_point() else tensor
        for name, tensor in state.items()
    }


def merges_file() -> Path:
    """CLIP's merges as OpenAI and open_clip ship them."""
    return reference._package_folder("open_clip") / "bpe_simple_vocab_16e6.txt.gz"


def write_vocabulary(folder: Path) -> None:
    """``merges.txt`` and ``vocab.json`` as transformers reads them, from the shipped file and open_clip's reading of it."""
    reference._describe_torchvision_operators()
    tokenizer = importlib.import_module("open_clip.tokenizer").SimpleTokenizer()
    lines = gzip.decompress(merges_file().read_bytes()).decode("utf-8").split("\n")
    folder.mkdir(parents=True, exist_ok=True)
    count = tokenizer.vocab_size - 2 * 256 - 2
    text = "\n".join(["#version: 0.2", *lines[1 : count + 1]]) + "\n"
    (folder / "merges.txt").write_text(text, encoding="utf-8", newline="\n")
    names = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    ids = {names.get(token, token): number for token, number in tokenizer.encoder.items()}
    (folder / "vocab.json").write_text(json.dumps(ids, ensure_ascii=False), encoding="utf-8")


def write_openai_clip(folder: Path) -> None:
    """OpenAI's ViT-L/14 in half precision with OpenAI's names: as the clip package reads it, and where our CLIP score looks."""
    clip = importlib.import_module("clip.model")
    with torch.device("meta"):
        model = clip.CLIP(768, 224, 24, 1024, 14, 77, 49408, 768, 12, 12)
    state = {name: torch.empty(tensor.shape) for name, tensor in model.state_dict().items()}
    fill(state)
    state = half(state)
    torch.save(state, folder / "ViT-L-14.pt")
    write_vocabulary(folder / "CLIP")
    save_file(state, folder / "CLIP" / "clip-vit-large-patch14.safetensors")


def write_laion(sizes: ClipConfig) -> Any:
    """The folder of the tokenizer and picture processor, where a hub name is read as a path; returns its configuration."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPTokenizerFast  # type: ignore[attr-defined]

    def tower(part: TowerConfig) -> dict[str, Any]:
        return {
            "hidden_size": part.width,
            "intermediate_size": part.mlp_width,
            "num_hidden_layers": part.depth,
            "num_attention_heads": part.heads,
            "hidden_act": part.activation,
            "projection_dim": sizes.projection,
        }

    config = CLIPConfig(
        text_config=tower(sizes.text),
        vision_config={**tower(sizes.vision), "patch_size": sizes.patch_size},
        projection_dim=sizes.projection,
        architectures=["CLIPModel"],
    )
    setattr(config.text_config, "eos_token_id", 2)  # noqa: B010 - as published
    home = Path(LAION)
    write_vocabulary(home)
    config.save_pretrained(home)
    CLIPTokenizerFast(f"{home}/vocab.json", f"{home}/merges.txt", model_max_length=77).save_pretrained(home)
    CLIPImageProcessor(image_mean=MEAN, image_std=STD).save_pretrained(home)
    return config
