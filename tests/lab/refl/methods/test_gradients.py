"""Gradients from the reward back into the denoiser: against finite differences, and against a plain derivation of the published method."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from imagereward_core.scorers.tokenizers.bert import pad_ids
from imagereward_lab.refl.bases.load import load_base
from imagereward_lab.refl.methods.drawing import draw
from imagereward_lab.refl.methods.options import AlignPropOptions, DraftOptions, MethodOptions, ReflOptions
from imagereward_lab.refl.methods.rollout import loss
from imagereward_lab.refl.methods.table import METHODS
from imagereward_lab.refl.reward import Reward
from tests.support.oracles import import_peft, import_torchvision

import_torchvision()
pytest.importorskip("diffusers")
import_peft()

from tests.support.lab.pipelines import MAKERS, PROMPTS, write_pipeline  # noqa: E402
from tests.support.tiny import CARD, tiny_scorer  # noqa: E402

SIZE = {"height": 16, "width": 16}
OPTIONS = {
    "refl": ReflOptions(steps=4, first=2, last=3, **SIZE),
    "draft-k": DraftOptions(steps=4, k=2, **SIZE),
    "alignprop": AlignPropOptions(steps=4, mean=0.5, deviation=0.4, **SIZE),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {}

    def folder(kind):
        if kind not in made:
            made[kind] = tmp_path_factory.mktemp(kind)
            write_pipeline(kind, made[kind], tmp_path_factory.mktemp("tokens"))
        return made[kind]

    return folder


def generators(number=2, first=0):
    return [torch.Generator().manual_seed(first + seed) for seed in range(number)]


def calm(base):
    """Images of greys, so that no pixel lies beyond the range."""
    with torch.no_grad():
        base.vae.decoder.conv_out.weight *= 0.2


def with_lora(base, spread=0.1):
    """Gives the denoiser a LoRA that changes something; returns its parameters."""
    from peft import LoraConfig

    torch.manual_seed(0)
    base.denoiser.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=base.targets()))
    learnt = [each for each in base.denoiser.parameters() if each.requires_grad]
    with torch.no_grad():
        for each in learnt:
            each += spread * torch.randn(each.shape)
    return learnt


def test_refl_is_a_plain_derivation_of_the_published_method(folders, tmp_path):
    from diffusers import DDPMScheduler

    base, scorer = load_base(folders("sd1")), tiny_scorer(tmp_path)
    learnt = with_lora(base)
    options = ReflOptions(bound=2.0, **SIZE)
    calm(base)
    conditions = base.encode(PROMPTS)
    rollout = METHODS["refl"].rollout(base, conditions, generators(), options)
    found = loss(Reward(scorer)(rollout.images, PROMPTS), options).mean()
    gradients = torch.autograd.grad(found, learnt)

    losses, steps = [], []
    unet, vae, network = base.denoiser, base.vae, scorer.network
    for row, generator in enumerate(generators()):
        scheduler = DDPMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            clip_sample=False,
            steps_offset=1,
            timestep_spacing="leading",
        )
        scheduler.set_timesteps(40)
        states = conditions.states[[row]]
        latents = torch.randn(1, 4, 8, 8, generator=generator)
        middle = int(torch.randint(30, 40, (), generator=generator))
        steps.append(middle)
        with torch.no_grad():
            for timestep in scheduler.timesteps[:middle]:
                noise = unet(latents, timestep, encoder_hidden_states=states).sample
                latents = scheduler.step(noise, timestep, latents, generator=generator).prev_sample
        timestep = scheduler.timesteps[middle]
        noise = unet(latents, timestep, encoder_hidden_states=states).sample
        left = scheduler.alphas_cumprod[timestep]
        clean = (latents - (1 - left).sqrt() * noise) / left.sqrt()
        image = vae.decode(clean / 0.18215).sample / 2 + 0.5
        assert image.min() >= 0 and image.max() <= 1  # nothing is cut off here
        pixels = functional.interpolate(image, (32, 32), mode="bicubic", antialias=True)
        mean, std = (torch.tensor(each)[:, None, None] for each in (CARD.image.mean, CARD.image.std))
        ids, mask = pad_ids([scorer.encoder(PROMPTS[row]).ids])
        reward = network(ids, mask, (pixels - mean) / std)[0, 0]
        losses.append(torch.relu(2 - reward) * 1e-3)
    expected = torch.stack(losses).mean()
    assert rollout.at == tuple(steps) and steps[0] != steps[1]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-8)
    assert expected > 0
    for mine, theirs in zip(gradients, torch.autograd.grad(expected, learnt)):
        torch.testing.assert_close(mine, theirs, rtol=2e-3, atol=1e-3 * float(theirs.abs().max()) + 1e-12)


@pytest.mark.parametrize("name", list(METHODS))
def test_gradients_are_finite_differences_in_double_precision(name, folders, tmp_path):
    base, scorer = load_base(folders("sd1"), dtype=torch.float64), tiny_scorer(tmp_path)
    learnt = with_lora(base)
    calm(base)
    for network in (scorer.network, base.denoiser):
        network.double()
    reward, options = Reward(scorer), OPTIONS[name]
    conditions, own = base.encode(PROMPTS), base.noise
    base.noise = lambda *given: own(*given).double()

    def value():
        rollout = METHODS[name].rollout(base, conditions, generators(), options)
        assert rollout.images.dtype == torch.float64
        assert ((rollout.images > 0) & (rollout.images < 1)).all()
        return reward(rollout.images, [PROMPTS[row] for row in rollout.rows]).sum()

    gradients = torch.autograd.grad(value(), learnt)
    direction = [torch.randn(each.shape, dtype=each.dtype) for each in learnt]
    slope = sum((one * other).sum() for one, other in zip(gradients, direction))

    # Steps without gradient see the untouched weights, as in the method: only the steps with gradient are moved.
    from imagereward_lab.refl.methods import alignprop, draft_k, refl

    module = {"refl": refl, "draft-k": draft_k, "alignprop": alignprop}[name]
    walked = module.walk

    def moved(by):
        def change(sign):
            with torch.no_grad():
                for each, way in zip(learnt, direction):
                    each += sign * by * way

        def walk(*given):
            change(-1)
            latents = walked(*given)
            change(+1)
            return latents

        module.walk = walk
        try:
            change(+1)
            with torch.no_grad():
                found = value()
            change(-1)
        finally:
            module.walk = walked
        return found

    step = 1e-5
    difference = (moved(step) - moved(-step)) / (2 * step)
    torch.testing.assert_close(slope, difference, rtol=1e-6, atol=1e-9)
    assert abs(float(slope)) > 1e-6


@pytest.mark.parametrize("kind", list(MAKERS))
@pytest.mark.parametrize("name", list(METHODS))
def test_every_method_tunes_every_kind_and_the_base_stays_as_it_is(kind, name, folders, tmp_path):
    base, reward = load_base(folders(kind)), Reward(tiny_scorer(tmp_path))
    conditions, plain = base.encode(PROMPTS), MethodOptions(steps=3, guidance=2.0, **SIZE)
    before = draw(base, conditions, generators(), plain)
    learnt = with_lora(base)
    options = OPTIONS[name]
    rollout = METHODS[name].rollout(base, conditions, generators(), options)
    with torch.no_grad():
        again = METHODS[name].rollout(base, conditions, generators(), options)
    torch.testing.assert_close(rollout.images.detach(), again.images, rtol=1e-4, atol=1e-5)
    assert not again.images.requires_grad
    assert rollout.images.shape == (2, 3, 16, 16)
    rewards = reward(rollout.images, PROMPTS)
    loss(rewards, options).mean().backward()
    assert sum(float(each.grad.abs().sum()) for each in learnt if each.grad is not None) > 0
    assert all(each.grad is None for each in base.vae.parameters())
    for visit in rollout.visits:
        assert not visit.latents.requires_grad and visit.output.requires_grad
        told = visit.timesteps.to(base.device)
        given = base.output(visit.latents, told, conditions.rows(visit.rows), options.guidance)
        torch.testing.assert_close(given, visit.output, rtol=1e-4, atol=1e-4)
    torch.optim.SGD(learnt, 10.0).step()
    after = draw(base, conditions, generators(), plain)
    assert not torch.equal(after, before)
    base.denoiser.disable_adapters()
    assert torch.equal(draw(base, conditions, generators(), plain), before)


@pytest.mark.parametrize("name", list(METHODS))
def test_saving_memory_changes_no_gradient(name, folders):
    base = load_base(folders("sd1"))
    learnt = with_lora(base)
    conditions = base.encode(PROMPTS)

    def gradients():
        rollout = METHODS[name].rollout(base, conditions, generators(), OPTIONS[name])
        return torch.autograd.grad(rollout.images.pow(2).sum(), learnt)

    plain = gradients()
    base.save_memory()
    assert base.denoiser.is_gradient_checkpointing and base.vae.is_gradient_checkpointing
    for mine, theirs in zip(gradients(), plain):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()) + 1e-9)
    base.save_memory(False)
    assert not base.denoiser.is_gradient_checkpointing


def test_the_low_variance_form_draws_the_last_step_anew_from_each_noise(folders):
    base = load_base(folders("sd1"))
    with_lora(base)
    conditions = base.encode(PROMPTS)
    options = DraftOptions(steps=4, k=1, low_variance=3, **SIZE)
    rollout = METHODS["draft-k"].rollout(base, conditions, generators(), options)
    assert rollout.rows == (0, 0, 0, 1, 1, 1) and rollout.images.shape[0] == 6
    finished = draw(base, conditions, generators(), MethodOptions(steps=4, **SIZE))
    near = (rollout.images.detach() - finished[list(rollout.rows)]).flatten(1).abs().mean(1)
    far = (rollout.images.detach() - finished[[1, 1, 1, 0, 0, 0]]).flatten(1).abs().mean(1)
    assert (near < far).all()
    assert len({float(each.sum()) for each in rollout.images.detach()}) == 6
    rollout.images.sum().backward()


def test_pixels_beyond_the_range_are_cut_off_and_keep_their_gradient(folders):
    base = load_base(folders("sd1"))
    latents = (50 * torch.randn(1, 4, 8, 8, generator=generators()[0])).requires_grad_()
    images = base.decode(latents)
    assert images.min() == 0 and images.max() == 1
    out = (images == 1) | (images == 0)
    (slope,) = torch.autograd.grad((images * out).sum(), latents)
    assert slope.abs().max() > 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ReflOptions(steps=30), "first is 30 and last is 39 of 30 steps"),
        (lambda: ReflOptions(first=35, last=34), "first is 35 and last is 34"),
        (lambda: DraftOptions(steps=3, k=4), "k is 4 of 3 steps"),
        (lambda: DraftOptions(k=2, low_variance=2), "low_variance is 2 and k is 2"),
        (lambda: AlignPropOptions(mean=1.5), "mean is 1.5; expected a number from 0 to 1"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_rewards_above_the_bound_have_no_loss_and_no_gradient():
    rewards = torch.tensor([-1.0, 1.9, 2.5], requires_grad=True)
    found = loss(rewards, ReflOptions(bound=2.0))
    torch.testing.assert_close(found, torch.tensor([3e-3, 1e-4, 0.0]))
    found.sum().backward()
    torch.testing.assert_close(rewards.grad, torch.tensor([-1e-3, -1e-3, 0.0]))
    for bound in (None, float("inf")):
        free = loss(rewards.detach(), DraftOptions(bound=bound, weight=1.0))
        assert torch.equal(free, -rewards.detach())
