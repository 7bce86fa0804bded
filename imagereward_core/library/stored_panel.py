"""A panel of scorers that stand for stored numbers: a report or an export loads no network and needs no weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..scorers.blend import BlendScorer
from ..scorers.panel import Panel
from ..scorers.registry import is_checkpoint
from ..scorers.saved_blends import SavedBlends, blend_of
from ..weights.cards import CARDS, get_card
from ..weights.own import stored_card
from .store.records import Query, ScorerKey
from .store.scorer import NoNumbersError, StoredScorer

if TYPE_CHECKING:
    from ..weights.locate import WeightSettings
    from .library import Library

__all__ = ["NoNumbersError", "StoredScorer", "stored_panel"]


def stored_panel(
    library: Library,
    name: str = "",
    also: Sequence[str] = (),
    *,
    folder: Path | None = None,
    revision: str = "",
    preprocessing: str = "",
    blends: SavedBlends | None = None,
    weights: WeightSettings | None = None,
) -> Panel:
    """The scorers of stored numbers as a panel for :meth:`~.library.Library.scored`.

    Where a library holds numbers by several weights of a scorer, or in several precisions, those with the most pictures are taken.

    Args:
        library: Where the numbers are.
        name: A scorer's id, ``blend:NAME``, or the text of a blend; by default the scorer with the most pictures.
        also: Scorers whose numbers stand beside.
        folder: Count only pictures in this folder and below.
        revision: Take numbers by weights whose revision begins so.
        preprocessing: Take numbers made in this way, as in :class:`~.store.records.ScorerKey`.
        blends: Where blends are saved.
        weights: Where checkpoints of the user's own lie, for what their cards say; none of them is loaded.

    Raises:
        NoNumbersError: There are none by one of the scorers.
        UnknownScorerError, BlendError: There is no such scorer or blend.
    """
    held = library.keys()
    counts = {key: library.count(Query(key=key, folder=folder, scored=True)) for key in held}
    # Where nobody could score anything, the last attempt says why.
    keys = sorted((key for key in counts if counts[key]), key=lambda key: -counts[key]) or held[::-1]
    singles: dict[str, StoredScorer] = {}

    def single(wanted: str) -> StoredScorer:
        own = {key.scorer.casefold(): key.scorer for key in keys if key.scorer not in CARDS}
        scorer = own.get(wanted.casefold()) or get_card(wanted).id
        if scorer not in singles:
            key = _pick(keys, scorer, revision, preprocessing)
            singles[scorer] = StoredScorer(
                key, CARDS.get(scorer) or stored_card(scorer, key.revision, weights)
            )
        return singles[scorer]

    def made(wanted: str) -> Any:
        if is_checkpoint(wanted):
            raise NoNumbersError(
                f"{wanted} is a file of weights; a library knows scorers by their ids: {_listed(keys)}. Choose weights by their revision"
            )
        blend = blend_of(wanted, blends)
        if blend is None:
            return single(wanted)
        return BlendScorer(blend, [single(member.scorer) for member in blend.members])

    known = [key.scorer for key in keys]
    if not name and not known:
        raise NoNumbersError(
            f"the library holds no scores{f' of pictures in {folder}' if folder else ''}; score them first"
        )
    main, *others = [made(wanted) for wanted in (name or known[0], *also)]
    return Panel(main, others)


def _pick(keys: Sequence[ScorerKey], scorer: str, revision: str, preprocessing: str) -> ScorerKey:
    for key in keys:
        if (
            key.scorer == scorer
            and key.revision.startswith(revision)
            and preprocessing in ("", key.preprocessing)
        ):
            return key
    wanted = " ".join(filter(None, (scorer, revision, preprocessing)))
    raise NoNumbersError(f"the library holds no scores by {wanted}; it holds some by {_listed(keys)}")


def _listed(keys: Sequence[ScorerKey]) -> str:
    return ", ".join(f"{key.scorer} ({key.revision}, {key.preprocessing})" for key in keys) or "no scorer"
