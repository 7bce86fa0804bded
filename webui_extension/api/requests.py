"""Translates a request for the core: which scorer, and what to keep."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from imagereward_core.errors import CuratorError
from imagereward_core.scorers.requests import DEFAULT_SCORER, LoadRequest
from imagereward_core.scores import Within
from imagereward_core.settings import settings_of

if TYPE_CHECKING:
    from imagereward_core.runtime import Precision
    from imagereward_core.selection import Rule

    from .schemas import RankRequest, ScoreRequest


class RequestError(CuratorError):
    """A request asks for something that does not exist or is not offered here."""


def default_scorer() -> str:
    """The scorer of requests that name none."""
    from ..host.info import option

    return str(option("imagereward_scorer", DEFAULT_SCORER) or DEFAULT_SCORER)


def load_request(request: ScoreRequest) -> LoadRequest:
    """The scorer to load for a request: its fields on top of the host's settings.

    Raises:
        RequestError, ValueError: It names something that is not offered.
    """
    from ..scorer_cache import names, request_from_settings

    offered = names()
    name = check_scorer(request.scorer.strip() or default_scorer(), offered)
    wanted = request_from_settings(name)
    others = tuple(check_scorer(other.strip(), offered) for other in request.also)
    wanted = replace(wanted, also=tuple(other for other in dict.fromkeys(others) if other != name))
    if request.precision:
        settings_of(LoadRequest)["precision"].check(request.precision)
        wanted = replace(wanted, precision=cast("Precision", request.precision))
    if request.whole_picture is not None:
        wanted = replace(wanted, whole_picture=request.whole_picture)
    return wanted


def check_scorer(name: str, offered: Iterable[str]) -> str:
    """The scorer's name as it is offered: from the list, or the text of a blend of scorers from the list.

    A request cannot name a file: what may be loaded is what lies in the models folders.

    Raises:
        RequestError: It is not offered.
    """
    known = {each.casefold(): each for each in offered}
    if name.casefold() in known:
        return known[name.casefold()]
    if "=" not in name and "," not in name and "@" not in name:
        raise RequestError(f"there is no scorer {name!r} here; expected one of {', '.join(known.values())}")
    from imagereward_core.scorers.blend_file import parse_blend

    for member in parse_blend(name).members:
        if member.scorer.casefold() not in known:
            raise RequestError(
                f"the blend {name!r} names {member.scorer!r}; expected scorers of this list: {', '.join(known.values())}"
            )
    return name


def rule_of(request: RankRequest) -> Rule:
    """The rule of a request.

    Raises:
        RequestError: A number is out of its range.
    """
    from imagereward_core.selection import Rule

    for name in ("min_score", "min_percentile", "top_percent"):
        number = getattr(request, name)
        if number is not None and not math.isfinite(number):
            raise RequestError(f"{name} is {number}; expected a finite number")
    try:
        return Rule(
            top_k=request.top,
            top_percent=request.top_percent,
            min_score=request.min_score,
            min_percentile=request.min_percentile,
            keep_at_least=request.keep_at_least,
            within=cast(Within, request.within),
        )
    except ValueError as error:
        raise RequestError(str(error)) from error
