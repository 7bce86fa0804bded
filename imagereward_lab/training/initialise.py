"""Initial weights of a network that is trained from scratch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from imagereward_core.nets.config import VisionConfig
from imagereward_core.nets.reward import Head, RewardNetwork
from imagereward_core.nets.vit import VisionTransformer


def initialise_head(head: Head) -> None:
    """Weights from N(0, variance 1/(fan_in + 1)), biases 0.

    The paper writes N(0, 1/(d + 1)). Read as a standard deviation, as the reference code does, five stacked layers start with
    outputs of 1e-9 and pass almost no gradient: the collapse users report, where the loss stays at ln 2. Read as a variance
    the outputs start near 1.
    """
    for layer in head.layers:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=(1.0 / (layer.in_features + 1)) ** 0.5)
            nn.init.zeros_(layer.bias)


def sine_positions(config: VisionConfig) -> Tensor:
    """Position embeddings [1, tokens, width] from sines and cosines of row and column; zero for the class token.

    With random embeddings of 0.02 beside patches of about 1 a small tower sees hardly anything of where a patch lies, and takes
    very long to learn shape, number and place.
    """
    side, quarter = config.image_size // config.patch_size, config.width // 4
    waves = 1.0 / (100.0 ** (torch.arange(quarter) / quarter))
    angles = torch.arange(side)[:, None] * waves
    line = torch.cat([angles.sin(), angles.cos()], dim=1)
    rows = line[:, None].expand(side, side, -1)
    columns = line[None].expand(side, side, -1)
    grid = torch.cat([rows, columns], dim=2).flatten(0, 1)
    positions = torch.zeros(1, config.tokens, config.width)
    positions[0, 1:, : grid.shape[1]] = grid
    return positions


def initialise(network: RewardNetwork, seed: int) -> None:
    """Initialises all of ``network`` from ``seed``: N(0, 0.02) as BERT and ViT do, LayerNorms to identity, the head as above."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in network.modules():
            if isinstance(module, nn.LayerNorm):
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                nn.init.trunc_normal_(
                    module.weight, std=0.02 if module.in_features > 512 else module.in_features**-0.5 * 0.7
                )
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Conv2d):
                fan_in = module.weight[0].numel()
                nn.init.trunc_normal_(module.weight, std=fan_in**-0.5)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
        tower = network.blip.visual_encoder
        assert isinstance(tower, VisionTransformer)
        nn.init.normal_(tower.cls_token, std=0.02)
        tower.pos_embed.data.copy_(sine_positions(tower.config))
        initialise_head(network.mlp)
