"""Pictures that the demo scorer judges rightly, saved as a WebUI saves them, and a scorer as the extension holds it."""

from __future__ import annotations

import base64
import io
from functools import lru_cache

from PIL.PngImagePlugin import PngInfo

from imagereward_core.demo.batches import draw_batches

SETTINGS = "\nNegative prompt: blurry\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 96x96"


def png(image, parameters=""):
    """The bytes of a picture file."""
    text = PngInfo()
    if parameters:
        text.add_itxt("parameters", parameters)
    data = io.BytesIO()
    image.save(data, "PNG", pnginfo=text)
    return data.getvalue()


def encoded(data):
    return base64.b64encode(data).decode()


@lru_cache
def scenes(prompts=2, pictures=3):
    """(prompt, picture) of drawn scenes."""
    return [
        (batch.prompt, drawn.image)
        for batch in draw_batches(prompts, pictures, size=96)
        for drawn in batch.pictures
    ]


def save_scenes(folder, **how):
    """Drawn scenes in a folder, with their prompts inside; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, (prompt, image) in enumerate(scenes(**how)):
        path = folder / f"{number:03d} szene.png"
        path.write_bytes(png(image, prompt + SETTINGS))
        paths.append(path)
    return paths


@lru_cache
def demo_panel(*others):
    """The demo scorer as the core makes it, on the CPU."""
    from imagereward_core.runtime import LocalRuntime
    from imagereward_core.scorers.factory import Maker
    from imagereward_core.scorers.panel import Panel

    main, *beside = Maker(LocalRuntime("cpu", "fp32")).make_all(["demo", *others])
    return Panel(main, beside)


class Loaded:
    """What ``scorer_cache.load`` gives, without a host's memory manager."""

    def __init__(self, request):
        self.request, self.panel, self.card = request, demo_panel(), demo_panel().card

    def score_each(self, pictures, prompts):
        return self.panel.score(list(pictures), prompts)

    def score(self, pictures, prompts):
        return self.panel.judge(self.score_each(pictures, prompts))
