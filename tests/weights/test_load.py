"""Loading fills a skeleton exactly, or says what does not fit; memory peaks near the size of the result."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import torch

from imagereward_core.errors import WeightsError
from imagereward_core.weights.checkpoint import load_into
from imagereward_core.weights.checkpoint.kinds import recognise
from tests.support.weights.fakes import TinyReward, run_script, sparse_safetensors, tiny_skeleton, tiny_state

POSITIONS = frozenset({"blip.position_ids"})


def save(path: Path, state: dict[str, torch.Tensor]) -> Path:
    if path.suffix == ".pt":
        torch.save(state, path)
    else:
        pytest.importorskip("safetensors.torch").save_file(
            {k: v.contiguous() for k, v in state.items()}, path
        )
    return path


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_loaded_network_computes_what_the_saved_one_did(tmp_path: Path, suffix: str) -> None:
    network = tiny_skeleton()
    load_into(network, save(tmp_path / f"x{suffix}", tiny_state(3)))
    original = TinyReward()
    original.load_state_dict(tiny_state(3))
    features = torch.randn(4, 8)
    expected = original.mlp.layers(original.blip.tower(features))
    assert torch.equal(network.mlp.layers(network.blip.tower(features)), expected)
    assert not any(tensor.is_meta for tensor in network.state_dict().values())


def test_which_parameters_ask_for_gradients_is_kept(tmp_path: Path) -> None:
    network = tiny_skeleton()
    network.blip.requires_grad_(False)
    load_into(network, save(tmp_path / "x.pt", tiny_state()))
    asks = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert asks == {name for name in tiny_state() if name.startswith("mlp.")}


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_weights_are_plain_cpu_tensors_whatever_mode_the_host_is_in(
    tmp_path: Path, suffix: str, dtype: torch.dtype
) -> None:
    path = save(
        tmp_path / f"x{suffix}", {name: v for name, v in tiny_state().items() if "position" not in name}
    )
    network = tiny_skeleton()
    with torch.device("meta"), torch.inference_mode():
        load_into(network, path, dtype_of=lambda name: dtype, optional=POSITIONS)
    assert all(
        tensor.device.type == "cpu" and not tensor.is_inference() for tensor in network.state_dict().values()
    )
    network.blip.tower(torch.ones(1, 8, dtype=dtype)).sum().backward()
    assert network.blip.tower.weight.grad is not None


def test_only_the_tensors_asked_for_change_their_dtype(tmp_path: Path) -> None:
    network = tiny_skeleton()
    load_into(
        network,
        save(tmp_path / "x.pt", tiny_state()),
        dtype_of=lambda name: torch.bfloat16 if name.startswith("blip.") else torch.float32,
    )
    for name, tensor in network.state_dict().items():
        source = tiny_state()[name]
        expected = source.to(torch.bfloat16) if name.startswith("blip.tower") else source
        assert tensor.dtype == expected.dtype and torch.equal(tensor, expected), name


def test_a_half_precision_file_loads_into_a_full_precision_network(tmp_path: Path) -> None:
    state = {
        name: value.half() if value.is_floating_point() else value for name, value in tiny_state().items()
    }
    network = tiny_skeleton()
    load_into(network, save(tmp_path / "x.safetensors", state), dtype_of=lambda name: torch.float32)
    assert torch.equal(network.blip.tower.weight, state["blip.tower.weight"].float())


def test_a_missing_position_buffer_is_counted_out(tmp_path: Path) -> None:
    state = tiny_state()
    positions = state.pop("blip.position_ids")
    network = tiny_skeleton()
    load_into(network, save(tmp_path / "x.pt", state), optional=POSITIONS)
    assert network.blip.position_ids.dtype == torch.int64
    assert torch.equal(network.blip.position_ids, positions)


def test_a_position_buffer_the_network_lacks_is_ignored(tmp_path: Path) -> None:
    network = tiny_skeleton()
    del network.blip.position_ids
    load_into(network, save(tmp_path / "x.pt", tiny_state()), optional=POSITIONS)
    assert not network.blip.tower.weight.is_meta


def test_tensors_without_a_use_are_left_out(tmp_path: Path) -> None:
    path = save(tmp_path / "x.pt", {**tiny_state(), "blip.unused": torch.zeros(1)})
    network = tiny_skeleton()
    with pytest.raises(WeightsError, match=r"1 unexpected: blip\.unused"):
        load_into(network, path)
    load_into(network, path, unused=lambda name: name.endswith("unused"))
    assert torch.equal(network.blip.tower.weight, tiny_state()["blip.tower.weight"])


def test_what_does_not_fit_is_counted_listed_and_nothing_is_loaded(tmp_path: Path) -> None:
    state = tiny_state()
    del state["mlp.layers.0.weight"], state["mlp.layers.0.bias"]
    state["mlp.layers.1.weight"] = torch.zeros(1, 9)
    state["blip.position_ids"] = state["blip.position_ids"].float()
    state |= {f"extra.{index}": torch.zeros(1) for index in range(7)}
    network = tiny_skeleton()
    with pytest.raises(WeightsError) as caught:
        load_into(network, save(tmp_path / "x.pt", state))
    text = str(caught.value)
    assert "found 12 tensors, expected 7" in text
    assert "2 missing: mlp.layers.0.weight, mlp.layers.0.bias;" in text
    assert "7 unexpected: extra.0, extra.1, extra.2, extra.3, extra.4 and 2 more" in text
    assert "mlp.layers.1.weight (found 1x9 float32, expected 1x4 float32)" in text
    assert "blip.position_ids (found 1x5 float32, expected 1x5 int64)" in text
    assert all(tensor.is_meta for tensor in network.state_dict().values())


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["visual_encoder.blocks.0.attn.qkv.weight", "text_decoder.bert.x"], "BLIP"),
        (["visual.transformer.resblocks.0.attn.in_proj_weight", "logit_scale"], "CLIP"),
        (["text_model.encoder.layers.0.mlp.fc1.bias", "vision_model.encoder.layers.0.x"], "CLIP"),
        (["lora_unet_down_blocks_0.alpha"], "LoRA"),
        (["unet.down_blocks.0.attentions.0.lora_A.weight"], "LoRA"),
        (["model.diffusion_model.input_blocks.0.0.weight", "cond_stage_model.x"], "image-generating"),
        (["double_blocks.0.img_attn.qkv.weight"], "image-generating"),
        (["layers.0.weight", "layers.0.bias"], "aesthetic"),
    ],
)
def test_foreign_checkpoints_are_recognised(tmp_path: Path, names: list[str], says: str) -> None:
    with pytest.raises(WeightsError, match=rf"it looks like .*{re.escape(says)}"):
        load_into(tiny_skeleton(), save(tmp_path / "x.pt", {name: torch.zeros(1) for name in names}))


def test_its_own_layout_is_not_called_foreign() -> None:
    assert recognise(tiny_state()) == ""
    assert (
        recognise(
            [
                "blip.visual_encoder.blocks.0.attn.qkv.weight",
                "blip.text_encoder.embeddings.word_embeddings.weight",
            ]
        )
        == ""
    )


MEASURE = """
import sys
from pathlib import Path
import torch
from imagereward_core.weights.checkpoint import load_into
from tests.support.weights.fakes import peak_memory

class Wide(torch.nn.Module):
    def __init__(self, count, numbers):
        super().__init__()
        self.layer = torch.nn.ParameterDict({f"{i:03d}": torch.nn.Parameter(torch.empty(numbers)) for i in
        range(count)})

path, count, numbers, dtype = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), getattr(torch, sys.argv[4])
with torch.device("meta"):
    network = Wide(count, numbers)
torch.zeros(8).to(torch.bfloat16)
before = peak_memory()
load_into(network, Path(path), dtype_of=lambda name: dtype)
assert next(network.parameters()).dtype == dtype
print(peak_memory() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory is read from /proc")
@pytest.mark.parametrize(("dtype", "bound"), [("float32", 40), ("bfloat16", 128 + 2 * 64 + 40)])
def test_memory_peaks_near_the_size_of_the_result(tmp_path: Path, dtype: str, bound: int) -> None:
    """256 MiB of float32: views of the file cost next to nothing, half precision 128 MiB and two chunks."""
    path = tmp_path / "wide.safetensors"
    sparse_safetensors(path, tensors=16, numbers=4 * 1024 * 1024)
    run = run_script(MEASURE, path, 16, 4 * 1024 * 1024, dtype)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < bound, f"{run.stdout.strip()} MiB"
