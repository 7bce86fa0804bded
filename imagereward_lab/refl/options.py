"""What a tuning is asked to do, beside the settings of its method, its course and its guards."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from imagereward_core.scorers.requests import DEFAULT_SCORER
from imagereward_core.settings import check, setting
from imagereward_core.weights.locate import WeightSettings

from .guards.options import GuardOptions
from .methods.options import MethodOptions
from .methods.table import METHODS
from .tuning.config import TuningConfig

PREDICTIONS = ("auto", "epsilon", "v_prediction", "flow")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What is tuned, to what, and where it goes.

    Attributes:
        model: A checkpoint of one file, or a folder of diffusers.
        output: The folder of the run: checkpoints, logs and the result.
        method_options: Of the method.
        config: Of the course.
        guards: Of the guards.
        weights: Where weights of scorers are found.
        also: Scorers that are not tuned to, by which checks judge.
        pictures: A folder of pictures with prompts for the second loss; None draws some.
        merges: CLIP's ``merges.txt`` for checkpoints of one file; None takes that of a package.
    """

    model: Path
    output: Path
    method_options: MethodOptions
    config: TuningConfig = field(default_factory=TuningConfig)
    guards: GuardOptions = field(default_factory=GuardOptions)
    weights: WeightSettings = field(default_factory=WeightSettings)
    also: tuple[str, ...] = ()
    pictures: Path | None = None
    merges: Path | None = None
    scorer: str = setting(
        DEFAULT_SCORER, "What it is tuned to: a scorer, a blend of some, or a checkpoint of your own"
    )
    method: str = setting("refl", "How a reward gets back into the model", choices=tuple(METHODS))
    prediction: str = setting(
        "auto",
        "What the model gives, where its files do not say it or say it wrongly: the noise (epsilon), v_prediction, or flow",
        choices=PREDICTIONS,
    )
    name: str = setting("", "Name of the LoRA, by which hosts list it")

    def __post_init__(self) -> None:
        check(self)

    @property
    def path(self) -> Path:
        """Of the LoRA."""
        return self.output / f"{self.name}.safetensors"
