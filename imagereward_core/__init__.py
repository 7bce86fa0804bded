"""Scores pictures against their prompts with human-preference reward models, first of all ImageReward (arXiv 2304.05977).

    import imagereward_core as RM

    model = RM.load("ImageReward-v1.0")
    rewards = model.score("a painting of an ocean", ["1.webp", "2.webp"])

Importing this package loads neither torch nor transformers; they come with the first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .model import RewardModel as RewardModel
    from .model import load as load
    from .runtime import LocalRuntime as LocalRuntime
    from .scorers.factory import create_scorer as create_scorer
    from .scores import Scores as Scores
    from .selection import Rule as Rule
    from .selection import Selection as Selection
    from .selection import select as select
    from .weights.locate import WeightSettings as WeightSettings

__version__ = "0.1.0"

_HOMES = {
    "RewardModel": "model",
    "load": "model",
    "LocalRuntime": "runtime",
    "create_scorer": "scorers.factory",
    "Scores": "scores",
    "Rule": "selection",
    "Selection": "selection",
    "select": "selection",
    "WeightSettings": "weights.locate",
}
__all__ = ["__version__", "available_models", *sorted(_HOMES)]


def available_models() -> list[str]:
    """Names that :func:`load` knows."""
    from .scorers.registry import scorer_ids

    return scorer_ids()


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
