"""A picture prepared beforehand is scored as the file is."""

from __future__ import annotations

import random

from imagereward_core.demo.scenes import draw, random_scene
from imagereward_core.images.decode import open_image
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.factory import create_scorer
from imagereward_core.scorers.inputs import Prepared, prepare_all


def test_prepared_pictures_get_the_very_numbers_of_their_files(tmp_path):
    scorer = create_scorer("demo", LocalRuntime("cpu"))
    rng = random.Random(5)
    paths, prompts = [], []
    for number in range(4):
        scene = random_scene(rng)
        draw(scene, rng, 100 + number).save(tmp_path / f"{number}.png")
        paths.append(tmp_path / f"{number}.png")
        prompts.append(scene.prompt)
    prepared = [Prepared(prepare_all(open_image(path), [scorer.spec])) for path in paths]
    assert scorer.score(prepared, prompts).values.tolist() == scorer.score(paths, prompts).values.tolist()
