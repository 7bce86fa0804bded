"""The other scorers' published programs as oracles, each with random weights that both sides read.

Every line that computes a score is the published one, or, for PickScore and MPS, whose authors publish a snippet, that snippet's
calls. What is stood in for takes no part in scoring: downloads, plotting, progress bars, and the vocabulary that hpsv2's wheel lacks
(open_clip's copy of the same file is read). ``requirements.txt`` lists the packages with the libraries of their time,
``requirements-2025.txt`` those that need later ones.
"""

from __future__ import annotations

import gzip
import importlib
import json
import os
import sys
import types
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from imagereward_core.nets.clip import ClipConfig

from . import reference
from .published_weights import (
    LAION,
    SEED,
    fill,
    half,
    merges_file,
    write_laion,
    write_openai_clip,
    write_vocabulary,
)
from .random_weights import random_state_dict

ScoreAll = Callable[[Sequence[Path], str], Sequence[float]]
"""Scores of pictures for one prompt, by the published program."""


@dataclass(frozen=True)
class Published:
    """One scorer's published program.

    Attributes:
        what: What was run, in words.
        packages: Distributions it needs; the first one shows whether it is installed.
        make: Writes random weights of these ViT-H sizes below a folder, where both sides find them, and loads the program.
        left_out: Pictures of ``pictures.py`` the program cannot take, and why.
    """

    what: str
    packages: tuple[str, ...]
    make: Callable[[Path, ClipConfig], ScoreAll]
    left_out: Mapping[str, str] = field(default_factory=dict)


def _stand_in(name: str, **names: Any) -> None:
    module = types.ModuleType(name)
    vars(module).update(names)
    sys.modules.setdefault(name, module)


def _image_reward() -> Any:
    """image-reward's ``utils`` over the real clip package."""
    reference._describe_torchvision_operators()
    packaging = importlib.import_module("packaging")
    importlib.import_module("packaging.version")
    _stand_in("pkg_resources", packaging=packaging)  # clip asks it for a version comparison
    importlib.import_module("clip")
    return reference.import_reference()


def _load_score(name: str, folder: Path) -> ScoreAll:
    """image-reward's own ``load_score``, which finds its files below ``folder``."""
    utils = _image_reward()
    found = mock.patch("clip.clip._download", lambda url, root: str(folder / "ViT-L-14.pt"))
    with found, mock.patch.object(utils, "hf_hub_download"):
        model = utils.load_score(name, device="cpu", download_root=str(folder))
    return lambda paths, prompt: model.score(prompt, [str(path) for path in paths])


def clip_score(folder: Path, _: ClipConfig) -> ScoreAll:
    """CLIPScore of image-reward."""
    _image_reward()
    write_openai_clip(folder)
    return _load_score("CLIP", folder)


def aesthetic_score(folder: Path, _: ClipConfig) -> ScoreAll:
    """AestheticScore of image-reward."""
    _image_reward()
    write_openai_clip(folder)
    head = importlib.import_module("ImageReward.models.AestheticScore").MLP(768).state_dict()
    fill(head, SEED + 1)
    torch.save(head, folder / "sac%2Blogos%2Bava1-l14-linearMSE.pth")
    (folder / "Aesthetic").mkdir()
    save_file(head, folder / "Aesthetic" / "sac+logos+ava1-l14-linearMSE.safetensors")
    return _load_score("Aesthetic", folder)


def blip_score(folder: Path, _: ClipConfig) -> ScoreAll:
    """BLIPScore of image-reward."""
    _image_reward()
    state = {
        name.removeprefix("blip."): tensor
        for name, tensor in random_state_dict().items()
        if name.startswith("blip.")
    }
    home = folder / "BLIP"
    home.mkdir()
    torch.save({"model": state}, home / "model_large.pth")
    os.link(home / "model_large.pth", folder / "model_large.pth")
    (home / "vocab.txt").write_bytes(reference.vocabulary_file().read_bytes())
    reference.med_config(folder)
    return _load_score("BLIP", folder)


