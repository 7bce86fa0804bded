"""Scores the pictures of a request, by the same code as the command and so with the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from imagereward_core.library.scan.options import ScanOptions
from imagereward_core.plain import encodable
from imagereward_core.settings import settings_of

from ..host.queue import job
from .limits import Limits
from .pictures import Asked, Budget, Prompts, ask
from .requests import RequestError, load_request
from .schemas import RowOut, ScoreAnswer, ScoreRequest

if TYPE_CHECKING:
    from imagereward_core.scorers.panel import PanelResult
    from imagereward_core.scores import Scores
    from imagereward_core.selection import Rule, Selection

    from ..scorer_cache import LoadedScorer


def answer(request: ScoreRequest, limits: Limits, rule: Rule | None = None) -> ScoreAnswer:
    """Scores a request; with a rule, rows come best first and with reasons.

    Raises:
        RequestError, ValueError, BlendError: The request asks for something that does not exist.
        WeightsError: The scorer cannot be made ready.
        Cancelled: Somebody pressed Interrupt.
    """
    from imagereward_core.files.within import readable_in
    from imagereward_core.selection import select

    from ..host.info import allowed_folders
    from ..scorer_cache import load

    settings_of(ScanOptions)["prompt_from"].check(request.prompt_from)
    wanted = load_request(request)
    folders = allowed_folders()
    with job("imagereward"):
        loaded = load(wanted)
        if rule is not None and rule.min_percentile is not None and not loaded.panel.has_percentiles:
            raise RequestError(
                f"min_percentile is set, but {loaded.card.id} scores made this way have no reference distribution to read percentiles "
                "against; use min_score, top or top_percent"
            )
        finder = Prompts(
            None, cast(Any, request.prompt_from), request.raw_prompt, readable=readable_in(folders)
        )
        budget = Budget(limits)
        asked = [
            ask(number, each, request.prompt, finder, folders, budget)
            for number, each in enumerate(request.pictures)
        ]
        result = _score(loaded, asked)
    selection = select(result.main, rule)
    return _answer(loaded, asked, result, selection, rule)


def _score(loaded: LoadedScorer, asked: Sequence[Asked]) -> PanelResult:
    """Scores what can be scored, and gives everything else its reason."""
    fit = [(each.picture, each.prompt.given) for each in asked if each.picture is not None]
    places = [place for place, each in enumerate(asked) if each.picture is not None]
    scored: Sequence[Scores] = loaded.score_each(
        [picture for picture, _ in fit], [prompt for _, prompt in fit]
    )
    seen = [each.prompt.seen for each in asked]
    problems = {place: each.prompt.problem for place, each in enumerate(asked) if each.picture is None}
    return loaded.panel.judge([some.spread(places, seen, problems) for some in scored])


def _answer(
    loaded: LoadedScorer,
    asked: Sequence[Asked],
    result: PanelResult,
    selection: Selection,
    rule: Rule | None,
) -> ScoreAnswer:
    from imagereward_core.metadata.prompt_finder import picture_remarks
    from imagereward_core.report.rows import JudgedRow, PictureFacts, bare_reason, judged_fields
    from imagereward_core.report.tables import Layout

    scores = result.main
    disputed = {each.index: each.reason for each in result.disagreements}
    rows: list[dict[str, Any]] = [
        {
            "index": fact.index,
            "file": each.name,
            "reason": bare_reason(fact, each.name, rule is not None),
            "prompt_written": each.prompt.written,
            "prompt_source": each.prompt.source,
            "notes": "; ".join(each.prompt.notes),
            "disputed": disputed.get(fact.index, ""),
            **judged_fields(scores, fact, result.beside, each.name),
        }
        for fact, each in zip(PictureFacts(scores, selection), asked, strict=True)
    ]
    counts = {
        "pictures": len(scores),
        "scored": scores.scored,
        "kept": len(selection.kept),
    }
    layout = Layout.of(
        JudgedRow, scores, [], loaded.panel.card, None if rule is None else asdict(rule), counts
    )
    order = range(len(rows)) if rule is None else [int(index) for index in selection.order]
    seen = picture_remarks(
        each.prompt.picture_note for index, each in enumerate(asked) if index not in scores.failures
    )
    remarks = [result.basis, *result.warnings, *seen, *(pair.sentence() for pair in result.agreement)]
    return ScoreAnswer(
        **encodable(layout.head or {}),
        remarks=[encodable(remark) for remark in remarks if remark],
        rows=[RowOut(**encodable(rows[index])) for index in order],
    )
