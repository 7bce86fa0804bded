"""Drawn scenes as a generator would leave them, the demo scorer, and what a tree of files looks like byte for byte."""

from __future__ import annotations

from PIL.PngImagePlugin import PngInfo

from imagereward_core.demo.batches import draw_batches
from imagereward_core.library.curate.carry_out import carry_out
from imagereward_core.library.curate.plan import plan_curation
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.factory import Maker
from imagereward_core.scorers.panel import Panel
from imagereward_core.weights.locate import WeightSettings

SETTINGS = "\nSteps: 20, Sampler: Euler, Seed: 1, Size: 96x96"


def demo_panel():
    """The demo scorer alone."""
    maker = Maker(LocalRuntime("cpu", "fp32"), WeightSettings(allow_download=False), None, False, None)
    return Panel(maker.make_all(["demo"])[0])


def save_scene(path, picture, prompt):
    """One drawn picture with its prompt as a WebUI writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = PngInfo()
    text.add_text("parameters", prompt + SETTINGS)
    picture.save(path, pnginfo=text)
    return path


def plan(library, panel, outputs, options):
    """Scores what is new and says where everything would go."""
    library.scan([outputs], panel, options=options.scan)
    return plan_curation(library, panel, outputs, options)


def curate(library, panel, outputs, options):
    """The same, and does it."""
    curation = plan(library, panel, outputs, options)
    return curation, carry_out(library, curation)


def draw_outputs(folder, prompts=2, pictures=4, seed=3):
    """A folder for each prompt, with that many pictures in it."""
    found = []
    for number, batch in enumerate(draw_batches(prompts, pictures, seed=seed, size=96)):
        for place, picture in enumerate(batch.pictures):
            path = folder / f"day {number}" / f"{place:02} bild ü.png"
            found.append(save_scene(path, picture.image, batch.prompt))
    return found


def drawn_folder(factory):
    """Such a folder made once for a module, to be copied; ``factory`` is pytest's ``tmp_path_factory``."""
    folder = factory.mktemp("drawn")
    draw_outputs(folder)
    return folder


def tree(folder):
    """Every file outside of the store with its bytes, and every folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if ".imagereward" not in path.relative_to(folder).parts
    }


def files(folder):
    """Names of all files outside of the store."""
    return sorted(name for name, content in tree(folder).items() if content is not None)
