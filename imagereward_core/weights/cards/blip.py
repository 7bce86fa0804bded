"""The card of BLIP score: the ViT-L checkpoint BLIP was pretrained to (arXiv 2201.12086), which ImageReward started from."""

from __future__ import annotations

from ...images.spec import IMAGEREWARD_SPEC
from ..card import ScorerCard, WeightFile
from .imagereward import BERT_VOCABULARY

BLIP = ScorerCard(
    id="BLIP",
    family="blip",
    metadata_key="BLIPSim",
    place=2,
    title="BLIP score (does the picture show the prompt)",
    summary="How close picture and prompt are for BLIP ViT-L: a cosine between -1 and 1. It judges content, not quality.",
    paper="arXiv:2201.12086",
    licence="BSD-3-Clause",
    checkpoint=(
        WeightFile(name="model_large.safetensors"),
        WeightFile(
            name="model_large.pth",
            address="https://storage.googleapis.com/sfr-vision-language-research/BLIP/models/model_large.pth",
        ),
    ),
    tokenizer=BERT_VOCABULARY,
    layout="blip",
    image=IMAGEREWARD_SPEC,
    token_limit=35,
    typical_range=(0.1, 0.6),
    notes=(
        "Its authors publish no range; the one given here is rough.",
        "It says little about quality: on ImageReward's test set it agrees with people 57.8 % of the time, where chance is 50 %.",
        "Reads the first 33 word pieces of a prompt; what comes after is not seen.",
        "Sees a square from the middle of the picture at 224 pixels.",
        "Its authors publish the weights on a plain web server, so you have to fetch the file yourself.",
    ),
    text="bert",
)
