"""The stages the generator is made in, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Autoencoding:
    """Pictures to latents and back. It decides whether colours and edges come out right.

    Attributes:
        batch: Pictures, drawn anew for every step.
        kl_weight: Of the divergence from a normal distribution, a mean over the latents; small, it only keeps them in bounds.
        noise: Up to this share of the latents' deviation is added before decoding, so that small errors of the UNet are not seen.
        edges_weight: Of the loss of differences between neighbouring pixels.
        tones_weight: Of the loss of means over 4 by 4 pixels.
        squares_weight: Of the squared differences of pixels and tones: the absolute ones let small things be painted in a middle colour.
        scale_scenes: Scenes by which the latents are scaled afterwards.
    """

    seed: int = 0
    steps: int = 5000
    batch: int = 8
    learning_rate: float = 1.5e-3
    kl_weight: float = 1e-4
    noise: float = 0.15
    edges_weight: float = 0.5
    tones_weight: float = 1.0
    squares_weight: float = 4.0
    scale_scenes: int = 2048
    ema: float = 0.998
    validate_every: int = 1000
    stage: str = "autoencoding"


@dataclass(frozen=True, kw_only=True)
class Denoising:
    """The UNet with the text tower, on latents of scenes drawn once.

    Attributes:
        scenes: To learn from.
        batch: Of scenes, each with one of its prompts.
        dropped: Share of prompts replaced by the empty one, for classifier-free guidance.
        weight_cap: The loss of the noise is weighted towards that of the picture where there is much noise, up to this factor.
        noisy: Share of all timesteps that is drawn from the noisiest two fifths, where it is decided what is where.
        sides_weight: Of the loss of saying, by what the text tower makes of the prompt's end, what is on which side; 0 leaves it out.
    """

    seed: int = 1
    steps: int = 4500
    scenes: int = 20_000
    batch: int = 64
    learning_rate: float = 1e-3
    dropped: float = 0.1
    weight_cap: float = 10.0
    noisy: float = 0.0
    sides_weight: float = 0.0
    ema: float = 0.998
    validate_every: int = 500
    stage: str = "denoising"


Stage = Autoencoding | Denoising


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What is done, in order.

    Attributes:
        placing: More of the same, which tells apart what is left and what is right, above and below; None leaves it out.
        held_out: Held-out prompts that the result is measured on.
        guidance: Classifier-free guidance at previews and measurement.
        sampling_steps: Steps of DDIM at previews and measurement.
    """

    autoencoding: Autoencoding = field(default_factory=Autoencoding)
    denoising: Denoising = field(default_factory=Denoising)
    placing: Denoising | None = field(
        default_factory=lambda: Denoising(seed=2, steps=2500, noisy=0.5, sides_weight=0.1)
    )
    held_out: int = 400
    guidance: float = 4.0
    sampling_steps: int = 25

    def scaled(self, share: float) -> Schedule:
        """The same with a share of all data and steps; below 1 in smaller batches too: to prove that it runs."""

        def part(number: int, least: int = 2) -> int:
            return max(least, round(share * number))

        first = self.autoencoding
        small = 8 if share < 1 else None

        def denoising(stage: Denoising) -> Denoising:
            return replace(
                stage,
                steps=part(stage.steps),
                scenes=part(stage.scenes, 8),
                batch=small or stage.batch,
                validate_every=part(stage.validate_every),
            )

        return replace(
            self,
            autoencoding=replace(
                first,
                steps=part(first.steps),
                batch=small or first.batch,
                scale_scenes=part(first.scale_scenes, 16),
                validate_every=part(first.validate_every),
            ),
            denoising=denoising(self.denoising),
            placing=denoising(self.placing) if self.placing else None,
            held_out=part(self.held_out, 4),
            sampling_steps=min(self.sampling_steps, part(self.sampling_steps, 3)),
        )

    def early(self, steps: int) -> Schedule:
        """The same autoencoder, and a denoiser of so many steps alone: a generator that follows prompts badly, for tuning to better."""
        return replace(self, denoising=replace(self.denoising, steps=steps), placing=None)

    def facts(self) -> dict[str, Any]:
        """All of it, as it comes back from JSON."""
        return asdict(self)


SCHEDULE = Schedule()
