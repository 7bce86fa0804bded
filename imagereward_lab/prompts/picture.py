"""A map of the prompts: the two directions in which they differ most, and where the chosen ones lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagereward_core.files.whole import written_whole

from ..data.extras import MissingPackageError
from .errors import SelectionError

FORMS = ("svg", "png")
_MOST_FITTED = 20_000
_MOST_SHOWN = 5_000


def check_picture(path: Path) -> None:
    """Makes sure that a map can be written there, before an hour of work and not after it.

    Raises:
        SelectionError: The ending is another, there is something already, or there is no such folder.
        MissingPackageError: matplotlib is not installed.
    """
    if path.suffix.lower().lstrip(".") not in FORMS:
        raise SelectionError(
            f"--map {path}: expected a name that ends in {' or '.join(f'.{form}' for form in FORMS)}"
        )
    if path.exists() or path.is_symlink():
        raise SelectionError(
            f"--map {path}: is there already, and pictures are never replaced; give another name"
        )
    if not path.absolute().parent.is_dir():
        raise SelectionError(
            f"--map {path}: it cannot be written, there is no folder {path.absolute().parent}"
        )
    _figure()


def draw_map(
    path: Path, vectors: NDArray[np.floating], chosen: NDArray[np.int64], seed: int, title: str
) -> float:
    """Writes the picture; returns the share of the prompts' spread that its two directions show, 0..1.

    Args:
        path: Ends in one of :data:`FORMS`.
        vectors: float [N, d], may be mapped from a file. Directions are those of at most 20,000 of them.
        chosen: int64 [M]. At most 5,000 are drawn, in the order of the choice, above as many others.
        seed: Decides which are drawn.
        title: Stands above it.

    Raises:
        OSError: It cannot be written.
    """
    rng = np.random.default_rng([seed, 2])
    some = np.sort(rng.permutation(len(vectors))[:_MOST_FITTED])
    fitted = np.asarray(vectors[some], np.float64)
    middle = fitted.mean(axis=0)
    directions, share = _directions(fitted - middle)
    all_places = fitted[rng.permutation(len(some))[:_MOST_SHOWN]] - middle
    chosen_places = np.asarray(vectors[chosen[:_MOST_SHOWN]], np.float64) - middle
    figure = _figure()(figsize=(8, 7), layout="constrained")
    axes = figure.subplots()
    for places, color, size, label in (
        (all_places @ directions, "#b5b5b5", 4, f"prompts ({len(vectors):,})"),
        (chosen_places @ directions, "#c23b22", 9, f"chosen ({len(chosen):,})"),
    ):
        # A hundred thousand marks as paths make an SVG that no program likes.
        axes.scatter(*places.T, s=size, c=color, linewidths=0, label=label, rasterized=True)
    axes.set_xlabel("first principal component")
    axes.set_ylabel("second principal component")
    axes.set_aspect("equal", adjustable="datalim")
    axes.legend(frameon=False, loc="upper right", markerscale=3)
    figure.suptitle(title.replace("$", r"\$"))
    form = path.suffix.lower().lstrip(".")
    with written_whole(path) as temporary:
        figure.savefig(temporary, format=form, dpi=150, metadata={"Date": None} if form == "svg" else None)
    return share


def _directions(centred: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """The two directions of the largest spread, [d, 2], and their share of all of it."""
    spread, vectors = np.linalg.eigh(centred.T @ centred)
    first = vectors[:, ::-1][:, :2]
    if first.shape[1] < 2:
        first = np.pad(first, ((0, 0), (0, 1)))
    # Either sign is right; this one is the same on every machine.
    largest = first[np.abs(first).argmax(axis=0), range(2)]
    total = float(spread.sum())
    return first * np.where(largest < 0, -1.0, 1.0), float(
        spread[::-1][:2].sum()
    ) / total if total > 0 else 1.0


def _figure() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingPackageError(
            f"--map needs the package matplotlib, which cannot be loaded ({error}). Install it with: pip install "
            "'imagereward-curator[prompts]', or leave --map out"
        ) from error
    return Figure
