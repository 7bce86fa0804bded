"""The card of CLIP score: OpenAI's CLIP ViT-L/14 (arXiv 2103.00020), and the vocabulary all CLIP models share."""

from __future__ import annotations

from ...images.spec import CLIP_SPEC
from ..card import ScorerCard, WeightFile

_REPOSITORY = "openai/clip-vit-large-patch14"
_REVISION = "32bd64288804d66eefd0ccbe215aa642df71cc41"

# The same merges, line by line, as bpe_simple_vocab_16e6.txt.gz of OpenAI's and open_clip's packages; the ids follow from them.
CLIP_VOCABULARY = WeightFile(
    name="merges.txt",
    repository=_REPOSITORY,
    revision=_REVISION,
    sha256="9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a",
    size=524_619,
)

CLIP = ScorerCard(
    id="CLIP",
    family="clip",
    metadata_key="CLIPSim",
    place=1,
    title="CLIP score (does the picture show the prompt)",
    summary="How close picture and prompt are for CLIP ViT-L/14: a cosine between -1 and 1. It judges content, not quality.",
    paper="arXiv:2103.00020",
    licence="MIT",
    checkpoint=(
        WeightFile(
            name="clip-vit-large-patch14.safetensors",
            repository=_REPOSITORY,
            remote_name="model.safetensors",
            revision=_REVISION,
            sha256="a2bf730a0c7debf160f7a6b50b3aaf3703e7e88ac73de7a314903141db026dcb",
            size=1_710_540_580,
        ),
    ),
    tokenizer=CLIP_VOCABULARY,
    layout="clip-l",
    download_size=1_710_540_580,
    image=CLIP_SPEC,
    token_limit=77,
    typical_range=(0.15, 0.35),
    notes=(
        "The plain cosine of the ImageReward paper; other programs multiply it by 100 or 2.5 and call it CLIPScore too.",
        "It says little about quality: on ImageReward's test set it agrees with people 54.8 % of the time, where chance is 50 %.",
        "Reads the first 75 tokens of a prompt and weighs counts, places and who does what to whom poorly.",
        "Sees a square from the middle of the picture at 224 pixels.",
        "Learned from captions found on the web, with their prejudices about people.",
    ),
    text="openai",
)
