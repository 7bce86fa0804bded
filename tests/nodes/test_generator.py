"""The tiny generator draws in the real host what it draws without, and a LoRA for it does there what it does here. Set COMFYUI_PATH."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.support.comfyui.graphs import Graph
from tests.support.oracles import import_peft
from tests.support.refl import rising

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
    lora = models / "loras" / "made.safetensors"
    lora.parent.mkdir(exist_ok=True)
    write_lora(lora, adapter, LoraFacts(name="made", run="test"))
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
            lora_name="made.safetensors",
            strength_model=strength,
            strength_clip=strength,
        )
        model, clip = [lora, 0], [lora, 1]
    saved = added(graph, model, clip, [loaded, 2], PROMPT, SEED, STEPS, GUIDANCE)
    ran = host.run(graph)
    assert ran.status == "success", ran.error
    return saved_picture(host, ran, saved)


def saved_picture(host, ran, saved):
    """What a node has saved, uint8 [S, S, 3]."""
    (picture,) = ran.outputs[saved]["images"]
    return np.asarray(Image.open(host.base / "output" / picture["filename"]).convert("RGB"))


def added(graph, model, clip, vae, prompt, seed, steps, guidance):
    """The node that saves what the host draws; the nodes before it are added too."""
    prompts = [graph.add("CLIPTextEncode", clip=clip, text=text) for text in (prompt, "")]
    size = graph.add("EmptyLatentImage", width=64, height=64, batch_size=1)
    sampled = graph.add(
        "KSampler",
        model=model,
        positive=[prompts[0], 0],
        negative=[prompts[1], 0],
        latent_image=[size, 0],
        seed=seed,
        steps=steps,
        cfg=guidance,
        sampler_name="euler",
        scheduler="simple",
        denoise=1.0,
    )
    decoded = graph.add("VAEDecode", samples=[sampled, 0], vae=vae)
    return graph.add("SaveImage", images=[decoded, 0], filename_prefix=f"drawn_{len(graph)}")


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


def test_a_tuned_lora_raises_the_score_in_the_host_by_half_of_what_it_says_at_least(drawing):
    host, _ = drawing
    promised, guidance = rising.place_tuned(host.base / "models" / "loras" / "tuned.safetensors")
    assert promised > 0
    prompts, graph = rising.new_prompts(), Graph()
    loaded = graph.add("CuratorTestLoadGenerator", name="generator.safetensors")
    lora = graph.add(
        "LoraLoaderModelOnly", model=[loaded, 0], lora_name="tuned.safetensors", strength_model=1.0
    )
    saved = {
        where[0]: [
            added(graph, where, [loaded, 1], [loaded, 2], prompt, 1000 + place, rising.STEPS, guidance)
            for place, prompt in enumerate(prompts)
        ]
        for where in ([loaded, 0], [lora, 0])
    }
    ran = host.run(graph)
    assert ran.status == "success", ran.error
    before, after = ([saved_picture(host, ran, each) for each in saved[node]] for node in (loaded, lora))
    assert "lora key not loaded" not in host.log.read_text(errors="replace")
    assert all(not np.array_equal(one, other) for one, other in zip(before, after))
    rise = rising.mean_score(after, prompts) - rising.mean_score(before, prompts)
    print(f"rose by {rise:.3f}; {promised:.3f} promised")
    assert rise >= promised / 2
