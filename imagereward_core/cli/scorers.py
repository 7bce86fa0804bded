"""Makes a scorer ready for a command, with progress and with errors that say how to mend them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..scorers.requests import DEFAULT_SCORER, LoadRequest, make_panel
from .console import Console
from .exits import NoScorerError, UsageError

if TYPE_CHECKING:
    from ..runtime import LocalRuntime, Progress
    from ..scorers.panel import Panel
    from ..scorers.saved_blends import SavedBlends
    from ..weights.card import ScorerCard
    from ..weights.locate import WeightSettings


def load_panel(
    args: argparse.Namespace,
    settings: WeightSettings,
    console: Console,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Panel:
    """The scorers that the command line names, in a runtime with ``progress`` and ``cancelled``.

    Raises:
        UsageError: The device or the precision does not exist here, or percentiles are asked for where there are none.
        CuratorError: There is no such scorer or blend, or its weights are missing, damaged or untrained.
        ImportError: A package is missing.
    """
    runtime = _runtime(args, progress, cancelled)
    request = LoadRequest(
        args.scorer,
        whole_picture=args.whole_picture,
        batch_size=args.batch_size or 0,
        also=tuple(_others(args, settings)),
    )
    with console.bytes() as report:
        panel, _ = make_panel(request, runtime, settings, report, blends=saved_blends(settings))
    for scorer in panel.scorers:
        if scorer.head_is_constant():  # which was said when it was made
            raise NoScorerError(f"nothing is scored with {scorer.card.id}; choose another scorer")
    check_percentiles(args, panel.card)
    return panel


def check_scorers(args: argparse.Namespace, settings: WeightSettings) -> None:
    """Makes sure, with nothing loaded, that there are the scorers and blends that the command line names; it may name none.

    Raises:
        UnknownScorerError, BlendError, WeightsError: See ``saved_blends.needed_cards``.
    """
    from ..scorers.saved_blends import needed_cards

    needed_cards(filter(None, (args.scorer, *_others(args, settings))), settings, saved_blends(settings))


def _others(args: argparse.Namespace, settings: WeightSettings) -> list[str]:
    """The scorers of --also; ``all`` stands for the published ones whose weights are on this machine."""
    from ..weights.cards import CARDS
    from ..weights.locate import is_ready

    names: list[str] = []
    for part in (part.strip() for text in args.also for part in text.split(",")):
        if part.lower() == "all":
            names += [name for name, card in CARDS.items() if name != "demo" and is_ready(card, settings)]
        elif part:
            names.append(part)
    main = str(args.scorer).casefold()
    return [name for name in dict.fromkeys(names) if name.casefold() != main]


def saved_blends(settings: WeightSettings) -> SavedBlends:
    """The blends in all models folders; those of the folder that new ones are saved in come first."""
    from ..scorers.saved_blends import SavedBlends

    return SavedBlends((blends_folder(settings), *settings.folders))


def blends_folder(settings: WeightSettings) -> Path:
    """Where blends are saved: in the first models folder, or beside this program's own downloads."""
    from ..weights.cards import get_card
    from ..weights.locate import target_folder

    return target_folder(get_card(DEFAULT_SCORER), settings).parent


def _runtime(
    args: argparse.Namespace, progress: Progress | None, cancelled: Callable[[], bool] | None
) -> LocalRuntime:
    import torch

    from ..runtime import LocalRuntime

    try:
        runtime = LocalRuntime(args.device, args.precision, progress, cancelled)
        torch.zeros(1, device=runtime.device).add_(1)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).strip().split("\n")[0]
        raise UsageError(
            f"the device {args.device!r} cannot be used here ({reason}); expected auto, cpu, cuda, cuda:1, xpu or mps"
        ) from error
    return runtime


def check_percentiles(
    args: argparse.Namespace, card: ScorerCard | None = None, on_reference: bool | None = None
) -> None:
    """Raises UsageError where percentiles are asked for of scores that have none, before anything is scored.

    Known of the scorer that decides are its card, or None yet, and whether its scores are as published; by default as the command line
    will have them made.
    """
    if getattr(args, "min_percentile", None) is not None:
        asked, instead = "--min-percentile", "use --min-score, --top or --top-percent"
    elif getattr(args, "buckets", None) and getattr(args, "buckets_by", "percentile") == "percentile":
        asked, instead = "--buckets by percentile", "give --buckets-by score or --buckets-by share"
        if not hasattr(args, "buckets_by"):
            instead = "use --min-score, --top or --top-percent"
    else:
        return
    if on_reference is False or (on_reference is None and args.whole_picture):
        raise UsageError(
            f"{asked} cannot be used with scores of whole pictures (--whole-picture): they are off-reference and have no percentiles; "
            f"{instead}"
        )
    if card is not None and card.distribution is None:
        raise UsageError(
            f"{asked} cannot be used: no reference distribution of {card.id} scores is known to read percentiles against; {instead}"
        )
