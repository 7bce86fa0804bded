"""A new scorer is one file beside its card: dropped into a copy of the package, it is listed, loaded and written by its key."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from imagereward_core.scorers.family import builder_of, network_of
from imagereward_core.weights.cards import BACKBONES, CARDS
from tests.support import ROOT

CARD = """
from ...images.spec import CLIP_SPEC
from ..card import ScorerCard, WeightFile

TOY = ScorerCard(
    id="Toy", title="Redness", summary="How red a picture is.", paper="", licence="MIT", layout="toy",
    checkpoint=(WeightFile(name="toy.safetensors"),), family="toy", metadata_key="ToyRed", image=CLIP_SPEC,
    token_limit=None, needs_prompt=False, typical_range=None, distribution=None,
)
"""
FAMILY = """
import torch
from torch import nn

from ..engine import PictureScorer
from ..family import Network, family


class Redness(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(size))

    def encode_images(self, pixels):
        return pixels.mean((2, 3)) @ self.weight[:, None]


class ToyScorer(PictureScorer):
    def rewards(self, features, prompts, rows=None):
        values = features[:, 0].double()
        return values if rows is None else values[list(rows)]


@family("toy", toy=Network(sizes=lambda: 3, make=Redness, dtype=lambda name, dtype: torch.float32))
def build(parts):
    network = parts.network()
    return ToyScorer(parts.card, parts.tower(network, network.encode_images), **parts.common)
"""


def test_every_card_has_a_builder_and_every_layout_a_network():
    for card in CARDS.values():
        assert callable(builder_of(card))
    for card in (*CARDS.values(), *BACKBONES.values()):
        assert not card.layout or network_of(card.layout).sizes()


def test_keys_in_metadata_are_of_one_scorer_each():
    keys = [card.metadata_key for card in CARDS.values()]
    assert all(keys) and len(set(keys)) == len(keys)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A folder with a copy of the package, the toy's two files in it, its weights, and a red and a blue picture."""
    base = tmp_path_factory.mktemp("toy")
    shutil.copytree(
        ROOT / "imagereward_core", base / "imagereward_core", ignore=shutil.ignore_patterns("__pycache__")
    )
    (base / "imagereward_core" / "weights" / "cards" / "toy.py").write_text(CARD, encoding="utf-8")
    (base / "imagereward_core" / "scorers" / "families" / "toy.py").write_text(FAMILY, encoding="utf-8")
    (base / "models" / "Toy").mkdir(parents=True)
    save_file({"weight": torch.tensor([1.0, -1.0, -1.0])}, base / "models" / "Toy" / "toy.safetensors")
    for name, color in (("a blue", (0, 0, 255)), ("a red", (255, 0, 0))):
        Image.new("RGB", (64, 64), color).save(base / f"{name}.png")
    return base


def run(copy, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(copy), "IMAGEREWARD_MODELS": str(copy / "models")}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_files_make_a_scorer_that_the_command_lists_and_scores_with(copy):
    assert "Toy" in run(copy, "-m", "imagereward_core", "models", "list")
    out = run(copy, "-m", "imagereward_core", "rank", "-s", "Toy", "-f", "json", "a blue.png", "a red.png")
    rows = json.loads(out)["rows"]
    assert [row["file"] for row in rows] == ["a red.png", "a blue.png"]
    assert rows[0]["score"] > 0 > rows[1]["score"]


def test_its_key_stands_in_metadata(copy):
    code = "from imagereward_core.metadata.score_keys import is_score_key, score_key; print(score_key('Toy'), is_score_key('ToyRed'))"
    assert run(copy, "-c", code).split() == ["ToyRed", "True"]
