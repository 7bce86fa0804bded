"""Scorers called together: the same numbers as alone, for less work."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from imagereward_core.errors import Cancelled, NumberError
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers import inputs as decoding
from imagereward_core.scorers.engine import Tower, score_together
from imagereward_core.scorers.families.aesthetic import AestheticScorer
from imagereward_core.scorers.families.cosine import CosineScorer
from tests.support.tiny import CARD, tiny_network, tiny_scorer

ROUNDING = 2e-5
PROMPTS = ["a cat", "b", "a cat", "dog, cat", "b"]


def pictures(number: int = 5) -> list[Image.Image]:
    rng = np.random.default_rng(3)
    return [
        Image.fromarray(rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)).resize((40 + i, 50), Image.BICUBIC)
        for i in range(number)
    ]


class Counted(Tower):
    """A tower over the image half of the tiny network that counts what goes through it."""

    def __init__(self, spec=CARD.image, seed: int = 0) -> None:
        network = tiny_network(seed)
        super().__init__(network, spec, self._encode)
        self.seen: list[int] = []

    def _encode(self, pixels):
        self.seen.append(len(pixels))
        return self.network.blip.vision_proj(self.network.encode_images(pixels)[:, 0])


def cosine(tower: Counted, tmp_path, runtime=None, **more) -> CosineScorer:
    """A cosine scorer with tiny random towers for pictures and prompts."""
    blip = tower.network.blip

    def encode_texts(ids, mask):
        return blip.text_proj(blip.text_encoder(ids, mask, first_only=True)[:, 0])

    tokenizer = tiny_scorer(tmp_path).encoder
    card = replace(CARD, id="cosine")
    return CosineScorer(
        card, tower, runtime or LocalRuntime("cpu", "fp32"), "random", tokenizer, encode_texts, **more
    )


def looks(tower: Counted, runtime=None, **more) -> AestheticScorer:
    """A scorer of the picture alone, with a random linear head."""
    weight = torch.randn(8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    card = replace(CARD, id="looks", needs_prompt=False)
    return AestheticScorer(
        card, tower, runtime or LocalRuntime("cpu", "fp32"), "random", lambda unit: unit @ weight, **more
    )


def test_together_gives_the_numbers_of_each_alone(tmp_path):
    shared, other = Counted(), Counted(replace(CARD.image, framing="pad"), seed=5)
    scorers = [cosine(shared, tmp_path), looks(shared), tiny_scorer(tmp_path), looks(other)]
    together = score_together(scorers, pictures(), PROMPTS)
    for scorer, scores in zip(scorers, together):
        alone = [scorer.score([image], prompt).values[0] for image, prompt in zip(pictures(), PROMPTS)]
        np.testing.assert_allclose(scores.values, alone, atol=ROUNDING, rtol=0)
        assert np.ptp(scores.values) > 1e-3
    assert [scores.scorer for scores in together] == ["cosine", "looks", "tiny", "looks"]


def test_a_shared_tower_sees_every_picture_once(tmp_path):
    shared = Counted()
    score_together([cosine(shared, tmp_path), looks(shared)], pictures(), PROMPTS)
    assert sum(shared.seen) == 5


def test_a_file_is_decoded_once_for_all_scorers(tmp_path, monkeypatch):
    path = tmp_path / "one.png"
    pictures(1)[0].save(path)
    opened = []
    real = decoding.open_image
    monkeypatch.setattr(decoding, "open_image", lambda picture: opened.append(picture) or real(picture))
    other = Counted(replace(CARD.image, size=32, framing="pad"))
    score_together([looks(Counted()), looks(other), tiny_scorer(tmp_path)], [path, path], "a")
    assert opened == [path]


class Swaying(Counted):
    """A tower whose numbers move with the place in a batch, as a network's last digits do with several threads."""

    def _encode(self, pixels):
        sway = 1 + 1e-3 * (len(self.seen) + torch.arange(len(pixels), dtype=torch.float32))
        return super()._encode(pixels) * sway[:, None]


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_one_picture_in_several_files_has_one_score_wherever_it_stands(tmp_path, batch_size):
    """Ties come apart where it goes through the network twice."""
    plain = pictures(3)
    for number, image in enumerate(plain):
        image.save(tmp_path / f"{number}.png")
    others = [np.asarray(plain[0]), torch.from_numpy(np.asarray(plain[1])) / 255, plain[2].convert("RGBA")]
    files = [str(tmp_path / f"{number}.png") for number in range(3)]
    tower = Swaying()
    scorers = [looks(tower, batch_size=batch_size), cosine(tower, tmp_path, batch_size=batch_size)]
    prompts = ["a cat", "b", "a cat", "a cat", "b", "a cat", "b"]
    for scores in score_together(scorers, [*files, *others, plain[0].copy()], prompts):
        values = scores.values.tolist()
        assert values[:3] == values[3:6] and len({*values[:3], values[6]}) == 4
    assert sum(tower.seen) == 4


def test_parts_of_a_run_remember_what_was_seen(tmp_path):
    tower, memory = Swaying(), {}
    scorers = [looks(tower), tiny_scorer(tmp_path)]
    parts = [score_together(scorers, pictures(3), "a cat", memory) for _ in range(2)]
    again = score_together(scorers, pictures(3), "a cat")
    for first, second, other in zip(*parts, again):
        assert first.values.tolist() == second.values.tolist()
        assert first.scorer == "tiny" or other.values.tolist() != first.values.tolist()
    assert tower.seen == [3, 3]


