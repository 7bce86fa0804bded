"""The cards of scorers that look at the picture alone: a small head on a picture encoder whose weights are a card of their own."""

from __future__ import annotations

from ...images.spec import CLIP_SPEC, SIGLIP_SPEC
from ..card import ScorerCard, WeightFile, WeightsCard

_LAION = WeightFile(
    name="sac+logos+ava1-l14-linearMSE.pth",
    repository="birder-project/aesthetic-predictor",
    remote_name="openai-clip_aesthetic-predictor.pt",
    sha256="21dd590f3ccdc646f0d53120778b296013b096a035a2718c9cb0d511bff0f1e0",
    size=3_714_759,
    address="https://github.com/christophschuhmann/improved-aesthetic-predictor/raw/main/sac+logos+ava1-l14-linearMSE.pth",
)

AESTHETIC = ScorerCard(
    id="Aesthetic",
    family="aesthetic",
    metadata_key="aesthetic_score",
    place=3,
    title="Aesthetic score (LAION, picture only)",
    summary="How beautiful people would find this picture, on a scale of about 1 to 10. The prompt is not read.",
    paper="github.com/christophschuhmann/improved-aesthetic-predictor",
    licence="Apache-2.0 (head), MIT (CLIP)",
    checkpoint=(
        WeightFile(name="sac+logos+ava1-l14-linearMSE.safetensors"),
        _LAION,
        # The ImageReward package keeps the same file under this name.
        WeightFile(name="sac%2Blogos%2Bava1-l14-linearMSE.pth", sha256=_LAION.sha256, size=_LAION.size),
    ),
    layout="aesthetic",
    download_size=3_714_759,
    image=CLIP_SPEC,
    token_limit=None,
    needs_prompt=False,
    typical_range=(4.0, 7.0),
    notes=(
        "Learned from ratings of photographs (AVA), logos, and pictures of the image generators of 2021 and 2022 (SAC).",
        "The prompt is not read, so a beautiful picture of something else scores high too.",
        "Sees a square from the middle of the picture at 224 pixels.",
        "The head comes from a copy on the hub that is checked against the checksum of its author's file.",
    ),
    backbone="CLIP",
)

SIGLIP = WeightsCard(
    id="siglip-so400m-patch14-384",
    title="SigLIP so400m, picture encoder at 384 pixels",
    paper="arXiv:2303.15343",
    licence="Apache-2.0",
    checkpoint=(
        WeightFile(
            name="siglip-so400m-patch14-384.safetensors",
            repository="google/siglip-so400m-patch14-384",
            remote_name="model.safetensors",
            revision="9fdffc58afc957d1a03a25b10dba0329ab15c2a3",
            sha256="ea2abad2b7f8a9c1aa5e49a244d5d57ffa71c56f720c94bc5d240ef4d6e1d94a",
            size=3_511_950_624,
        ),
    ),
    layout="siglip",
    download_size=3_511_950_624,
)

AESTHETIC_V25 = ScorerCard(
    id="Aesthetic-v2.5",
    family="aesthetic",
    metadata_key="AestheticV25",
    place=9,
    title="Aesthetic score v2.5 (SigLIP, picture only)",
    summary=(
        "How beautiful people would find this picture, on a scale of 1 to 10 on which 5.5 is very good; made for illustrations too. "
        "The prompt is not read."
    ),
    paper="github.com/discus0434/aesthetic-predictor-v2-5",
    licence="AGPL-3.0 (head), Apache-2.0 (SigLIP)",
    checkpoint=(
        WeightFile(name="aesthetic_predictor_v2_5.safetensors"),
        WeightFile(
            name="aesthetic_predictor_v2_5.pth",
            sha256="a6caf256b3dc434273c98dcb12f6bf17c5d4fc647d8df11f038386923dd06220",
            size=2_644_834,
            address="https://github.com/discus0434/aesthetic-predictor-v2-5/raw/main/models/aesthetic_predictor_v2_5.pth",
        ),
    ),
    layout="aesthetic-v2.5",
    download_size=2_644_834,
    image=SIGLIP_SPEC,
    token_limit=None,
    needs_prompt=False,
    typical_range=(3.0, 6.5),
    notes=(
        "Its head is under the AGPL: fetch it yourself if those terms suit you. This program brings and fetches nothing of it.",
        "Squashes the picture into a square of 384 pixels: all of it is seen, tall and wide ones distorted.",
        "It has no paper, and what it learned from is not published.",
    ),
    backbone="siglip-so400m-patch14-384",
)
