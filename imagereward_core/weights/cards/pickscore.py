"""The card of PickScore (arXiv 2305.01569): CLIP ViT-H/14 taught with half a million choices of its web site's visitors."""

from __future__ import annotations

from ...images.spec import CLIP_PROCESSOR_SPEC
from ..card import ScorerCard, WeightFile
from .clip import CLIP_VOCABULARY

PICKSCORE = ScorerCard(
    id="PickScore",
    family="clip",
    metadata_key="PickAPic",
    place=4,
    learned_scale=True,
    title="PickScore v1 (human preference)",
    summary="Which of two pictures for a prompt people who typed such prompts would pick: a scaled cosine, mostly from 18 to 24.",
    paper="arXiv:2305.01569",
    licence="MIT",
    checkpoint=(
        WeightFile(
            name="PickScore_v1.safetensors",
            repository="yuvalkirstain/PickScore_v1",
            remote_name="model.safetensors",
            revision="a4e4367c6dfa7288a00c550414478f865b875800",
        ),
    ),
    tokenizer=CLIP_VOCABULARY,
    layout="clip-h",
    download_size=3_944_000_000,
    image=CLIP_PROCESSOR_SPEC,
    token_limit=77,
    typical_range=(18.0, 24.0),
    notes=(
        "The raw score; other programs divide it by 26 and give it the same name.",
        "Learned from choices between two pictures for one prompt: compare scores within a prompt; across prompts they say less.",
        "One unit is much: of two pictures one unit apart it expects 73 of 100 people to pick the better.",
        "Reads the first 75 tokens of a prompt and sees a square from the middle of the picture at 224 pixels.",
        "Follows the taste of its web site's visitors in 2023, on pictures of Stable Diffusion 2.1, SDXL and their kin.",
    ),
    text="processor",
)
