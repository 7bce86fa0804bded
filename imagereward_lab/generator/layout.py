"""Names of the generator's parameters in a Stable Diffusion 1 checkpoint, and back.

diffusers has the way from such a checkpoint only (its ``single_file_utils``), with which the tests compare both ways of this one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

import torch
from torch import Tensor, nn

from ..training.errors import TrainingError
from .networks import Generator

UNET, VAE, TEXT = (
    "model.diffusion_model.",
    "first_stage_model.",
    "cond_stage_model.transformer.text_model.",
)
POSITIONS = f"{TEXT}embeddings.position_ids"
"""A row of numbers that old programs look for."""

_RESIDUAL = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def unet_name(name: str, layers: int) -> str:
    """Name of a parameter of diffusers' UNet, with attention at all resolutions, in the checkpoint.

    >>> unet_name("down_blocks.1.resnets.0.conv1.weight", 2), unet_name("up_blocks.0.upsamplers.0.conv.bias", 2)
    ('input_blocks.4.0.in_layers.2.weight', 'output_blocks.2.2.conv.bias')
    """
    stem, _, kind = name.rpartition(".")
    if stem in _UNET_ENDS:
        return f"{_UNET_ENDS[stem]}.{kind}"
    found = re.fullmatch(
        r"(?:(down|up)_blocks\.(\d+)|mid_block)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)",
        name,
    )
    if found is None:
        raise _unknown(name, "UNet")
    way, block, part, number, rest = found.groups()
    inner = _residual(rest, _RESIDUAL) if part == "resnets" else rest
    if way is None:
        return f"middle_block.{1 if part == 'attentions' else 2 * int(number)}.{inner}"
    first = int(block) * (layers + 1)
    if part == "downsamplers":
        return f"input_blocks.{first + layers + 1}.0.{inner.replace('conv', 'op')}"
    if part == "upsamplers":
        return f"output_blocks.{first + layers}.2.{inner}"
    place = first + int(number) + (1 if way == "down" else 0)
    return (
        f"{'input' if way == 'down' else 'output'}_blocks.{place}.{1 if part == 'attentions' else 0}.{inner}"
    )


def vae_name(name: str, levels: int) -> str:
    """Name of a parameter of diffusers' autoencoder in the checkpoint.

    >>> vae_name("decoder.up_blocks.0.resnets.1.conv_shortcut.weight", 4), vae_name("encoder.mid_block.attentions.0.to_q.bias", 4)
    ('decoder.up.3.block.1.nin_shortcut.weight', 'encoder.mid.attn_1.q.bias')
    """
    found = re.fullmatch(
        r"(encoder|decoder)\.(?:(down|up)_blocks\.(\d+)|mid_block)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)",
        name,
    )
    if found is None:
        if re.fullmatch(
            r"(quant_conv|post_quant_conv|(encoder|decoder)\.conv_(in|out|norm_out))\.(weight|bias)", name
        ):
            return name.replace("conv_norm_out", "norm_out")
        raise _unknown(name, "autoencoder")
    tower, way, block, part, number, rest = found.groups()
    inner = _residual(rest, {"conv_shortcut": "nin_shortcut"}) if part == "resnets" else rest
    if part == "attentions":
        return f"{tower}.mid.attn_1.{_residual(rest, _VAE_ATTENTION)}"
    if way is None:
        return f"{tower}.mid.block_{int(number) + 1}.{inner}"
    level = int(block) if way == "down" else levels - 1 - int(block)
    which = f"block.{number}" if part == "resnets" else part.removesuffix("rs")
    return f"{tower}.{way}.{level}.{which}.{inner}"


def to_checkpoint(generator: Generator) -> dict[str, Tensor]:
    """All parameters as a checkpoint has them, on the processor, in the precision they have."""
    stored = {
        name: each.detach().reshape(shape).cpu().contiguous().clone()
        for name, each, shape in _parameters(generator)
    }
    return {**stored, POSITIONS: torch.arange(generator.config.positions)[None]}


def from_checkpoint(generator: Generator, state: Mapping[str, Tensor]) -> None:
    """Fills the networks from a checkpoint.

    Raises:
        TrainingError: A parameter is missing, is left over, or has another shape.
    """
    wanted = {name: (each, shape) for name, each, shape in _parameters(generator)}
    missing, left = wanted.keys() - state.keys(), state.keys() - wanted.keys() - {POSITIONS}
    other = [
        name for name, (_, shape) in wanted.items() if name in state and tuple(state[name].shape) != shape
    ]
    faults: list[tuple[Collection[str], str]] = [
        (missing, "lacks"),
        (left, "also has"),
        (other, "has another shape of"),
    ]
    for names, what in faults:
        if names:
            raise TrainingError(
                f"the checkpoint {what} {len(names)} parameters, among them {min(names)}; expected those of a generator of the sizes "
                "that its facts.json tells"
            )
    with torch.no_grad():
        for name, (each, _) in wanted.items():
            each.copy_(state[name].reshape(each.shape))


def _parameters(generator: Generator) -> Iterator[tuple[str, nn.Parameter, tuple[int, ...]]]:
    """Name and shape in the checkpoint of every parameter."""
    sizes = generator.config
    for name, each in generator.unet.named_parameters():
        yield UNET + unet_name(name, sizes.layers), each, tuple(each.shape)
    for name, each in generator.vae.named_parameters():
        stored = VAE + vae_name(name, len(sizes.vae_multipliers))
        # The checkpoint's attention is made of convolutions.
        square = ".attn_1." in stored and each.ndim == 2
        yield stored, each, (*each.shape, 1, 1) if square else tuple(each.shape)
    for name, each in generator.text.named_parameters():
        # Transformers 5 leaves out the name of the only module.
        yield TEXT + name.removeprefix("text_model."), each, tuple(each.shape)


def _residual(rest: str, names: Mapping[str, str]) -> str:
    """The name within a block, of which the part before weight or bias has another name."""
    stem, _, kind = rest.rpartition(".")
    return f"{names.get(stem, stem)}.{kind}"


def _unknown(name: str, network: str) -> TrainingError:
    return TrainingError(
        f"the {network} has a parameter {name}, which a checkpoint of Stable Diffusion 1 has no place for"
    )
