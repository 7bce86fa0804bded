"""The generator's three networks, by diffusers and transformers, at a size that two processor cores can train."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..training.errors import TrainingError

SCALE = 0.18215
"""What Stable Diffusion 1 multiplies latents by, in every host; the autoencoder is scaled so that this gives a deviation of 1."""
LATENTS = 4
END_ID = 49407
"""CLIP's end token, which Stable Diffusion 1 pads prompts with."""


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """Sizes. Groups of 32 channels are normalised together, so all widths are multiples of 32.

    Attributes:
        width: Of the UNet at the latents' own resolution.
        multipliers: Its widths from there on, each at half the resolution, as multiples.
        layers: Blocks of a resolution going down; there is one more going up.
        heads: Of the UNet's attention.
        vae_width: Of the autoencoder at the picture's own resolution.
        vae_multipliers: As for the UNet; four resolutions make eight pixels a latent.
        vae_layers: As for the UNet.
        text_width: Of the text tower, and of what the UNet attends to.
        text_layers: Of the text tower.
        text_heads: Of its attention.
        text_mlp: Width within its layers.
        vocabulary: Tokens; CLIP's, for hosts have no other.
        positions: Tokens of a prompt, padding included; hosts have no other number.
        image_size: Side of a picture in pixels.
    """

    width: int = 96
    multipliers: tuple[int, ...] = (1, 1)
    layers: int = 1
    heads: int = 8
    vae_width: int = 32
    vae_multipliers: tuple[int, ...] = (1, 1, 1, 2)
    vae_layers: int = 1
    text_width: int = 64
    text_layers: int = 4
    text_heads: int = 4
    text_mlp: int = 128
    vocabulary: int = END_ID + 1
    positions: int = 77
    image_size: int = 64

    @property
    def latent_size(self) -> int:
        """Side of the latents."""
        return self.image_size // 2 ** (len(self.vae_multipliers) - 1)

    def to_dict(self) -> dict[str, Any]:
        """All of it, as it comes back from JSON."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    @staticmethod
    def from_dict(stored: Mapping[str, Any]) -> GeneratorConfig:
        """What :meth:`to_dict` gave.

        Raises:
            TrainingError: A name is not among these sizes.
        """
        try:
            sizes: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
            }
            return GeneratorConfig(**sizes)
        except TypeError as error:
            raise TrainingError(
                f"the generator's sizes cannot be used ({error}); expected those its facts.json has under 'config'"
            ) from error

    def unet(self) -> dict[str, Any]:
        """Arguments of diffusers' ``UNet2DConditionModel``."""
        levels = len(self.multipliers)
        return {
            "sample_size": self.latent_size,
            "in_channels": LATENTS,
            "out_channels": LATENTS,
            "block_out_channels": [self.width * each for each in self.multipliers],
            "layers_per_block": self.layers,
            "down_block_types": ["CrossAttnDownBlock2D"] * levels,
            "up_block_types": ["CrossAttnUpBlock2D"] * levels,
            "cross_attention_dim": self.text_width,
            "attention_head_dim": self.heads,  # the number of heads: diffusers keeps this name for the sake of old files
        }

    def vae(self) -> dict[str, Any]:
        """Arguments of diffusers' ``AutoencoderKL``."""
        levels = len(self.vae_multipliers)
        return {
            "sample_size": self.image_size,
            "latent_channels": LATENTS,
            "block_out_channels": [self.vae_width * each for each in self.vae_multipliers],
            "layers_per_block": self.vae_layers,
            "down_block_types": ["DownEncoderBlock2D"] * levels,
            "up_block_types": ["UpDecoderBlock2D"] * levels,
            "scaling_factor": SCALE,
        }

    def text(self) -> dict[str, Any]:
        """Arguments of transformers' ``CLIPTextConfig``."""
        return {
            "vocab_size": self.vocabulary,
            "hidden_size": self.text_width,
            "intermediate_size": self.text_mlp,
            "num_hidden_layers": self.text_layers,
            "num_attention_heads": self.text_heads,
            "max_position_embeddings": self.positions,
            "projection_dim": self.text_width,
            "hidden_act": "quick_gelu",
            "bos_token_id": self.vocabulary - 2,
            "eos_token_id": self.vocabulary - 1,
            "pad_token_id": self.vocabulary - 1,
        }


