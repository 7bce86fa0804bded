"""Hosts' own code finds every layer of a LoRA, leaves nothing over and adds what peft merges. Set COMFYUI_PATH, or Forge Neo's WEBUI_PATH.

No host is started: a program run by the host's interpreter calls its functions on a model of the host's own networks (``host_merge.py``).
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from imagereward_lab.generator.layout import unet_name
from imagereward_lab.refl.lora.adapter import attach
from imagereward_lab.refl.lora.metadata import LoraFacts
from imagereward_lab.refl.lora.names import DENOISER, place_of
from imagereward_lab.refl.lora.stored import write_lora
from tests.support.oracles import import_peft
from tests.support.refl import host_merge
from tests.support.refl.host_sizes import host_sizes, in_diffusers_words
from tests.support.refl.tiny_models import KINDS, all_layers, shake, tiny_model
from tests.support.webui.real_webui import kind_of

import_peft()
pytest.importorskip("diffusers")

# Stable Diffusion 2 and 3 are unknown to Forge Neo.
KNOWN = {"comfyui": KINDS, "neo": ("sd", "sdxl", "flux", "generator")}


@pytest.fixture(scope="module", params=KNOWN)
def answers(request, tmp_path_factory):
    """For each kind of model: the LoRA, and the folder with what the host has made of its file."""
    host = request.param
    name = "COMFYUI" if host == "comfyui" else "WEBUI"
    home = os.environ.get(f"{name}_PATH")
    if not home or (host == "neo" and kind_of(Path(home)) != "neo"):
        pytest.skip(f"{name}_PATH is not set; set it to the folder of {host} to ask its own code")
    asked = {}
    for which in KNOWN[host]:
        model, folder = tiny_model(which), tmp_path_factory.mktemp(which)
        sizes = host_sizes(which)
        adapter = attach(model, all_layers(model), rank=3, alpha=4.5, text_encoders=bool(sizes["text"]))
        shake(adapter.parameters())
        write_lora(folder / "lora.safetensors", adapter, LoraFacts(name="a", run="1"), dtype=torch.float32)
        (folder / "model.json").write_text(json.dumps(sizes))
        asked[which] = adapter, folder
    done = subprocess.run(
        [os.environ.get(f"{name}_PYTHON", sys.executable), host_merge.__file__, host, home]
        + [str(folder) for _, folder in asked.values()],
        capture_output=True,
        text=True,
        timeout=600,
        cwd=tmp_path_factory.mktemp("host"),
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": ""},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return asked


@pytest.mark.parametrize("which", KINDS)
def test_the_host_takes_every_layer_and_adds_what_peft_merges(answers, which):
    if which not in answers:
        pytest.skip("this host does not know the model")
    adapter, folder = answers[which]
    with safe_open(folder / "merged.safetensors", "pt") as file:
        said = file.metadata()
        merged = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert json.loads(said["left"]) == []
    weights = in_diffusers_words(which, merged, json.loads(said["shapes"]))
    expected = {
        f"{network}/{layer.removeprefix('text_model.')}.weight": adapter.networks[network]
        .get_submodule(layer)
        .get_delta_weight("default")
        for network, layer in adapter.places
    }
    changed = {name for name, each in weights.items() if each.any()}
    # Diffusers' conversion also carries a table along that is no weight.
    assert changed - {"denoiser/pos_embed.pos_embed"} == expected.keys()
    for name, each in expected.items():
        torch.testing.assert_close(weights[name], each.detach(), rtol=0, atol=1e-6)


@pytest.fixture(scope="module")
def a1111():
    """Automatic1111's own function that turns a name of a LoRA into one of its layers; the rest of its file wants a running host."""
    home = os.environ.get("WEBUI_PATH")
    if not home or kind_of(Path(home)) != "a1111":
        pytest.skip("WEBUI_PATH is not set to Automatic1111's folder, whose own code is asked")
    source = (Path(home) / "extensions-builtin" / "Lora" / "networks.py").read_text("utf-8")
    wanted = {"re_digits", "re_compiled", "suffix_conversion", "convert_diffusers_name_to_compvis"}
    parts = [
        node
        for node in ast.parse(source).body
        if getattr(node, "name", "") in wanted
        or (isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in wanted)
    ]
    assert len(parts) == len(wanted)
    found = {"re": re}
    exec(compile(ast.Module(parts, []), "networks.py", "exec"), found)  # noqa: S102 - of the host that is asked
    return found["convert_diffusers_name_to_compvis"]


@pytest.mark.parametrize("which", ["sd", "sd2", "sdxl", "generator"])
def test_automatic1111_turns_the_names_into_those_of_its_own_layers(a1111, which):
    model = tiny_model(which)
    for layer in all_layers(model):
        name = place_of(model.kind, DENOISER, layer, model.denoiser).name
        found = a1111(name, which == "sd2")
        if found == name:  # it takes the checkpoint's own names as they are
            found = name.replace("lora_unet", "diffusion_model")
        in_checkpoint = unet_name(f"{layer}.weight", model.denoiser.config.layers_per_block)
        if which in ("sd", "sd2") and layer.startswith("up_blocks.0.upsamplers."):  # no attention before it
            in_checkpoint = in_checkpoint.replace("output_blocks.2.2.", "output_blocks.2.1.")
        assert found == f"diffusion_model_{in_checkpoint.removesuffix('.weight').replace('.', '_')}"
    own = "encoder.layers.1.self_attn.q_proj"
    names = {each: place_of(model.kind, each, own, model.denoiser).name for each in model.text_encoders}
    of_text = {each: a1111(name, which == "sd2") for each, name in names.items()}
    clip = "transformer_text_model_encoder_layers_1_self_attn_q_proj"
    expected = {
        "sd": {"text_encoder": clip},
        "generator": {"text_encoder": clip},
        "sd2": {"text_encoder": "model_transformer_resblocks_1_attn_q_proj"},
        # The first stays as it is here, and is looked for as lora_te1_text_model and 0_transformer_text_model afterwards.
        "sdxl": {
            "text_encoder": f"lora_te1_{clip.removeprefix('transformer_')}",
            "text_encoder_2": "1_model_transformer_resblocks_1_attn_q_proj",
        },
    }
    assert of_text == expected[which]
