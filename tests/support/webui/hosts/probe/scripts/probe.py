"""A test's extension: puts known pictures in place of noise, edits pictures late, breaks a function of ours, reloads the UI."""

import importlib
from pathlib import Path

import numpy as np
import torch
from modules import processing, script_callbacks, scripts, shared
from PIL import Image, ImageOps

STATE = {
    "pictures": [],
    "next": 0,
    "late": False,
    "inner": False,
    "ui": 0,
    "saved": [],
    "read": [],
}
# Outlives Reload UI, as the package does whose functions are in it.
BROKEN = vars(shared).setdefault("_probe_broken", [])


class Probe(scripts.Script):
    def title(self):
        return "Probe"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        STATE["ui"] += 1
        return []

    def postprocess_batch_list(self, p, pp, *values, **named):
        for at in range(len(pp.images)) if STATE["pictures"] else ():
            path = STATE["pictures"][STATE["next"] % len(STATE["pictures"])]
            STATE["next"] += 1
            array = np.asarray(Image.open(path).convert("RGB"), dtype=np.float32) / 255
            pp.images[at] = torch.from_numpy(np.moveaxis(array, 2, 0).copy())

    def postprocess_image(self, p, pp, *values):
        if STATE["inner"] and not getattr(p, "_ad_inner", False):
            pp.image = _detailed(p, pp.image)

    def postprocess(self, p, processed, *values):
        """As those extensions do that look at a result once it is complete."""
        first = processed.index_of_first_image
        STATE["read"] = [
            {"file": getattr(image, "already_saved_as", None), "seed": seed, "infotext": text}
            for image, seed, text in zip(
                processed.images[first:], processed.all_seeds, processed.infotexts[first:]
            )
        ]

    def postprocess_image_after_composite(self, p, pp, *values):
        if STATE["late"]:
            pp.image = ImageOps.invert(pp.image.convert("RGB"))


def _detailed(p, image):
    """A picture after a run of its own inside the run, as detailers make it."""
    inner = processing.StableDiffusionProcessingImg2Img(
        sd_model=p.sd_model,
        outpath_samples=p.outpath_samples,
        outpath_grids=p.outpath_grids,
        prompt="a blue square",
        seed=1,
        steps=2,
        cfg_scale=7,
        width=p.width,
        height=p.height,
        sampler_name=p.sampler_name,
        init_images=[image],
        denoising_strength=0.5,
        override_settings={},
    )
    inner.scripts, inner.script_args, inner._ad_inner = p.scripts, p.script_args, True
    inner.do_not_save_samples = inner.do_not_save_grid = True
    return processing.process_images(inner).images[0]


def inner(on: bool = False):
    """Whether every picture goes through a run inside the run."""
    STATE["inner"] = on


def pictures(folder: str = ""):
    """From now on the host's pictures are those of ``folder``, by name, from the first on; without it they are noise again."""
    STATE["pictures"] = sorted(map(str, Path(folder).glob("*.png"))) if folder else []
    STATE["next"] = 0
    return len(STATE["pictures"])


def remember_saved(params):
    if isinstance(params.filename, str):
        STATE["saved"].append(params.filename)


def readings():
    """What a hook after the run has read, and the files saved since this was asked last, in order."""
    found = {"read": STATE["read"], "saved": STATE["saved"]}
    STATE["read"], STATE["saved"] = [], []
    return found


def late(on: bool = False):
    """Whether every picture is inverted after all other extensions."""
    STATE["late"] = on


def breaks(module: str, name: str):
    """From now on ``name`` (``Class.method`` or a function) in a module of our extension or of the core raises."""
    package = "" if module.startswith("imagereward_core") else "imagereward_webui."
    owner = importlib.import_module(package + module)
    *way, last = name.split(".")
    for step in way:
        owner = getattr(owner, step)
    BROKEN.append((owner, last, vars(owner)[last]))

    def broken(*given, **named):
        raise RuntimeError(f"injected into {name}")

    setattr(owner, last, broken)


def mends():
    """Everything is as it was."""
    while BROKEN:
        owner, last, original = BROKEN.pop()
        setattr(owner, last, original)
    STATE["late"] = STATE["inner"] = False
    pictures()


def reload():
    """What the button Reload UI does."""
    shared.state.request_restart()


def state():
    import sys

    from modules import images, processing

    return {
        "wrapped": [
            function.__name__
            for function in (images.save_image, processing.process_images_inner)
            if hasattr(function, "_imagereward_original")
        ],
        "path": [each for each in sys.path if "imagereward" in each],
        "packages": sorted(
            {name.partition(".")[0] for name in sys.modules if name.startswith("imagereward")}
        ),
        "interfaces": STATE["ui"],
        "held": len(sys.modules["imagereward_webui.scorer_cache"].held())
        if "imagereward_webui.scorer_cache" in sys.modules
        else 0,
    }


def started(demo, app):
    app.add_api_route("/probe/pictures", pictures, methods=["GET"])
    app.add_api_route("/probe/late", late, methods=["GET"])
    app.add_api_route("/probe/readings", readings, methods=["GET"])
    app.add_api_route("/probe/inner", inner, methods=["GET"])
    app.add_api_route("/probe/breaks", breaks, methods=["GET"])
    app.add_api_route("/probe/mends", mends, methods=["GET"])
    app.add_api_route("/probe/reload", reload, methods=["GET"])
    app.add_api_route("/probe/state", state, methods=["GET"])


script_callbacks.on_app_started(started)
script_callbacks.on_image_saved(remember_saved)
