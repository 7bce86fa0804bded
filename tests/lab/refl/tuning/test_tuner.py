"""The loop: its gradient, exact resume after a kill at any update, the guards' say, and what it refuses."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from imagereward_lab.refl.bases.load import load_base
from imagereward_lab.refl.guards.options import GuardOptions
from imagereward_lab.refl.methods.options import DraftOptions
from imagereward_lab.refl.tuning.even import evened
from imagereward_lab.training.errors import TrainingError
from imagereward_lab.training.state.checkpoints import CheckpointFolder
from imagereward_lab.training.state.draws import Draws
from imagereward_lab.training.state.processes import Processes
from tests.support.oracles import import_torchvision

import_torchvision()
pytest.importorskip("diffusers")
pytest.importorskip("peft")

from tests.support.lab.pipelines import write_pipeline  # noqa: E402
from tests.support.refl.tuners import OPTIONS, TUNED, Brightness, brightness, tuner_of  # noqa: E402


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sd1")
    write_pipeline("sd1", folder, tmp_path_factory.mktemp("tokens"))
    return load_base(folder)


def gradient(tuner, number=0):
    tuner.gradients(number)
    return {name: each.grad.clone() for name, each in tuner.parameters.items() if each.grad is not None}


def course_of(history):
    return [{**each.to_dict(), "seconds": 0} for each in history.checks]


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def shaken(tuner):
    """Away from the beginning, where the second matrices are zero and half of all gradients with them."""
    numbers = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for each in tuner.parameters.values():
            each += 0.1 * torch.randn(each.shape, generator=numbers)
    return tuner


@pytest.fixture(scope="module")
def through(base):
    """What a run that nobody kills comes to: its course, the result, and the average."""
    tuner = tuner_of(base)
    course = course_of(tuner.run())
    return course, tuner.adapter.state(), {name: each.clone() for name, each in tuner.average.items()}


@pytest.mark.parametrize("killed_at", [1, 2, 3])
def test_a_killed_run_goes_on_to_the_same_bits(base, through, tmp_path, killed_at):
    """Killed after an update that was not saved yet, also where a check was to follow."""
    course, result, average = through
    killed = tuner_of(base, tmp_path)

    def kill(update):
        if update.number == killed_at:
            raise KilledError

    killed.on_update = kill
    with pytest.raises(KilledError):
        killed.run()
    torch.manual_seed(99)  # nothing depends on torch's own numbers
    again = tuner_of(base, tmp_path)
    again.resume()
    assert again.update == killed_at - 1
    assert course_of(again.run()) == course
    assert equal(again.adapter.state(), result) and equal(again.average, average)
    finished = tuner_of(base, tmp_path)  # killed before the result was written
    finished.resume()
    finished.run()
    assert equal(finished.adapter.state(), result)


def test_the_gradient_is_that_of_all_losses_over_the_whole_batch(base):
    """However it is dealt out: in parts, or among processes, whose gradients are added."""
    tuner = shaken(tuner_of(base, guards=GuardOptions(distance_weight=0.5), accumulate=2, balance="losses"))
    shares = []
    for rank in range(2):
        tuner.among = Processes(rank=rank, number=2)
        for some, weight in ((tuner.reward_gradients, 1.0), (tuner.denoising_gradients, 0.1)):
            some(0)
            shares.append({name: weight * each.grad for name, each in tuner.parameters.items()})
    tuner.among = Processes()
    whole = gradient(tuner)
    for name, each in whole.items():
        parted = sum(share[name] for share in shares)
        torch.testing.assert_close(parted, each, rtol=1e-3, atol=1e-7)

    # The plain derivation: one picture after the other.
    tuner.optimiser.zero_grad()
    for place in range(3):
        prompt = TUNED[tuner._order(place)]
        conditions = base.encode([prompt])
        numbers = Draws.of("update", 1234, 0, place).numbers
        rollout = tuner.method.rollout(base, conditions, [numbers], OPTIONS)
        (visit,) = rollout.visits
        with torch.no_grad(), tuner.adapter.off():
            frozen = base.output(visit.latents, visit.timesteps, conditions)
        loss = -brightness(rollout.images, [prompt]).mean() + 0.5 * (visit.output - frozen).pow(2).mean()
        draws = Draws.of("denoising", 1234, 0, place)
        row = draws.plain.randrange(4)
        latents = tuner.examples.latents[[row]]
        noise = torch.randn(latents.shape[1:], generator=draws.numbers)[None]
        timestep = base.draw_timesteps([draws.numbers])
        told = base.encode([tuner.examples.prompts[row]])
        loss = loss + 0.1 * base.denoising_loss(latents, told, noise, timestep).mean()
        (loss / 3).backward()
    for name, each in tuner.parameters.items():
        torch.testing.assert_close(whole[name], each.grad, rtol=1e-3, atol=1e-7)


def test_by_lengths_every_picture_moves_the_lora_as_far_as_the_reward_lets_it(base):
    """A reward that is steep for one prompt does not drown the others; pictures that are above the bound move nothing."""
    steep = {TUNED[0]: 1e4, TUNED[1]: 1.0, TUNED[2]: 1e-4}
    options = replace(OPTIONS, weight=0.5)
    far = GuardOptions(distance_weight=0.2)
    tuner = shaken(tuner_of(base, options=options, guards=far, denoising_weight=0.0, accumulate=2))
    tuner.reward = lambda images, prompts: (
        brightness(images, prompts) * torch.tensor([steep[each] for each in prompts])
    )
    tuner.scale = (0.0, 1.0)
    whole = gradient(tuner)

    parted = []
    for rank in range(2):
        tuner.among = Processes(rank=rank, number=2)
        tuner.reward_gradients(0)
        parted.append({name: each.grad for name, each in tuner.parameters.items() if each.grad is not None})
    tuner.among = Processes()

    tuner.optimiser.zero_grad()
    for place in range(3):
        prompt = TUNED[tuner._order(place)]
        conditions = base.encode([prompt])
        rollout = tuner.method.rollout(
            base, conditions, [Draws.of("update", 1234, 0, place).numbers], options
        )
        latents, (visit,) = rollout.latents, rollout.visits
        (up,) = torch.autograd.grad(rollout.images.mean(), latents, retain_graph=True)
        with torch.no_grad(), tuner.adapter.off():
            frozen = base.output(visit.latents, visit.timesteps, conditions)
        loss = -0.5 * (latents * up / up.norm()).sum()
        loss = loss + 0.2 * latents.numel() ** 0.5 * (visit.output - frozen).pow(2).mean()
        (loss / 3).backward()
    plain = {name: each.grad for name, each in tuner.parameters.items() if each.grad is not None}
    length = torch.stack([each.norm() for each in plain.values()]).norm()
    assert whole.keys() == plain.keys()
    for name, each in whole.items():  # brought to length 1, for nothing is above the bound
        torch.testing.assert_close(each, plain[name] / length, rtol=1e-3, atol=1e-6)
        torch.testing.assert_close(sum(some[name] for some in parted), plain[name], rtol=1e-3, atol=1e-7)
    tuner.guards = replace(far, distance_weight=0.0)
    tuner.options = replace(options, bound=-1.0)
    assert all(not each.any() for each in gradient(tuner).values())


def test_a_gradient_that_is_no_number_stays_none():
    latents = torch.tensor([[[[2.0]]], [[[3.0]]], [[[5.0]]]], requires_grad=True)
    steep = torch.tensor([1.0, math.inf, 0.0])[:, None, None, None]
    total = evened((latents * steep).nan_to_num(posinf=math.inf).sum(), latents, 0.25)
    (found,) = torch.autograd.grad(total, latents)
    assert found.flatten()[0] == 0.25 and not found.flatten()[1].isfinite() and found.flatten()[2] == 0


def test_the_second_loss_is_brought_to_the_length_of_the_reward(base):
    """Whatever its scale: weights mean the same, and the reward counts less the fewer pictures are below the bound."""
    alone = GuardOptions(distance_weight=0.0)
    tuner = shaken(tuner_of(base, options=replace(OPTIONS, bound=None), guards=alone, denoising_weight=0.5))
    tuner.scale = (0.0, 0.1)  # pictures are about 0.5 bright, and the bound is 0.2
    directions = []
    for some in (tuner.reward_gradients, tuner.denoising_gradients):
        some(0)
        flat = torch.cat([each.grad.flatten() for each in tuner.parameters.values()])
        directions.append(flat / flat.norm() if flat.norm() else flat)
    assert directions[0].norm() < 1e-3  # all are above it
    found = torch.cat([each.flatten() for each in gradient(tuner).values()])
    torch.testing.assert_close(found, 0.5 * directions[1], rtol=1e-3, atol=1e-6)
    tuner.scale = (0.5, 1.0)  # and now all below
    for weight in (1e-3, 10.0):
        tuner.options = replace(tuner.options, weight=weight)
        tuner.reward_gradients(0)
        flat = torch.cat([each.grad.flatten() for each in tuner.parameters.values()])
        found = torch.cat([each.flatten() for each in gradient(tuner).values()])
        torch.testing.assert_close(found, flat / flat.norm() + 0.5 * directions[1], rtol=1e-3, atol=1e-5)


def test_where_all_pictures_are_above_the_bound_the_model_is_still_drawn_back(base):
    """By as much as a single picture below it would count, or steps of Adam would go on as they were."""
    far = GuardOptions(distance_weight=0.2)
    tuner = shaken(
        tuner_of(base, options=replace(OPTIONS, bound=-1e9), guards=far, denoising_weight=0.0, accumulate=2)
    )
    tuner.scale = (0.0, 1.0)
    tuner.reward_gradients(0)
    back = {name: each.grad.clone() for name, each in tuner.parameters.items() if each.grad is not None}
    length = torch.stack([each.norm() for each in back.values()]).norm()
    assert length > 0
    for name, each in gradient(tuner).items():
        torch.testing.assert_close(each, back[name] / length / tuner.config.batch, rtol=1e-4, atol=1e-8)


def test_several_pictures_of_a_prompt_count_as_one(base):
    """DRaFT-LV's gradient is a mean over its noises: with one noise twice as often it is no larger."""
    sizes = []
    for number in (1, 4):
        options = DraftOptions(
            steps=4, k=1, low_variance=number, height=16, width=16, bound=math.inf, weight=1.0
        )
        tuner = shaken(tuner_of(base, options=options, method="draft-k", denoising_weight=0.0))
        sizes.append(math.sqrt(sum(float(each.pow(2).sum()) for each in gradient(tuner).values())))
    assert 0.3 < sizes[1] / sizes[0] < 1.6


