"""Gradients from the reward back into the denoiser, by every method, against finite differences; the base stays as it is."""

from __future__ import annotations

import pytest
import torch

from imagereward_lab.refl.bases.load import load_base
from imagereward_lab.refl.lora.adapter import attach
from imagereward_lab.refl.methods import alignprop, draft_k, refl
from imagereward_lab.refl.methods.drawing import draw, walk
from imagereward_lab.refl.methods.options import DraftOptions, MethodOptions
from imagereward_lab.refl.methods.rollout import loss
from imagereward_lab.refl.methods.table import METHODS
from imagereward_lab.refl.reward import Reward
from tests.support.oracles import import_peft, import_torchvision

import_torchvision()
pytest.importorskip("diffusers")
import_peft()

from tests.support.lab.pipelines import MAKERS, PROMPTS  # noqa: E402
from tests.support.lab.tuned import OPTIONS, SIZE, calm, folder_of, generators, with_lora  # noqa: E402
from tests.support.tiny import tiny_scorer  # noqa: E402


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return lambda kind: folder_of(kind, tmp_path_factory)


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


@pytest.mark.parametrize(
    ("kind", "name"),
    [*((kind, "draft-k") for kind in MAKERS), ("sd1", "refl"), ("sd3", "refl"), ("flux", "alignprop")],
)
def test_every_method_tunes_every_kind_and_the_base_stays_as_it_is(kind, name, folders, tmp_path):
    base, reward = load_base(folders(kind)), Reward(tiny_scorer(tmp_path))
    conditions, plain = base.encode(PROMPTS), MethodOptions(steps=3, guidance=2.0, **SIZE)
    before = draw(base, conditions, generators(), plain)
    adapter = attach(base, base.targets(), rank=2)
    assert torch.equal(draw(base, conditions, generators(), plain), before)  # it begins as the base
    learnt = adapter.parameters()
    with torch.no_grad():
        for each in learnt:
            each += 0.1 * torch.randn(each.shape, generator=generators(1)[0])
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
    with adapter.off():
        assert torch.equal(draw(base, conditions, generators(), plain), before)


@pytest.mark.parametrize("kind", list(MAKERS))
def test_half_precision_of_the_base_has_gradients_in_full(kind, folders):
    base = load_base(folders(kind), dtype=torch.bfloat16)
    adapter = attach(base, base.targets("blocks"), rank=2)
    base.save_memory()
    rollout = METHODS["draft-k"].rollout(base, base.encode(PROMPTS), generators(), OPTIONS["draft-k"])
    assert base.dtype == torch.bfloat16 and rollout.images.dtype == torch.float32
    rollout.images.sum().backward()
    ups = [each for name, each in adapter.named_parameters().items() if name.endswith("/up")]
    assert all(each.grad.dtype == torch.float32 and each.grad.isfinite().all() for each in ups)
    assert sum(float(each.grad.abs().sum()) for each in ups) > 0


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
    own, schedule = generators(), base.schedule(4, 16, 16)
    latents = walk(base, schedule, conditions, base.noise(own, 16, 16), [4, 4], options, own)
    for place, row in enumerate(rollout.rows):
        noised = schedule.signal[3] * latents[row] + schedule.noise[3] * torch.randn(
            latents[row].shape, generator=own[row]
        )
        torch.testing.assert_close(rollout.visits[0].latents[place], noised.float(), rtol=1e-5, atol=1e-5)
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
