"""ReFL as published, derived plainly; what is made of rewards; and which settings contradict one another."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from imagereward_core.scorers.tokenizers.bert import pad_ids
from imagereward_lab.refl.bases.load import load_base
from imagereward_lab.refl.methods.options import AlignPropOptions, DraftOptions, ReflOptions
from imagereward_lab.refl.methods.rollout import loss
from imagereward_lab.refl.methods.table import METHODS
from imagereward_lab.refl.reward import Reward
from tests.support.oracles import import_peft, import_torchvision

import_torchvision()
pytest.importorskip("diffusers")
import_peft()

from tests.support.lab.pipelines import PROMPTS  # noqa: E402
from tests.support.lab.tuned import SIZE, calm, folder_of, generators, with_lora  # noqa: E402
from tests.support.tiny import CARD, tiny_scorer  # noqa: E402


def test_refl_is_a_plain_derivation_of_the_published_method(tmp_path_factory, tmp_path):
    from diffusers import DDPMScheduler

    base, scorer = load_base(folder_of("sd1", tmp_path_factory)), tiny_scorer(tmp_path)
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


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ReflOptions(steps=30), "--first is 30 and --last is 39 of 30 steps"),
        (lambda: ReflOptions(first=35, last=34), "--first is 35 and --last is 34"),
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
