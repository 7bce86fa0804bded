"""The tiny generator draws in the real host what it draws without, and a LoRA for it does there what it does here. Set COMFYUI_PATH."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.support.comfyui.graphs import Graph
from tests.support.oracles import import_peft

PROMPT, SEED, STEPS, GUIDANCE = "a red circle on a blue background", 11, 6, 4.0


@pytest.fixture(scope="module")
def drawing(running_comfyui, tmp_path_factory):
    """The host with the generator and a LoRA in its folders; what draws without it, with and without the LoRA."""
    if running_comfyui is None:
        pytest.skip("COMFYUI_PATH is not set; set it to a ComfyUI folder to run this against the real host")
    import_peft()
    pytest.importorskip("diffusers")
    pytest.importorskip("open_clip")
    from imagereward_lab.generator.prompts import PromptIds, merges_in
    from imagereward_lab.refl.lora.metadata import LoraFacts
    from imagereward_lab.refl.lora.stored import read_lora, state_of, write_lora
    from tests.support.refl.drawing import euler, generator_adapter
    from tests.support.refl.generator_file import generator, place_checkpoint

    models = running_comfyui.base / "models"
    made, ids = generator(), PromptIds(merges_in(tmp_path_factory.mktemp("clip")))
    place_checkpoint(models / "checkpoints" / "generator.safetensors")
    adapter = generator_adapter(made)
    lora = models / "loras" / "tuned.safetensors"
    lora.parent.mkdir(exist_ok=True)
    write_lora(lora, adapter, LoraFacts(name="tuned", run="test"))
    adapter.fill(state_of(read_lora(lora), adapter))  # rounded to half precision as in the file
    named = {"seed": SEED, "steps": STEPS, "guidance": GUIDANCE}
    with adapter.off():
        base = euler(made, ids, PROMPT, **named)
    return running_comfyui, {"base": base, "tuned": euler(made, ids, PROMPT, **named)}


def drawn(host, strength):
    """The picture the host saves, uint8 [S, S, 3]; without the LoRA's node where no strength is given."""
    graph = Graph()
    loaded = graph.add("CuratorTestLoadGenerator", name="generator.safetensors")
    model, clip = [loaded, 0], [loaded, 1]
    if strength is not None:
        lora = graph.add(
            "LoraLoader",
            model=model,
            clip=clip,
            lora_name="tuned.safetensors",
            strength_model=strength,
            strength_clip=strength,
        )
        model, clip = [lora, 0], [lora, 1]
    prompts = [graph.add("CLIPTextEncode", clip=clip, text=text) for text in (PROMPT, "")]
    size = graph.add("EmptyLatentImage", width=64, height=64, batch_size=1)
    sampled = graph.add(
        "KSampler",
        model=model,
        positive=[prompts[0], 0],
        negative=[prompts[1], 0],
        latent_image=[size, 0],
        seed=SEED,
        steps=STEPS,
        cfg=GUIDANCE,
        sampler_name="euler",
        scheduler="simple",
        denoise=1.0,
    )
    decoded = graph.add("VAEDecode", samples=[sampled, 0], vae=[loaded, 2])
    saved = graph.add("SaveImage", images=[decoded, 0], filename_prefix=f"drawn_{strength}")
    ran = host.run(graph)
    assert ran.status == "success", ran.error
    (picture,) = ran.outputs[saved]["images"]
    return np.asarray(Image.open(host.base / "output" / picture["filename"]).convert("RGB"))


def test_the_generator_and_its_lora_draw_in_the_host_what_they_draw_here(drawing):
    host, expected = drawing
    base, off, on = (drawn(host, strength) for strength in (None, 0.0, 1.0))
    assert np.array_equal(off, base)  # strength 0 is the untouched picture to the bit
    assert "lora key not loaded" not in host.log.read_text(errors="replace")
    # One level of 255 for rounding to a picture, one for other sums of the same numbers.
    assert np.abs(base.astype(int) - expected["base"]).max() <= 2
    assert np.abs(on.astype(int) - expected["tuned"]).max() <= 2
    assert np.abs(on.astype(int) - base).mean() > 4
    assert base.std() > 10
