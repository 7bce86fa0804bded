"""The cards of MPS (CVPR 2024, arXiv 2405.14705) with the two mask thresholds its authors published."""

from __future__ import annotations

from dataclasses import replace

from ...images.spec import CLIP_PROCESSOR_SPEC
from ..card import ScorerCard, WeightFile
from .clip import CLIP_VOCABULARY

# Neither the commit nor a SHA-256 of these files was found in public records, so they are not pinned.
MPS = ScorerCard(
    id="MPS",
    family="mps",
    metadata_key="MPS",
    place=7,
    mask_threshold=0.01,
    title="MPS (human preference, overall)",
    summary="Which picture for a prompt people would prefer overall: a scaled cosine of what the picture shows of the prompt.",
    paper="arXiv:2405.14705",
    licence="MIT",
    checkpoint=(
        WeightFile(name="MPS_overall_checkpoint.safetensors"),
        WeightFile(name="mpsv1.safetensors", repository="RE-N-Y/mpsv1", remote_name="model.safetensors"),
        WeightFile(
            name="MPS_overall_checkpoint.pth",
            address="https://drive.google.com/file/d/17qrK_aJkVNM75ZEvMEePpLj6L867MLkN/view",
        ),
    ),
    tokenizer=CLIP_VOCABULARY,
    layout="mps",
    image=CLIP_PROCESSOR_SPEC,
    token_limit=77,
    typical_range=(5.0, 15.0),
    notes=(
        "Words of the prompt that have nothing to do with looks are masked out: here those below 0.01 of the most telling word, as in "
        "the authors' model; MPS-0.3 is the same with 0.3, as in their evaluation.",
        "Its authors publish no range; the one given here is rough.",
        "Learned from choices between two pictures for one prompt: compare scores within a prompt; across prompts they say less.",
        "Of the four judgements in the paper only the overall one is published.",
        "Reads the first 75 tokens of a prompt and sees a square from the middle of the picture at 224 pixels.",
        "Its authors publish a pickled program; what is fetched is a copy in safetensors by the imscore project, with no checksum of "
        "the authors to hold it against.",
    ),
    text="processor",
)

MPS_03 = replace(
    MPS,
    id="MPS-0.3",
    metadata_key="MPS03",
    place=8,
    mask_threshold=0.3,
    title="MPS (human preference, overall; mask of its evaluation)",
    home=MPS.folder,
    notes=(
        "MPS with the mask threshold 0.3 of its authors' evaluation in place of 0.01: fewer words of the prompt count.",
        *MPS.notes[1:],
    ),
)
