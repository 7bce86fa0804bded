"""The distance to the frozen model is what a plain derivation gives, is zero at the beginning, and leaves the tuned model as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from imagereward_lab.refl.bases.load import load_base
from imagereward_lab.refl.guards.distance import distance
from imagereward_lab.refl.lora.adapter import attach
from imagereward_lab.refl.methods.options import AlignPropOptions, DraftOptions, ReflOptions
from imagereward_lab.refl.methods.table import METHODS
from imagereward_lab.training.errors import TrainingError
from tests.support.oracles import import_torchvision

import_torchvision()
pytest.importorskip("diffusers")
pytest.importorskip("peft")

from tests.support.lab.pipelines import PROMPTS, write_pipeline  # noqa: E402

KINDS = ("sd1", "sd2", "sd3")


@pytest.fixture(scope="module", params=KINDS)
def tuned(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    write_pipeline(request.param, folder, tmp_path_factory.mktemp("tokens"))
    base = load_base(folder)
    return request.param, base, attach(base, base.targets(), rank=2, seed=3)


def generators():
    return [torch.Generator().manual_seed(seed) for seed in range(2)]


def rolled(base, method="refl", guidance=1.0):
    if method == "refl":
        options = ReflOptions(steps=6, first=3, last=5, height=16, width=16, guidance=guidance)
    else:
        options = DraftOptions(steps=4, k=2, height=16, width=16, guidance=guidance)
    conditions = base.encode(PROMPTS)
    return conditions, METHODS[method].rollout(base, conditions, generators(), options)


def shake(adapter, by):
    numbers = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for each in adapter.parameters():
            each += by * torch.randn(each.shape, generator=numbers)


def test_a_lora_that_changes_nothing_is_nowhere_and_one_that_does_is_away(tuned):
    _, base, adapter = tuned
    state = adapter.state()
    conditions, rollout = rolled(base)
    assert float(distance(base, adapter, conditions, rollout, 1.0).detach()) == 0
    shake(adapter, 0.1)
    try:
        found = []
        for guidance in (1.0, 3.0):
            conditions, rollout = rolled(base, "draft-k", guidance)
            far = distance(base, adapter, conditions, rollout, guidance)
            with torch.no_grad(), adapter.off():
                frozen = [
                    base.output(each.latents, each.timesteps, conditions.rows(each.rows), guidance)
                    for each in rollout.visits
                ]
            plain = [(each.output - other).pow(2).mean() for each, other in zip(rollout.visits, frozen)]
            assert len(plain) == 2  # one for each step with a gradient
            torch.testing.assert_close(far, torch.stack(plain).mean())
            gradients = torch.autograd.grad(far, adapter.parameters(), allow_unused=True)
            assert (
                sum(each is not None and bool(each.abs().max() > 0) for each in gradients)
                >= len(gradients) - 2
            )
            found.append(float(far.detach()))
        assert min(found) > 1e-6
        # The adapter is on again.
        again = rolled(base, "draft-k", 3.0)[1]
        torch.testing.assert_close(again.images, rollout.images)
    finally:
        adapter.fill(state)


def test_it_is_the_same_in_parts_where_pictures_have_unlike_numbers_of_steps_with_a_gradient(tuned):
    _, base, adapter = tuned
    state = adapter.state()
    shake(adapter, 0.1)
    try:
        options = AlignPropOptions(steps=6, height=16, width=16, guidance=1.0, mean=0.5, deviation=0.4)
        rollout_of = METHODS["alignprop"].rollout

        def far(rows):
            conditions = base.encode([PROMPTS[row] for row in rows])
            rollout = rollout_of(base, conditions, [generators()[row] for row in rows], options)
            with torch.no_grad():
                return float(distance(base, adapter, conditions, rollout, 1.0)), rollout.at

        (whole, cuts), parts = far([0, 1]), [far([row]) for row in (0, 1)]
        assert cuts[0] != cuts[1]
        assert whole == pytest.approx(sum(each for each, _ in parts) / 2, rel=1e-4)
    finally:
        adapter.fill(state)


def test_kl_is_that_of_a_step_of_ddpm(tuned):
    kind, base, adapter = tuned
    conditions, rollout = rolled(base)
    if kind == "sd3":
        with pytest.raises(TrainingError, match="flow model.*--distance l2"):
            distance(base, adapter, conditions, rollout, 1.0, "kl")
        return
    from diffusers import DDPMScheduler

    scheduler = DDPMScheduler(
        **{name: base.parts.scheduler[name] for name in ("beta_start", "beta_end", "beta_schedule")}
    )
    state = adapter.state()
    shake(adapter, 0.1)
    try:
        conditions, rollout = rolled(base)
        (visit,) = rollout.visits
        # The first of the thousand steps too, before which there is no other.
        visit = replace(visit, timesteps=torch.tensor([0.0, float(visit.timesteps[1])], dtype=torch.float64))
        with torch.no_grad(), adapter.off():
            frozen = base.output(visit.latents, visit.timesteps, conditions.rows(visit.rows), 1.0)
        expected = []
        for row, timestep in enumerate(visit.timesteps.long().tolist()):
            beta, kept = scheduler.betas[timestep].double(), scheduler.alphas_cumprod[timestep].double()
            means = []
            for output in (visit.output[row].double(), frozen[row].double()):
                if base.prediction == "v_prediction":
                    output = kept.sqrt() * output + (1 - kept).sqrt() * visit.latents[row].double()
                means.append(
                    (visit.latents[row].double() - beta / (1 - kept).sqrt() * output) / (1 - beta).sqrt()
                )
            expected.append((means[0] - means[1]).pow(2).mean() / (2 * beta))
        found = distance(base, adapter, conditions, replace(rollout, visits=(visit,)), 1.0, "kl")
        torch.testing.assert_close(found.double(), torch.stack(expected).mean(), rtol=1e-4, atol=0)
    finally:
        adapter.fill(state)
