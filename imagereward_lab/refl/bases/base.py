"""A text-to-image model that can be tuned, whatever its kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ...training.errors import TrainingError
from .conditions import Conditions
from .courses import Course
from .schedule import Prediction, Schedule, Step, estimates, placed, step_on, target

Targets = Literal["attention", "blocks", "all"]
TARGETS: tuple[Targets, ...] = ("attention", "blocks", "all")
"""Which layers a LoRA changes: those of attention, all linear ones of the blocks that have attention, or convolutions of a UNet as well."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a model is made of, in memory.

    Attributes:
        denoiser: UNet or transformer, of diffusers.
        vae: The autoencoder, of diffusers.
        text_encoders: By name, in the order of diffusers' folders: ``text_encoder``, ``text_encoder_2``, ``text_encoder_3``.
        tokens: For each of them, prompts to ids.
        prediction: What the denoiser gives.
        scheduler: Arguments of diffusers' scheduler that tell the course of noise.
        path: Where it was read.
        size: Height and width in pixels that it was made for, where its networks do not say it.
        remarks: What a person must know about how it was read, each in a sentence.
    """

    denoiser: Any
    vae: Any
    text_encoders: Mapping[str, Any]
    tokens: Mapping[str, Any]
    prediction: Prediction
    scheduler: Mapping[str, Any] = field(default_factory=dict)
    path: Path = Path()
    size: tuple[int, int] | None = None
    remarks: tuple[str, ...] = ()


class Base(ABC):
    """A text-to-image model that can be tuned. All its own parameters are frozen; a LoRA's are not.

    Attributes:
        kind: ``sd``, ``sdxl``, ``sd3`` or ``flux``.
        guided_by_embedding: Whether guidance is a number that the denoiser is told (Flux), instead of a second pass without prompt.
        denoiser: UNet or transformer: the network that a LoRA changes.
        vae: Latents to images and back.
        text_encoders: By name.
        prediction: What the denoiser gives.
        path: Where it was read.
        saving_memory: Whether what the denoiser and the autoencoder calculate is calculated again for gradients instead of kept.
    """

    kind: ClassVar[str]
    denoiser_class: ClassVar[str]
    """Of diffusers."""
    denoiser_folder: ClassVar[str]
    """Where diffusers' folders have it."""
    latents_at_once: ClassVar[int] = 1
    """That are one row of numbers for the denoiser."""
    needed_encoders: ClassVar[tuple[str, ...]] = ("text_encoder", "text_encoder_2")
    """Text encoders that may not be left out."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.denoiser: Any = parts.denoiser
        self.vae: Any = parts.vae
        self.text_encoders: Mapping[str, Any] = parts.text_encoders
        self.prediction: Prediction = parts.prediction
        self.path = parts.path
        self.saving_memory = False
        self.guided_by_embedding = False
        self._kept: dict[str, Conditions] = {}
        for network in (self.denoiser, self.vae, *self.text_encoders.values()):
            network.eval().requires_grad_(False)

    def check_channels(self) -> None:
        """Makes sure that the denoiser reads what the autoencoder makes, and nothing else.

        Raises:
            TrainingError: It reads more, as models for inpainting and editing do.
        """
        reads, makes = int(self.denoiser.config.in_channels), self.latent_channels * self.latents_at_once
        if reads != makes:
            raise TrainingError(
                f"the denoiser of {self.path} reads {reads} channels and its autoencoder makes {makes}: a model for inpainting or editing; "
                "expected one that draws from prompts alone"
            )

    @classmethod
    def vae_dtype(cls, dtype: torch.dtype) -> torch.dtype:
        """Precision of the autoencoder beside a denoiser in ``dtype``."""
        return dtype

    @property
    def device(self) -> torch.device:
        """Where the denoiser is."""
        return next(self.denoiser.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the denoiser's own weights."""
        return next(self.denoiser.parameters()).dtype

    @property
    def latent_channels(self) -> int:
        """Of the autoencoder."""
        return int(self.vae.config.latent_channels)

    @property
    def pixels_per_latent(self) -> int:
        """How many pixels wide and high what one latent stands for is."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    @property
    @abstractmethod
    def image_size(self) -> tuple[int, int]:
        """Height and width in pixels that the model was made for."""

    @abstractmethod
    def targets(self, which: Targets = "attention") -> list[str]:
        """Full names of the layers of ``denoiser`` that a LoRA changes, in their order."""

    @abstractmethod
    def read(self, prompts: Sequence[str]) -> Conditions:
        """Conditions of prompts, calculated now; :meth:`encode` is for others."""

    @abstractmethod
    def denoise(
        self, latents: Tensor, timesteps: Tensor, conditions: Conditions, guidance: float | None = None
    ) -> Tensor:
        """What the denoiser gives, in the precision of ``latents`` [N, C, h, w], at timesteps float [N] of 0..1000.

        ``guidance`` is for those that are told it as a number.
        """

    @property
    @abstractmethod
    def course(self) -> Course:
        """Of noise."""

    # The course of noise

    def schedule(self, steps: int, height: int | None = None, width: int | None = None) -> Schedule:
        """The steps of a drawing: DDPM's timesteps, or Euler's for flow models, some of which mind the size in pixels."""
        own_height, own_width = self.image_size
        unit = self.size_unit
        return self.course.schedule(steps, ((height or own_height) // unit) * ((width or own_width) // unit))

    def levels(self, timesteps: Tensor) -> tuple[Tensor, Tensor]:
        """Factors of the clean latents and of the noise, float64 [N], at timesteps [N] of 0..1000."""
        return self.course.levels(timesteps)

    def draw_timesteps(self, generators: Sequence[torch.Generator]) -> Tensor:
        """A timestep for each generator, float64 [N], spread as models of this kind are trained."""
        return torch.stack([self.course.draw(each) for each in generators])

    # Prompts

    def encode(self, prompts: Sequence[str]) -> Conditions:
        """What the denoiser is told of prompts, on its device; those that :meth:`keep` has are not calculated again."""
        if any(prompt not in self._kept for prompt in prompts):
            return self.read(prompts).to(self.device)
        return Conditions.joined([self._kept[prompt] for prompt in prompts]).to(self.device)

    def empty(self, number: int) -> Conditions:
        """Conditions of no prompt, for guidance."""
        return self.encode([""]).rows([0] * number)

    def keep(self, prompts: Sequence[str], at_once: int = 16) -> None:
        """Calculates conditions of prompts, and of none, once and keeps them on the processor; text encoders may then leave the device."""
        missing = [prompt for prompt in dict.fromkeys(["", *prompts]) if prompt not in self._kept]
        for first in range(0, len(missing), at_once):
            found = self.read(missing[first : first + at_once]).to("cpu")
            for place, prompt in enumerate(found.prompts):
                self._kept[prompt] = found.rows([place])

    def unread(self, prompts: Sequence[str]) -> list[str]:
        """The ends of prompts that the denoiser is not told, one for each prompt that has one; nothing of it goes to the device."""
        found = []
        for prompt in prompts:
            kept = self._kept.get(prompt)
            found += [end for end in (self.read([prompt]) if kept is None else kept).cut if end]
        return found

    # Latents

    def noise(
        self, generators: Sequence[torch.Generator], height: int | None = None, width: int | None = None
    ) -> Tensor:
        """Latents float32 [N, C, h, w] of noise alone, a row for each generator, which are those of the processor.

        Raises:
            TrainingError: Height or width, in pixels, do not fit the model.
        """
        own_height, own_width = self.image_size
        height, width = height or own_height, width or own_width
        unit = self.size_unit
        if height % unit or width % unit or min(height, width) < unit:
            raise TrainingError(
                f"pictures of {width} x {height} pixels were asked for; this model draws sizes that are multiples of {unit}"
            )
        side = self.pixels_per_latent
        shape = (self.latent_channels, height // side, width // side)
        rows = [torch.randn(shape, generator=each) for each in generators]
        return torch.stack(rows).to(self.device)

    @property
    def size_unit(self) -> int:
        """Height and width of pictures are multiples of this."""
        return self.pixels_per_latent

    def output(
        self,
        latents: Tensor,
        timesteps: Tensor,
        conditions: Conditions,
        guidance: float = 1.0,
        negative: Conditions | None = None,
    ) -> Tensor:
        """What the denoiser gives with classifier-free guidance, [N, C, h, w].

        Args:
            latents: [N, C, h, w].
            timesteps: Float [N] of 0..1000.
            conditions: Of N prompts.
            guidance: 1 has no second pass. Models that are told guidance as a number have no second pass either.
            negative: Conditions to be led away from; by default those of no prompt.
        """
        if self.guided_by_embedding:
            return self.denoise(latents, timesteps, conditions, guidance)
        if guidance == 1.0:
            return self.denoise(latents, timesteps, conditions)
        away = negative if negative is not None else self.empty(len(conditions))
        both = Conditions.joined([away, conditions])
        without, towards = self.denoise(torch.cat([latents] * 2), torch.cat([timesteps] * 2), both).chunk(2)
        return without + guidance * (towards - without)

    def step(
        self,
        schedule: Schedule,
        at: Tensor,
        latents: Tensor,
        conditions: Conditions,
        *,
        guidance: float = 1.0,
        negative: Conditions | None = None,
        eta: float = 0.0,
        generators: Sequence[torch.Generator] = (),
        again: bool = False,
    ) -> Step:
        """One step of drawing, each row at its own.

        Args:
            schedule: All steps.
            at: Int64 [N], which step each row is at.
            latents: [N, C, h, w] before it.
            conditions: Of N prompts.
            guidance: See :meth:`output`.
            negative: See :meth:`output`.
            eta: 0 as DDIM, 1 as DDPM; flow models take no notice of it.
            generators: One for each row, where ``eta`` is above 0.
            again: Whether the whole call of the denoiser is calculated again for gradients, so that of several steps in a row only the
                latents are kept.
        """
        timesteps = _told(schedule.timesteps[at.to(schedule.timesteps.device)], latents)
        if again and torch.is_grad_enabled():
            output = checkpoint(
                self.output, latents, timesteps, conditions, guidance, negative, use_reentrant=False
            )
        else:
            output = self.output(latents, timesteps, conditions, guidance, negative)
        fresh = None
        if eta and self.prediction != "flow":
            rows = [torch.randn(latents.shape[1:], generator=each) for each in generators]
            fresh = torch.stack(rows).to(latents)
        return step_on(self.prediction, schedule, at, latents, output, fresh, eta)

    def denoising_loss(
        self, latents: Tensor, conditions: Conditions, noise: Tensor, timesteps: Tensor
    ) -> Tensor:
        """The loss the model was trained with, float [N]: mean squared error at timesteps [N] of 0..1000 of clean latents and noise."""
        signal, level = (placed(each, latents).view(-1, 1, 1, 1) for each in self.levels(timesteps))
        guess = self.output(signal * latents + level * noise, _told(timesteps, latents), conditions)
        wanted = target(self.prediction, latents, noise, signal, level)
        return (guess - wanted).float().pow(2).flatten(1).mean(dim=1)

    def clean(self, latents: Tensor, timesteps: Tensor, output: Tensor) -> Tensor:
        """The clean latents that follow from what the denoiser gave at timesteps [N]."""
        signal, level = (placed(each, latents).view(-1, 1, 1, 1) for each in self.levels(timesteps))
        return estimates(self.prediction, latents, output, signal, level)[0]

    # Images

    def decode(self, latents: Tensor) -> Tensor:
        """Images float [N, 3, H, W] in 0..1, differentiable in the latents.

        Values beyond 0..1 are cut off as in a saved picture, but gradients go through as if they were not: a cut-off pixel could never
        come back otherwise (``clamp`` of the published script).
        """
        if not self.saving_memory:
            return self._decode(latents)
        # One picture after another: what the autoencoder keeps for the gradients of one is all that is in memory at a time.
        parts = latents.split(1)
        if not (torch.is_grad_enabled() and latents.requires_grad):
            return torch.cat([self._decode(each) for each in parts])
        return torch.cat([checkpoint(self._decode, each, use_reentrant=False) for each in parts])

    def _decode(self, latents: Tensor) -> Tensor:
        config = self.vae.config
        unscaled = latents / config.scaling_factor + (getattr(config, "shift_factor", None) or 0.0)
        decoded = self.vae.decode(unscaled.to(next(self.vae.parameters()).dtype)).sample.to(latents.dtype)
        return clipped(decoded / 2 + 0.5)

    def encode_images(self, images: Tensor, generators: Sequence[torch.Generator] | None = None) -> Tensor:
        """Clean latents [N, C, h, w] of images [N, 3, H, W] in 0..1: the autoencoder's means, or drawn around them with ``generators``."""
        config = self.vae.config
        own = next(self.vae.parameters())
        found = self.vae.encode((images * 2 - 1).to(own.device, own.dtype)).latent_dist
        latents = found.mean.float()
        if generators is not None:
            rows = [torch.randn(latents.shape[1:], generator=each) for each in generators]
            latents = latents + found.std.float() * torch.stack(rows).to(latents)
        return (latents - (getattr(config, "shift_factor", None) or 0.0)) * config.scaling_factor

    def to(self, device: torch.device | str) -> Base:
        """All networks on a device."""
        for network in (self.denoiser, self.vae, *self.text_encoders.values()):
            network.to(device)
        return self

    # Memory

    def park_text(self) -> None:
        """Text encoders off the device, once :meth:`keep` has all prompts there will be."""
        for network in self.text_encoders.values():
            network.to("cpu")

    def save_memory(self, on: bool = True) -> None:
        """Keeps less in memory and calculates it again for gradients: denoiser and autoencoder."""
        self.saving_memory = on
        for network in (self.denoiser, self.vae):
            for module in _holders(network):
                module.enable_gradient_checkpointing() if on else module.disable_gradient_checkpointing()
            for module in network.modules():
                # Older versions of diffusers ask this too; layers within, such as dropout, keep theirs.
                if hasattr(module, "gradient_checkpointing"):
                    module.training = on


def _told(timesteps: Tensor, latents: Tensor) -> Tensor:
    """Timesteps as denoisers read them; not every device has double precision."""
    return timesteps.to(torch.float32).to(latents.device)


def clipped(images: Tensor) -> Tensor:
    """Values cut off to 0..1, with the gradient of values that were not cut off.

    >>> values = torch.tensor([-1.0, 0.5, 3.0], requires_grad=True)
    >>> clipped(values).sum().backward()
    >>> clipped(values).tolist(), values.grad.tolist()
    ([0.0, 0.5, 1.0], [1.0, 1.0, 1.0])
    """
    return images + (images.clamp(0, 1) - images).detach()


def _holders(network: nn.Module) -> list[Any]:
    """The network of diffusers in ``network``, which something may have been wrapped around."""
    found: list[Any] = [
        each for each in network.modules() if getattr(each, "_supports_gradient_checkpointing", False)
    ]
    return found[:1]
