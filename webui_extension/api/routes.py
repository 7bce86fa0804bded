"""The routes under ``/imagereward/v1``.

Handlers are plain functions, so that the host runs them in its thread pool and its pages stay alive meanwhile. Annotations are not
postponed here: FastAPI reads them while the routes are made.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.security import HTTPBasic

from imagereward_core.errors import Cancelled, CuratorError, UnknownScorerError, WeightsError

from ..door import report
from .guard import Accounts, guarded
from .limits import limits
from .schemas import (
    SCHEMA_VERSION,
    ModelsAnswer,
    RankRequest,
    ScoreAnswer,
    ScoreRequest,
    ScorerOut,
    UnloadAnswer,
    UnloadRequest,
    VersionAnswer,
)

PREFIX = "/imagereward/v1"
Answer = TypeVar("Answer")


class _Shown(HTTPBasic):
    """Makes the documentation page ask for name and password; the kind of route does the work, and takes every alphabet."""

    async def __call__(self, request: Request) -> None:  # type: ignore[override]
        return None


def make_router(known: Accounts) -> APIRouter:
    """The routes, open to these accounts; to everybody where there are none."""
    shown = [Depends(_Shown())] if known else []
    router = APIRouter(
        prefix=PREFIX, route_class=guarded(known), dependencies=shown, tags=["ImageReward Curator"]
    )
    router.add_api_route("/score", score, methods=["POST"], response_model=ScoreAnswer)
    router.add_api_route("/rank", rank, methods=["POST"], response_model=ScoreAnswer)
    router.add_api_route("/models", models, methods=["GET"], response_model=ModelsAnswer)
    router.add_api_route("/unload", unload, methods=["POST"], response_model=UnloadAnswer)
    router.add_api_route("/version", version, methods=["GET"], response_model=VersionAnswer)
    router.add_api_route("/schema", schema, methods=["GET"])
    return router


def score(request: ScoreRequest) -> ScoreAnswer:
    """Scores pictures; rows come in the order of the request."""
    from .scoring import answer

    _check_number(request)
    return _told(lambda: answer(request, limits()))


def rank(request: RankRequest) -> ScoreAnswer:
    """Scores pictures; rows come best first, and say which pictures pass the filter and why."""
    from .requests import rule_of
    from .scoring import answer

    _check_number(request)
    return _told(lambda: answer(request, limits(), rule_of(request)))


def models() -> ModelsAnswer:
    """What may be asked for as ``scorer``, and whether its weights are on this machine."""
    from .models import offered
    from .requests import default_scorer

    return _told(
        lambda: ModelsAnswer(default=default_scorer(), scorers=[ScorerOut(**each) for each in offered()])
    )


def unload(request: UnloadRequest) -> UnloadAnswer:
    """Frees the memory that scorers hold, once nothing is being generated or scored."""
    from ..host.queue import turn
    from ..scorer_cache import free

    def freed() -> UnloadAnswer:
        with turn():
            return UnloadAnswer(message=free())

    return _told(freed)


def version() -> VersionAnswer:
    """Which version answers here, and in which WebUI."""
    import imagereward_core

    from ..host.info import host

    return VersionAnswer(version=imagereward_core.__version__, host=host())


def schema() -> dict[str, Any]:
    """JSON schemas of requests and answers."""
    kinds = (ScoreRequest, RankRequest, ScoreAnswer, ModelsAnswer, UnloadAnswer, VersionAnswer)
    return {"schema_version": SCHEMA_VERSION, **{kind.__name__: _schema_of(kind) for kind in kinds}}


def _schema_of(kind: Any) -> dict[str, Any]:
    made = kind.model_json_schema() if hasattr(kind, "model_json_schema") else kind.schema()
    return dict(made)


def _check_number(request: ScoreRequest) -> None:
    number, most = len(request.pictures), limits().most_pictures
    if not number:
        raise HTTPException(422, "The request holds no pictures; expected at least one.")
    if number > most:
        raise HTTPException(
            413,
            f"The request holds {number} pictures; expected at most {most}. Send them in several requests, or raise the limit in the "
            "settings of ImageReward Curator.",
        )


def _told(work: Callable[[], Answer]) -> Answer:
    """The result of ``work``; what it raises becomes an answer that says what to do."""
    try:
        return work()
    except HTTPException:
        raise
    except Cancelled as error:
        raise HTTPException(409, f"Stopped: {error}") from error
    except WeightsError as error:
        raise HTTPException(503, str(error)) from error
    except (CuratorError, ValueError, UnknownScorerError) as error:
        raise HTTPException(422, str(error)) from error
    except Exception as error:
        raise HTTPException(500, report("a request failed", error)) from error
