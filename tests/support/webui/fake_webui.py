"""A host in this process: the imitation in ``imitation/``, or the true loop of a checkout, with our script in it."""

from __future__ import annotations

import html
import importlib
import importlib.util
import json
import re
import sys
import types
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
HOSTS = ("a1111", "forge", "neo", "reforge")
PACKAGE = "imagereward_webui"
_MEMORY = {
    "forge": "backend.memory_management",
    "neo": "backend.memory_management",
    "reforge": "ldm_patched.modules.model_management",
    "classic": "ldm_patched.modules.model_management",
}


def load_package():
    """Our package under the name that the door gives it."""
    if PACKAGE not in sys.modules:
        folder = ROOT / "webui_extension"
        spec = importlib.util.spec_from_file_location(
            PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        module = importlib.util.module_from_spec(spec)
        sys.modules[PACKAGE] = module
        spec.loader.exec_module(module)
    return sys.modules[PACKAGE]


def ours(name):
    """A module of our package, such as ``script.arguments``."""
    load_package()
    return importlib.import_module(f"{PACKAGE}.{name}")


class FakeHost:
    """One host. Attributes ``shared``, ``images``, ``processing``, ``scripts``, ``callbacks`` are its modules.

    Args:
        monkeypatch: Puts ``sys.modules`` back after the test.
        base: Where the outputs go.
        name: Whose conventions.
    """

    true_loop = False

    def __init__(self, monkeypatch, base, name="a1111"):
        self.name, self.base = name, Path(base)
        for known in [
            known
            for known in sys.modules
            if known.split(".")[0] in ("modules", "backend", "ldm_patched", "modules_forge")
        ]:
            monkeypatch.delitem(sys.modules, known)
        monkeypatch.syspath_prepend(str(HERE / "imitation"))
        if name in _MEMORY:
            self._pretend(monkeypatch, _MEMORY[name])
        if name in ("neo", "classic"):
            self._pretend(monkeypatch, "modules_forge.forge_version")
            sys.modules["modules_forge.forge_version"].version = name
        if name == "neo":
            self._pretend(monkeypatch, "backend.args")
            sys.modules["backend.args"].dynamic_args = types.SimpleNamespace(wan=False)
        self.convention = self._module(monkeypatch, "convention")
        self.convention.HOST = name
        self.shared = self._module(monkeypatch, "shared")
        self.errors = self._module(monkeypatch, "errors")
        self.callbacks = self._module(monkeypatch, "script_callbacks")
        self.images = self._module(monkeypatch, "images")
        self.scripts = self._module(monkeypatch, "scripts")
        self.paths = self._module(monkeypatch, "paths")
        self.infotext = self._module(monkeypatch, "infotext_utils")
        self.processing = self._module(monkeypatch, "processing")
        self.paths.data_path = str(self.base)
        self.paths.models_path = str(self.base / "models")
        for tab in ("txt2img", "img2img"):
            self.shared.DEFAULTS.update(
                {
                    f"outdir_{tab}_samples": str(self.outputs / tab),
                    f"outdir_{tab}_grids": str(self.outputs / "grids"),
                }
            )
        if name == "neo":
            self.shared.DEFAULTS["save_images_replace_action"] = "Override"
        self.always, self.selectable = [], []

    @property
    def outputs(self):
        return self.base / "outputs"

    @property
    def samples(self):
        """Where kept pictures go."""
        return self.outputs / "txt2img"

    def _module(self, monkeypatch, name):
        module = importlib.import_module(f"modules.{name}")
        for part in ("modules", f"modules.{name}"):
            monkeypatch.setitem(sys.modules, part, sys.modules[part])
        return module

    def _pretend(self, monkeypatch, dotted):
        """Empty packages up to a name, by which a host is recognised."""
        name = ""
        for part in dotted.split("."):
            name = f"{name}.{part}" if name else part
            if name in sys.modules:
                continue
            module = types.ModuleType(name)
            module.__path__ = []
            monkeypatch.setitem(sys.modules, name, module)

    def add(self, script, selectable=False):
        """Puts a script into both tabs."""
        script.filename = script.filename or type(script).__name__
        (self.selectable if selectable else self.always).append(script)
        return script

    def make(self, *arguments, script=None, plot=(), kind="Txt2Img", is_api=False, **options):
        """A p as the page or the API makes it.

        Args:
            arguments: Of ``script``.
            script: The always-on script they belong to; the others get none.
            plot: Arguments of the selectable script, which is then the one chosen.
            kind: Txt2Img or Img2Img.
            is_api: Whether the API asks.
            options: Fields of p.
        """
        options = {
            "outpath_samples": str(self.samples),
            "outpath_grids": str(self.outputs / "grids"),
            **options,
        }
        p = getattr(self.processing, f"StableDiffusionProcessing{kind}")(**options)
        values = [1 if plot else 0, *plot]
        for each in self.always:
            each.args_from = len(values)
            values += list(arguments) if each is script else []
            each.args_to = len(values)
        p.is_api = is_api
        p.scripts = self.scripts.ScriptRunner(self.always, self.selectable)
        p.script_args = tuple(values)
        return p

    def run(self, p):
        """Begins a job and makes the pictures."""
        self.shared.state.begin()
        return self.processing.txt2img(p)

    def page(self, p):
        """Begins a job, makes the pictures and gives what the page shows of them."""
        return Page(self, self.run(p))

    def files(self, folder=None):
        """Paths below the outputs (or ``folder``), as text with slashes, sorted."""
        folder = Path(folder or self.outputs)
        return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


class Page:
    """What the page is sent for a result, as each host sends it: the gallery, and everything told about it as attributes.

    Attributes:
        images: In the gallery.
        info: The infotext in sight.
        comments: The lines below.
    """

    def __init__(self, host, result):
        from modules.ui_common import plaintext_to_html

        images = result.images + list(getattr(result, "extra_images", ()))
        neo = host.name == "neo"
        gallery = {"value": images, "visible": True, "__type__": "update"} if neo else images
        outputs = [gallery, *([None] if neo else []), result.js(), plaintext_to_html(result.info), "log"]
        ids = ["txt2img_gallery", *(["txt2img_player"] if neo else [])]
        ids += ["generation_info_txt2img", "html_info_txt2img", "html_log_txt2img"]
        function = types.SimpleNamespace(
            fn=lambda: outputs, outputs=[types.SimpleNamespace(elem_id=each) for each in ids]
        )
        other = types.SimpleNamespace(fn=None, outputs=[])
        fns = {3: other, 7: function} if host.name in ("forge", "neo") else [other, function]
        ours("script.page").on_app_started(types.SimpleNamespace(fns=fns), None)
        gallery, *_, told, info, _ = function.fn()
        self.__dict__.update(json.loads(told))
        self.images = gallery["value"] if neo else gallery
        self.info = html.unescape(re.sub("<[^>]*>", "", info))
        self.comments, self._told = result.comments, told

    def js(self):
        return self._told


def brightness(picture):
    """Mean brightness of a picture in 0..1."""
    return float(np.asarray(picture.convert("RGB"), dtype=float).mean()) / 255


def with_script(host):
    """Adds our script to a host, as the door does; returns it."""
    door = FakeDoor()
    ours("script").connect(door)
    for event, callback in door.callbacks:
        getattr(host.callbacks, f"on_{event}")(callback)
    return host.add(door.classes[0]())


class FakeDoor:
    """What a part is handed to join the host."""

    def __init__(self):
        self.classes, self.callbacks, self.undone = [], [], []

    def offer(self, script_class):
        self.classes.append(script_class)

    def on(self, event, callback, name=""):
        self.callbacks.append((event, callback))

    def on_unload(self, undo, name=""):
        self.undone.append(undo)


def curate(host, settings, **options):
    """One run with our script switched on, as the page shows it, or as a program gets it; adds the script where the host has none."""
    script = next((each for each in host.always if each.title() == "ImageReward Curator"), None)
    script = script or with_script(host)
    options = {"prompt": "a red cat", "seed": 1, **options}
    p = host.make({"enabled": True, **settings}, script=script, **options)
    return host.run(p) if p.is_api else host.page(p)


def needs_a_model(host):
    """Skips a test of what the true loop does only with a model; a whole host shows that."""
    if host.true_loop:
        import pytest

        pytest.skip("the true loop needs a model for this; see the tests against a whole host")


def settings_of(path):
    """The infotext's settings of a saved picture."""
    from PIL import Image

    from imagereward_core.metadata.formats.a1111 import parse_infotext

    with Image.open(path) as image:
        return parse_infotext(image.info.get("parameters", "")).settings


def score_of(picture):
    """What the fake scorer says about a picture."""
    return 4 * brightness(picture) - 2
