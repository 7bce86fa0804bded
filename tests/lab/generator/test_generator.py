"""The generator is stored in Stable Diffusion 1's layout, is made from its first step to its last, and goes on exactly after a kill."""

from __future__ import annotations

import importlib.util
import json
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from imagereward_core.demo.scenes import COLOURS, OPENINGS, RELATIONS, SHAPES, Scene, Thing
from imagereward_lab.generator import learning
from imagereward_lab.generator.layout import POSITIONS, from_checkpoint, to_checkpoint
from imagereward_lab.generator.learning import Lesson, learn
from imagereward_lab.generator.lessons import timesteps
from imagereward_lab.generator.measure import demo_judge, measure, reaches_goal
from imagereward_lab.generator.networks import END_ID, SCALE, Generator, GeneratorConfig, rescale_latents
from imagereward_lab.generator.pictures import as_pictures, drawn, some_scenes
from imagereward_lab.generator.places import places, seen_relation
from imagereward_lab.generator.prompts import PromptIds, merges_in
from imagereward_lab.generator.sampling import NOISE, sample, signal
from imagereward_lab.generator.schedule import SCHEDULE
from imagereward_lab.generator.sides import SideHeads, answers
from imagereward_lab.generator.stored import open_generator
from imagereward_lab.generator.train import make
from imagereward_lab.training.errors import TrainingError
from imagereward_lab.training.state.checkpoints import CheckpointFolder
from imagereward_lab.training.state.draws import Draws
from tests.support.oracles import import_torchvision

import_torchvision()
pytest.importorskip("diffusers")

SMALL = GeneratorConfig(
    width=32, heads=4, vae_width=32, vae_multipliers=(1, 1, 1, 2), text_layers=1, text_width=32, text_mlp=32
)
# Everything at least twice: levels, layers, and a change of width on the way.
UNLIKE = GeneratorConfig(
    width=32,
    multipliers=(1, 2, 2),
    layers=2,
    heads=4,
    vae_layers=2,
    vae_multipliers=(1, 2, 2, 1),
    text_layers=2,
    text_width=32,
    text_mlp=32,
    vocabulary=500,
)


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def ids(tmp_path_factory) -> PromptIds:
    if importlib.util.find_spec("open_clip") is None:
        pytest.skip("the package with CLIP's vocabulary (open_clip_torch) is not installed")
    return PromptIds(merges_in(tmp_path_factory.mktemp("clip")))


def shaken(config: GeneratorConfig, seed: int) -> Generator:
    """A generator in which no two parameters are equal."""
    made = Generator(config, seed)
    numbers = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for each in made.parameters():
            each += 0.02 * torch.randn(each.shape, generator=numbers)
    return made


@pytest.mark.parametrize("config", [GeneratorConfig(), UNLIKE], ids=["own", "other sizes"])
def test_diffusers_own_converters_read_the_checkpoint(config):
    from diffusers.loaders import single_file_utils

    ours = shaken(config, 3)
    state = to_checkpoint(ours)
    sizes = ours.unet.config, ours.vae.config
    unet = single_file_utils.convert_ldm_unet_checkpoint(dict(state), sizes[0])
    vae = single_file_utils.convert_ldm_vae_checkpoint(dict(state), sizes[1])
    text = {
        name.removeprefix("cond_stage_model.transformer.text_model."): value
        for name, value in state.items()
        if name.startswith("cond_stage_model.") and name != POSITIONS
    }
    for converted, network in ((unet, ours.unet), (vae, ours.vae)):
        known = network.state_dict()
        assert converted.keys() == known.keys()
        for name, value in known.items():
            assert torch.equal(converted[name].reshape(value.shape), value), name
    known = {name.removeprefix("text_model."): value for name, value in ours.text.state_dict().items()}
    assert text.keys() == known.keys() - {"embeddings.position_ids"}
    assert all(torch.equal(text[name], known[name]) for name in text)
    again = Generator(config, 4)
    from_checkpoint(again, state)
    for (name, mine), theirs in zip(ours.named_parameters(), again.parameters()):
        assert torch.equal(mine, theirs), name


