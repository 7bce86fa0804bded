"""Tiny random networks of the CLIP family, token ids for them, and transformers' models with the same weights."""

from __future__ import annotations

import dataclasses
import importlib.util

import pytest
import torch

from imagereward_core.nets.clip import ClipConfig, ClipNetwork, TowerConfig
from tests.support.oracles import import_torchvision
from tests.support.tiny import telling

END = 39
TINY_CLIP = ClipConfig(
    vision=TowerConfig(width=48, depth=3, heads=4, mlp_width=96, activation="quick_gelu"),
    text=TowerConfig(width=36, depth=3, heads=3, mlp_width=64, activation="quick_gelu"),
    projection=24,
    image_size=32,
    patch_size=8,
    vocab_size=40,
    positions=12,
)


def clip_config(activation: str = "quick_gelu") -> ClipConfig:
    """The tiny sizes with another activation."""
    towers = {
        name: dataclasses.replace(getattr(TINY_CLIP, name), activation=activation)
        for name in ("vision", "text")
    }
    return dataclasses.replace(TINY_CLIP, **towers)


def clip_network(activation: str = "quick_gelu", spread: float = 0.2, text: bool = True) -> ClipNetwork:
    """A tiny CLIP with telling random weights."""
    network = ClipNetwork(clip_config(activation), text).eval()
    telling(network, spread=spread)
    return network


def clip_prompts(lengths=(12, 7, 2, 5), positions: int = 12, pad: int = 0, seed: int = 3):
    """Ids [B, positions] that end in the end token, and their mask."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(2, END, (len(lengths), positions), generator=generator)
    mask = torch.zeros_like(ids)
    for row, length in enumerate(lengths):
        ids[row, length - 1], ids[row, length:], mask[row, :length] = END, pad, 1
    return ids, mask


def clip_pixels(batch: int = 4, size: int = 32, seed: int = 5) -> torch.Tensor:
    return torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(seed))


def needs_half(dtype: torch.dtype) -> None:
    """Skips where this torch multiplies no matrices of ``dtype`` on the CPU (float16 before torch 2.2)."""
    try:
        torch.nn.functional.linear(*torch.ones(2, 3, 3, dtype=dtype))
    except RuntimeError:
        pytest.skip(f"no {dtype} on this CPU with torch {torch.__version__}")


def import_transformers():
    """transformers, after a torchvision that may lie beside it has been made importable."""
    if importlib.util.find_spec("torchvision"):
        import_torchvision()
    return pytest.importorskip("transformers")


def clip_oracle_config(config: ClipConfig):
    transformers = import_transformers()

    def tower(sizes: TowerConfig) -> dict:
        return {
            "hidden_size": sizes.width,
            "num_hidden_layers": sizes.depth,
            "num_attention_heads": sizes.heads,
            "intermediate_size": sizes.mlp_width,
            "hidden_act": sizes.activation,
            "layer_norm_eps": sizes.layer_norm_eps,
        }

    return transformers.CLIPConfig(
        text_config={
            **tower(config.text),
            "vocab_size": config.vocab_size,
            "max_position_embeddings": config.positions,
            "bos_token_id": config.vocab_size - 2,
            "eos_token_id": config.vocab_size - 1,
        },
        vision_config={
            **tower(config.vision),
            "image_size": config.image_size,
            "patch_size": config.patch_size,
        },
        projection_dim=config.projection,
    )


def clip_oracle(network: ClipNetwork):
    """transformers' CLIPModel with the weights of ``network``."""
    oracle = import_transformers().CLIPModel(clip_oracle_config(network.config)).eval()
    result = oracle.load_state_dict(network.state_dict(), strict=False)
    assert not result.unexpected_keys
    assert all(name.endswith("position_ids") for name in result.missing_keys)
    return oracle


def features(output):
    """The vectors of ``get_image_features`` and ``get_text_features``: transformers 5 wraps them, 4 does not."""
    return getattr(output, "pooler_output", output)


def parameter_names(module: torch.nn.Module) -> set[str]:
    """State names without the buffers that older transformers save."""
    return {name for name in module.state_dict() if not name.endswith("position_ids")}


def without_initialisation(monkeypatch) -> None:
    """Makes transformers' networks without their initialisation: it takes long, and networks without storage have nothing of it."""
    base = import_transformers().PreTrainedModel
    monkeypatch.setattr(base, "init_weights", lambda self: None)
