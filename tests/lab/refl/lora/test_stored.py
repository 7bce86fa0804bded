"""The file of a LoRA has the names hosts look for, the true factor, and the change peft merges; what is somebody else's is not replaced."""

from __future__ import annotations

import copy
import hashlib
import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from imagereward_lab.refl.lora.adapter import attach
from imagereward_lab.refl.lora.metadata import LoraFacts
from imagereward_lab.refl.lora.names import DENOISER, place_of
from imagereward_lab.refl.lora.stored import lora_tensors, read_lora, state_of, write_lora
from imagereward_lab.training.errors import TrainingError
from tests.support.oracles import import_peft
from tests.support.refl.tiny_models import KINDS, all_layers, shake, tiny_model

import_peft()
pytest.importorskip("diffusers")

# What each layer is called in a LoRA, found by the hosts' own code (test_host_keys.py asks it where a host is there).
EXPECTED = [
    (
        "sd",
        DENOISER,
        "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q",
        "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q",
    ),
    (
        "sd",
        DENOISER,
        "up_blocks.3.attentions.2.transformer_blocks.0.ff.net.0.proj",
        "lora_unet_up_blocks_3_attentions_2_transformer_blocks_0_ff_net_0_proj",
    ),
    ("sd2", DENOISER, "mid_block.attentions.0.proj_in", "lora_unet_mid_block_attentions_0_proj_in"),
    (
        "sd",
        "text_encoder",
        "text_model.encoder.layers.3.self_attn.q_proj",
        "lora_te_text_model_encoder_layers_3_self_attn_q_proj",
    ),
    ("sd", "text_encoder", "encoder.layers.3.mlp.fc1", "lora_te_text_model_encoder_layers_3_mlp_fc1"),
    (
        "sdxl",
        DENOISER,
        "down_blocks.2.attentions.1.transformer_blocks.9.attn2.to_out.0",
        "lora_unet_input_blocks_8_1_transformer_blocks_9_attn2_to_out_0",
    ),
    (
        "sdxl",
        DENOISER,
        "up_blocks.1.attentions.0.transformer_blocks.1.ff.net.2",
        "lora_unet_output_blocks_3_1_transformer_blocks_1_ff_net_2",
    ),
    (
        "sdxl",
        DENOISER,
        "mid_block.attentions.0.proj_out",
        "lora_unet_middle_block_1_proj_out",
    ),
    (
        "sdxl",
        "text_encoder",
        "text_model.encoder.layers.0.mlp.fc2",
        "lora_te1_text_model_encoder_layers_0_mlp_fc2",
    ),
    (
        "sdxl",
        "text_encoder_2",
        "text_model.encoder.layers.0.self_attn.out_proj",
        "lora_te2_text_model_encoder_layers_0_self_attn_out_proj",
    ),
    (
        "generator",
        DENOISER,
        "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q",
        "lora_unet_input_blocks_3_1_transformer_blocks_0_attn1_to_q",
    ),
    ("sd", DENOISER, "down_blocks.0.resnets.0.conv1", "lora_unet_down_blocks_0_resnets_0_conv1"),
    ("sdxl", DENOISER, "up_blocks.1.upsamplers.0.conv", "lora_unet_output_blocks_5_2_conv"),
    ("sdxl", DENOISER, "down_blocks.1.downsamplers.0.conv", "lora_unet_input_blocks_6_0_op"),
    ("generator", DENOISER, "mid_block.resnets.1.time_emb_proj", "lora_unet_middle_block_2_emb_layers_1"),
    ("sd3", DENOISER, "transformer_blocks.1.attn.to_k", "lora_unet_joint_blocks_1_x_block_attn_qkv"),
    (
        "sd3",
        DENOISER,
        "transformer_blocks.1.attn.add_v_proj",
        "lora_unet_joint_blocks_1_context_block_attn_qkv",
    ),
    ("sd3", DENOISER, "transformer_blocks.0.attn2.to_out.0", "lora_unet_joint_blocks_0_x_block_attn2_proj"),
    (
        "sd3",
        DENOISER,
        "transformer_blocks.1.ff_context.net.0.proj",
        "lora_unet_joint_blocks_1_context_block_mlp_fc1",
    ),
    (
        "flux",
        DENOISER,
        "transformer_blocks.0.attn.add_q_proj",
        "transformer.transformer_blocks.0.attn.add_q_proj",
    ),
    (
        "flux",
        DENOISER,
        "single_transformer_blocks.1.proj_out",
        "transformer.single_transformer_blocks.1.proj_out",
    ),
]


