"""Scorers alone, side by side and blended; how one is made ready, and what its number means.

``families`` has one file for each kind of scorer, ``tokenizers`` the ways from text to token ids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .base import Scorer as Scorer
    from .blend import Blend as Blend
    from .blend import BlendScorer as BlendScorer
    from .cache import ScorerCache as ScorerCache
    from .engine import PictureScorer as PictureScorer
    from .factory import Maker as Maker
    from .factory import create_scorer as create_scorer
    from .meaning import explain as explain
    from .panel import Panel as Panel
    from .panel import PanelResult as PanelResult
    from .registry import list_scorers as list_scorers
    from .requests import LoadRequest as LoadRequest

_HOMES = {
    "Blend": "blend",
    "BlendScorer": "blend",
    "LoadRequest": "requests",
    "Maker": "factory",
    "Panel": "panel",
    "PanelResult": "panel",
    "PictureScorer": "engine",
    "Scorer": "base",
    "ScorerCache": "cache",
    "create_scorer": "factory",
    "explain": "meaning",
    "list_scorers": "registry",
}
__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazy(__name__, _HOMES)
