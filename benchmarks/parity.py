"""Do we give the reference's scores? Every kind of picture and prompt, both programs, the same random full-size weights.

Run as ``python -m benchmarks.parity``. Exits with 1 where float32 scores are off by more than 2e-5, keys differ, or token ids differ. The
reference itself differs from a float64 run of the same weights by about 8e-6, so equality cannot be asked for.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.nets.skeleton import build_skeleton
from imagereward_core.runtime import Precision
from imagereward_core.scorers.families.imagereward import ImageRewardScorer

from .pictures import PROMPTS, Picture, as_argument, make_pictures
from .random_weights import ensure_random_checkpoint
from .reference import load_reference
from .scorers import make_scorer, save_results

Scores = npt.NDArray[np.float64]
FP32_LIMIT = 2e-5


def spearman(first: Scores, second: Scores) -> float:
    """Rank correlation of two sets of scores without ties."""
    ranks = [np.argsort(np.argsort(scores.ravel())) for scores in (first, second)]
    table = np.asarray(np.corrcoef(ranks))
    return float(table[0, 1])


def compare(scores: Scores, reference: Scores) -> dict[str, float]:
    """How far ``scores`` are from ``reference``: largest and mean absolute difference, rank correlation, pairs ordered alike."""
    difference = np.abs(scores - reference)
    first, second = (values.ravel()[:, None] - values.ravel()[None, :] for values in (scores, reference))
    return {
        "max_abs": float(difference.max()),
        "mean_abs": float(difference.mean()),
        "spearman": spearman(scores, reference),
        "pair_order_agreement": float(((first > 0) == (second > 0))[np.triu_indices(scores.size, 1)].mean()),
    }


def reference_scores(model: Any, pictures: Sequence[Picture], prompts: Sequence[str]) -> Scores:
    """The reference's ``score`` of every pair, float64 [N, P]."""
    with torch.no_grad():
        return np.array(
            [[model.score(prompt, as_argument(picture)) for prompt in prompts] for picture in pictures]
        )


def reference_scores_float64(model: Any, pictures: Sequence[Picture], prompts: Sequence[str]) -> Scores:
    """The reference's towers and head run in float64: what its float32 scores approximate. Turns ``model`` into float64."""
    from PIL import Image

    model.double()
    rows = []
    for picture in pictures:
        opened = Image.open(picture) if isinstance(picture, Path) else picture
        pixels = model.preprocess(opened)[None].double()
        ids = model.blip.tokenizer(
            list(prompts), padding="max_length", truncation=True, max_length=35, return_tensors="pt"
        )
        with torch.no_grad():
            image = model.blip.visual_encoder(pixels)
            text = model.blip.text_encoder(
                ids.input_ids,
                attention_mask=ids.attention_mask,
                encoder_hidden_states=image.expand(len(prompts), -1, -1),
                encoder_attention_mask=torch.ones(len(prompts), image.shape[1], dtype=torch.long),
                return_dict=True,
            )
            rows.append((model.mlp(text.last_hidden_state[:, 0])[:, 0] - model.mean) / model.std)
    return torch.stack(rows).numpy()


def key_report(model: Any, checkpoint: Path) -> dict[str, int]:
    """How the keys of the reference, of our network and of the file go together."""
    file = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
    ours = build_skeleton(RewardNetwork).state_dict()
    theirs = model.state_dict()
    return {
        "reference_keys": len(theirs),
        "our_keys": len(ours),
        "file_keys": len(file),
        "missing_in_ours": len(theirs.keys() - ours.keys()),
        "unexpected_in_ours": len(ours.keys() - theirs.keys()),
        "other_shape": sum(theirs[name].shape != ours[name].shape for name in theirs.keys() & ours.keys()),
    }


def unequal_ids(model: Any, scorer: ImageRewardScorer, prompts: Sequence[str]) -> int:
    """For how many prompts the token ids, padding apart, are not the same."""
    unequal = 0
    for prompt in prompts:
        theirs = model.blip.tokenizer(prompt, padding="max_length", truncation=True, max_length=35)
        real = theirs["input_ids"][: sum(theirs["attention_mask"])]
        unequal += list(scorer.encoder(prompt).ids) != real
    return unequal


def batch_independence(
    checkpoint: Path, precision: Precision, pictures: list[Picture], prompts: list[str]
) -> dict[str, float]:
    """Largest difference between scores in batches of 8 and one at a time, and in another order."""
    eights = make_scorer(checkpoint, precision, batch_size=8).score_matrix(pictures, prompts)
    ones = make_scorer(checkpoint, precision, batch_size=1).score_matrix(pictures, prompts)
    order = np.random.default_rng(0).permutation(len(pictures))
    shuffled = np.empty_like(eights)
    shuffled[order] = make_scorer(checkpoint, precision).score_matrix([pictures[i] for i in order], prompts)
    return {
        "batch_1_against_8": float(np.abs(ones - eights).max()),
        "shuffled": float(np.abs(shuffled - eights).max()),
    }


def measure(checkpoint: Path, limit: int | None = None) -> dict[str, Any]:
    """All figures of this benchmark; ``limit`` takes fewer pictures, for trying it out."""
    named = make_pictures(checkpoint.parent / "pictures")
    pictures, prompts = list(named.values())[:limit], list(PROMPTS.values())
    with contextlib.redirect_stdout(io.StringIO()):
        model = load_reference(checkpoint)
    scorers = {name: make_scorer(checkpoint, name) for name in ("fp32", "bf16", "fp16")}
    figures: dict[str, Any] = {
        "pictures": list(named)[:limit],
        "prompts": PROMPTS,
        "keys": key_report(model, checkpoint),
        "prompts_with_other_ids": unequal_ids(model, scorers["fp32"], prompts),
    }
    theirs = reference_scores(model, pictures, prompts)
    ours = {name: scorer.score_matrix(pictures, prompts) for name, scorer in scorers.items()}
    figures["reference_scores"] = {"mean": float(theirs.mean()), "std": float(theirs.std())}
    figures["against_reference"] = {name: compare(scores, theirs) for name, scores in ours.items()}
    exact = reference_scores_float64(model, pictures, prompts)
    figures["against_float64"] = {
        "reference": compare(theirs, exact),
        **{name: compare(each, exact) for name, each in ours.items()},
    }
    del model
    few = pictures[:12]
    figures["batch_independence"] = {
        name: batch_independence(checkpoint, name, few, prompts) for name in ("fp32", "bf16")
    }
    figures["scores_bf16_minus_reference"] = np.round(ours["bf16"] - theirs, 5).tolist()
    return figures


def main() -> None:
    """Measures, writes ``parity.json`` and exits with 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, help="folder for the random weights")
    parser.add_argument("--output", type=Path, help="folder for the result; by default benchmarks/results")
    parser.add_argument("--pictures", type=int, help="only the first so many pictures")
    options = parser.parse_args()
    figures = measure(ensure_random_checkpoint(options.cache), options.pictures)
    save_results("parity", figures, options.output)
    for name, row in figures["against_reference"].items():
        print(f"{name}: max {row['max_abs']:.2e}, mean {row['mean_abs']:.2e}, Spearman {row['spearman']:.5f}")
    keys = figures["keys"]
    broken = [name for name in ("missing_in_ours", "unexpected_in_ours", "other_shape") if keys[name]]
    if figures["prompts_with_other_ids"]:
        broken.append("token ids")
    if figures["against_reference"]["fp32"]["max_abs"] > FP32_LIMIT:
        broken.append("float32 scores")
    if broken:
        sys.exit(f"differs from the reference: {', '.join(broken)}")


if __name__ == "__main__":
    main()
