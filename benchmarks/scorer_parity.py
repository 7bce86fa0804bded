"""Do all the other scorers give the numbers of their published programs? Files and prompts in, scores out, the same random weights.

Run as ``python -m benchmarks.scorer_parity``; it measures the scorers whose packages are installed (``published.py`` lists them) and
leaves recorded figures of the others as they are. Exits with 1 where float32 scores are off by more than rounding. The networks are of
the published sizes, but those on ViT-H/14 have half as many layers, to fit 6 GiB, unless ``--full`` is given.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from PIL import Image

from imagereward_core.nets.clip import ClipConfig, TowerConfig
from imagereward_core.nets.mps import MpsConfig
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.factory import Maker
from imagereward_core.scorers.family import NETWORKS, network_of
from imagereward_core.weights.cards import CARDS
from imagereward_core.weights.locate import WeightSettings

from . import pictures
from .parity import Scores, compare
from .published import PUBLISHED, Published
from .scorers import RESULTS, save_results

PROMPTS = {
    "usual": pictures.PROMPTS["usual"],
    "long": f"{pictures.PROMPTS['long']}, {pictures.PROMPTS['long']}",
    "empty": "",
    "scripts": pictures.PROMPTS["scripts"],
    "written": "A  cat&#39;s &lt;House&gt; &amp;amp; the dog’s “garden”\n(it doesn't rain: 3.14 %)",
}
LIMIT = 2e-6
"""Of a cosine; a scorer that multiplies it is allowed as many times more."""
FACTORS = {"PickScore": 100.0, "MPS": 100.0, "Aesthetic": 10.0, "Aesthetic-v2.5": 10.0}


def sizes(full: bool) -> ClipConfig:
    """ViT-H/14, with all of its layers or half of them."""

    def shallow(tower: TowerConfig) -> TowerConfig:
        return tower if full else replace(tower, depth=tower.depth // 2)

    whole = ClipConfig.vit_h_14()
    return replace(whole, vision=shallow(whole.vision), text=shallow(whole.text))


def picture_files(folder: Path) -> dict[str, Path]:
    """The pictures of ``pictures.py``, all of them as files."""
    files: dict[str, Path] = {}
    for number, (name, picture) in enumerate(pictures.make_pictures(folder).items()):
        if isinstance(picture, Image.Image):
            png = picture.mode not in ("CMYK", "YCbCr")
            files[name] = folder / f"{number}.{'png' if png else 'tif'}"
            picture.save(files[name])
        else:
            files[name] = picture
    return files


def our_scores(name: str, folder: Path, h_14: ClipConfig, paths: list[Path], prompts: list[str]) -> Scores:
    """What any program gets from our scorer, float64 [N, P]."""
    shallow = {
        "clip-h": replace(network_of("clip-h"), sizes=lambda: h_14),
        "mps": replace(network_of("mps"), sizes=lambda: MpsConfig(h_14)),
    }
    settings = WeightSettings((folder,), use_hub_cache=False, allow_download=False, auto_convert=False)
    with mock.patch.dict(NETWORKS, shallow):
        scorer = Maker(LocalRuntime("cpu", "fp32"), settings).make(name)
        return np.asarray(scorer.score_matrix(paths, prompts))  # type: ignore[union-attr]


@contextlib.contextmanager
def hub_folder() -> Iterator[Path]:
    """A folder for one scorer's files, deleted afterwards. The working folder is ``hub`` in it, where names of the hub are paths."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="imagereward-parity-", ignore_cleanup_errors=True) as name:
        hub = Path(name) / "hub"
        hub.mkdir()
        os.chdir(hub)
        try:
            yield Path(name)
        finally:
            os.chdir(before)


def measure(name: str, published: Published, files: Mapping[str, Path], full: bool) -> dict[str, Any]:
    """The figures of one scorer."""
    h_14 = sizes(full)
    taken = {label: path for label, path in files.items() if label not in published.left_out}
    paths = list(taken.values())
    prompts = list(PROMPTS.values()) if CARDS[name].needs_prompt else [""]
    started = time.monotonic()
    with hub_folder() as folder:
        silent = contextlib.redirect_stdout(io.StringIO())
        with silent, warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            score = published.make(folder, h_14)
            theirs = np.array([score(paths, prompt) for prompt in prompts], dtype=np.float64).T
        del score
        if "hpsv2.img_score" in sys.modules:  # keeps its model
            sys.modules["hpsv2.img_score"].model_dict.clear()
        gc.collect()
        between = time.monotonic()
        ours = our_scores(name, folder, h_14, paths, prompts)
    on_h_14 = CARDS[name].layout in ("clip-h", "mps")
    return {
        "what": published.what,
        "versions": {package: metadata.version(package) for package in published.packages},
        "layers": "all" if full or not on_h_14 else f"{h_14.vision.depth} of 32 and {h_14.text.depth} of 24",
        "pictures": len(paths),
        "prompts": len(prompts),
        "left_out": {label: why for label, why in published.left_out.items() if label in files},
        "reference_scores": {
            "mean": float(theirs.mean()),
            "std": float(theirs.std()),
            "std_within_prompt": float(theirs.std(axis=0).mean()),
            "std_within_picture": float(theirs.std(axis=1).mean()),
        },
        "fp32": compare(ours, theirs),
        "limit": LIMIT * FACTORS.get(name, 1.0),
        "seconds": {
            "published": round(between - started, 1),
            "ours": round(time.monotonic() - between, 1),
        },
    }


def installed(published: Published) -> bool:
    """Whether the packages of a scorer's published program are here."""
    try:
        for package in published.packages:
            metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def main() -> None:
    """Measures, writes ``scorer_parity.json`` and exits with 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scorers", nargs="*", metavar="ID", help="which; by default all that are installed")
    parser.add_argument("--full", action="store_true", help="all layers of ViT-H/14 (needs 12 GiB)")
    parser.add_argument("--output", type=Path, help="folder for the result; by default benchmarks/results")
    parser.add_argument("--pictures", type=int, help="only the first so many pictures")
    options = parser.parse_args()
    unknown = set(options.scorers) - set(PUBLISHED)
    if unknown:
        parser.error(
            f"no published program for {', '.join(unknown)}; expected some of {', '.join(PUBLISHED)}"
        )
    names = options.scorers or [name for name, each in PUBLISHED.items() if installed(each)]
    record = (options.output or RESULTS) / "scorer_parity.json"
    scorers: dict[str, Any] = {}
    if record.is_file():
        scorers = json.loads(record.read_text(encoding="utf-8"))["scorers"]
    broken = []
    with tempfile.TemporaryDirectory(prefix="imagereward-pictures-") as folder:
        files = dict(list(picture_files(Path(folder)).items())[: options.pictures])
        for name in names:
            scorers[name] = row = measure(name, PUBLISHED[name], files, options.full)
            print(
                f"{name}: max {row['fp32']['max_abs']:.2e}, mean {row['fp32']['mean_abs']:.2e}, scores' std "
                f"{row['reference_scores']['std']:.3g}, Spearman {row['fp32']['spearman']:.6f}, {row['seconds']}",
                flush=True,
            )
            broken += [name] if row["fp32"]["max_abs"] > row["limit"] else []
            ordered = {each: scorers[each] for each in PUBLISHED if each in scorers}
            figures = {"pictures": list(files), "prompts": PROMPTS, "scorers": ordered}
            save_results("scorer_parity", figures, options.output)
    if broken:
        sys.exit(f"differs from the published program: {', '.join(broken)}")


if __name__ == "__main__":
    main()
