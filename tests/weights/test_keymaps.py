"""Checkpoints in other people's layouts give the same numbers as in their own programs, before and after conversion."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest
import torch

from imagereward_core.errors import WeightsError
from imagereward_core.nets.clip import ClipConfig, ClipNetwork
from imagereward_core.nets.mps import MpsNetwork
from imagereward_core.nets.skeleton import build_skeleton
from imagereward_core.weights.cards import BACKBONES, CARDS, OTHERS
from imagereward_core.weights.checkpoint import convert, keymap_of, load_into
from imagereward_core.weights.checkpoint.keymaps import KEYMAPS, View
from imagereward_core.weights.checkpoint.kinds import recognise
from imagereward_core.weights.checkpoint.layout import Layout
from imagereward_core.weights.checkpoint.reader import StateFile
from tests.support.oracles import import_torchvision
from tests.support.tiny import telling
from tests.support.weights.foreign import (
    CLIP,
    EXAMPLES,
    MPS,
    Example,
    OpenClip,
    open_clip_file,
    whole_mps_file,
)

POSITIONS = frozenset({"text_encoder.embeddings.position_ids"})


@pytest.fixture(params=list(EXAMPLES), ids=list(EXAMPLES))
def example(request: pytest.FixtureRequest) -> Example:
    return EXAMPLES[request.param]


def save(path: Path, content: object) -> Path:
    if path.suffix == ".safetensors":
        pytest.importorskip("safetensors.torch").save_file(content, path)
    else:
        torch.save(content, path)
    return path


def loaded(make: object, path: Path, layout: str) -> torch.nn.Module:
    network = build_skeleton(make)
    load_into(network, path, dtype_of=lambda name: torch.float32, optional=POSITIONS, keymap=KEYMAPS[layout])
    return network


def test_every_layout_has_an_example_and_every_card_a_layout_that_exists() -> None:
    assert {example.layout for example in EXAMPLES.values()} == set(KEYMAPS)
    for card in (*CARDS.values(), *BACKBONES.values(), *OTHERS.values()):
        assert card.layout in {"", *KEYMAPS}
        assert (keymap_of(card) is None) == (card.layout == "")


def test_a_foreign_file_fills_its_network(example: Example, tmp_path: Path) -> None:
    path = save(tmp_path / f"x{example.suffix}", example.make())
    network = loaded(example.network, path, example.layout)
    assert not any(tensor.is_meta for tensor in network.state_dict().values())


def test_a_file_reads_the_same_before_and_after_its_conversion(example: Example, tmp_path: Path) -> None:
    keymap = KEYMAPS[example.layout]
    source = save(tmp_path / f"source{example.suffix}", example.make())
    target = convert(source, tmp_path / "converted.safetensors", keymap=keymap).target
    before, after = loaded(example.network, source, example.layout), StateFile(target).map()
    assert (
        StateFile(target).layout() == StateFile(target, keymap).layout() == StateFile(source, keymap).layout()
    )
    for name, tensor in before.state_dict().items():
        assert torch.equal(tensor, after[name].float() if tensor.is_floating_point() else after[name]), name
    assert convert(source, target, keymap=keymap).reused


def test_no_number_is_changed_by_a_conversion(example: Example, tmp_path: Path) -> None:
    source = save(tmp_path / f"source{example.suffix}", example.make())
    views = StateFile(source, KEYMAPS[example.layout])
    target = convert(source, tmp_path / "converted.safetensors", keymap=KEYMAPS[example.layout]).target
    after = StateFile(target).map()
    assert after.keys() == set(views.names)
    for name, tensor in views.chunks(limit=64):
        assert after[name].dtype == tensor.dtype and torch.equal(after[name], tensor), name


@pytest.mark.parametrize("form", ["foreign", "converted"])
def test_packed_and_transposed_weights_compute_what_open_clip_computes(tmp_path: Path, form: str) -> None:
    path = save(tmp_path / "x.pt", open_clip_file())
    if form == "converted":
        path = convert(path, tmp_path / "x.safetensors", keymap=KEYMAPS["clip-h"]).target
    oracle = OpenClip(CLIP).eval()
    oracle.load_state_dict({k: v.float() for k, v in torch.load(tmp_path / "x.pt")["state_dict"].items()})
    check_against(oracle, loaded(lambda: ClipNetwork(CLIP), path, "clip-h"))


def check_against(oracle: torch.nn.Module, network: torch.nn.Module) -> None:
    pixels = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    ids = torch.tensor([[38, 5, 9, 2, 39, 0, 0, 0, 0, 0, 0, 0], [38, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 39]])
    mask = torch.tensor([[1] * 5 + [0] * 7, [1] * 12])
    with torch.no_grad():
        torch.testing.assert_close(
            network.encode_images(pixels), oracle.encode_image(pixels), rtol=1e-4, atol=1e-4
        )
        torch.testing.assert_close(
            network.encode_texts(ids, mask), oracle.encode_text(ids), rtol=1e-4, atol=1e-4
        )
    assert torch.equal(network.logit_scale, oracle.logit_scale)


def test_a_checkpoint_of_the_open_clip_package_computes_what_the_package_computes(tmp_path: Path) -> None:
    import_torchvision()
    model = pytest.importorskip("open_clip.model")
    oracle = model.CLIP(
        CLIP.projection,
        model.CLIPVisionCfg(layers=2, width=32, head_width=8, patch_size=8, image_size=32, mlp_ratio=2.0),
        model.CLIPTextCfg(context_length=12, vocab_size=40, width=24, heads=3, layers=2, mlp_ratio=2.0),
        quick_gelu=True,
    ).eval()
    telling(oracle, 4, 0.2)
    path = save(tmp_path / "x.pt", {"state_dict": oracle.state_dict()})
    check_against(oracle, loaded(lambda: ClipNetwork(CLIP), path, "clip-h"))


def test_only_the_picture_tower_can_be_loaded(tmp_path: Path) -> None:
    path = save(tmp_path / "x.pt", open_clip_file())
    network = build_skeleton(lambda: ClipNetwork(CLIP, text=False))
    wanted = set(network.state_dict())
    load_into(network, path, unused=lambda name: name not in wanted, keymap=KEYMAPS["clip-h"])
    assert not any(tensor.is_meta for tensor in network.state_dict().values())


def test_a_whole_model_gives_the_weights_its_own_state_dict_has(tmp_path: Path) -> None:
    model = whole_mps_file()
    network = loaded(lambda: MpsNetwork(MPS), save(tmp_path / "x.pth", model), "mps")
    state = model.state_dict()
    assert "cross_model.layers.0.1.fn.rotary_emb.inv_freq" in state
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, state[name].float()), name


def marks(layout: str) -> Layout:
    """What the telling tensors of a kind of file look like, in its network's names."""
    return {name: (torch.float16, shape) for name, shape in KEYMAPS[layout].marks.items()}


