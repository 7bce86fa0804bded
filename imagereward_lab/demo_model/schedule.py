"""The stages the demo model is made in, as data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from imagereward_core.nets.config import HeadConfig, RewardConfig, TextConfig, VisionConfig

from .families import Mixture
from .vocabulary import vocabulary


@dataclass(frozen=True)
class Naming:
    """Teaches the image tower to name what is drawn; ``batch`` counts pictures."""

    seed: int = 0
    steps: int = 1200
    scenes: int = 8000
    batch: int = 96
    learning_rate: float = 1e-3
    stage: str = "naming"


@dataclass(frozen=True)
class Grounding:
    """Teaches both towers which words of a prompt a picture contradicts; ``batch`` counts pictures, of four prompts each.

    Attributes:
        place_weight: How often wrong prompts are wrong in place; every other respect has 1.
        pairs: How often two things are drawn; one thing, and several equal ones, have 1 each.
        opposites: Share of prompts for two things that are right, or wrong only in that the two have changed places.
        sides_weight: Of the loss of saying for the words of each of two things on which side it is.
    """

    seed: int
    steps: int
    scenes: int
    place_weight: int
    pairs: int = 3
    opposites: float = 0.0
    sides_weight: float = 0.0
    batch: int = 64
    learning_rate: float = 5e-4
    stage: str = "grounding"


@dataclass(frozen=True)
class Ranking:
    """``imagereward train`` on families drawn anew.

    Attributes:
        families: To learn from; each has three rankings of about 30 pairs.
        validation: Families of held-out prompts to choose the best state by.
        place_weight: How often near misses are wrong in place; colour has 1.
        flawed: Flawed pictures of a family, each with another flaw.
        flawed_scenes: They show one of the first so many of its five scenes; the first three are asked for.
        batch_pairs: About 16 families.
    """

    seed: int
    families: int
    epochs: int
    learning_rate: float
    place_weight: int
    flawed: int = Mixture.flawed
    flawed_scenes: int = Mixture.flawed_scenes
    validation: int = 192
    batch_pairs: int = 1600
    stage: str = "ranking"


Stage = Naming | Grounding | Ranking


@dataclass(frozen=True)
class Schedule:
    """What is done, in order.

    Attributes:
        stages: One after another, each from the result of the one before.
        held_out: Groups with held-out prompts that the result is measured on.
    """

    stages: tuple[Stage, ...]
    held_out: int = 1000

    def scaled(self, share: float) -> Schedule:
        """The same with a share of all data and steps, and single passes in smaller batches: to prove that it runs."""
        stages: list[Stage] = []
        for stage in self.stages:
            if isinstance(stage, Ranking):
                few = max(4, round(share * stage.families))
                stages.append(
                    replace(stage, families=few, epochs=1, validation=max(4, few // 8), batch_pairs=400)
                )
            else:
                steps, scenes = (max(2, round(share * number)) for number in (stage.steps, stage.scenes))
                stages.append(replace(stage, steps=steps, scenes=max(8, scenes), batch=8))  # type: ignore[arg-type]
        return Schedule(tuple(stages), max(2, round(share * self.held_out)))

    def facts(self) -> dict[str, Any]:
        """All of it, as it comes back from JSON."""
        return {"stages": [asdict(stage) for stage in self.stages], "held_out": self.held_out}

    def named(self) -> Iterator[tuple[str, Stage]]:
        """The stages with the names of their folders."""
        for number, stage in enumerate(self.stages, 1):
            yield f"{number}-{stage.stage}", stage


# As ImageReward is made: towers that know what is drawn and what a prompt says of it first, ranking last. docs/accuracy.md has what
# each stage brought.
SCHEDULE = Schedule(
    (
        Naming(),
        Grounding(
            seed=0,
            steps=1200,
            scenes=8000,
            place_weight=3,
            opposites=0.3,
            sides_weight=1.0,
            learning_rate=1e-3,
        ),
        Ranking(seed=0, families=5000, epochs=4, learning_rate=5e-4, place_weight=3),
        Ranking(seed=1_000_000, families=4000, epochs=2, learning_rate=2e-4, place_weight=3),
        Grounding(
            seed=101,
            steps=1500,
            scenes=8000,
            place_weight=1,
            opposites=0.1,
            sides_weight=0.5,
            learning_rate=1e-3,
        ),
        Ranking(seed=200, families=4000, epochs=3, learning_rate=3e-4, place_weight=2),
        # What is right but flawed, against what is wrong and flawed: nearly half of all pairs of the measurement.
        Ranking(
            seed=2_000_000,
            families=6000,
            epochs=3,
            learning_rate=4e-4,
            place_weight=1,
            flawed=4,
            flawed_scenes=3,
        ),
        Ranking(
            seed=3_000_000,
            families=5000,
            epochs=2,
            learning_rate=1.5e-4,
            place_weight=1,
            flawed=4,
            flawed_scenes=3,
        ),
    )
)


def demo_config(width: int = 128, layers: int = 4, text_layers: int = 3) -> RewardConfig:
    """The demo network: ImageReward's shape at 1.4 million parameters, or smaller for tests."""
    heads, mlp_width = width // 32, 3 * width
    return RewardConfig(
        vision=VisionConfig(
            image_size=64,
            patch_size=8,
            width=width,
            depth=layers,
            heads=heads,
            mlp_width=mlp_width,
            drop_path=0.0,
        ),
        text=TextConfig(
            vocab_size=len(vocabulary()) + 2,
            positions=64,
            width=width,
            depth=text_layers,
            heads=heads,
            mlp_width=mlp_width,
            dropout=0.0,
        ),
        head=HeadConfig(widths=(128, 64, 32, 16), dropouts=(0.0, 0.0, 0.0), mean=0.0, std=1.0),
        projection=0,
    )
