"""The whole way: drawn scenes, asked about through the real server by people whose noise is known, exported, trained on, evaluated."""

from __future__ import annotations

import json
import math
import random
import urllib.request

import numpy as np

from imagereward_core.cli.main import main
from imagereward_core.scorers.factory import create_scorer
from imagereward_lab.annotation.project.folder import Project
from imagereward_lab.annotation.store.tasks import all_tasks
from imagereward_lab.people.annotator import Annotator, certain, odds
from imagereward_lab.people.expected import agreement, joined
from imagereward_lab.people.scenes import scene_task
from tests.support.lab.annotation import protocol_answer
from tests.support.lab.annotation_pages import served

ANN = Annotator(name="ann", noise=0.6)
PROMPTS, PICTURES = 24, 6


def draw(folder):
    """Pictures and a table of them; the tasks with what their pictures are worth, by prompt."""
    folder.mkdir()
    tasks, lines = {}, []
    for number in range(PROMPTS):
        task, drawn = scene_task(number, held_out=False, pictures=PICTURES)
        for name, picture in zip(task.images, drawn):
            picture.save(folder / name)
        tasks.setdefault(task.prompt, task)
        lines.append(json.dumps({"prompt": task.prompt, "images": task.images}))
    (folder / "table.jsonl").write_text("\n".join(lines) + "\n")
    return tasks


class Visitor:
    """Asks the server as a page does, over a real connection."""

    def __init__(self, link, token):
        self.base, self.token = link.partition("/annotation")[0], token

    def ask(self, path, body=None):
        request = urllib.request.Request(
            f"{self.base}/annotation/api/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "authorization": f"Bearer {self.token}",
                "content-type": "application/json",
                "origin": self.base,
            },
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)


def seen_by(annotator, task):
    """What the pictures of a task are worth to somebody, errors included, by name."""
    rng = np.random.default_rng(list(f"{annotator.name}\n{task.images[0]}".encode()))
    values = np.asarray(task.qualities) + rng.normal(0, annotator.noise, len(task.qualities))
    return dict(zip(task.images, values - np.mean(task.qualities)))


def test_from_drawn_scenes_to_a_scorer_that_agrees_as_far_as_its_people_do(tmp_path, capsys):
    tasks = draw(tmp_path / "scenes")
    made, models = tmp_path / "made", tmp_path / "models"
    assert main(["annotate", "new", str(made), "--from", str(tmp_path / "scenes" / "table.jsonl")]) == 0
    capsys.readouterr()
    assert main(["annotate", "people", str(made), "add", ANN.name]) == 0
    token = capsys.readouterr().out.strip()
    project = Project(made)
    names = {
        image: name for task in project.database.read(all_tasks) for image, name in zip(task.ids, task.names)
    }
    project.close()
    with served(made) as link:
        ann = Visitor(link, token)
        given = ann.ask("next")
        while given["task"] is not None:
            task = given["task"]
            worth = seen_by(ANN, tasks[task["prompt"]])
            images = [image["id"] for image in task["images"]]
            answer = protocol_answer(
                images, random.Random(task["id"]), {each: worth[names[each]] for each in images}
            )
            given = ann.ask(f"tasks/{task['id']}/submit", {"document": answer, "seconds": 30})
            assert given["faults"] == []
    rankings, parted = tmp_path / "scenes" / "all.jsonl", tmp_path / "scenes" / "parted.jsonl"
    assert main(["annotate", "export", str(made), "-o", str(rankings)]) == 0
    assert len(rankings.read_text().splitlines()) == len(tasks)
    words = f"rankings split {rankings} -o {parted} --test 50 --validation 15 --seed 1"
    assert main(words.split()) == 0
    trained = (
        "--start demo --epochs 1 --learning-rate 1e-5 --batch-pairs 30 --device cpu --no-tensorboard".split()
    )
    assert main(["train", str(parted), "-o", str(models), "--name", "mine", *trained]) == 0
    capsys.readouterr()
    scorer = ["--scorer", "mine", "--models-dir", str(models), "--device", "cpu"]
    assert (
        main(["evaluate", str(parted), "--split", "test", *scorer, "-f", "json", "--resamples", "100"]) == 0
    )
    figures = json.loads(capsys.readouterr().out)["figures"]
    (accuracy,) = (each for each in figures if (each["section"], each["measure"]) == ("accuracy", "pairs"))
    # How often a scorer as good as the start must agree with ann follows from her noise by computation; chance would be a half.
    lines = [json.loads(line) for line in parted.read_text().splitlines()]
    held = [tasks[each["prompt"]] for each in lines if each["split"] == "test"]
    pictures = [tmp_path / "scenes" / name for task in held for name in task.images]
    known = create_scorer("demo").score(pictures, [task.prompt for task in held for _ in task.images])
    values = np.split(known.values, len(held))
    expected = agreement(
        joined([certain(each) for each in values]), joined([odds(ANN, task.qualities) for task in held])
    )
    error = math.sqrt(expected * (1 - expected) / accuracy["count"])
    assert len(held) >= 8 and expected - 2 * error > 0.5
    assert accuracy["value"] > expected - 2 * error
