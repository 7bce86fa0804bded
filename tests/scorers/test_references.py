"""Each scorer, picture and prompt text in, number out, against a pipeline put together from what it was published with.

The other side shares nothing with ours but the weights and the list of CLIP's merges: pixels by torchvision or transformers, tokens by
open_clip or transformers, networks by transformers, open_clip or timm. The weights are tiny and random; ``benchmarks/scorer_parity.py``
does the same with the published packages themselves and networks of the published sizes.
"""

from __future__ import annotations

import dataclasses
import functools
import gzip
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file

from imagereward_core.images.spec import CLIP_PROCESSOR_SPEC, CLIP_SPEC, HPS_SPEC
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.factory import Maker
from imagereward_core.scorers.family import network_of
from imagereward_core.weights.cards import CARDS
from tests.support import tiny_registry
from tests.support.clip_networks import clip_oracle_config, features, import_transformers
from tests.support.oracles import import_timm, import_torchvision
from tests.support.tiny import TINY, telling

Pipeline = Callable[[Image.Image, str], torch.Tensor]

SIZE = tiny_registry.SIZE
TOLERANCE = 5e-6
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
BLIP_SIZES = dataclasses.replace(TINY, text=dataclasses.replace(TINY.text, vocab_size=30524))
PROMPTS = [
    "a painting of an ocean with clouds and birds",
    "",
    "a red fox, 85mm lens, trending, masterpiece! " * 20,
    "Ein Café in Zürich bei Nacht ☕🌃, 東京の夜景, тихий двор",
    "A  cat&#39;s &lt;House&gt; &amp;amp; the dog’s “garden”\nit doesn't rain",
]


def pictures() -> list[Image.Image]:
    """Noise over a slope in odd sizes and every mode people have."""
    rng = np.random.default_rng(5)
    made = []
    for mode, (width, height) in [
        ("RGB", (48, 40)),
        ("RGB", (32, 32)),
        ("RGB", (211, 20)),
        ("RGBA", (33, 71)),
        ("P", (60, 45)),
        ("L", (19, 27)),
        ("LA", (90, 31)),
        ("CMYK", (64, 65)),
        ("1", (50, 37)),
    ]:
        noise = rng.integers(0, 130, (height, width, 4)) + np.linspace(0, 125, width, dtype=int)[:, None]
        image = Image.fromarray(noise.astype(np.uint8))
        made.append(image if mode == "RGBA" else image.convert("RGB").convert(mode))
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def merges() -> Path:
    """The merges as OpenAI and open_clip ship them."""
    spec = importlib.util.find_spec("open_clip")
    if spec is None or spec.origin is None:
        pytest.skip("the package with CLIP's merges (open_clip_torch) is not installed")
    return Path(spec.origin).parent / "bpe_simple_vocab_16e6.txt.gz"


@pytest.fixture
def settings(folder, merges, bert_vocabulary, monkeypatch):
    """Tiny networks with the real vocabularies."""
    lines = gzip.decompress(merges.read_bytes()).decode("utf-8").split("\n")[1:48895]
    monkeypatch.setattr(tiny_registry, "MERGES", ["#version: 0.2", *lines])
    monkeypatch.setattr(tiny_registry, "VOCABULARY", 49408)
    monkeypatch.setitem(tiny_registry.SIZES, "blip", lambda: BLIP_SIZES)
    found = tiny_registry.tiny_registry(folder, monkeypatch)
    (folder / "BLIP" / "vocab.txt").write_bytes(bert_vocabulary.read_bytes())
    return found


def our_scores(name: str, settings) -> np.ndarray:
    return Maker(LocalRuntime("cpu", "fp32"), settings).make(name).score_matrix(pictures(), PROMPTS)


def weights(name: str, folder: Path) -> dict[str, torch.Tensor]:
    card = CARDS[name]
    return load_file(folder / card.folder / card.checkpoint[0].name)


def unit(vectors: torch.Tensor) -> torch.Tensor:
    return vectors / vectors.norm(dim=-1, keepdim=True)


