"""FID against scipy on features that are cheap, and once through the real network with random weights."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from imagereward_core.cli.main import main
from imagereward_core.errors import ImageError
from imagereward_lab.data.ranking import Ranking
from imagereward_lab.evaluation.generators.fid import (
    distances,
    fid_section,
    moments_of,
    pictures_by_generator,
)
from tests.support.lab.generators import draw_generators
from tests.support.oracles import import_torchvision


class Noise:
    """Pictures by name, of two sizes, one of which cannot be read."""

    def open(self, name):
        if name == "broken":
            raise ImageError("broken")
        generator, number = name.split("-")
        rng = np.random.default_rng([ord(generator), int(number)])
        side = 4 + int(number) % 2
        pixels = rng.integers(0, 256 if generator == "a" else 128, (side, side, 3), dtype=np.uint8)
        return Image.fromarray(pixels)

    def path(self, name):
        raise NotImplementedError


def features(images):
    assert len({image.size for image in images}) == 1, "pictures of one size alone can be a batch"
    return np.stack([np.asarray(image, dtype=np.float32).reshape(-1, 3).mean(axis=0) for image in images])


def test_fid_is_that_of_scipy_on_the_same_features_and_a_broken_picture_is_left_out():
    linalg = pytest.importorskip("scipy.linalg")
    names = {each: [f"{each}-{at}" for at in range(50)] for each in "ab"}
    told = []
    reference = moments_of(Noise(), [f"r-{at}" for at in range(40)], features, 3)
    found = distances(
        Noise(), {**names, "c": ["broken", "c-1"]}, reference, 2, features, lambda: told.append(1)
    )
    assert found.counts == {"a": 50, "b": 50, "c": 1} and found.unreadable == 3 and len(told) == 102
    assert np.isnan(found.values["c"])
    other = np.concatenate([features([Noise().open(f"r-{at}")]) for at in range(40)]).astype(np.float64)
    for each in "ab":
        own = np.concatenate([features([Noise().open(name)]) for name in names[each]]).astype(np.float64)
        first, second = np.cov(own, rowvar=False), np.cov(other, rowvar=False)
        apart = own.mean(axis=0) - other.mean(axis=0)
        expected = apart @ apart + np.trace(first + second - 2 * np.real(linalg.sqrtm(first @ second)))
        assert found.values[each] == pytest.approx(expected, rel=1e-6)
    section = fid_section(found, "coco")
    assert [row[0] for row in section.tables[0].rows][-1] == "c"
    assert any("different numbers of pictures" in text for text in section.sentences)
    assert any("not with published ones" in text for text in section.sentences)


def test_a_picture_counts_once_for_each_generator():
    rankings = [
        Ranking("p", ("1", "2", "2"), sources=("a", "a", "b")),
        Ranking("q", ("1", "3"), sources=("a", "b")),
    ]
    assert pictures_by_generator(("a", "b"), rankings) == {"a": ["1", "2"], "b": ["2", "3"]}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("IMAGEREWARD_MODELS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    draw_generators(tmp_path / "g", prompts=2, pictures=1)
    return tmp_path / "g"


def compare(folder, *more):
    return main(
        [
            "compare-models",
            str(folder / "good"),
            str(folder / "noisy"),
            "-s",
            "demo",
            "--resamples",
            "100",
            *more,
        ]
    )


def test_fid_through_the_network_with_weights_from_a_file(folder, capsys):
    """The real network of torch-fidelity; a folder is at no distance from itself."""
    import_torchvision()
    module = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    import safetensors.torch
    import torch

    class Untrained(module.FeatureExtractorInceptionV3):
        def load_state_dict(self, *_):
            return None

    torch.manual_seed(0)
    empty = folder / "empty.pt"
    torch.save({}, empty)
    network = Untrained("inception", ["2048"], feature_extractor_weights_path=str(empty))
    weights = folder / "inception.safetensors"
    safetensors.torch.save_file(network.state_dict(), weights)
    more = ("--fid-reference", str(folder / "good"), "--fid-weights", str(weights), "-f", "json")
    assert compare(folder, *more) == 0
    document = json.loads(capsys.readouterr().out)
    fid = {row["group"]: row["value"] for row in document["figures"] if row["measure"] == "FID"}
    assert fid["good"] == pytest.approx(0.0, abs=1e-4 * fid["noisy"]) and fid["noisy"] > 0
    other = folder / "other.safetensors"
    safetensors.torch.save_file({"weight": torch.zeros(1)}, other)
    assert compare(folder, *more[:2], "--fid-weights", str(other)) == 3
    assert "do not fit" in capsys.readouterr().err


def test_a_file_of_weights_that_runs_code_is_refused(folder, capsys, monkeypatch):
    import_torchvision()
    pytest.importorskip("torch_fidelity")
    import torch

    class Runs:
        def __reduce__(self):
            return print, ("executed",)

    torch.save({"a": Runs()}, folder / "bad.pt")
    assert compare(folder, "--fid-reference", str(folder), "--fid-weights", str(folder / "bad.pt")) == 3
    captured = capsys.readouterr()
    assert "executed" not in captured.out + captured.err
    assert "expected the file weights-inception" in captured.err


def test_without_the_package_or_the_weights_one_sentence_says_what_to_do(folder, capsys, monkeypatch):
    assert compare(folder, "--fid-reference", str(folder)) == 2
    text = capsys.readouterr().err
    assert "--fid-weights FILE" in text and "https://github.com/toshas/torch-fidelity" in text
    monkeypatch.setitem(__import__("sys").modules, "torch_fidelity.feature_extractor_inceptionv3", None)
    weights = folder / "x.pth"
    weights.touch()
    assert compare(folder, "--fid-reference", str(folder / "good"), "--fid-weights", str(weights)) == 3
    assert "pip install 'imagereward-curator[fid]'" in capsys.readouterr().err