def test_bound_and_weight_are_in_deviations_of_the_reward(base):
    """A reward of other units, of which the reference scores are known, or those of the first check, has the same gradient."""
    tuner = shaken(tuner_of(base, options=replace(OPTIONS, bound=None)))
    tuner.scale = (0.4, 0.1)
    expected = gradient(tuner)
    tuner.reward = lambda images, prompts: 40 + 1000 * (brightness(images, prompts) - 0.4)
    tuner.scale = (40.0, 100.0)
    for name, each in gradient(tuner).items():
        torch.testing.assert_close(each, expected[name], rtol=1e-3, atol=1e-6)
    tuner.scale = None
    first = tuner.check(0)
    tuner.history.checks.append(first)
    assert tuner.unit == (first.mean("bright"), first.deviation("bright"))


def test_tuning_moves_pictures_towards_the_reward_and_the_second_loss_is_learnt_too(base):
    updates = []
    course = {"updates": 16, "check_every": 16, "save_every": 16, "learning_rate": 5e-2}
    tuner = tuner_of(base, **course, denoising_weight=0.7)
    tuner.on_update = updates.append

    def second_loss():  # of the same noise each time
        return sum(tuner.denoising_gradients(number) for number in range(4))

    before = second_loss()
    history = tuner.run()
    first, last = history.checks[0], history.checks[-1]
    assert last.mean("bright") > first.mean("bright") + first.deviation("bright")
    assert second_loss() < before
    assert updates[-1].distance > updates[0].distance == 0
    assert all(each.norm > 0 for each in updates)


