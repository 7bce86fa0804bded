"""Tiny checkpoints in the layouts others publish, each beside the network it belongs to.

What is not built here with the publisher's own classes is stated from their source: OpenAI's and open_clip's ``transformer.py``,
BLIP's ``blip_pretrain.py``, MPS's ``clip_model.py`` and ``cross_modeling.py``, improved-aesthetic-predictor's
``simple_inference.py`` and aesthetic-predictor-v2-5's ``siglip_v2_5.py``.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from imagereward_core.nets.clip import ClipConfig, ClipNetwork, TowerConfig
from imagereward_core.nets.heads import AestheticHead, SiglipAestheticHead
from imagereward_core.nets.mps import MpsConfig, MpsNetwork
from imagereward_core.nets.reward import Blip
from imagereward_core.nets.siglip import SiglipConfig, SiglipVision
from tests.support.oracles import import_torchvision
from tests.support.tiny import TINY, telling

State = dict[str, torch.Tensor]

CLIP = ClipConfig(
    vision=TowerConfig(width=32, depth=2, heads=4, mlp_width=64, activation="quick_gelu"),
    text=TowerConfig(width=24, depth=2, heads=3, mlp_width=48, activation="quick_gelu"),
    projection=16,
    image_size=32,
    patch_size=8,
    vocab_size=40,
    positions=12,
)
SIGLIP = SiglipConfig(
    vision=TowerConfig(width=24, depth=2, heads=3, mlp_width=48, activation="gelu_tanh", layer_norm_eps=1e-6),
    image_size=32,
    patch_size=8,
)
MPS = MpsConfig(clip=CLIP, depth=2, heads=2, head_width=8)


class QuickGelu(nn.Module):
    """CLIP's activation."""

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return states * torch.sigmoid(1.702 * states)


