"""Latents, masks, items and fingerprints, apart from any scorer."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.fixture
def streams(fake):
    return fake.module("nodes.streams")


class Nested:
    """The recent host's pair of tensors."""

    is_nested = True

    def __init__(self, tensors):
        self.tensors = list(tensors)

    def unbind(self):
        return self.tensors


def test_a_noise_mask_for_fewer_latents_repeats_and_one_for_all_stays(streams):
    samples = torch.arange(5.0).view(5, 1, 1, 1)
    two = streams.take_latents(
        {"samples": samples, "noise_mask": torch.tensor([10.0, 20.0]).view(2, 1, 1, 1)}, [4, 1]
    )
    assert two["noise_mask"].flatten().tolist() == [10.0, 20.0] and two["samples"].flatten().tolist() == [
        4.0,
        1.0,
    ]
    single = streams.take_latents({"samples": samples, "noise_mask": torch.ones(1, 1, 8, 8)}, [4, 1])
    assert single["noise_mask"].shape == (1, 1, 8, 8)


def test_places_in_the_original_batch_are_kept_and_the_input_stays_as_it_was(streams):
    latent = {"samples": torch.arange(3.0).view(3, 1, 1, 1), "batch_index": [7, 8, 9], "kind": "any"}
    taken = streams.take_latents(latent, [2, 0])
    assert taken["batch_index"] == [9, 7] and taken["kind"] == "any"
    assert latent["batch_index"] == [7, 8, 9] and latent["samples"].shape[0] == 3


def test_pairs_of_tensors_are_taken_apart_together(streams):
    video, sound = torch.arange(4.0).view(4, 1, 1, 1, 1), torch.arange(4.0).view(4, 1, 1) + 10
    taken = streams.take_latents(
        {"samples": Nested([video, sound]), "noise_mask": Nested([video, sound])}, [3, 0]
    )
    assert [part.flatten().tolist() for part in taken["samples"].unbind()] == [[3, 0], [13, 10]]
    assert [part.flatten().tolist() for part in taken["noise_mask"].unbind()] == [[3, 0], [13, 10]]


def test_several_latent_batches_become_single_latents(streams):
    batches = [{"samples": torch.full((2, 1, 1, 1), 1.0)}, {"samples": torch.full((1, 1, 2, 2), 2.0)}]
    latents = streams.Latents(batches)
    taken = latents.take([2, 0])
    assert latents.number == 3 and [each["samples"].shape for each in taken] == [(1, 1, 2, 2), (1, 1, 1, 1)]


@pytest.mark.parametrize(
    "given_items, number, expected",
    [
        (["a", "b", "c"], 3, ["c", "a"]),
        ([["a", "b", "c"]], 3, [["c", "a"]]),
        ([("a", 1), ("b", 2), ("c", 3)], 3, [("c", 3), ("a", 1)]),
    ],
)
def test_items_may_be_a_list_or_one_list(streams, given_items, number, expected):
    items = streams.Items(given_items, number)
    assert items.number == number and items.take([2, 0]) == expected


def test_items_may_be_a_batch_of_changed_pictures(streams):
    (taken,) = streams.Items([torch.arange(3.0).view(3, 1, 1, 1)], 3).take([2, 0])
    assert taken.flatten().tolist() == [2.0, 0.0]


def test_one_mask_stands_for_all_pictures(streams):
    masks = streams.Masks([torch.ones(8, 8)], 4)
    assert masks.number == 4 and masks.take([3, 1])[0].shape == (2, 8, 8)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 3))
def test_a_picture_has_one_fingerprint_and_another_picture_another(fake, height, width, channel):
    scored = fake.module("nodes.links")
    picture = torch.full((height, width, 3 + channel // 3), 0.5)
    other = picture.clone()
    other[0, 0, min(channel, picture.shape[2] - 1)] = 0.6
    assert scored.fingerprint(picture) == scored.fingerprint(picture.clone())
    assert scored.fingerprint(picture) != scored.fingerprint(other)
    assert scored.fingerprint(picture) != scored.fingerprint(
        torch.full((height, width + 1, picture.shape[2]), 0.5)
    )


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40))
def test_no_name_leads_out_of_its_folder(fake, tmp_path, name):
    folders = fake.module("nodes.host.folders")
    try:
        path = folders.inside(tmp_path, name)
    except fake.module("nodes.host.errors").GraphError:
        return
    assert path == tmp_path.resolve() or tmp_path.resolve() in path.parents


def test_a_link_out_of_the_folder_is_followed_and_refused(fake, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "out")
    with pytest.raises(fake.module("nodes.host.errors").GraphError, match="leads out"):
        fake.module("nodes.host.folders").inside(tmp_path / "in", "link/x")


def test_what_is_no_mask_or_latent_is_named_with_what_was_expected(fake, streams):
    refused = fake.module("nodes.host.errors").GraphError
    for wrong in (None, "x", 3, torch.zeros(()), torch.zeros(4)):
        with pytest.raises(refused, match=r"masks is .*; expected .* gives MASK"):
            streams.Masks([wrong], 4)
        if not isinstance(wrong, torch.Tensor):
            for latents in (wrong, {"samples": wrong}, {}):
                with pytest.raises(refused, match=r"latents is .*; expected .* gives LATENT"):
                    streams.Latents([latents])