def openai_pixels(image: Image.Image) -> torch.Tensor:
    """OpenAI's and ImageReward's transform."""
    import_torchvision()
    from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, Resize, ToTensor

    shape = [Resize(SIZE, interpolation=InterpolationMode.BICUBIC), CenterCrop(SIZE)]
    rest = [lambda crop: crop.convert("RGB"), ToTensor(), Normalize(MEAN, STD)]
    return Compose([*shape, *rest])(image)[None]


def hpsv2_pixels(image: Image.Image) -> torch.Tensor:
    """hpsv2's transform. It leaves RGBA pictures their fourth channel, at which its network fails; here alpha is dropped."""
    import_torchvision()
    from torchvision.transforms import InterpolationMode, Normalize
    from torchvision.transforms import functional as steps

    floats = steps.to_tensor(image.convert("RGB"))
    ratio = SIZE / float(max(image.size))
    if ratio != 1.0:
        height, width = (round(side * ratio) for side in floats.shape[1:])
        floats = steps.resize(floats, [height, width], InterpolationMode.BICUBIC)
        left, top = (SIZE - width) // 2, (SIZE - height) // 2
        floats = steps.pad(floats, [left, top, SIZE - width - left, SIZE - height - top], fill=0)
    return Normalize(MEAN, STD)(floats)[None]


def processor(name: str, **published: object) -> Callable[[Image.Image], torch.Tensor]:
    """transformers' Pillow-based processor. Alpha is dropped before, as those processors did until 5.x composites it."""
    transformers = import_transformers()
    kind = getattr(transformers, f"{name}Pil", None) or getattr(transformers, name, None)
    if kind is None:
        pytest.skip(f"transformers {transformers.__version__} has no {name}")
    made = kind(**published)
    return lambda image: made(image.convert("RGB"), return_tensors="pt")["pixel_values"]


@functools.cache
def simple_tokenizer(merges: Path):
    """open_clip's tokenizer, OpenAI's but for the names of two special tokens, without the rest of its package."""
    pytest.importorskip("ftfy")
    pytest.importorskip("regex")
    spec = importlib.util.spec_from_file_location("open_clip_tokenizer", merges.parent / "tokenizer.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SimpleTokenizer()


def clip_model(name: str, folder: Path):
    """transformers' CLIPModel with the weights of a scorer."""
    layout = CARDS[name].layout
    model = import_transformers().CLIPModel(clip_oracle_config(network_of(layout).sizes())).eval()
    result = model.load_state_dict(weights(name, folder), strict=False)
    assert not result.unexpected_keys and all("position_ids" in key for key in result.missing_keys)
    return model


def clip(folder: Path, merges: Path) -> Pipeline:
    model, tokenizer = clip_model("CLIP", folder), simple_tokenizer(merges)

    def score(image: Image.Image, prompt: str) -> torch.Tensor:
        picture = F.normalize(features(model.get_image_features(openai_pixels(image))))
        return (picture * F.normalize(features(model.get_text_features(tokenizer([prompt]))))).sum()

    return score


def pickscore(folder: Path, merges: Path) -> Pipeline:
    """The calls of PickScore's README."""
    model, transformers = clip_model("PickScore", folder), import_transformers()
    names = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    ids = {names.get(token, token): number for token, number in simple_tokenizer(merges).encoder.items()}
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps(ids), encoding="utf-8")
    files = str(vocabulary), str(folder / "PickScore" / "merges.txt")
    if int(transformers.__version__.split(".")[0]) >= 5:
        tokenizer = transformers.CLIPTokenizer(vocab=files[0], merges=files[1], model_max_length=77)
    else:
        tokenizer = transformers.CLIPTokenizerFast(*files, model_max_length=77)
    pixels = processor(
        "CLIPImageProcessor",
        size={"shortest_edge": SIZE},
        crop_size={"height": SIZE, "width": SIZE},
        image_mean=MEAN,
        image_std=STD,
    )

    def score(image: Image.Image, prompt: str) -> torch.Tensor:
        text = tokenizer(prompt, padding=True, truncation=True, max_length=77, return_tensors="pt")
        text = unit(features(model.get_text_features(**text)))
        return model.logit_scale.exp() * (text @ unit(features(model.get_image_features(pixels(image)))).T)[0]

    return score


