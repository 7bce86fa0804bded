"""The true ``modules/processing.py`` of a checkout, with everything around it imitated or empty: its loop, its infotexts, its order.

Only the model is missing: the test's p paints its pictures itself.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from dataclasses import dataclass
from pathlib import Path

_EMPTY = (
    "modules",
    "modules_forge",
    "backend",
    "ldm_patched",
    "ldm",
    "cv2",
    "skimage",
    "einops",
    "blendmodes",
    "launch",
)

OFF = {
    "CLIP_stop_at_last_layers": 1,
    "eta_noise_seed_delta": 0,
    "randn_source": "GPU",
    "sd_vae_decode_method": "Full",
    "sd_sampling": "A1111",
    "sd_noise_schedule": "Default",
}
"""Options whose value for "nothing special" is not False."""


class Anything:
    """Stands for what a run without a model does not need: can be called, entered, asked for anything; is empty and false."""

    def __init__(self, *arguments, **named):
        pass

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything()

    def __call__(self, *arguments, **named):
        return Anything()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def __iter__(self):
        return iter(())

    def __bool__(self):
        return False

    def __lt__(self, other):
        return False

    def __gt__(self, other):
        return False


class _EmptyModule(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything()


class _Loader(importlib.abc.Loader):
    def create_module(self, spec):
        module = _EmptyModule(spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module):
        pass


class _Finder(importlib.abc.MetaPathFinder):
    """Last of all finders: what nobody else has is there, and empty."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in _EMPTY:
            return importlib.machinery.ModuleSpec(name, _Loader(), is_package=True)
        return None


def install(monkeypatch, host, webui):
    """Replaces the imitated loop of ``host`` by that of the checkout ``webui``."""
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, _Finder()])
    path = Path(webui) / "modules" / "processing.py"
    spec = importlib.util.spec_from_file_location("modules.processing", path)
    module = importlib.util.module_from_spec(spec)
    imitated = host.processing
    monkeypatch.setitem(sys.modules, "modules.processing", module)
    monkeypatch.setattr(host.shared, "DEFAULTS", _Options({**OFF, **host.shared.DEFAULTS}))
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys.modules["modules"], "processing", module)
    _fill_in(monkeypatch, host, module)
    module.StableDiffusionProcessingTxt2Img = _painting(
        module.StableDiffusionProcessingTxt2Img, imitated, module, host.convention
    )
    module.txt2img = imitated.txt2img
    monkeypatch.setitem(imitated.txt2img.__globals__, "process_images", lambda p: module.process_images(p))
    host.processing, host.true_loop = module, True


def _fill_in(monkeypatch, host, module):
    """What the true loop calls that has to give something back."""
    shared = host.shared
    monkeypatch.setattr(shared, "sd_model", _Model())
    monkeypatch.setattr(module, "program_version", lambda: "v1.10.1")
    for name, function in {
        "manage_model_and_prompt_cache": lambda p: None,
        "get_noise_source_type": lambda: "GPU",
        "comments_parser": types.SimpleNamespace(strip_comments=lambda text: text),
    }.items():
        if hasattr(module, name):
            monkeypatch.setattr(module, name, function)
    monkeypatch.setattr(module.infotext_utils, "quote", host.infotext.quote)
    monkeypatch.setattr(module.modules.face_restoration, "restore_faces", lambda pixels: pixels)
    for name, value in {
        "torch_gc": lambda: None,
        "autocast": Anything,
        "without_autocast": Anything,
        "test_for_nans": lambda *arguments: None,
        "fp8": False,
        "unet_needs_upcast": False,
    }.items():
        monkeypatch.setattr(module.devices, name, value, raising=False)


class _Model(Anything):
    """A checkpoint without anything out of the ordinary."""

    sd_model_hash, cond_stage_key = "0123456789", "txt"
    sd_checkpoint_info = types.SimpleNamespace(name_for_extra="none")
    comments, extra_generation_params = (), types.MappingProxyType({})

    def __getattr__(self, name):
        if name in (
            "fix_dimensions",
            "latent_channels",
            "ztsnr",
            "sigmas_original",
            "alphas_cumprod_original",
        ):
            raise AttributeError(name)
        return Anything()


class _Options(dict):
    """Options that nobody set are off."""

    def __contains__(self, key):
        return super().__contains__(key) or not key.startswith("imagereward_")

    def __missing__(self, key):
        return False


def _painting(true, imitated, module, convention):
    """The checkout's own class, which paints instead of sampling."""
    paint = imitated.StableDiffusionProcessing.paint

    @dataclass(repr=False)
    class Painting(true):
        mask_for_overlay: object = None

        def __post_init__(self):
            super().__post_init__()
            self.sampler_name, self.scheduler, self.tiling = "Euler", "Automatic", False
            self.restore_faces = bool(self.restore_faces)

        def setup_conds(self):
            pass

        def get_token_merging_ratio(self, for_hr=False):
            return 0

        def parse_extra_network_prompts(self):
            self.extra_network_data = {}

        def sample(
            self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts
        ):
            return module.DecodedSamples(paint(self, seeds, convention.level, self.width, self.height))

    return Painting