@pytest.mark.parametrize("watch, stopped_at, result", [("stop", 4, 1), ("keep", 6, 1), ("off", 6, 6)])
def test_a_scorer_that_is_not_tuned_to_stops_the_run_and_the_last_good_state_is_the_result(
    base, tmp_path, watch, stopped_at, result
):
    """The other scorer wants dark pictures from the second update on: what pleases the one ruins the other."""
    turn = Brightness()
    tuner = tuner_of(
        base,
        tmp_path,
        {"bright": Brightness(), "dark": turn},
        guards=GuardOptions(watch=watch, patience=3, scorer_fall=0.05, diversity_fall=100),
        updates=6,
        check_every=1,
        denoising_weight=0.0,
        ema=0.0,
    )
    states = {}

    def note(history):
        states[tuner.update] = {name: each.detach().clone() for name, each in tuner.parameters.items()}
        turn.factor = -1.0 if tuner.update else 1.0

    tuner.on_check = note
    history = tuner.run()
    assert (tuner.update, history.good) == (stopped_at, result)
    assert bool(history.stopped) == (watch == "stop")
    assert equal(tuner.adapter.state(), states[result])
    stored, best = CheckpointFolder(tmp_path).load()
    assert stored.best == result and equal(best, states[result])


def test_where_no_state_was_good_nothing_is_given(base):
    tuner = tuner_of(base, guards=GuardOptions(diversity_fall=0.0, scorer_fall=0.0, watch="keep"))
    tuner.check = lambda update, check=tuner.check: replace(check(update), diversity=1.0 - 0.1 * update)
    with pytest.raises(TrainingError, match=r"no state was good: .*smaller\s--learning-rate"):
        tuner.run()