def test_the_checkpoint_has_the_names_of_stable_diffusion_1_and_is_small():
    state = to_checkpoint(Generator())
    for name in (
        "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight",
        "model.diffusion_model.output_blocks.1.2.conv.weight",
        "first_stage_model.encoder.mid.attn_1.q.weight",
        "first_stage_model.decoder.up.3.upsample.conv.weight",
        "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight",
        POSITIONS,
    ):
        assert name in state, name
    assert state["first_stage_model.encoder.mid.attn_1.q.weight"].ndim == 4
    assert sum(2 * value.numel() for value in state.values()) + 60_000 < 16_000_000


def test_a_checkpoint_of_other_sizes_is_refused():
    ours = Generator(UNLIKE)
    state = to_checkpoint(ours)
    name = "model.diffusion_model.out.2.bias"
    for changed, words in (
        (
            {key: value for key, value in state.items() if key != name},
            f"lacks 1 parameters, among them {name}",
        ),
        ({**state, "more": torch.zeros(1)}, "also has 1 parameters, among them more"),
        ({**state, name: torch.zeros(9)}, f"another shape of 1 parameters, among them {name}"),
    ):
        with pytest.raises(TrainingError, match=words):
            from_checkpoint(ours, changed)


def test_rescaled_latents_decode_to_the_same_and_have_the_deviation_hosts_expect():
    generator = shaken(SMALL, 5)
    images = drawn(some_scenes(random.Random(1), 24), random.Random(2), 64)
    with torch.no_grad():
        before = generator.vae.encode(images).latent_dist
        mean, deviation = before.mean.mean(dim=(0, 2, 3)), before.mean.std(dim=(0, 2, 3))
        decoded = generator.vae.decode(before.mean).sample
        rescale_latents(generator.vae, mean, 1 / (SCALE * deviation))
        means, spreads = generator.moments(images)
        torch.testing.assert_close(generator.decoded(means), decoded, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(means.mean(dim=(0, 2, 3)), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(means.std(dim=(0, 2, 3)), torch.ones(4), atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(spreads, before.std / deviation[:, None, None], atol=1e-5, rtol=1e-3)


def test_prompts_have_the_ids_that_hosts_feed(ids, tmp_path):
    transformers = pytest.importorskip("transformers")
    from tests.support.webui.checkpoint import write_tokenizer

    write_tokenizer(tmp_path, merges_in(tmp_path / "merges"), GeneratorConfig())
    tokenizer = transformers.CLIPTokenizer.from_pretrained(tmp_path)
    rng = random.Random(1)
    prompts = ["", *(rng.choice(OPENINGS) + scene.prompt for scene in some_scenes(rng, 50))]
    theirs = tokenizer(prompts, padding="max_length", max_length=77, return_tensors="pt").input_ids
    assert torch.equal(ids(prompts), theirs)
    assert ids([""])[0].tolist() == [END_ID - 1] + [END_ID] * 76


def test_the_course_of_noise_is_that_of_diffusers():
    from diffusers import DDPMScheduler

    torch.testing.assert_close(signal(), DDPMScheduler(**NOISE).alphas_cumprod)


def test_a_picture_is_that_of_diffusers_own_pipeline(ids):
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    generator = shaken(SMALL, 6)
    prompts = ["a red star on a gray background", "two blue rings on a white background"]
    ours = sample(generator, ids, prompts, seed=1, steps=4, guidance=3.0)
    pipeline = StableDiffusionPipeline(
        vae=generator.vae,
        text_encoder=generator.text,
        tokenizer=None,
        unet=generator.unet,
        scheduler=DDIMScheduler(**NOISE, clip_sample=False, set_alpha_to_one=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    latents = torch.stack([Draws.of("sample", 1, place).normal(torch.empty(4, 8, 8)) for place in range(2)])
    with torch.no_grad():
        theirs = pipeline(
            prompt_embeds=generator.states(ids(prompts)),
            negative_prompt_embeds=generator.states(ids(["", ""])),
            latents=latents,
            num_inference_steps=4,
            guidance_scale=3.0,
            output_type="pt",
        ).images
    torch.testing.assert_close((ours / 2 + 0.5).clamp(0, 1), theirs, atol=2e-4, rtol=1e-3)
    alone = sample(generator, ids, prompts[:1], seed=1, steps=4, guidance=3.0)
    torch.testing.assert_close(alone[0], ours[0], atol=2e-4, rtol=1e-3)


def test_learning_goes_on_exactly_after_a_kill(tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "OFTEN", 10)
    settings = {"seed": 1, "steps": 45, "learning_rate": 1e-2, "ema": 0.9, "validate_every": 20}

    def little(kill_at=0):
        torch.manual_seed(0)
        network, count = nn.Linear(4, 2), [0]

        def loss(draws):
            count[0] += 1
            if count[0] == kill_at:
                raise KilledError
            return (
                (network(torch.randn(8, 4, generator=draws.numbers)) - draws.plain.random()).square().mean()
            )

        learns = dict(network.named_parameters())
        return Lesson("little", learns, loss, lambda step: {"norm": float(network.weight.norm())})

    def run(lesson, name, given=settings):
        return learn(
            lesson, settings=given, folder=CheckpointFolder(tmp_path / name), report=lambda line: None
        )

    whole, killed, again = little(), little(kill_at=34), little()
    history = run(whole, "whole")
    with pytest.raises(KilledError):
        run(killed, "killed")
    assert run(again, "killed") == history and [row["step"] for row in history] == [20, 40, 45]
    finished = little()
    assert run(finished, "killed") == history, "what is done is not done again"
    for name, each in whole.learns.items():
        assert torch.equal(each, again.learns[name]) and torch.equal(each, finished.learns[name]), name
    with pytest.raises(TrainingError, match="steps was 45, now 46"):
        run(little(), "killed", {**settings, "steps": 46})


def test_what_is_measured_tells_right_pictures_from_wrong_ones():
    scenes = some_scenes(random.Random(5), 24, held_out=True)
    right = as_pictures(drawn(scenes, random.Random(6), 64))
    found = measure(scenes, right, demo_judge())
    assert (
        reaches_goal(found)
        and found["pairs"] == 120
        and found["mean_of_degraded"] < found["half_way"] < found["mean"]
    )
    assert {"colour", "shape"} <= found["by_aspect"].keys()
    assert found["places"] == {
        "pictures": sum(scene.other is not None for scene in scenes),
        "right": 1,
        "opposite": 0,
    }
    assert min(row["share"] for row in found["by_aspect"].values()) > 0.85
    turned = measure(scenes, right[1:] + right[:1], demo_judge())
    assert turned["own_over_others"] < 0.75 and not reaches_goal(turned)


def test_things_that_have_changed_places_or_are_missing_are_seen():
    asked = Scene(Thing("star", "red"), "gray", other=Thing("ring", "blue"), relation="above")
    single = Scene(Thing("star", "red"), "gray")
    rng = random.Random(3)
    shown = [
        asked,
        replace(asked, relation="below"),
        replace(asked, relation="left of"),
        replace(asked, other=Thing("ring", "green")),
        single,
    ]
    pictures = as_pictures(drawn(shown, rng, 64))
    assert [seen_relation(each, asked) for each in pictures] == ["above", "below", "left of", "", ""]
    assert places([asked] * 4 + [single], pictures) == {"pictures": 4, "right": 0.25, "opposite": 0.25}
    assert places([single], pictures[:1]) == {"pictures": 0, "right": 0, "opposite": 0}


def test_sides_are_asked_of_the_end_of_prompts_about_two_things(ids):
    scene = Scene(
        Thing("star", "red"), "gray", other=Thing("ring", "blue"), relation="right of"
    )  # so the ring is left
    where = {side: answers(scene)[2 * place : 2 * place + 2] for place, side in enumerate(RELATIONS)}
    colours = list(COLOURS)
    assert where == {
        "left of": [colours.index("blue"), SHAPES.index("ring")],
        "right of": [colours.index("red"), SHAPES.index("star")],
        "above": [-100, -100],
        "below": [-100, -100],
    }
    single = Scene(Thing("star", "red"), "gray")
    assert set(answers(single)) == set(answers(None)) == {-100}
    heads = SideHeads(8, seed=1)
    tokens = ids(["", scene.prompt, single.prompt])
    states = torch.randn(3, tokens.shape[1], 8, generator=torch.Generator().manual_seed(2)).requires_grad_()
    assert heads.loss(states, tokens, [None, None, single]).item() == 0
    loss = heads.loss(states, tokens, [None, scene, single])
    loss.backward()
    asked = states.grad.abs().sum(dim=-1) > 0
    assert torch.equal(asked, (tokens == END_ID) & torch.tensor([False, True, False])[:, None])
    with torch.no_grad():
        heads.linear.weight.zero_()
        heads.linear.bias.fill_(-20)
        for place, answer in enumerate(answers(scene)):
            if answer >= 0:
                heads.linear.bias[6 * place + answer] = 20
    assert heads.loss(states, tokens, [None, scene, single]).item() < 1e-6


def test_half_of_the_timesteps_can_be_noisy_ones():
    stage = replace(SCHEDULE.placing, batch=4000, noisy=0.5)
    draws = [timesteps(each, 1000, Draws.of("x", 0, 0)) for each in (stage, replace(stage, noisy=0.0))]
    late = [float((each >= 600).float().mean()) for each in draws]
    assert 0.67 < late[0] < 0.73 and 0.37 < late[1] < 0.43
    assert all(int(each.min()) >= 0 and int(each.max()) < 1000 for each in draws)


def test_a_hundredth_of_it_runs_to_the_end_after_two_kills(tmp_path, ids):
    # Fewer steps still than a hundredth, for the networks are slow beside a test.
    hundredth = SCHEDULE.scaled(0.0005)
    said: list[str] = []

    def kill_at(words):
        def say(line):
            said.append(line)
            if words in line:
                raise KilledError(line)

        return say

    def judge(pictures, prompts):
        return np.asarray(
            [float(np.asarray(each).mean()) + len(prompt) for each, prompt in zip(pictures, prompts)]
        )

    def run(say, schedule=hundredth):
        return make(tmp_path / "run", schedule, SMALL, say=say, judge=judge)

    with pytest.raises(KilledError):
        run(kill_at(f"autoencoder: step {hundredth.autoencoding.steps}/"))
    with pytest.raises(KilledError):
        run(kill_at("denoiser: step 2:"))
    facts = run(said.append)
    begun = [line for line in said if line.endswith("begins, or goes on")]
    assert [line[0] for line in begun] == ["1", "1", "2", "2", "3"], "what is done is not done again"
    assert [stage["stage"] for stage in facts["training"]] == ["autoencoding", "denoising", "denoising"]
    model = tmp_path / "run" / "model"
    assert json.loads((model / "facts.json").read_text(encoding="utf-8")) == json.loads(json.dumps(facts))
    assert facts["size"] == (model / "generator.safetensors").stat().st_size
    assert (model / "sheet.png").is_file() and list((tmp_path / "run" / "2-denoising").glob("sheet-*.png"))
    opened = open_generator(model)
    prompt = ["a red star on a gray background"]
    assert torch.isfinite(sample(opened, ids, prompt, seed=1, steps=3)).all()
    with pytest.raises(TrainingError, match="other settings"):
        run(said.append, SCHEDULE.scaled(0.02))


def test_an_early_generator_has_the_whole_autoencoder_and_few_steps_of_the_rest(tmp_path, ids):
    whole = SCHEDULE.early(1000)
    assert (whole.autoencoding, whole.denoising.steps, whole.placing) == (SCHEDULE.autoencoding, 1000, None)
    assert whole.denoising.scenes == SCHEDULE.denoising.scenes

    def judge(pictures, prompts):
        return np.zeros(len(pictures))

    def run(early):
        return make(tmp_path / "run", early.scaled(0.0005), SMALL, say=lambda line: None, judge=judge)

    stages = run(SCHEDULE.early(4000))["training"]
    assert [stage["stage"] for stage in stages] == ["autoencoding", "denoising"] and stages[1]["steps"] == 2
    with pytest.raises(TrainingError, match="other settings"):
        run(SCHEDULE)
