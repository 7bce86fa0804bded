"""The tiny generator draws in a real WebUI what it draws without, and a LoRA for it does there what it does here. Set WEBUI_PATH."""

from __future__ import annotations

import os

import numpy as np
import pytest

from tests.support.oracles import import_peft
from tests.support.refl import rising
from tests.support.webui.real_webui import RealWebUI, kind_of

WEBUI, PYTHON = os.environ.get("WEBUI_PATH"), os.environ.get("WEBUI_PYTHON")
pytestmark = pytest.mark.skipif(
    not (WEBUI and PYTHON),
    reason="needs a real WebUI: set WEBUI_PATH to its folder and WEBUI_PYTHON to its interpreter",
)
PROMPT, SEED, STEPS, GUIDANCE = "a red circle on a blue background", 11, 6, 4.0


@pytest.fixture(scope="module")
def drawing(tmp_path_factory):
    """The host with a LoRA in its folder; what the generator draws without it, with and without the LoRA."""
    import_peft()
    pytest.importorskip("diffusers")
    pytest.importorskip("open_clip")
    from imagereward_lab.generator.prompts import PromptIds, merges_in
    from imagereward_lab.refl.lora.metadata import LoraFacts
    from imagereward_lab.refl.lora.stored import read_lora, state_of, write_lora
    from tests.support.refl.drawing import euler, generator_adapter
    from tests.support.refl.generator_file import generator

    made, ids = generator(), PromptIds(merges_in(tmp_path_factory.mktemp("clip")))
    adapter = generator_adapter(made)
    base = tmp_path_factory.mktemp("webui")
    lora = base / "models" / "Lora" / "made.safetensors"
    lora.parent.mkdir(parents=True)
    write_lora(lora, adapter, LoraFacts(name="kittens", run="test"))
    adapter.fill(state_of(read_lora(lora), adapter))  # rounded to half precision as in the file
    named = {"seed": SEED, "steps": STEPS, "guidance": GUIDANCE, "full_noise": False}
    with adapter.off():
        untouched = euler(made, ids, PROMPT, **named)
    expected = {"base": untouched, "tuned": euler(made, ids, PROMPT, **named)}
    # Forge Neo leaves out the text tower's last layer by itself.
    webui = RealWebUI(WEBUI, PYTHON, base, CLIP_stop_at_last_layers=1)
    try:
        yield webui, expected
    finally:
        webui.close()


def drawn(webui, lora, prompt=PROMPT, seed=SEED, steps=STEPS, guidance=GUIDANCE):
    """The picture the host makes, uint8 [S, S, 3], with something behind the prompt."""
    answer = webui.generate(
        prompt=prompt + lora,
        seed=seed,
        steps=steps,
        cfg_scale=guidance,
        scheduler="Simple",
        batch_size=1,
        save_images=False,
    )
    return np.asarray(answer.images[0].convert("RGB"))


def test_the_generator_and_its_lora_draw_in_the_host_what_they_draw_here(drawing):
    webui, expected = drawing
    base, off, on = (drawn(webui, lora) for lora in ("", "<lora:made:0>", "<lora:made:1>"))
    assert np.array_equal(off, base)  # strength 0 is the untouched picture to the bit
    # One level of 255 for rounding to a picture, one for other sums of the same numbers.
    assert np.abs(base.astype(int) - expected["base"]).max() <= 2
    assert np.abs(on.astype(int) - expected["tuned"]).max() <= 2
    assert np.abs(on.astype(int) - base).mean() > 4
    assert base.std() > 10
    assert np.array_equal(drawn(webui, ""), base)  # and it leaves nothing behind


def test_the_host_shows_what_the_lora_says_of_itself(drawing):
    webui, _ = drawing
    status, found = webui.call("/sdapi/v1/loras")
    assert status == 200
    (lora,) = [each for each in found if each["name"] == "made"]
    assert lora["alias"] == "kittens"
    assert lora["metadata"]["ss_network_module"] == "networks.lora"
    assert kind_of(webui.webui) != "a1111" or lora["metadata"]["ss_network_alpha"] in ("6", 6)


def test_a_tuned_lora_raises_the_score_in_the_host_by_half_of_what_it_says_at_least(drawing):
    webui, _ = drawing
    promised, guidance = rising.place_tuned(webui.base / "models" / "Lora" / "tuned.safetensors")
    assert promised > 0
    webui.call("/sdapi/v1/refresh-loras", {})
    prompts = rising.new_prompts()
    before, after = (
        [
            drawn(webui, lora, prompt, 1000 + place, rising.STEPS, guidance)
            for place, prompt in enumerate(prompts)
        ]
        for lora in ("", "<lora:tuned:1>")
    )
    assert all(not np.array_equal(one, other) for one, other in zip(before, after))
    rise = rising.mean_score(after, prompts) - rising.mean_score(before, prompts)
    print(f"rose by {rise:.3f}; {promised:.3f} promised")
    assert rise >= promised / 2
