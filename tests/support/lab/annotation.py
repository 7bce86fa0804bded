"""Projects of annotation for tests: made of names alone, with a clock that tests turn, and people who answer by chance."""

from __future__ import annotations

import random

from imagereward_lab.annotation.project.create import create
from imagereward_lab.annotation.project.options import ProjectOptions
from imagereward_lab.annotation.protocol.keys import CATEGORIES, IMAGE_PROBLEMS
from imagereward_lab.annotation.service import Service
from imagereward_lab.annotation.store import people
from imagereward_lab.annotation.store.tasks import NewImage, NewTask


class Clock:
    """A time that stands still until it is told to go on."""

    def __init__(self, now=1_700_000_000.0):
        self.now = now

    def __call__(self):
        return self.now

    def minutes(self, count):
        self.now += 60 * count


def new_tasks(number=4, images=4, *, mode="protocol", people=1, tests=0, sources=False):
    return [
        NewTask(
            key=f"t{index:04d}",
            mode=mode,
            prompt=f"a red star, scene {index}",
            images=[
                NewImage(name=f"{index}/{place}.png", source=f"made by {place}" if sources else "")
                for place in range(images)
            ],
            people=people,
            test=index < tests,
        )
        for index in range(number)
    ]


def make_project(folder, tasks=None, *, database="", **options):
    images = folder / "pictures"
    images.mkdir(parents=True, exist_ok=True)
    people_asked = options.get("people", 1)
    mode = options.get("mode", "protocol")
    tasks = new_tasks(mode=mode, people=people_asked) if tasks is None else tasks
    create(folder / "project", images, ProjectOptions(**options), tasks, 1_700_000_000.0, database)
    return folder / "project"


def add(service, name, role="annotator", state=people.ACTIVE):
    token = people.new_token()
    now = service.clock()
    person = service.project.database.write(lambda c: people.add(c, name, role, state, token, now))
    return person, token


def protocol_answer(images, rng, qualities=None):
    """A protocol document that fits: ratings by chance or after qualities, and slots that agree with them."""
    overall = {
        image: min(7, max(1, round(4 + 1.5 * qualities[image]))) if qualities else rng.randint(1, 7)
        for image in images
    }
    order = sorted(images, key=lambda image: (-(qualities[image] if qualities else overall[image]), image))
    order.sort(key=lambda image: -overall[image])
    # As many slots as are needed are filled with two, the others with one: five slots hold up to ten.
    doubles = max(0, len(images) - 5)
    slots, rest = [], list(order)
    while rest:
        size = 2 if doubles else 1
        doubles -= size == 2
        slots.append([rest.pop(0) for _ in range(min(size, len(rest)))])
    return {
        "prompt": {
            "category": rng.choice(CATEGORIES),
            "intent_unclear": rng.random() < 0.2,
            "problems": [],
            "phrases": [{"start": 0, "end": 5, "kind": "content"}] if rng.random() < 0.5 else [],
        },
        "images": {
            image: {
                "overall": overall[image],
                "alignment": rng.randint(1, 7),
                "fidelity": rng.randint(1, 7),
                "problems": [IMAGE_PROBLEMS[1]] if rng.random() < 0.2 else [],
                "missing": ["a star"] if rng.random() < 0.2 else [],
            }
            for image in images
        },
        "ranking": slots + [[] for _ in range(5 - len(slots))],
    }


def answer_to(task, rng=None):
    """An answer that fits a task of any mode."""
    rng = rng or random.Random(task.id)
    images = [picture.id for picture in task.images]
    if task.mode == "protocol":
        return protocol_answer(images, rng)
    if task.mode == "best-worst":
        best, worst = rng.sample(images, 2)
        return {"best": best, "worst": worst}
    rng.shuffle(images)
    return {"ranking": [[image] for image in images]}


def open_service(folder, clock=None):
    return Service(folder, clock or Clock())
