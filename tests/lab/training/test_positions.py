"""A start for pictures of another size: positions as BLIP interpolates them, and a scorer that is one afterwards."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from imagereward_core.cli.main import main
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.factory import create_scorer
from imagereward_core.weights.locate import WeightSettings
from imagereward_lab.training.errors import TrainingError
from imagereward_lab.training.export import ExportError, Made, check_change, export
from imagereward_lab.training.networks.positions import interpolated
from imagereward_lab.training.networks.starts import open_start


def cubic(distance):
    """Keys' kernel with a = -0.75."""
    x, a = abs(distance), -0.75
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0


def weights(old, new):
    """[new, old]: how much each old place gives to each new one; places beyond the edge are the edge's."""
    found = np.zeros((new, old))
    for place in range(new):
        centre = (place + 0.5) * old / new - 0.5
        first = int(np.floor(centre))
        for tap in range(first - 1, first + 3):
            found[place, min(max(tap, 0), old - 1)] += cubic(centre - tap)
    return found


@pytest.mark.parametrize(("old", "new"), [(14, 24), (14, 9), (4, 5), (3, 1)])
def test_positions_are_those_of_a_bicubic_interpolation_by_hand(old, new):
    positions = torch.randn(1, 1 + old * old, 6, generator=torch.Generator().manual_seed(old * new))
    found = interpolated(positions, new)
    across = weights(old, new)
    grid = positions[0, 1:].double().numpy().reshape(old, old, 6)
    expected = np.einsum("ya,xb,abc->yxc", across, across, grid).reshape(new * new, 6)
    assert torch.equal(found[:, :1], positions[:, :1]), "the class token has no place"
    np.testing.assert_allclose(found[0, 1:].numpy(), expected, atol=2e-5)


def test_a_start_of_its_own_size_stays_as_it_is():
    positions = torch.randn(1, 17, 3)
    assert interpolated(positions, 4) is positions


def test_a_scorer_of_another_size_scores_as_the_network_it_was_made_from(tmp_path):
    usual = open_start("demo", WeightSettings())
    size = usual.trainee.spec.size
    start = open_start("demo", WeightSettings(), vision_size=size * 2)
    assert start.trainee.spec.size == size * 2 and not start.whole
    tower = start.trainee.network.blip.visual_encoder
    assert tower.pos_embed.requires_grad and tower.pos_embed.shape[1] == tower.config.tokens
    with pytest.raises(ExportError, match="positions"):
        check_change(start)
    made = Made("large", [0.0, 1.0, 2.0])
    path = export(start, made, tmp_path)
    assert json.loads((tmp_path / "large.card.json").read_text())["image"]["size"] == size * 2
    scorer = create_scorer(path, LocalRuntime("cpu", "fp32"), WeightSettings())
    picture = Image.effect_noise((size * 2, size * 2), 80).convert("RGB")
    score = scorer.score([picture], "a red star")
    assert not score.failures
    network = start.trainee.network.eval()
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255
    spec = start.trainee.spec
    pixels = (pixels - torch.tensor(spec.mean).view(3, 1, 1)) / torch.tensor(spec.std).view(3, 1, 1)
    ids, mask = start.trainee.tokens(["a red star"])
    with torch.no_grad():
        features = network.encode_images(pixels)
        rows = texts = torch.zeros(1, dtype=torch.long)
        reward = start.trainee.rewards(features, ids, mask, rows, texts)
    expected = (float(reward) - 1.0) / np.std([0.0, 1.0, 2.0])
    assert float(score.values[0]) == pytest.approx(expected, abs=1e-4)


def test_sizes_that_do_not_fit_and_starts_without_positions_are_told(tmp_path, capsys):
    with pytest.raises(TrainingError, match="expected a multiple of that, such as"):
        open_start("demo", WeightSettings(), vision_size=61)
    (tmp_path / "r.jsonl").write_text(
        "".join(
            json.dumps({"prompt": f"p{n}", "images": ["a", "b"], "ranks": [1, 2], "split": split}) + "\n"
            for n, split in enumerate(("train", "validation"))
        )
    )
    arguments = ("--start", "CLIP", "--vision-size", "336", "--offline", "--dry-run")
    assert main(["train", str(tmp_path / "r.jsonl"), "-o", str(tmp_path / "run"), *arguments]) != 0
    assert "--vision-size" in capsys.readouterr().err
