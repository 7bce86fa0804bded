"""Makes a scorer ready for a command, with progress and with errors that say how to mend them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .console import Console
from .exits import NoScorerError, UsageError
from .options import DEFAULT_SCORER
from .pipeline import Watch

if TYPE_CHECKING:
    import argparse

    from ..images.spec import Framing
    from ..runtime import LocalRuntime
    from ..scorers.imagereward import ImageRewardScorer
    from ..weights.locate import WeightSettings


def is_checkpoint(name: str) -> bool:
    """Whether ``name`` is the path of a checkpoint and not the id of a scorer."""
    from ..scorers.registry import CHECKPOINT_SUFFIXES

    return Path(name).suffix.lower() in CHECKPOINT_SUFFIXES


def foreign_weights(name: str) -> str:
    """What must be said about weights somebody named by their path; empty for a registered scorer."""
    if not is_checkpoint(name):
        return ""
    return (
        f"These scores were made with the checkpoint {Path(name).name}, which was named by its path. What is said here about the "
        "scorer, its typical scores and its percentiles describes the published ImageReward-v1.0, and holds for this "
        "checkpoint only if it is that one."
    )


def load_scorer(
    args: argparse.Namespace, settings: WeightSettings, console: Console, watch: Watch
) -> ImageRewardScorer:
    """The scorer that the command line names.

    Raises:
        UsageError: The device or the precision does not exist here.
        UnknownScorerError: There is no such scorer.
        WeightsError: Its weights are missing or damaged.
        NoScorerError: Its weights are untrained.
        ImportError: A package is missing.
    """
    from ..scorers.registry import create_scorer
    from ..weights.cards import get_card
    from ..weights.checkpoint import head_is_untrained
    from ..weights.store import resolve, resolve_file

    runtime = _runtime(args, watch)
    with console.bytes() as progress:  # create_scorer would do the same without a bar
        if is_checkpoint(args.scorer):
            resolve_file(Path(args.scorer).expanduser(), get_card(DEFAULT_SCORER), settings, progress)
        else:
            resolve(get_card(args.scorer), settings, progress)
    framing: Framing = "pad" if args.whole_picture else "center_crop"
    scorer = create_scorer(args.scorer, runtime, settings, args.batch_size, framing)
    if head_is_untrained({f"mlp.{name}": value for name, value in scorer.network.mlp.state_dict().items()}):
        raise NoScorerError(
            f"the reward head of {args.scorer} has not been trained: every picture would get the same score"
        )
    return scorer


def _runtime(args: argparse.Namespace, watch: Watch) -> LocalRuntime:
    import torch

    from ..runtime import LocalRuntime

    try:
        runtime = LocalRuntime(args.device, args.precision, watch.progress, watch.cancelled)
        torch.zeros(1, device=runtime.device).add_(1)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).strip().split("\n")[0]
        raise UsageError(
            f"the device {args.device!r} cannot be used here ({reason}); expected auto, cpu, cuda, cuda:1, xpu or mps"
        ) from error
    return runtime