def test_a_prompt_goes_through_the_text_tower_once(tmp_path):
    scorer = cosine(Counted(), tmp_path)
    lengths = []
    encode = scorer.encode_texts
    scorer.encode_texts = lambda ids, mask: lengths.append(len(ids)) or encode(ids, mask)
    first = scorer.score(pictures(), PROMPTS).values
    assert sum(lengths) == 3
    assert np.array_equal(scorer.score(pictures(), PROMPTS).values, first) and sum(lengths) == 3


def test_kept_prompts_are_limited(tmp_path, monkeypatch):
    from imagereward_core.scorers.families import cosine as module

    monkeypatch.setattr(module, "PROMPTS_KEPT", 2)
    scorer = cosine(Counted(), tmp_path)
    fresh = cosine(Counted(), tmp_path)
    for prompt in ("a", "b", "c", "a"):
        assert scorer.score(pictures(1), prompt).values[0] == pytest.approx(
            fresh.score(pictures(1), prompt).values[0], abs=ROUNDING
        )
    assert len(scorer._texts) == 2


def test_cosine_lies_between_minus_one_and_one_and_is_scaled(tmp_path):
    values = cosine(Counted(), tmp_path).score(pictures(), PROMPTS).values
    scaled = cosine(Counted(), tmp_path, scale=lambda: 100.0).score(pictures(), PROMPTS).values
    assert np.abs(values).max() <= 1.0
    np.testing.assert_allclose(scaled, 100.0 * values, atol=1e-4)


def test_a_bad_picture_fails_for_itself_in_every_scorer(tmp_path):
    images = [pictures()[0], tmp_path / "missing.png", pictures()[1]]
    for scores in score_together([looks(Counted()), tiny_scorer(tmp_path)], images, "a"):
        assert list(scores.failures) == [1] and "missing.png" in scores.failures[1]
        assert np.isfinite(scores.values[[0, 2]]).all()


def test_windows_change_nothing_but_memory(monkeypatch):
    expected = looks(Counted()).score(pictures(5), "a").values
    whole = decoding.decoded_windows
    monkeypatch.setattr(
        "imagereward_core.scorers.engine.decoded_windows",
        lambda pictures, specs: whole(pictures, specs, window=2),
    )
    tower = Counted()
    np.testing.assert_allclose(looks(tower).score(pictures(5), "a").values, expected, atol=ROUNDING, rtol=0)
    assert tower.seen == [2, 2, 1]


def test_a_full_device_halves_the_batch_of_that_tower_alone(tmp_path):
    class Small(Counted):
        def _encode(self, pixels):
            if len(pixels) > 2:
                raise RuntimeError("out of memory")
            return super()._encode(pixels)

    small, large = Small(), Counted()
    both = score_together([looks(small), looks(large)], pictures(5), "a")
    assert max(small.seen) <= 2 and large.seen == [5]
    np.testing.assert_allclose(both[0].values, both[1].values, atol=ROUNDING, rtol=0)


@pytest.mark.parametrize("number", [0, -1, -4, 1.5, math.nan, math.inf, "many", True])
def test_a_number_of_pictures_at_once_that_is_none_is_refused_when_made_and_when_set(number):
    with pytest.raises(NumberError, match="at least 1"):
        looks(Counted(), batch_size=number)
    scorer = looks(Counted())
    with pytest.raises(NumberError, match=re.escape(str(number))):
        scorer.batch_size = number
    assert scorer.batch_size is None


def test_all_pictures_go_at_once_where_the_number_is_larger_than_any(tmp_path):
    tower = Counted()
    looks(tower, batch_size=10**30).score(pictures(5), "a")
    assert tower.seen == [5]


def test_progress_counts_pictures_and_ends_at_all_of_them(tmp_path):
    told = []
    runtime = LocalRuntime("cpu", "fp32", progress=lambda done, total: told.append((done, total)))
    scorers = [
        looks(Counted(), runtime, batch_size=2),
        looks(Counted(), runtime),
        tiny_scorer(tmp_path, runtime),
    ]
    score_together(scorers, [*pictures(4), tmp_path / "missing.png"], "a")
    assert told[-1] == (5, 5) and told == sorted(told)
    assert [done for done, _ in told].count(5) == 1


def test_stopping_comes_before_the_next_batch(tmp_path):
    tower = Counted()
    runtime = LocalRuntime("cpu", "fp32", cancelled=lambda: len(tower.seen) >= 2)
    with pytest.raises(Cancelled):
        looks(tower, runtime, batch_size=1).score(pictures(5), "a")
    assert tower.seen == [1, 1]


def test_matrix_holds_every_pair_and_nan_for_what_cannot_be_read(tmp_path):
    tower = Counted()
    scorer = cosine(tower, tmp_path)
    matrix = scorer.score_matrix([*pictures(2), tmp_path / "missing.png"], ["a", "b", "a"])
    assert matrix.shape == (3, 3) and np.isnan(matrix[2]).all() and sum(tower.seen) == 2
    assert matrix[0, 1] == pytest.approx(scorer.score(pictures(1), "b").values[0], abs=ROUNDING)
    assert np.array_equal(matrix[:2, 0], matrix[:2, 2])