class Block(nn.Module):
    """A residual block of OpenAI's CLIP, whose attention keeps query, key and value in one weight."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = nn.Sequential()
        for name, module in (
            ("c_fc", nn.Linear(width, hidden)),
            ("gelu", QuickGelu()),
            ("c_proj", nn.Linear(hidden, width)),
        ):
            self.mlp.add_module(name, module)

    def forward(self, stream: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        states = self.ln_1(stream)
        stream = stream + self.attn(states, states, states, need_weights=False, attn_mask=mask)[0]
        return stream + self.mlp(self.ln_2(stream))


class Blocks(nn.Module):
    """A stack of them."""

    def __init__(self, tower: TowerConfig) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(
            Block(tower.width, tower.heads, tower.mlp_width) for _ in range(tower.depth)
        )

    def forward(self, stream: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        for block in self.resblocks:
            stream = block(stream, mask)
        return stream


class Visual(nn.Module):
    """The picture tower of OpenAI's CLIP."""

    def __init__(self, config: ClipConfig) -> None:
        super().__init__()
        width = config.vision.width
        self.conv1 = nn.Conv2d(3, width, config.patch_size, config.patch_size, bias=False)
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.positional_embedding = nn.Parameter(
            torch.zeros((config.image_size // config.patch_size) ** 2 + 1, width)
        )
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Blocks(config.vision)
        self.proj = nn.Parameter(torch.zeros(width, config.projection))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        patches = self.conv1(pixels).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(len(pixels), 1, -1)
        stream = self.ln_pre(torch.cat([first, patches], 1) + self.positional_embedding)
        return self.ln_post(self.transformer(stream)[:, 0]) @ self.proj


class OpenClip(nn.Module):
    """OpenAI's CLIP, names and arithmetic."""

    def __init__(self, config: ClipConfig) -> None:
        super().__init__()
        width = config.text.width
        self.visual = Visual(config)
        self.transformer = Blocks(config.text)
        self.token_embedding = nn.Embedding(config.vocab_size, width)
        self.positional_embedding = nn.Parameter(torch.zeros(config.positions, width))
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.zeros(width, config.projection))
        self.logit_scale = nn.Parameter(torch.zeros([]))
        mask = torch.full((config.positions, config.positions), float("-inf")).triu(1)
        self.register_buffer("attn_mask", mask)

    def encode_image(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.visual(pixels)

    def encode_text(self, ids: torch.Tensor) -> torch.Tensor:
        stream = self.token_embedding(ids) + self.positional_embedding
        states = self.ln_final(self.transformer(stream, self.attn_mask))
        return states[torch.arange(len(ids)), ids.argmax(-1)] @ self.text_projection


def random_state(module: nn.Module, seed: int = 0) -> State:
    """The module's state with telling random weights."""
    telling(module, seed, 0.2)
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}


def open_clip_file() -> dict[str, object]:
    """As HPSv2's files are: an open_clip state dict among other things a trainer saves, in half precision."""
    state = {name: tensor.half() for name, tensor in random_state(OpenClip(CLIP)).items()}
    return {"epoch": 3, "name": "run", "state_dict": state}


def hf_clip_file() -> State:
    """As transformers 4.30 saves a CLIP."""
    return {
        **random_state(ClipNetwork(CLIP)),
        "text_model.embeddings.position_ids": torch.arange(12)[None],
        "vision_model.embeddings.position_ids": torch.arange(17)[None],
    }


def blip_file() -> dict[str, State]:
    """As BLIP's pretraining saves: with a decoder, momentum copies and queues."""
    wanted = random_state(Blip(TINY))
    copies = {
        f"{name.split('.')[0]}_m.{name.split('.', 1)[1]}": tensor + 1 for name, tensor in wanted.items()
    }
    extra = {
        "text_decoder.bert.embeddings.word_embeddings.weight": torch.ones(4, 4),
        "text_decoder.cls.predictions.bias": torch.ones(4),
        "itm_head.weight": torch.ones(2, 36),
        "itm_head.bias": torch.ones(2),
        "image_queue": torch.ones(8, 5),
        "text_queue": torch.ones(8, 5),
        "queue_ptr": torch.zeros(1, dtype=torch.long),
        "temp": torch.tensor(0.07),
    }
    return {"model": {**extra, **copies, **wanted}}


def siglip_file() -> State:
    """As transformers saves a SigLIP: both towers."""
    return {
        **random_state(SiglipVision(SIGLIP)),
        "text_model.embeddings.token_embedding.weight": torch.ones(4, 4),
        "text_model.head.bias": torch.ones(4),
        "logit_scale": torch.ones(1),
        "logit_bias": torch.ones(1),
    }


class BiaslessNorm(nn.Module):
    """MPS's LayerNorm: its bias is a buffer of zeros."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.register_buffer("bias", torch.zeros(width))


class Rotary(nn.Module):
    """MPS's rotary positions: frequencies in a buffer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("inv_freq", torch.ones(width // 2))


class Part(nn.Module):
    """A module whose children are given by name."""

    def __init__(self, **children: nn.Module) -> None:
        super().__init__()
        for name, child in children.items():
            setattr(self, name, child)


class WholeMps(nn.Module):
    """A model as MPS's authors pickle it: transformers' CLIP as ``model``, and ``cross_model``."""

    def __init__(self, config: MpsConfig) -> None:
        super().__init__()
        width, inner = config.clip.projection, config.heads * config.head_width
        hidden = config.mlp_ratio * width

        def linear(inputs: int, outputs: int) -> nn.Linear:
            return nn.Linear(inputs, outputs, bias=False)

        def pair() -> nn.ModuleList:
            cross = Part(
                norm=BiaslessNorm(width),
                context_norm=nn.Identity(),
                to_q=linear(width, inner),
                to_kv=linear(width, 2 * config.head_width),
                to_out=linear(inner, width),
                ff=nn.Sequential(linear(width, 2 * hidden), nn.Identity(), linear(hidden, width)),
            )
            own = Part(
                norm=BiaslessNorm(width),
                rotary_emb=Rotary(config.head_width),
                fused_attn_ff_proj=linear(width, inner + 2 * config.head_width + 2 * hidden),
                attn_out=linear(inner, width),
                ff_out=nn.Sequential(nn.Identity(), linear(hidden, width)),
            )
            own.register_buffer("pos_emb", torch.ones(3, config.head_width), persistent=False)
            return nn.ModuleList([Part(fn=cross), Part(fn=own)])

        self.model = hugging_face_clip(config.clip)
        self.cross_model = Part(layers=nn.ModuleList(pair() for _ in range(config.depth)))


def hugging_face_clip(config: ClipConfig) -> nn.Module:
    """Transformers' own CLIP of the same sizes, with the configuration, activations and whatever else it carries."""
    if importlib.util.find_spec("torchvision"):
        import_torchvision()  # transformers imports it where it is there
    transformers = pytest.importorskip("transformers")

    def tower(sizes: TowerConfig) -> dict[str, object]:
        return {
            "hidden_size": sizes.width,
            "num_hidden_layers": sizes.depth,
            "num_attention_heads": sizes.heads,
            "intermediate_size": sizes.mlp_width,
            "hidden_act": sizes.activation,
        }

    return transformers.CLIPModel(
        transformers.CLIPConfig(
            text_config={
                **tower(config.text),
                "vocab_size": config.vocab_size,
                "max_position_embeddings": config.positions,
            },
            vision_config={
                **tower(config.vision),
                "image_size": config.image_size,
                "patch_size": config.patch_size,
            },
            projection_dim=config.projection,
        )
    )


def whole_mps_file() -> nn.Module:
    """The pickled model itself, in half precision as published."""
    model = WholeMps(MPS)
    telling(model, 1, 0.2)
    return model.half()


def copied_mps_file() -> State:
    """As the imscore project's copy has it: every name under ``mps.``."""
    return {f"mps.{name}": tensor.clone() for name, tensor in whole_mps_file().state_dict().items()}


@dataclass(frozen=True)
class Example:
    """A foreign file, by what is saved, for the network it belongs to.

    Attributes:
        layout: Its key map.
        make: What is saved.
        network: The network it is for.
        suffix: Of the file.
    """

    layout: str
    make: Callable[[], object]
    network: Callable[[], nn.Module]
    suffix: str = ".pt"


EXAMPLES = {
    "OpenAI or open_clip": Example("clip-h", open_clip_file, lambda: ClipNetwork(CLIP)),
    "transformers CLIP": Example("clip-l", hf_clip_file, lambda: ClipNetwork(CLIP), ".safetensors"),
    "BLIP": Example("blip", blip_file, lambda: Blip(TINY), ".pth"),
    "LAION head": Example("aesthetic", lambda: random_state(AestheticHead(24)), lambda: AestheticHead(24)),
    "v2.5 head": Example(
        "aesthetic-v2.5",
        lambda: {name: tensor.bfloat16() for name, tensor in random_state(SiglipAestheticHead(24)).items()},
        lambda: SiglipAestheticHead(24),
    ),
    "SigLIP": Example("siglip", siglip_file, lambda: SiglipVision(SIGLIP), ".safetensors"),
    "MPS, whole model": Example("mps", whole_mps_file, lambda: MpsNetwork(MPS), ".pth"),
    "MPS, copy": Example("mps", copied_mps_file, lambda: MpsNetwork(MPS), ".safetensors"),
}
