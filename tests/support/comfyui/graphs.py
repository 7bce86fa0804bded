"""Graphs the way the host's API takes them, and pictures for them."""

from __future__ import annotations

import functools
import io
import itertools
import json

from imagereward_core.demo.batches import draw_batches

PREFIX = "ImageRewardCurator"
PROMPTS = [batch.prompt for batch in draw_batches(2, 4, seed=3, size=96)]
_names = itertools.count()


def draw_scenes(folder):
    """Two prompts with four drawn pictures each, with their prompts in text files beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in _scenes().items():
        (folder / name).write_bytes(content)


@functools.cache
def _scenes():
    """The files by name; drawn once, for nearly every test of the nodes has them."""
    files = {}
    for number, batch in enumerate(draw_batches(2, 4, seed=3, size=96)):
        for place, picture in enumerate(batch.pictures):
            png = io.BytesIO()
            picture.image.save(png, "PNG")
            files[f"{number}_{place}.png"] = png.getvalue()
            files[f"{number}_{place}.txt"] = batch.prompt.encode()
    return files


class Graph(dict):
    """Nodes by id; ``add`` returns the id, ``show`` adds a node that tells what reached it."""

    def add(self, node, **inputs):
        number = str(len(self) + 1)
        if node in NODES:
            node = PREFIX + node
        self[number] = {"class_type": node, "inputs": inputs}
        return number

    def show(self, node, slot):
        return self.add("CuratorProbeShow", source=[node, slot])

    def load(self, **changes):
        defaults = {
            "scorer": "demo",
            "precision": "auto",
            "device": "auto",
            "blend": "",
            "whole_picture": False,
        }
        return self.add("LoadScorer", **{**defaults, "batch_size": 0, "allow_download": False, **changes})

    def pictures(self, kind="batch"):
        return self.add("CuratorProbePictures", kind=kind)

    def folder(self):
        return self.add("LoadFolder", folder="scenes", subfolders=False, start=0, most=100)

    def score(self, images, prompt="a red star on a gray background", scorer=None, **changes):
        scorer = scorer or self.load()
        return self.add(
            "ScoreImages", scorer=[scorer, 0], images=images, prompt=prompt, clean_prompt=True, **changes
        )

    def scored_folder(self):
        """Ids of the folder and of its scores, every picture with its own prompt."""
        folder = self.folder()
        return folder, self.score([folder, 0], prompt=[folder, 1])

    def filter(self, scores, **changes):
        defaults = {
            "top_k": 0,
            "top_percent": 100.0,
            "min_score": -1000.0,
            "min_percentile": 0.0,
            "keep_at_least": 0,
            "within": "all pictures",
            "when_nothing_passes": "block this branch",
            "order": "best first",
            "changed_pictures": False,
        }
        return self.add("FilterByScore", scores=[scores, 0], **{**defaults, **changes})

    def sort(self, scores, **changes):
        defaults = {"order": "best first", "within": "all pictures", "changed_pictures": False}
        return self.add("SortByScore", scores=[scores, 0], **{**defaults, **changes})

    def pick(self, scores, **changes):
        return self.add(
            "PickBest",
            scores=[scores, 0],
            **{"number": 1, "within": "all pictures", "changed_pictures": False, **changes},
        )

    def blend(self, *scores, method="rank", name="two"):
        given = {f"scores_{slot}": [each, 0] for slot, each in enumerate(scores, start=1)}
        weights = {f"weight_{slot}": 1.0 for slot in range(1, 5)}
        return self.add("BlendScores", **given, **weights, method=method, name=name)

    def plot(self, scores, **changes):
        defaults = {"show": "histogram and ranked bars", "width": 640, "height": 400, "theme": "dark"}
        return self.add("ScorePlot", scores=[scores, 0], **{**defaults, **changes})

    def sheet(self, scores, images, **changes):
        defaults = {
            "badge": "rank and score",
            "order": "best first",
            "columns": 0,
            "cell": 96,
            "most": 100,
            "theme": "dark",
        }
        return self.add(
            "ContactSheet",
            scores=[scores, 0],
            images=images,
            **{**defaults, "changed_pictures": False, **changes},
        )

    def curate(self, scorer=None, **changes):
        defaults = {
            "mode": "preview",
            "where": "output",
            "folder": "scenes",
            "subfolders": True,
            "top_k": 1,
            "top_percent": 100.0,
            "min_score": -1000.0,
            "min_percentile": 0.0,
            "keep_at_least": 0,
            "per": "each prompt",
            "unique": False,
            "action": "copy",
            "kept_folder": "kept",
            "rejected_folder": "rejected",
            "rejected": "put apart",
            "write_scores": False,
        }
        return self.add("CurateFolder", scorer=[scorer or self.load(), 0], **{**defaults, **changes})

    def save(self, scores, images, **changes):
        defaults = {
            "filename_prefix": f"run{next(_names)}/%rank%_%score%_%scorer%",
            "format": "png",
            "quality": 90,
            "kept_folder": "kept",
            "rejected_folder": "rejected",
            "rejected": "save apart",
            "score_metadata": True,
            "changed_pictures": False,
        }
        return self.add("SaveScored", images=images, scores=[scores, 0], **{**defaults, **changes})


NODES = (
    "LoadScorer",
    "ScoreImages",
    "SortByScore",
    "FilterByScore",
    "PickBest",
    "BlendScores",
    "ScoreToText",
    "ScorePlot",
    "ContactSheet",
    "SaveScored",
    "PromptForScoring",
    "LoadFolder",
    "CurateFolder",
)


def shown(ran, node):
    """What reached a probe: a list of values, tensors as their shape and the mean of each picture."""
    assert ran.status == "success", ran.error
    return json.loads(ran.outputs[node]["shown"][0])