@pytest.fixture(scope="module")
def models():
    return {which: tiny_model(which) for which in KINDS}


@pytest.mark.parametrize(("which", "network", "layer", "name"), EXPECTED)
def test_layers_have_the_names_hosts_look_for(models, which, network, layer, name):
    model = models[which]
    assert place_of(model.kind, network, layer, model.denoiser).name == name


def test_an_upsampler_behind_no_attention_is_counted_as_the_checkpoint_does():
    from diffusers import UNet2DConditionModel

    unet = UNet2DConditionModel(
        block_out_channels=(32, 32),
        layers_per_block=1,
        down_block_types=["CrossAttnDownBlock2D", "DownBlock2D"],
        up_block_types=["UpBlock2D", "CrossAttnUpBlock2D"],
        cross_attention_dim=8,
        attention_head_dim=8,
    )
    place = place_of("sd", DENOISER, "up_blocks.0.upsamplers.0.conv", unet)
    assert place.name == "lora_unet_output_blocks_1_1_conv"


@pytest.mark.parametrize(
    ("which", "network", "layer"),
    [
        ("sd", "text_encoder", "text_projection"),
        ("sd", "text_encoder_2", "text_model.encoder.layers.0.mlp.fc2"),
        ("sdxl", DENOISER, "add_embedding.linear_1"),
        ("sd3", DENOISER, "transformer_blocks.1.norm1.linear"),
        ("sd3", DENOISER, "transformer_blocks.1.ff.to_q"),
        ("sd3", "text_encoder", "text_model.encoder.layers.0.mlp.fc2"),
        ("flux", DENOISER, "norm_out.linear"),
    ],
)
def test_a_layer_hosts_have_no_place_for_is_refused(models, which, network, layer):
    model = models[which]
    with pytest.raises(TrainingError, match=f"{layer.rpartition('.')[2]}|{layer}"):
        place_of(model.kind, network, layer, model.denoiser)


def tuned(which, **named):
    """An adapter beside some layers of each sort."""
    model = tiny_model(which)
    layers = all_layers(model)[:: 7 if model.kind in ("sd", "sdxl") else 1]
    text = model.kind in ("sd", "sdxl")
    adapter = attach(model, layers, **{"rank": 3, "alpha": 4.5, "text_encoders": text, **named})
    shake(adapter.parameters())
    return layers, adapter


def peft_changes(adapter):
    """What peft adds to the weight of each layer when it merges, by the name of the host's layer, put together from the top."""
    found = {}
    for (network, layer), place in adapter.places.items():
        module = copy.deepcopy(adapter.networks[network].get_submodule(layer))
        before = module.base_layer.weight.detach().double().clone()
        module.merge()
        parts = found.setdefault(place.name, [None] * place.parts)
        parts[place.part] = module.base_layer.weight.detach().double() - before
    return {name: torch.cat(parts) for name, parts in found.items()}


def stored_changes(tensors):
    """What a host adds: ``up @ down`` times alpha over the rank of what is stored, times 1 where there is no alpha."""
    found = {}
    for name, down in tensors.items():
        for mark, other in ((".lora_down.weight", ".lora_up.weight"), (".lora_A.weight", ".lora_B.weight")):
            if name.endswith(mark):
                stem = name.removesuffix(mark)
                alpha = tensors.get(f"{stem}.alpha")
                factor = 1.0 if alpha is None else float(alpha) / len(down)
                found[stem] = (
                    factor * (tensors[stem + other].flatten(1).double() @ down.flatten(1).double())
                ).reshape(len(tensors[stem + other]), *down.shape[1:])
    return found