def hps(name: str, file: str) -> Callable[[Path, Path], Pipeline]:
    """open_clip's network, whose file takes the place of the one in our own names, with the features' product as hpsv2 has it."""

    def make(folder: Path, merges: Path) -> Pipeline:
        import_torchvision()
        library = pytest.importorskip("open_clip.model")
        model = library.CLIP(
            16,
            library.CLIPVisionCfg(
                layers=2, width=32, head_width=8, patch_size=8, image_size=SIZE, mlp_ratio=2
            ),
            library.CLIPTextCfg(vocab_size=49408, width=24, heads=4, layers=2, mlp_ratio=64 / 24),
        ).eval()
        telling(model, len(name))
        model.half().float()
        torch.save(
            {"state_dict": {key: value.half() for key, value in model.state_dict().items()}},
            folder / name / file,
        )
        tokenizer = simple_tokenizer(merges)

        def score(image: Image.Image, prompt: str) -> torch.Tensor:
            picture = model.encode_image(hpsv2_pixels(image), normalize=True)
            return (picture @ model.encode_text(tokenizer([prompt]), normalize=True).T)[0, 0]

        return score

    return make


def rated(head: dict[str, torch.Tensor], vectors: torch.Tensor) -> torch.Tensor:
    """Five linear layers one after another: dropout does nothing, and no activation stands between them."""
    layers = sorted({key.rsplit(".", 1)[0] for key in head}, key=lambda key: int(key.split(".")[1]))
    assert len(layers) == 5
    for layer in layers:
        vectors = vectors @ head[f"{layer}.weight"].T + head[f"{layer}.bias"]
    return vectors


def aesthetic(folder: Path, merges: Path) -> Pipeline:
    model, head = clip_model("CLIP", folder), weights("Aesthetic", folder)
    return lambda image, prompt: rated(head, unit(features(model.get_image_features(openai_pixels(image)))))


def aesthetic_v25(folder: Path, merges: Path) -> Pipeline:
    transformers = import_transformers()
    pytest.importorskip("transformers.models.siglip")
    sizes, name = network_of("siglip").sizes(), "siglip-so400m-patch14-384"
    model = transformers.SiglipVisionModel(
        transformers.SiglipVisionConfig(
            hidden_size=sizes.vision.width,
            intermediate_size=sizes.vision.mlp_width,
            num_hidden_layers=sizes.vision.depth,
            num_attention_heads=sizes.vision.heads,
            layer_norm_eps=sizes.vision.layer_norm_eps,
            image_size=sizes.image_size,
            patch_size=sizes.patch_size,
        )
    ).eval()
    state = load_file(folder / name / f"{name}.safetensors")
    prefixed = next(iter(model.state_dict())).startswith("vision_model.")  # transformers 5 drops it
    model.load_state_dict(
        state if prefixed else {key.removeprefix("vision_model."): value for key, value in state.items()}
    )
    pixels = processor(
        "SiglipImageProcessor",
        size={"height": SIZE, "width": SIZE},
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
        resample=3,
    )
    head = weights("Aesthetic-v2.5", folder)
    return lambda image, prompt: rated(head, unit(model(pixels(image)).pooler_output))


