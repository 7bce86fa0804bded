"""The generator that lies in the repository is the one that was measured, and it draws what its prompts say."""

from __future__ import annotations

import hashlib
import json
import random

import pytest
from safetensors import safe_open

from tests.support.oracles import import_torchvision
from tests.support.refl.generator_file import TRAINED

import_torchvision()
pytest.importorskip("diffusers")

from imagereward_lab.generator.measure import bounds, demo_judge, own_over_others, reaches_goal  # noqa: E402
from imagereward_lab.generator.pictures import as_pictures, some_scenes  # noqa: E402
from imagereward_lab.generator.places import places  # noqa: E402
from imagereward_lab.generator.prompts import PromptIds, merges_in  # noqa: E402
from imagereward_lab.generator.sampling import sample  # noqa: E402
from imagereward_lab.generator.stored import FACTS, MODEL, open_generator  # noqa: E402

FOUND = json.loads((TRAINED / FACTS).read_text(encoding="utf-8"))


def test_it_is_the_one_that_was_measured_small_and_in_half_precision():
    data = (TRAINED / MODEL).read_bytes()
    assert hashlib.sha256(data).hexdigest() == FOUND["sha256"]
    assert len(data) == FOUND["size"] <= 16 * 2**20
    assert reaches_goal(FOUND["held_out"]) and FOUND["held_out"]["places"]["right"] > 0.98
    with safe_open(TRAINED / MODEL, "pt") as file:
        kinds = {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
    assert kinds <= {"F16", "I64"}


def test_its_pictures_go_with_their_prompts(tmp_path):
    pytest.importorskip("open_clip")  # brings CLIP's vocabulary
    scenes = some_scenes(random.Random("trained"), 32, held_out=True)
    prompts = [scene.prompt for scene in scenes]
    images = sample(open_generator(TRAINED), PromptIds(merges_in(tmp_path)), prompts, seed=5, steps=12)
    share, own = own_over_others(scenes, as_pictures(images), demo_judge())
    assert share > 0.95 and places(scenes, as_pictures(images))["right"] > 0.9
    assert own.mean() > bounds(scenes, demo_judge()).half_way