def test_numbers_that_are_none_end_the_run_in_words(base):
    tuner = tuner_of(base)
    tuner.reward = lambda images, prompts: images.mean(dim=(1, 2, 3)) * math.nan
    with pytest.raises(TrainingError, match="update 1 gave reward nan.*Check the model"):
        tuner.run()


def test_other_settings_do_not_go_on(base, tmp_path):
    tuner_of(base, tmp_path, updates=1).run()
    other = tuner_of(base, tmp_path, updates=1, learning_rate=2e-2)
    with pytest.raises(TrainingError, match=r"learning_rate was 0.01, now 0.02"):
        other.resume()
    parts = tuner_of(base, tmp_path, updates=1, accumulate=1, checkpointing=True)
    parts.resume()  # what takes less memory may be changed
    assert parts.update == 1


def test_a_model_that_gives_all_pictures_one_reward_is_told(base):
    class Same(Brightness):
        def __call__(self, pictures, prompts):
            return np.full((len(pictures), len(prompts)), 3.0)

    with pytest.raises(TrainingError, match="gives 3 to all pictures of the first check"):
        tuner_of(base, measures={"same": Same()}).run()


def test_the_learning_rate_rises_and_falls_over_the_shares_asked_for(base):
    tuner = tuner_of(base, updates=10, warmup=0.3, cooldown=0.5, learning_rate=0.1)
    rates = []
    for tuner.update in range(10):
        rates.append(tuner._rate())
    assert rates == pytest.approx([0.1 * each for each in (1 / 3, 2 / 3, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2)])
