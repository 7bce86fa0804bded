"""Courses of noise: what is left of the picture at each timestep, by diffusers' schedulers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from .schedule import Schedule

STABLE_DIFFUSION: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
    "timestep_spacing": "leading",
}
"""Of SD 1, SD 2 and SDXL, whose single files do not say it."""


class Course(Protocol):
    """How much of the clean latents and of noise there is at which time."""

    def schedule(self, steps: int, places: int) -> Schedule:
        """The steps of a drawing of so many ``places``, which are what a denoiser's attention sees of a picture."""

    def levels(self, timesteps: Tensor) -> tuple[Tensor, Tensor]:
        """Factors of clean latents and noise, float64 [N], at timesteps [N]."""

    def draw(self, generator: torch.Generator) -> Tensor:
        """A timestep, float64 [], as in the model's own training."""


class Diffusion:
    """Noise of a thousand levels (DDPM), for denoisers that give the noise or v.

    Args:
        config: Of a scheduler of diffusers; what is not about the course of noise is left out.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        from diffusers import DDIMScheduler

        known = {**STABLE_DIFFUSION, "trained_betas": None, "rescale_betas_zero_snr": False}
        given = {name: config.get(name, known[name]) for name in known}
        self._scheduler: Any = DDIMScheduler(**given, clip_sample=False, set_alpha_to_one=True)
        self._left = self._scheduler.alphas_cumprod.double()

    def schedule(self, steps: int, places: int) -> Schedule:
        """See :class:`Course`; the last step leads to clean latents, as in the hosts."""
        self._scheduler.set_timesteps(steps)
        timesteps = self._scheduler.timesteps
        left = torch.cat([self._left[timesteps], torch.ones(1, dtype=torch.float64)])
        return Schedule(timesteps=timesteps.double(), signal=left.sqrt(), noise=(1 - left).sqrt())

    def levels(self, timesteps: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`Course`."""
        left = self._left[timesteps.to("cpu", torch.long)]
        return left.sqrt(), (1 - left).sqrt()

    def draw(self, generator: torch.Generator) -> Tensor:
        """See :class:`Course`: all are as likely."""
        return torch.randint(len(self._left), (), generator=generator).double()


class Flow:
    """A straight way from the picture to noise, for flow models.

    Args:
        config: Of diffusers' ``FlowMatchEulerDiscreteScheduler``.
        even: Whether its steps are even before they are shifted (Flux), instead of the scheduler's own (SD 3).
    """

    def __init__(self, config: Mapping[str, Any], even: bool = False) -> None:
        from diffusers import FlowMatchEulerDiscreteScheduler

        self._scheduler: Any = FlowMatchEulerDiscreteScheduler.from_config(dict(config))
        self._even = even

    def schedule(self, steps: int, places: int) -> Schedule:
        """See :class:`Course`; where the shift depends on the size of pictures, as diffusers' pipelines calculate it."""
        scheduler = self._scheduler
        known: dict[str, Any] = {}
        if scheduler.config.get("use_dynamic_shifting"):
            known["mu"] = self._shift(places)
        if self._even and not scheduler.config.get("use_flow_sigmas"):
            known["sigmas"] = torch.linspace(1.0, 1 / steps, steps, dtype=torch.float64).numpy()
        else:
            known["num_inference_steps"] = steps
        scheduler.set_timesteps(**known)
        sigmas = scheduler.sigmas.cpu().double()
        return Schedule(timesteps=scheduler.timesteps.cpu().double(), signal=1 - sigmas, noise=sigmas.clone())

    def _shift(self, places: int) -> float:
        config = self._scheduler.config
        low, high = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
        first, last = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
        slope = (last - first) / (high - low)
        return float(places * slope + first - slope * low)

    def levels(self, timesteps: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`Course`."""
        sigma = timesteps.to("cpu", torch.float64) / self._scheduler.config.num_train_timesteps
        return 1 - sigma, sigma

    def draw(self, generator: torch.Generator) -> Tensor:
        """See :class:`Course`: a logit-normal distribution (arXiv 2403.03206, section 3.1), shifted as the steps are."""
        sigma = torch.randn((), generator=generator, dtype=torch.float64).sigmoid()
        shift = 1.0 if self._scheduler.config.get("use_dynamic_shifting") else self._scheduler.config.shift
        return shift * sigma / (1 + (shift - 1) * sigma) * self._scheduler.config.num_train_timesteps