@pytest.mark.parametrize("which", KINDS)
def test_what_a_host_adds_is_what_peft_merges(which, tmp_path):
    layers, adapter = tuned(which)
    path = tmp_path / "a.safetensors"
    write_lora(path, adapter, LoraFacts(name="a", run="1"), dtype=torch.float32)
    tensors = load_file(path)
    changes, expected = stored_changes(tensors), peft_changes(adapter)
    assert changes.keys() == expected.keys()
    for name, change in changes.items():
        assert change.abs().max() > 1e-4
        torch.testing.assert_close(change, expected[name], rtol=0, atol=1e-6)
    alphas = {float(each) / len(tensors[name.replace(".alpha", ".lora_down.weight")]) if "lora_" in name else float(each) / 3
              for name, each in tensors.items() if name.endswith(".alpha")}  # fmt: skip
    assert alphas == (set() if which == "sd3" else {1.5})
    assert all(each.dtype == torch.float32 for each in tensors.values())
    # And back into a fresh one.
    again = attach(tiny_model(which), layers, rank=3, alpha=4.5, text_encoders=adapter.kind in ("sd", "sdxl"))
    again.fill(state_of(read_lora(path), again))
    for name, each in adapter.state().items():
        torch.testing.assert_close(again.state()[name], each, rtol=1e-6, atol=0)


def test_layers_of_which_some_are_left_out_fill_their_part_of_a_hosts_layer():
    layers = [f"transformer_blocks.1.attn.{name}" for name in ("to_v", "add_k_proj", "to_q")]
    model = tiny_model("sd3")
    adapter = attach(model, layers, rank=2, alpha=1)
    shake(adapter.parameters())
    tensors = lora_tensors(adapter)
    assert tensors["lora_unet_joint_blocks_1_x_block_attn_qkv.lora_down.weight"].shape == (4, 128)
    assert tensors["lora_unet_joint_blocks_1_context_block_attn_qkv.lora_up.weight"].shape == (384, 2)
    change = stored_changes(tensors)["lora_unet_joint_blocks_1_x_block_attn_qkv"]
    query, key, value = change.chunk(3)
    assert query.abs().min() > 0 and value.abs().min() > 0 and not key.any()


def test_the_file_says_what_it_is_in_the_words_of_hosts(tmp_path):
    facts = LoraFacts(
        name="kittens",
        run="r1",
        base="dream.safetensors",
        base_sha256="ab" * 32,
        reward="ImageReward-v1.0",
        method="refl",
        updates=200,
        seed=3,
        resolution=(512, 640),
        started=1_700_000_000.0,
        more={"guard": True},
    )
    found = {}
    for which, prediction in (
        ("sd", "epsilon"),
        ("sd2", "v_prediction"),
        ("sdxl", "epsilon"),
        ("sd3", "flow"),
        ("flux", "flow"),
    ):
        path = tmp_path / f"{which}.safetensors"
        _, adapter = tuned(which, text_encoders=False)
        write_lora(path, adapter, facts, prediction=prediction)
        found[which] = read_lora(path)
    said = found["sd"].metadata
    assert said["ss_network_module"] == "networks.lora"
    assert (said["ss_network_dim"], said["ss_network_alpha"]) == ("3", "4.5")
    # sd-scripts gives convolutions a rank of their own.
    assert json.loads(said["ss_network_args"]) == {"conv_dim": "3", "conv_alpha": "4.5"}
    assert "ss_network_args" not in found["flux"].metadata
    assert (said["ss_output_name"], said["ss_sd_model_name"]) == ("kittens", "dream.safetensors")
    assert said["ss_new_sd_model_hash"] == "ab" * 32
    assert said["modelspec.date"] == "2023-11-14T22:13:20"
    assert said["modelspec.resolution"] == "512x640"
    own = json.loads(said["imagereward.facts"])
    assert (own["reward"], own["updates"], own["alpha"], own["guard"]) == ("ImageReward-v1.0", 200, 4.5, True)
    # Automatic1111's question (extensions-builtin/Lora/network.py, detect_version).
    versions = {which: each.metadata["ss_base_model_version"] for which, each in found.items()}
    assert [which for which, said in versions.items() if said.startswith("sdxl_")] == ["sdxl"]
    assert [which for which, each in found.items() if each.metadata["ss_v2"] == "True"] == ["sd2"]
    assert found["sd2"].metadata["modelspec.architecture"] == "stable-diffusion-v2-768-v/lora"
    # Its factor is in the matrices, so that hosts which read no alpha and those which read it from here agree.
    assert found["sd3"].metadata["ss_network_alpha"] == "3"
    for which, each in found.items():
        whole = (tmp_path / f"{which}.safetensors").read_bytes()
        # The WebUIs' hash of a LoRA (modules/hashes.py, addnet_hash_safetensors).
        after = whole[8 + int.from_bytes(whole[:8], "little") :]
        assert each.metadata["sshs_model_hash"] == hashlib.sha256(after).hexdigest()
        assert {tensor.dtype for name, tensor in each.tensors.items() if not name.endswith("alpha")} == {
            torch.float16
        }