def hps_score(folder: Path, sizes: ClipConfig, name: str, file: str) -> ScoreAll:
    """``score`` of hpsv2, given the model its ``initialize_model`` would make after a download."""
    reference._describe_torchvision_operators()
    _stand_in("turtle", forward=None)
    _stand_in("clint")
    _stand_in("clint.textui", progress=None)
    whole = gzip.open
    vocabulary = mock.patch("gzip.open", lambda path: whole(path if Path(path).exists() else merges_file()))
    with vocabulary:
        published = importlib.import_module("hpsv2.img_score")
        library = importlib.import_module("hpsv2.src.open_clip")
    config = library.get_model_config("ViT-H-14")
    config["vision_cfg"]["layers"], config["text_cfg"]["layers"] = sizes.vision.depth, sizes.text.depth
    (folder / "ViT-H-14-here.json").write_text(json.dumps(config), encoding="utf-8")
    library.add_model_config(folder / "ViT-H-14-here.json")
    model, _, preprocess = library.create_model_and_transforms(
        "ViT-H-14-here", precision="amp", device="cpu", light_augmentation=True, aug_cfg={}, output_dict=True
    )
    fill(model.state_dict(), SEED + len(name))
    write_vocabulary(folder / name)
    torch.save({"state_dict": half(model.state_dict())}, folder / name / file)
    published.model_dict.update(model=model, preprocess_val=preprocess)
    return lambda paths, prompt: published.score(
        [str(path) for path in paths], prompt, cp=str(folder / name / file)
    )


def pick_score(folder: Path, sizes: ClipConfig) -> ScoreAll:
    """The calls of PickScore's README."""
    reference._describe_torchvision_operators()
    from transformers import AutoModel, AutoProcessor, CLIPModel

    model = CLIPModel(write_laion(sizes))
    fill(model.state_dict())
    model.save_pretrained("yuvalkirstain/PickScore_v1", safe_serialization=True, max_shard_size="20GB")
    write_vocabulary(folder / "PickScore")
    os.link("yuvalkirstain/PickScore_v1/model.safetensors", folder / "PickScore" / "PickScore_v1.safetensors")
    del model
    model = AutoModel.from_pretrained("yuvalkirstain/PickScore_v1").eval()
    processor = AutoProcessor.from_pretrained(LAION)
    settings: dict[str, Any] = {
        "padding": True,
        "truncation": True,
        "max_length": 77,
        "return_tensors": "pt",
    }

    @cache
    def image_embedding(path: Path) -> Tensor:
        image = model.get_image_features(**processor(images=[Image.open(path)], **settings))
        return image / torch.norm(image, dim=-1, keepdim=True)

    def score(paths: Sequence[Path], prompt: str) -> Sequence[float]:
        text = model.get_text_features(**processor(text=prompt, **settings))
        text = text / torch.norm(text, dim=-1, keepdim=True)
        images = torch.cat([image_embedding(path) for path in paths])
        return (model.logit_scale.exp() * (text @ images.T)[0]).tolist()

    return score


def mps_score(folder: Path, sizes: ClipConfig) -> ScoreAll:
    """``score`` of the package imscore, which publishes MPS as safetensors, on pixels made as MPS's README makes them.

    Its two calls of ``half`` are answered with float32, and the rotary angles are its own ones in half precision, as they are in the
    published half-precision model; half precision throughout would hide differences.
    """
    reference._describe_torchvision_operators()
    from transformers import CLIPImageProcessor
    from transformers.utils import logging

    write_laion(sizes)
    save_file({"logit_scale": torch.zeros(())}, f"{LAION}/model.safetensors", metadata={"format": "pt"})
    logging.set_verbosity_error()  # it would list all the weights that file lacks
    model = importlib.import_module("imscore.mps.model").MPS()
    fill(model.state_dict())
    write_vocabulary(folder / "MPS")
    save_file(half(model.state_dict()), folder / "MPS" / "mpsv1.safetensors")
    model.half().float().eval()  # the numbers of the file
    for layer in model.mps.cross_model.layers:
        block = layer[1].fn
        block.pos_emb = block.rotary_emb.half()(257, device="cpu").float()
    processor = CLIPImageProcessor.from_pretrained(LAION)

    def score(paths: Sequence[Path], prompt: str) -> Sequence[float]:
        scores = []
        kept = mock.patch.object(Tensor, "half", lambda tensor: tensor)
        with kept, mock.patch.object(model, "_process", lambda pixels: pixels):
            for path in paths:
                pixels = processor(Image.open(path).convert("RGB"), return_tensors="pt")["pixel_values"]
                scores.append(float(model.score(pixels, [prompt])))
        return scores

    return score