@pytest.mark.parametrize("layout", list(KEYMAPS))
def test_a_file_of_the_right_kind_is_accepted_and_recognised(layout: str) -> None:
    KEYMAPS[layout].check(Path("x.pt"), marks(layout))
    assert recognise(marks(layout))


@pytest.mark.parametrize(("wanted", "given"), list(permutations(KEYMAPS, 2)))
def test_the_file_of_another_scorer_is_refused_and_named(wanted: str, given: str) -> None:
    with pytest.raises(WeightsError) as caught:
        KEYMAPS[wanted].check(Path("x.pt"), marks(given))
    text = str(caught.value)
    assert f"x.pt is not {KEYMAPS[wanted].kind}" in text
    assert f"It looks like {recognise(marks(given))}" in text


def test_a_mistaken_file_given_by_its_path_is_told_by_the_shapes(tmp_path: Path) -> None:
    path = save(tmp_path / "x.pt", {"visual.proj": torch.zeros(1280, 1024), "logit_scale": torch.zeros([])})
    with pytest.raises(WeightsError, match=r"does not fit.*looks like a CLIP of size ViT-H/14"):
        loaded(lambda: ClipNetwork(ClipConfig.vit_l_14()), path, "clip-l")


def test_what_a_map_does_not_know_is_told_not_dropped(tmp_path: Path) -> None:
    content = open_clip_file()
    content["state_dict"] |= {"visual.transformer.resblocks.0.ls_1.gamma": torch.ones(32)}
    path = save(tmp_path / "x.pt", content)
    with pytest.raises(WeightsError, match=r"1 unexpected: vision_model\.encoder\.layers\.0\.ls_1\.gamma"):
        loaded(lambda: ClipNetwork(CLIP), path, "clip-h")


def test_blocks_of_rows_partition_the_packed_tensor() -> None:
    packed = torch.arange(12).view(6, 2)
    parts = [View("x", part, 3).of(packed) for part in range(3)]
    assert torch.equal(torch.cat(parts), packed)
    assert torch.equal(View("x", transposed=True).of(packed), packed.T)


def every_card_with_a_torch_file() -> Iterator[str]:
    for card in CARDS.values():
        if card.layout and any(form.name.endswith((".pt", ".pth")) for form in card.checkpoint):
            yield card.id


@pytest.mark.parametrize("scorer", list(every_card_with_a_torch_file()))
def test_a_wrong_file_under_a_scorer_s_name_is_refused_before_it_is_converted(
    tmp_path: Path, scorer: str
) -> None:
    from dataclasses import replace

    from imagereward_core.weights.locate import WeightSettings
    from imagereward_core.weights.store import resolve

    card = CARDS[scorer]
    form = next(form for form in card.checkpoint if form.name.endswith((".pt", ".pth")))
    card = replace(card, checkpoint=(replace(form, sha256=None),), tokenizer=None, backbone="")
    folder = tmp_path / card.folder
    folder.mkdir()
    save(folder / form.name, {"lora_unet_down_blocks_0.alpha": torch.ones(1)})
    with pytest.raises(WeightsError, match=r"is not .*It looks like a LoRA"):
        resolve(card, WeightSettings(folders=(tmp_path,), allow_download=False, use_hub_cache=False))
    assert [path.name for path in folder.iterdir() if path.suffix == ".safetensors"] == []
