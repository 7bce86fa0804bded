"""The card of ImageReward-v1.0, the model of arXiv 2304.05977."""

from __future__ import annotations

from ...images.spec import IMAGEREWARD_SPEC
from ..card import Distribution, ScorerCard, WeightFile

BERT_VOCABULARY = WeightFile(
    name="vocab.txt",
    repository="google-bert/bert-base-uncased",
    revision="86b5e0934494bd15c9632b12f734a8a67f723594",
    sha256="07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    size=231_508,
)

# The commit is the one that several public programs and records of hub caches name for this repository. No public record of the
# file's SHA-256 was found, so none is stated; the hub's own checksum of the file in this commit is checked when it is fetched.
_COMMIT = "5736be03b2652728fb87788c9797b0570450ab72"

IMAGEREWARD = ScorerCard(
    id="ImageReward-v1.0",
    family="imagereward",
    metadata_key="ImageReward",
    place=0,
    title="ImageReward v1.0 (human preference)",
    summary="How much people would prefer this picture for this prompt: alignment, fidelity and looks in one number.",
    paper="arXiv:2304.05977",
    licence="Apache-2.0",
    checkpoint=(
        WeightFile(name="ImageReward.safetensors"),
        WeightFile(name="ImageReward.pt", repository="THUDM/ImageReward", revision=_COMMIT),
    ),
    tokenizer=BERT_VOCABULARY,
    text="bert",
    image=IMAGEREWARD_SPEC,
    token_limit=35,
    typical_range=(-2.0, 2.0),
    distribution=Distribution(
        source="normal distribution with mean 0 and standard deviation 1, to which the authors scaled the scores of their test set",
        mean=0.0,
        std=1.0,
    ),
    notes=(
        "Trained on pictures people ranked within one prompt: compare scores within a prompt; across prompts they say less.",
        "Reads the first 33 word pieces of a prompt; what comes after is not seen.",
        "Sees a square from the middle of the picture at 224 pixels; the ends of tall and wide pictures are not seen.",
        "Users report that it over-rates anime.",
    ),
    download_size=1_786_928_314,
)