def aesthetic_v25_score(folder: Path, _: ClipConfig) -> ScoreAll:
    """The package aesthetic-predictor-v2-5, loaded by its own ``convert_v2_5_from_siglip``."""
    reference._describe_torchvision_operators()
    from transformers import SiglipImageProcessor, SiglipVisionConfig, SiglipVisionModel

    name = "siglip-so400m-patch14-384"
    config = SiglipVisionConfig(
        hidden_size=1152,
        intermediate_size=4304,
        num_hidden_layers=27,
        num_attention_heads=16,
        image_size=384,
        patch_size=14,
    )
    model = SiglipVisionModel(config)
    fill(model.state_dict())
    model.save_pretrained(f"google/{name}", max_shard_size="20GB")
    del model
    SiglipImageProcessor(
        size={"height": 384, "width": 384}, image_mean=[0.5] * 3, image_std=[0.5] * 3
    ).save_pretrained(f"google/{name}")
    (folder / name).mkdir()
    os.link(f"google/{name}/model.safetensors", folder / name / f"{name}.safetensors")
    published = importlib.import_module("aesthetic_predictor_v2_5")
    head = OrderedDict(published.AestheticPredictorV2_5Head(config).state_dict())
    fill(head, SEED + 1)
    (folder / "Aesthetic-v2.5").mkdir()
    save_file(head, folder / "Aesthetic-v2.5" / "aesthetic_predictor_v2_5.safetensors")
    torch.save(head, folder / "head.pth")
    model, processor = published.convert_v2_5_from_siglip(folder / "head.pth")

    def score(paths: Sequence[Path], _: str) -> Sequence[float]:
        pictures = (processor(images=Image.open(path).convert("RGB"), return_tensors="pt") for path in paths)
        return [float(model(each.pixel_values).logits) for each in pictures]

    return score


_ONE_ROW = {"one pixel": "transformers' processor takes its one row for a colour channel"}
_FOUR_CHANNELS = dict.fromkeys(
    ("rgba", "webp with alpha"), "the transform leaves four channels, which the network does not take"
)
_HPS = ("hpsv2", "open_clip_torch", "torchvision")
_IMAGE_REWARD = ("image-reward", "clip-anytorch", "timm", "transformers", "torchvision")

PUBLISHED: dict[str, Published] = {
    "CLIP": Published("CLIPScore of image-reward over the clip package", _IMAGE_REWARD, clip_score),
    "BLIP": Published("BLIPScore of image-reward", _IMAGE_REWARD, blip_score),
    "Aesthetic": Published(
        "AestheticScore of image-reward over the clip package", _IMAGE_REWARD, aesthetic_score
    ),
    "PickScore": Published(
        "the calls of PickScore's README in transformers", ("transformers",), pick_score, _ONE_ROW
    ),
    "HPSv2": Published(
        "score of hpsv2",
        _HPS,
        partial(hps_score, name="HPSv2", file="HPS_v2_compressed.pt"),
        _FOUR_CHANNELS,
    ),
    "HPSv2.1": Published(
        "score of hpsv2",
        _HPS,
        partial(hps_score, name="HPSv2.1", file="HPS_v2.1_compressed.pt"),
        _FOUR_CHANNELS,
    ),
    "MPS": Published(
        "MPS of imscore in float32", ("imscore", "transformers", "torchvision"), mps_score, _ONE_ROW
    ),
    "Aesthetic-v2.5": Published(
        "aesthetic-predictor-v2-5",
        ("aesthetic-predictor-v2-5", "transformers"),
        aesthetic_v25_score,
        _ONE_ROW,
    ),
}
"""By scorer id. MPS-0.3 is the network of MPS with another number; no package runs it."""
