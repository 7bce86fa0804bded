"""What stands in a LoRA's file about it, under the names that programs read.

Automatic1111, Forge and Forge Neo show ``ss_…`` and ``modelspec.…`` (``extensions-builtin/Lora/network.py`` and
``ui_edit_user_metadata.py``), choose by ``ss_base_model_version`` and ``ss_v2`` which LoRAs they offer for a checkpoint, and call a
LoRA by its ``ss_output_name``. The names are those of sd-scripts (``train_util.py``, ``sai_model_spec.py``).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ..bases.schedule import Prediction
from .adapter import Adapter
from .names import DENOISER

MARK = "imagereward.refl"
"""Under this name stands which run of ours wrote a file."""
_VERSION_2_WIDTH = 1024
"""Width of what the UNet of Stable Diffusion 2 attends to."""


@dataclass(frozen=True, kw_only=True)
class LoraFacts:
    """What is said about a LoRA in its file.

    Attributes:
        name: What hosts call it.
        run: Identity of the run that made it; a later save of the same run may replace its file.
        base: Name of the model that it changes.
        base_sha256: Of that model's file; empty where it is a folder.
        reward: The scorer it was tuned to.
        method: How.
        updates: How many.
        learning_rate: At the beginning.
        seed: Of all random choices.
        resolution: Width and height of the pictures it was tuned on.
        started: When, in seconds since 1970.
        description: A sentence for people.
        more: Anything else to keep: settings, what was measured.
    """

    name: str
    run: str
    base: str = ""
    base_sha256: str = ""
    reward: str = ""
    method: str = ""
    updates: int = 0
    learning_rate: float = 0.0
    seed: int = 0
    resolution: tuple[int, int] | None = None
    started: float | None = None
    description: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


def metadata_of(
    facts: LoraFacts, adapter: Adapter, prediction: Prediction, *, folded: bool
) -> dict[str, str]:
    """All of it as text, as the format asks.

    Args:
        facts: What the caller knows.
        adapter: The LoRA.
        prediction: ``epsilon``, ``v_prediction`` or ``flow``.
        folded: Whether the factor is in the second matrices already, and the file has no alpha.
    """
    version, architecture = _model(adapter, prediction)
    alpha = adapter.rank if folded else adapter.alpha
    own = {
        "reward": facts.reward,
        "method": facts.method,
        "updates": facts.updates,
        "rank": adapter.rank,
        "alpha": adapter.alpha,
        "base": facts.base,
        "base_sha256": facts.base_sha256,
        "layers": len(adapter.places),
        **facts.more,
    }
    found: dict[str, Any] = {
        "ss_output_name": facts.name,
        "ss_base_model_version": version,
        "ss_v2": version.startswith("sd_v2"),
        "ss_sd_model_name": facts.base,
        "ss_new_sd_model_hash": facts.base_sha256,
        "ss_network_module": "networks.lora",
        "ss_network_dim": adapter.rank,
        "ss_network_alpha": f"{alpha:g}",
        "ss_network_args": json.dumps({"conv_dim": str(adapter.rank), "conv_alpha": f"{alpha:g}"})
        if _has_convolutions(adapter)
        else None,
        "ss_steps": facts.updates,
        "ss_max_train_steps": facts.updates,
        "ss_learning_rate": facts.learning_rate,
        "ss_seed": facts.seed,
        "ss_resolution": facts.resolution,
        "ss_training_started_at": facts.started,
        "ss_training_comment": facts.description,
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.architecture": f"{architecture}/lora",
        "modelspec.implementation": "https://github.com/huggingface/diffusers",
        "modelspec.title": facts.name,
        "modelspec.description": facts.description,
        "modelspec.prediction_type": {"epsilon": "epsilon", "v_prediction": "v"}.get(prediction),
        "modelspec.resolution": f"{facts.resolution[0]}x{facts.resolution[1]}" if facts.resolution else None,
        "modelspec.date": _date(facts.started),
        MARK: facts.run,
        "imagereward.facts": json.dumps(own, ensure_ascii=False, sort_keys=True, default=str),
    }
    return {
        name: str(value)
        for name, value in {"format": "pt", **found}.items()
        if value is not None and value != ""
    }


def _has_convolutions(adapter: Adapter) -> bool:
    """Of more than one pixel; sd-scripts gives those a rank of their own."""
    return any(math.prod(each.shape[2:]) > 1 for each in adapter.parameters())


def _model(adapter: Adapter, prediction: Prediction) -> tuple[str, str]:
    """What sd-scripts calls the model, in ``ss_base_model_version`` and in ``modelspec.architecture``."""
    if adapter.kind != "sd":
        return {
            "sdxl": ("sdxl_base_v1-0", "stable-diffusion-xl-v1-base"),
            "sd3": ("sd3", "stable-diffusion-3"),
            "flux": ("flux1", "flux-1-dev"),
        }[adapter.kind]
    unet: Any = adapter.networks[DENOISER]
    if unet.config.cross_attention_dim != _VERSION_2_WIDTH:
        return "sd_v1", "stable-diffusion-v1"
    if prediction == "v_prediction":
        return "sd_v2_v", "stable-diffusion-v2-768-v"
    return "sd_v2", "stable-diffusion-v2-512"


def _date(started: float | None) -> str | None:
    if started is None:
        return None
    return datetime.fromtimestamp(started, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