def test_only_the_same_run_replaces_a_lora_and_nobody_another_file(tmp_path):
    _, adapter = tuned("generator")
    path, foreign = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    write_lora(path, adapter, LoraFacts(name="a", run="1"))
    shake(adapter.parameters(), seed=2)
    write_lora(path, adapter, LoraFacts(name="a", run="1"))
    kept = path.read_bytes()
    with pytest.raises(TrainingError, match="another run; it stays as it is"):
        write_lora(path, adapter, LoraFacts(name="a", run="2"))
    assert path.read_bytes() == kept
    for write in (lambda: save_file({"x": torch.ones(1)}, foreign), lambda: foreign.write_bytes(b"")):
        write()
        before = foreign.read_bytes()
        with pytest.raises(TrainingError, match="not written by this program"):
            write_lora(foreign, adapter, LoraFacts(name="b", run="1"))
        assert foreign.read_bytes() == before
    with pytest.raises(TrainingError, match="ends in .safetensors"):
        write_lora(tmp_path / "a.png", adapter, LoraFacts(name="a", run="1"))


def test_numbers_that_are_none_are_not_written_and_the_earlier_file_stays(tmp_path):
    _, adapter = tuned("generator")
    path = tmp_path / "a.safetensors"
    write_lora(path, adapter, LoraFacts(name="a", run="1"))
    kept = path.read_bytes()
    state = adapter.state()
    name = next(iter(state))
    state[name][0, 0] = 1e6  # beyond float16
    with pytest.raises(TrainingError, match="not finite in torch.float16"):
        write_lora(path, adapter, LoraFacts(name="a", run="1"), state=state)
    assert path.read_bytes() == kept
    write_lora(path, adapter, LoraFacts(name="a", run="1"), state=state, dtype=torch.float32)


def test_a_lora_for_something_else_is_refused(tmp_path):
    layers, adapter = tuned("generator")
    stored = read_lora_of(adapter, tmp_path)
    for named, said in (
        ({"rank": 2}, "rank 3 at .*expected 2"),
        ({"alpha": 3}, "multiplies by 1.5.*expected 1,"),
    ):
        with pytest.raises(TrainingError, match=said):
            state_of(stored, tuned("generator", **named)[1])
    fewer = attach(tiny_model("generator"), layers[1:], rank=3, alpha=4.5, text_encoders=True)
    with pytest.raises(TrainingError, match="also has lora_unet_"):
        state_of(stored, fewer)
    with pytest.raises(TrainingError, match="nothing for lora_unet_"):
        state_of(read_lora_of(fewer, tmp_path), adapter)
    (tmp_path / "c.safetensors").write_bytes(b"no")
    for name in ("c.safetensors", "missing.safetensors"):
        with pytest.raises(TrainingError, match=f"{name} cannot be read as a LoRA"):
            read_lora(tmp_path / name)


def read_lora_of(adapter, folder):
    write_lora(folder / "x.safetensors", adapter, LoraFacts(name="x", run="1"))
    return read_lora(folder / "x.safetensors")
