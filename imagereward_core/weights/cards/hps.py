"""The cards of HPSv2 and HPSv2.1 (arXiv 2306.09341): CLIP ViT-H/14 taught with choices from the dataset HPD v2."""

from __future__ import annotations

from dataclasses import replace

from ...images.spec import HPS_SPEC
from ..card import ScorerCard, WeightFile
from .clip import CLIP_VOCABULARY

_REPOSITORY = "xswu/HPSv2"
_REVISION = "697403c78157020a1ae59d23f111aa58ced35b0a"
_NOTES = (
    "Only for comparing pictures of one prompt, say its authors, and never with scores of the other version.",
    "The raw cosine; the authors' tables show it times 100.",
    "Sees the whole picture, its longest side at 224 pixels and black around it.",
    "Reads the first 75 tokens of a prompt.",
    "It favours smooth, contrasty, digital-art looks, and its number rises with them when a model is trained on it.",
)

HPSV2 = ScorerCard(
    id="HPSv2",
    family="clip",
    metadata_key="HPSv2",
    place=5,
    title="HPS v2 (human preference)",
    summary="Which picture for a prompt people would prefer: a cosine, mostly from 0.22 to 0.31.",
    paper="arXiv:2306.09341",
    licence="Apache-2.0",
    checkpoint=(
        WeightFile(name="HPS_v2_compressed.safetensors"),
        WeightFile(name="HPS_v2_compressed.pt", repository=_REPOSITORY, revision=_REVISION),
    ),
    tokenizer=CLIP_VOCABULARY,
    layout="clip-h",
    download_size=1_972_000_000,
    image=HPS_SPEC,
    token_limit=77,
    typical_range=(0.22, 0.31),
    notes=_NOTES,
    text="open_clip",
    cross_prompt=False,
)

HPSV21 = replace(
    HPSV2,
    id="HPSv2.1",
    metadata_key="HPSv21",
    place=6,
    title="HPS v2.1 (human preference)",
    summary="Which picture for a prompt people would prefer, taught with better data than HPSv2: a cosine, mostly from 0.15 to 0.35.",
    checkpoint=(
        WeightFile(name="HPS_v2.1_compressed.safetensors"),
        WeightFile(
            name="HPS_v2.1_compressed.pt",
            repository=_REPOSITORY,
            revision=_REVISION,
            sha256="c57a38fb4a2f7e7c15bf00da2ea377cdf165448b4dd1052a484c215a998c9837",
            size=1_972_490_005,
        ),
    ),
    download_size=1_972_490_005,
    typical_range=(0.15, 0.35),
)
