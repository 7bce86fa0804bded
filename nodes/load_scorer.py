"""Load Scorer: which scorer judges, in which precision, on which device."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..imagereward_core.runtime import DEVICES
from ..imagereward_core.scorers.requests import LoadRequest
from .host.scorer_cache import choices, load, load_key
from .inputs import setting_input
from .schema import SCORER, dropdown, entry, output, schema
from .text import about


class LoadScorer(io.ComfyNode):
    """Makes a scorer, or a blend of scorers, ready."""

    @classmethod
    def define_schema(cls) -> Any:
        """See the host's V3 schema."""
        from ..imagereward_core.weights.cards import CARDS

        names = choices()
        return schema(
            "LoadScorer",
            "Load Scorer",
            "Loads a model that judges pictures: how well they fit their prompt and how much people like them. Weights are looked for in "
            "models/imagereward (and extra_model_paths.yaml, key imagereward) and downloaded at first use; afterwards it works offline. "
            "'demo' is built in and judges drawn scenes only.",
            [
                dropdown(
                    "scorer",
                    names,
                    "The model. ImageReward judges prompt and quality together; Aesthetic needs no prompt; demo needs no download. "
                    "Blends saved in models/imagereward/blends.json and your own checkpoints in models/imagereward are listed as well.",
                ),
                setting_input(LoadRequest, "precision"),
                setting_input(
                    LoadRequest,
                    "device",
                    words=dict(zip(DEVICES, DEVICES)),
                    more="auto: the device ComfyUI computes on. cpu: leaves the graphics card to the image model; slower.",
                ),
                entry(
                    io.String,
                    "blend",
                    "Several scorers as one, instead of the scorer above: names with weights, then an at sign and rank, "
                    "standard or weighted. Leave empty to use the scorer above.",
                    default="",
                    placeholder="ImageReward-v1.0=0.7,PickScore=0.3@rank",
                    folded=True,
                ),
                setting_input(
                    LoadRequest,
                    "whole_picture",
                    folded=True,
                    label_on="pad to a square",
                    label_off="as published",
                ),
                setting_input(LoadRequest, "batch_size", folded=True),
                setting_input(LoadRequest, "allow_download", folded=True),
            ],
            [
                output(SCORER, "loaded_scorer", "For Score Images.", "scorer"),
                output(
                    io.String,
                    "about",
                    "What the scorer judges, its typical numbers, its limits and its licence.",
                ),
            ],
            ("ImageReward", *CARDS, "CLIP score", "BLIP score", "reward model loader"),
        )

    @classmethod
    def fingerprint_inputs(cls, **inputs: Any) -> str:
        """Changes when the files of the scorer do."""
        return load_key(_request(**inputs))

    @classmethod
    def execute(cls, **inputs: Any) -> Any:
        """Finds, downloads and loads."""
        scorer = load(_request(**inputs))
        panel = scorer.panel
        return io.NodeOutput(scorer, about(panel.card, panel.main.revision, panel.warnings()))


def _request(scorer: str = "", blend: str = "", **chosen: Any) -> LoadRequest:
    return LoadRequest((blend or "").strip() or scorer or "", **chosen)


NODES = [LoadScorer]
