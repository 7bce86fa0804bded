"""Scores pictures against their prompts with human-preference reward models, first of all ImageReward (arXiv 2304.05977).

    import imagereward_core as RM

    model = RM.load("ImageReward-v1.0")
    rewards = model.score("a painting of an ocean", ["1.webp", "2.webp"])

Importing this package loads neither torch nor transformers; they come with the first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lazy import lazy

if TYPE_CHECKING:
    from .library import Library as Library
    from .metrics import kendall_tau_b as kendall_tau_b
    from .metrics import percentiles as percentiles
    from .metrics import preference_accuracy as preference_accuracy
    from .metrics import spearman as spearman
    from .model import RewardModel as RewardModel
    from .model import load as load
    from .runtime import LocalRuntime as LocalRuntime
    from .scorers.factory import create_scorer as create_scorer
    from .scorers.registry import list_scorers as list_scorers
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
    "list_scorers": "scorers.registry",
    "Library": "library",
    "kendall_tau_b": "metrics",
    "percentiles": "metrics",
    "preference_accuracy": "metrics",
    "spearman": "metrics",
    "Scores": "scores",
    "Rule": "selection",
    "Selection": "selection",
    "select": "selection",
    "WeightSettings": "weights.locate",
}
__all__ = ["__version__", "available_models", *sorted(_HOMES)]
__getattr__, _names = lazy(__name__, _HOMES)


def available_models() -> list[str]:
    """Names that :func:`load` knows; the reference's name for :func:`list_scorers`."""
    from .scorers.registry import list_scorers

    return list_scorers()


def __dir__() -> list[str]:
    return __all__
