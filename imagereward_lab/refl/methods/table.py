"""The methods by name."""

from __future__ import annotations

from . import alignprop, draft_k, refl
from .rollout import Method

METHODS: dict[str, Method] = {each.name: each for each in (refl.METHOD, draft_k.METHOD, alignprop.METHOD)}
