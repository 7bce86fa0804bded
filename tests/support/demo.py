"""The demo model for tests that load it again and again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from imagereward_core.scorers.families import imagereward
from imagereward_core.weights.bundled import MODEL_FOLDER

_networks: dict[tuple[Any, ...], Any] = {}


def load_demo_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For one test, the demo's network is read from its file by the first who asks in this process; scoring changes nothing in it."""
    load = imagereward.load_network

    def known(config: Any, checkpoint: Path, dtype: Any, *rest: Any) -> Any:
        if Path(checkpoint).parent != MODEL_FOLDER:
            return load(config, checkpoint, dtype, *rest)
        key = (config, Path(checkpoint), dtype, *rest)
        if key not in _networks:
            _networks[key] = load(config, checkpoint, dtype, *rest)
        return _networks[key]

    monkeypatch.setattr(imagereward, "load_network", known)