def blip(folder: Path, merges: Path) -> Pipeline:
    """BLIPScore.py with timm's picture tower and transformers' BLIP text model; 12 tokens here, 35 as published."""
    timm, transformers = import_timm(), import_transformers()
    library = pytest.importorskip("transformers.models.blip.modeling_blip_text")
    state = weights("BLIP", folder)

    def part(prefix: str) -> dict[str, torch.Tensor]:
        return {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}

    vision, text = BLIP_SIZES.vision, BLIP_SIZES.text
    pictures = timm.models.vision_transformer.VisionTransformer(
        img_size=vision.image_size,
        patch_size=vision.patch_size,
        embed_dim=vision.width,
        depth=vision.depth,
        num_heads=vision.heads,
        mlp_ratio=vision.mlp_width / vision.width,
        num_classes=0,
    ).eval()
    pictures.load_state_dict(part("visual_encoder."))
    config = transformers.BlipTextConfig(
        vocab_size=text.vocab_size,
        hidden_size=text.width,
        encoder_hidden_size=vision.width,
        intermediate_size=text.mlp_width,
        num_hidden_layers=text.depth,
        num_attention_heads=text.heads,
        max_position_embeddings=text.positions,
        layer_norm_eps=text.layer_norm_eps,
        is_decoder=True,
    )
    texts = library.BlipTextModel(config, add_pooling_layer=False).eval()
    texts.load_state_dict({key: part("text_encoder.")[key] for key in texts.state_dict()})
    vocabulary = {
        "vocab" if int(transformers.__version__.split(".")[0]) >= 5 else "vocab_file": str(
            folder / "BLIP" / "vocab.txt"
        )
    }
    tokenizer = transformers.BertTokenizer(**vocabulary, do_lower_case=True)

    def score(image: Image.Image, prompt: str) -> torch.Tensor:
        ids = tokenizer(prompt, padding="max_length", truncation=True, max_length=12, return_tensors="pt")
        read = texts(ids.input_ids, attention_mask=ids.attention_mask, is_decoder=False).last_hidden_state
        text = F.normalize(F.linear(read[:, 0], state["text_proj.weight"], state["text_proj.bias"]))
        seen = pictures.forward_features(openai_pixels(image))[:, 0]
        picture = F.normalize(F.linear(seen, state["vision_proj.weight"], state["vision_proj.bias"]))
        return (text * picture).sum()

    return score


PIPELINES: dict[str, Callable[[Path, Path], Pipeline]] = {
    "CLIP": clip,
    "BLIP": blip,
    "Aesthetic": aesthetic,
    "PickScore": pickscore,
    "HPSv2": hps("HPSv2", "HPS_v2_compressed.pt"),
    "HPSv2.1": hps("HPSv2.1", "HPS_v2.1_compressed.pt"),
    "Aesthetic-v2.5": aesthetic_v25,
}


@pytest.fixture(scope="module")
def published_scores(folder, merges) -> Callable[[str], np.ndarray]:
    """What the published parts give, computed once for each scorer. Weights that a pipeline wrote take the place of our own."""

    @functools.cache
    def computed(name: str) -> np.ndarray:
        score = PIPELINES[name](folder, merges)
        with torch.no_grad():
            return np.array([[float(score(image, prompt)) for prompt in PROMPTS] for image in pictures()])

    def scores(name: str) -> np.ndarray:
        theirs = computed(name)
        for written in (folder / name).glob("*.pt"):
            written.with_suffix(".safetensors").unlink(missing_ok=True)  # made anew for every test
        return theirs

    return scores


@pytest.mark.parametrize("name", PIPELINES)
def test_scores_equal_those_of_the_published_parts(name, settings, published_scores):
    theirs = published_scores(name)
    ours = our_scores(name, settings)
    spread = np.ptp(theirs, axis=1).max() if CARDS[name].needs_prompt else np.ptp(theirs)
    scale = max(1.0, np.abs(theirs).max())
    assert spread > 1e3 * TOLERANCE and np.ptp(theirs, axis=0).max() > 1e3 * TOLERANCE
    np.testing.assert_allclose(ours, theirs, atol=TOLERANCE * scale, rtol=0)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("CLIP", {"image": CLIP_PROCESSOR_SPEC}),
        ("CLIP", {"text": "processor"}),
        ("PickScore", {"image": CLIP_SPEC}),
        ("PickScore", {"text": "openai"}),
        ("HPSv2", {"image": dataclasses.replace(HPS_SPEC, resizing="floats")}),
        ("HPSv2", {"token_limit": 76}),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_the_comparison_notices_rules_of_another_scorer(
    name, change, settings, published_scores, monkeypatch
):
    theirs = published_scores(name)
    if "image" in change:
        change = {"image": dataclasses.replace(change["image"], size=SIZE)}
    monkeypatch.setitem(CARDS, name, dataclasses.replace(CARDS[name], **change))
    assert np.abs(our_scores(name, settings) - theirs).max() > 100 * TOLERANCE
