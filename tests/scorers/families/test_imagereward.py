"""The scorer's promises: same number everywhere, each picture for itself, nothing lost when the device is full."""

from __future__ import annotations

import io
import math
import random

import numpy as np
import pytest
import torch
from PIL import Image

from imagereward_core.errors import Cancelled, ImageError, PromptError
from imagereward_core.images.preprocess import normalize
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.inputs import prepare
from tests.support.tiny import TINY, tiny_scorer

# One forward in a batch and one alone differ by the order in which a matrix product is summed.
ROUNDING = 2e-5


def picture(seed: int, size: tuple[int, int] = (48, 40), mode: str = "RGB") -> Image.Image:
    """A smooth picture with a few shapes, different for every seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).convert(mode)


def pictures(number: int) -> list[Image.Image]:
    sizes = [(48, 40), (33, 71), (200, 64), (32, 32), (31, 90)]
    return [picture(seed, sizes[seed % len(sizes)]) for seed in range(number)]


PROMPTS = ["a cat", "b", "", "a long prompt about many things in a room", "dog, cat", "a cat", "z y x", "b"]


@pytest.fixture
def scorer(tmp_path):
    return tiny_scorer(tmp_path)


@pytest.fixture
def alone(scorer):
    """Each picture with its prompt scored in a call of its own."""
    return np.array(
        [scorer.score([image], prompt).values[0] for image, prompt in zip(pictures(8), PROMPTS, strict=True)]
    )


def test_scores_tell_pictures_and_prompts_apart(alone):
    assert len(set(alone.round(3).tolist())) == 8 and alone.std() > 0.05


@pytest.mark.parametrize("batch_size", [1, 2, 3, 8, 100])
def test_score_does_not_depend_on_batch_size(tmp_path, alone, batch_size):
    scores = tiny_scorer(tmp_path, batch_size=batch_size).score(pictures(8), PROMPTS)
    np.testing.assert_allclose(scores.values, alone, atol=ROUNDING, rtol=0)


def test_score_does_not_depend_on_order(scorer, alone):
    order = list(range(8))
    random.Random(1).shuffle(order)
    images = pictures(8)
    scores = scorer.score([images[i] for i in order], [PROMPTS[i] for i in order])
    np.testing.assert_allclose(scores.values, alone[order], atol=ROUNDING, rtol=0)


def test_score_does_not_depend_on_batch_mates(scorer, alone):
    mates = [picture(100 + seed, mode="L") for seed in range(5)]
    scores = scorer.score([*mates, pictures(8)[3]], [*["other words"] * 5, PROMPTS[3]])
    assert scores.values[-1] == pytest.approx(alone[3], abs=ROUNDING)


def test_scores_equal_the_plain_forward_pass(scorer, alone):
    network = scorer.network
    for image, prompt, expected in zip(pictures(8), PROMPTS, alone, strict=True):
        ids = torch.tensor([scorer.encoder(prompt).ids])
        pixels = normalize(prepare(image, scorer.spec)[None], scorer.spec)
        with torch.no_grad():
            assert network(ids, torch.ones_like(ids), pixels).item() == pytest.approx(expected, abs=ROUNDING)


def test_every_kind_of_input_gives_the_same_number(scorer, tmp_path):
    image = picture(5)
    path = tmp_path / "schönes Bild 画.png"
    image.save(path)
    array = np.asarray(image)
    tensor = torch.from_numpy(array.astype(np.float32) / 255)
    scores = scorer.score([image, path, str(path), array, array.astype(np.float32) / 255, tensor], "a cat")
    assert not scores.failures
    np.testing.assert_allclose(scores.values, scores.values[0], atol=ROUNDING, rtol=0)
    batch = scorer.score(torch.stack([tensor, tensor]), "a cat")
    np.testing.assert_allclose(batch.values, scores.values[0], atol=ROUNDING, rtol=0)


def test_a_bad_picture_fails_for_itself_alone(scorer, tmp_path, alone):
    zero, text, cut = tmp_path / "zero.png", tmp_path / "text.jpg", tmp_path / "cut.png"
    zero.write_bytes(b"")
    text.write_text("not a picture")
    buffer = io.BytesIO()
    picture(1, (64, 64)).save(buffer, "PNG")
    cut.write_bytes(buffer.getvalue()[:-200])
    nan = torch.full((8, 8, 3), math.nan)
    images = [pictures(8)[0], zero, text, tmp_path / "missing.png", cut, nan, tmp_path, pictures(8)[1]]
    scores = scorer.score(images, [PROMPTS[0], *["x"] * 6, PROMPTS[1]])
    assert sorted(scores.failures) == [1, 2, 3, 4, 5, 6]
    assert all(scores.failures.values())
    np.testing.assert_allclose(scores.values[[0, 7]], alone[:2], atol=ROUNDING, rtol=0)


def test_only_bad_pictures_give_only_reasons(scorer):
    scores = scorer.score(["/no/such.png", "/nor/this.png"], "a")
    assert np.isnan(scores.values).all() and len(scores.failures) == 2


def test_nothing_in_nothing_out(scorer):
    assert len(scorer.score([], "a")) == 0
    assert len(scorer.score(torch.zeros(0, 8, 8, 3), [])) == 0


def test_a_picture_is_encoded_once_for_all_its_prompts(scorer, monkeypatch):
    seen = []
    encode = scorer.network.encode_images
    monkeypatch.setattr(
        scorer.network, "encode_images", lambda pixels: seen.append(len(pixels)) or encode(pixels)
    )
    image = picture(2)
    together = scorer.score([image] * 4, ["a", "b", "c", "a"])
    assert seen == [1]
    apart = [scorer.score([image], prompt).values[0] for prompt in ["a", "b", "c", "a"]]
    np.testing.assert_allclose(together.values, apart, atol=ROUNDING, rtol=0)


def test_matrix_equals_pairs(scorer):
    images, prompts = pictures(3), ["a cat", "b", "a long prompt about many things"]
    matrix = scorer.score_matrix([*images, "/no/such.png"], prompts)
    assert matrix.shape == (4, 3) and np.isnan(matrix[3]).all()
    pairs = scorer.score([image for image in images for _ in prompts], prompts * 3)
    np.testing.assert_allclose(matrix[:3].ravel(), pairs.values, atol=ROUNDING, rtol=0)


def test_cut_prompts_are_told(scorer):
    scores = scorer.score(pictures(2), ["a", "one two three four five six"])
    assert scores.truncated == (False, True)
    assert scores.cut[1] and "one two three four five six".endswith(scores.cut[1])


def test_prompts_must_fit_the_pictures(scorer):
    with pytest.raises(PromptError, match="3 prompts for 2 pictures"):
        scorer.score(pictures(2), ["a", "b", "c"])
    with pytest.raises(PromptError, match="prompt 1 is float"):
        scorer.score(pictures(2), ["a", 1.0])


def test_one_picture_instead_of_a_list_is_refused(scorer, tmp_path):
    for wrong in (
        picture(1),
        tmp_path / "a.png",
        "a.png",
        np.zeros((4, 4, 3), np.uint8),
        torch.zeros(4, 4, 3),
    ):
        with pytest.raises(ImageError, match="expected"):
            scorer.score(wrong, "a")


class Full(LocalRuntime):
    """A runtime whose device holds only so many pictures."""

    def __init__(self, room: int) -> None:
        super().__init__("cpu", "fp32")
        self.room = room

    def limit(self, network) -> None:
        encode = network.encode_images

        def encode_or_fail(pixels):
            if len(pixels) > self.room:
                raise torch.cuda.OutOfMemoryError("out of memory, as a full device says it")
            return encode(pixels)

        network.encode_images = encode_or_fail


@pytest.mark.parametrize("room", [1, 3])
def test_a_full_device_halves_the_batch_and_goes_on(tmp_path, alone, room):
    runtime = Full(room)
    scorer = tiny_scorer(tmp_path, runtime)
    runtime.limit(scorer.network)
    np.testing.assert_allclose(scorer.score(pictures(8), PROMPTS).values, alone, atol=ROUNDING, rtol=0)


def test_a_device_too_full_for_one_picture_raises(tmp_path):
    runtime = Full(0)
    scorer = tiny_scorer(tmp_path, runtime)
    runtime.limit(scorer.network)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        scorer.score(pictures(2), "a")


def test_a_broken_network_raises_instead_of_giving_numbers(scorer, monkeypatch):
    monkeypatch.setattr(scorer.network, "encode_images", lambda pixels: pixels.no_such_thing)
    with pytest.raises(AttributeError):
        scorer.score(pictures(2), "a")


def test_a_score_that_is_no_number_is_a_failure_with_a_reason(scorer):
    with torch.no_grad():
        scorer.network.mlp.layers[0].bias.fill_(math.inf)
    scores = scorer.score(pictures(2), "a")
    assert np.isnan(scores.values).all() and "finite" in scores.failures[0]


def test_cancelling_stops_within_one_chunk(tmp_path):
    done = []
    runtime = LocalRuntime(
        "cpu", "fp32", progress=lambda n, _: done.append(n), cancelled=lambda: bool(done) and done[-1] >= 4
    )
    scorer = tiny_scorer(tmp_path, runtime, batch_size=2)
    with pytest.raises(Cancelled):
        scorer.score(pictures(8), "a")
    assert max(done) == 4


def test_progress_counts_every_picture_to_the_end(tmp_path):
    told = []
    runtime = LocalRuntime("cpu", "fp32", progress=lambda done, total: told.append((done, total)))
    tiny_scorer(tmp_path, runtime, batch_size=3).score([*pictures(4), "/no/such.png"], "a")
    assert told[-1] == (5, 5)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_no_gradient_graph_is_kept(scorer):
    scorer.network.requires_grad_(True)
    scorer.score(pictures(2), "a")
    assert all(
        parameter.grad_fn is None and parameter.grad is None for parameter in scorer.network.parameters()
    )


def test_whole_picture_option_is_marked_and_sees_the_ends(tmp_path):
    from dataclasses import replace

    plain, whole = tiny_scorer(tmp_path), tiny_scorer(tmp_path)
    whole.tower.spec = replace(whole.spec, framing="pad")
    one, two = picture(1, (200, 64)), picture(1, (200, 64))
    two.paste((255, 0, 0), (0, 0, 40, 64))
    assert np.ptp(plain.score([one, two], "a").values) < ROUNDING
    seen = whole.score([one, two], "a")
    assert np.ptp(seen.values) > 1e-3
    assert not seen.on_reference and np.isnan(seen.percentiles()).all()


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_stays_near_and_gives_float_scores(tmp_path, alone, precision, monkeypatch):
    monkeypatch.setattr("imagereward_core.runtime.cpu_has_fp16", lambda: True)
    scores = tiny_scorer(tmp_path, LocalRuntime("cpu", precision)).score(pictures(8), PROMPTS)
    assert np.abs(scores.values - alone).max() < 0.1 * alone.std()
    assert TINY.head.std > 1  # the published scale is applied