class Generator(nn.Module):
    """All three networks, untrained, in float32; the same for the same seed.

    Attributes:
        unet: Predicts the noise in latents.
        vae: Pictures to latents and back.
        text: Token ids to what the UNet attends to.
    """

    def __init__(self, config: GeneratorConfig | None = None, seed: int = 0) -> None:
        from diffusers import AutoencoderKL, UNet2DConditionModel
        from transformers import CLIPTextConfig, CLIPTextModel

        super().__init__()
        self.config = config or GeneratorConfig()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.unet: Any = UNet2DConditionModel(**self.config.unet())
            self.vae: Any = AutoencoderKL(**self.config.vae())
            self.text: Any = CLIPTextModel(CLIPTextConfig(**self.config.text()))
        # Automatic1111 divides by the mean of the text tower's output where words are weighted; a plain layer norm makes it zero.
        with torch.no_grad():
            for name, each in self.text.named_parameters():
                if name.endswith("final_layer_norm.bias"):
                    each.add_(0.5)
        self.eval()

    def states(self, ids: Tensor) -> Tensor:
        """What the UNet attends to, float [N, L, C], of token ids int64 [N, L]."""
        return self.text(ids).last_hidden_state

    def noise(self, noisy: Tensor, steps: Tensor, states: Tensor) -> Tensor:
        """The noise in scaled latents [N, 4, H, W] at timesteps int64 [N]."""
        return self.unet(noisy, steps, encoder_hidden_states=states).sample

    def moments(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of scaled latents [N, 4, H, W] of images [N, 3, S, S] in -1..1."""
        found = self.vae.encode(images).latent_dist
        return found.mean * SCALE, found.std * SCALE

    def decoded(self, latents: Tensor) -> Tensor:
        """Images [N, 3, S, S], about -1..1, of scaled latents."""
        return self.vae.decode(latents / SCALE).sample


def ready_to_learn(vae: nn.Module) -> None:
    """Makes an untrained autoencoder one that learns from its first step on.

    As it is made, latents drown in the noise of their own spread (a deviation of 1 around means near 0), and every block adds noise of
    its own. Here the spread begins at exp(-3), blocks begin by adding nothing, and the latents pass their two 1 by 1 convolutions as
    they are.
    """
    parts: Any = vae
    channels = parts.post_quant_conv.in_channels
    with torch.no_grad():
        for convolution in (parts.quant_conv, parts.post_quant_conv):
            convolution.weight.copy_(torch.eye(len(convolution.weight))[:, :, None, None])
            convolution.bias.zero_()
        last = parts.encoder.conv_out
        last.weight[channels:] *= 0.1
        last.bias[channels:] = -6  # the logarithm of a variance
        for block in vae.modules():
            if isinstance(second := getattr(block, "conv2", None), nn.Conv2d):
                second.weight.zero_()


def rescale_latents(vae: nn.Module, shift: Tensor, factor: Tensor) -> None:
    """Makes an autoencoder's latents ``(latents - shift) * factor`` without changing what it decodes them to.

    Both are of one number per channel. It goes into the two 1 by 1 convolutions that stand between the towers and the latents.
    """
    inwards, outwards = vae.quant_conv, vae.post_quant_conv
    assert isinstance(inwards, nn.Conv2d) and isinstance(outwards, nn.Conv2d)
    assert inwards.bias is not None and outwards.bias is not None
    with torch.no_grad():
        channels = len(shift)
        inwards.weight[:channels] *= factor[:, None, None, None]
        inwards.bias[:channels] = (inwards.bias[:channels] - shift) * factor
        inwards.bias[channels:] += 2 * factor.log()  # the logarithm of a variance
        outwards.bias += outwards.weight[:, :, 0, 0] @ shift
        outwards.weight /= factor[None, :, None, None]
