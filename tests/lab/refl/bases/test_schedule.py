"""One formula makes the steps of DDIM, DDPM and of flow models: those of diffusers' schedulers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from imagereward_lab.refl.bases.schedule import Schedule, estimates, every, step_on, target
from tests.support.oracles import import_torchvision

import_torchvision()
diffusers = pytest.importorskip("diffusers")

NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "clip_sample": False}


def schedule_of(scheduler, steps: int) -> Schedule:
    scheduler.set_timesteps(steps)
    left = scheduler.alphas_cumprod.double()[scheduler.timesteps]
    left = torch.cat([left, torch.ones(1, dtype=torch.float64)])
    return Schedule(timesteps=scheduler.timesteps.double(), signal=left.sqrt(), noise=(1 - left).sqrt())


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_steps_are_those_of_ddim(prediction, eta):
    theirs = diffusers.DDIMScheduler(
        **NOISE, prediction_type=prediction, set_alpha_to_one=True, steps_offset=1
    )
    schedule = schedule_of(theirs, 10)
    latents, output, fresh = torch.randn(3, 2, 4, 3, 3, generator=torch.Generator().manual_seed(1)).double()
    for place in range(10):
        ours = step_on(prediction, schedule, every(place, 2), latents, output, fresh, eta)
        expected = theirs.step(output, theirs.timesteps[place], latents, eta=eta, variance_noise=fresh)
        torch.testing.assert_close(ours.clean, expected.pred_original_sample, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(ours.latents, expected.prev_sample, rtol=1e-5, atol=1e-5)


def test_eta_1_has_the_mean_and_the_variance_of_ddpm(monkeypatch):
    theirs = diffusers.DDPMScheduler(**NOISE, steps_offset=1, timestep_spacing="leading")
    schedule = schedule_of(theirs, 40)
    latents, output, fresh = torch.randn(3, 2, 4, 3, 3, generator=torch.Generator().manual_seed(2)).double()
    monkeypatch.setattr(
        "diffusers.schedulers.scheduling_ddpm.randn_tensor", lambda *arguments, **known: fresh
    )
    for place in (0, 20, 38):
        ours = step_on("epsilon", schedule, every(place, 2), latents, output, fresh, 1.0)
        expected = theirs.step(output, theirs.timesteps[place], latents)
        torch.testing.assert_close(ours.clean, expected.pred_original_sample, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(ours.latents, expected.prev_sample, rtol=1e-4, atol=1e-4)


def test_steps_of_flow_models_are_those_of_euler():
    theirs = diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0)
    theirs.set_timesteps(8)
    sigmas = theirs.sigmas.double()
    schedule = Schedule(timesteps=theirs.timesteps.double(), signal=1 - sigmas, noise=sigmas)
    latents, output = torch.randn(2, 1, 4, 3, 3, generator=torch.Generator().manual_seed(3)).double()
    for place in range(8):
        ours = step_on("flow", schedule, every(place, 1), latents, output)
        expected = theirs.step(output, theirs.timesteps[place], latents).prev_sample
        torch.testing.assert_close(ours.latents, expected.double(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "flow"])
def test_what_a_denoiser_should_give_leads_back_to_the_clean_latents(prediction):
    clean, noise = torch.randn(2, 5, 4, 2, 2, dtype=torch.float64)
    level = torch.tensor(np.linspace(0.1, 0.9, 5))[:, None, None, None]
    signal = 1 - level if prediction == "flow" else (1 - level**2).sqrt()
    given = target(prediction, clean, noise, signal, level)
    found = estimates(prediction, signal * clean + level * noise, given, signal, level)
    torch.testing.assert_close(found, (clean, noise))
    if prediction == "v_prediction":
        theirs = diffusers.DDPMScheduler(**NOISE, prediction_type=prediction)
        steps = torch.tensor([0, 200, 400, 600, 999])
        left = theirs.alphas_cumprod.double()[steps][:, None, None, None]
        expected = theirs.get_velocity(clean.float(), noise.float(), steps)
        torch.testing.assert_close(
            target(prediction, clean, noise, left.sqrt(), (1 - left).sqrt()).float(), expected
        )


def test_each_row_of_a_batch_is_at_its_own_step():
    scheduler = diffusers.DDIMScheduler(**NOISE, set_alpha_to_one=True, steps_offset=1)
    schedule = schedule_of(scheduler, 10)
    latents, output = torch.randn(2, 2, 4, 3, 3)
    both = step_on("epsilon", schedule, torch.tensor([2, 9]), latents, output)
    for row, place in enumerate((2, 9)):
        alone = step_on("epsilon", schedule, every(place, 1), latents[[row]], output[[row]])
        assert torch.equal(both.latents[[row]], alone.latents)
    assert torch.equal(both.latents[1], both.clean[1])
