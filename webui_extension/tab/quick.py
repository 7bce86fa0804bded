"""Quick ranking inside the tab: which of a few pictures of one prompt is best, asked again and again, and the ranks that follow.

Commands of the page's script (``javascript/imagereward_quick.js`` says what each needs and gets), done by the core: the question by
``imagereward_core.ranking``, the answers kept by ``imagereward_core.library.answers`` beside the tab's library, where the stars are.
Answers that were given elsewhere about the same pictures, as in ``imagereward annotate FOLDER``, count too.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from imagereward_core.errors import CuratorError
from imagereward_core.library.answers import ACROSS
from imagereward_core.library.shared_answers import SharedAnswers
from imagereward_core.ranking import csv_text, json_text

from .session import Asked, Session
from .shown import addresses
from .updates import Values

if TYPE_CHECKING:
    from imagereward_core.library.store.records import Row
    from imagereward_core.ranking import QuickRanking, RankedRow

Shows = Callable[[Session], Values]
Done = tuple[Session, tuple[Shows, ...]]

DOOR = "webui"
SIZES = (2, 3, 4)
FORMS = ("csv", "json")
NO_GROUP = (
    "No two of the pictures shown have the same prompt. Show more of them, or put pictures of different prompts side by side with "
    "Across prompts."
)


def groups(session: Session, across: bool) -> dict[str | None, list[int]]:
    """Places of the pictures shown that can be compared, by prompt, in the order they are shown in; of equal pictures the first one."""
    found: dict[str | None, dict[str, int]] = {}
    rows = () if session.view is None else session.view.rows
    for place in session.shown:
        row = rows[place]
        prompt = ACROSS if across else row.generated.prompt
        if row.content and (across or prompt):
            found.setdefault(prompt, {}).setdefault(row.content, place)
    return {prompt: list(by.values()) for prompt, by in found.items() if len(by) > 1}


def begin(session: Session, wish: Mapping[str, Any]) -> Done:
    """Asks about the prompt of the chosen picture, else about the first one; across prompts about all pictures shown.

    Where it is not begun ``anew`` the prompt that was asked about stays.
    """
    size, across = wish.get("size"), wish.get("across") is True
    if size not in SIZES or isinstance(size, bool):
        raise CuratorError(f"found {str(size)[:40]!r} pictures side by side; expected 2, 3 or 4")
    known = groups(session, across)
    anew = wish.get("anew") is True or session.quick is None
    wanted = _prompt_of(session) if anew else _asked(session).prompt
    prompt = wanted if wanted in known else next(iter(known), None)
    if not known:
        return replace(session, quick=None), (lambda _: {"quick": {"question": [], "why": NO_GROUP}},)
    return _asking(replace(session, quick=Asked(prompt, size)))


def answer(session: Session, wish: Mapping[str, Any]) -> Done:
    """Writes an answer down, and asks the next question."""
    asked, images = _asked(session), _images(session, wish)
    winner = wish.get("winner")
    chosen = None if winner is None else _content(winner)
    if chosen is not None and chosen not in images:
        raise CuratorError("the picture that was chosen is not one of those shown; choose again")
    with _store(session) as store:
        store.own.add(asked.prompt, images, chosen, door=DOOR)
    return _asking(session)


def skip(session: Session, wish: Mapping[str, Any]) -> Done:
    """Writes down that a question was skipped, and asks another one."""
    with _store(session) as store:
        store.own.add_skip(_asked(session).prompt, _images(session, wish), door=DOOR)
    return _asking(session)


def undo(session: Session, wish: Mapping[str, Any]) -> Done:
    """Takes the last answer about the prompt back, and asks the same question again."""
    with _store(session) as store:
        last = store.withdraw_last(_asked(session).prompt, [row.content for row in _rows(session)])
    if last is None:
        raise CuratorError("there is no answer to take back for this prompt")
    return _asking(session, again=last.images)


def turn(session: Session, wish: Mapping[str, Any]) -> Done:
    """Goes to another prompt, ``by`` so many further; after the last one comes the first."""
    asked, by = _asked(session), wish.get("by")
    if by not in (1, -1) or isinstance(by, bool):
        raise CuratorError(f"the way to another prompt is {str(by)[:40]!r}; expected 1 or -1")
    prompts = list(groups(session, asked.prompt is ACROSS))
    if not prompts:
        return begin(session, {"size": asked.size})
    at = prompts.index(asked.prompt) if asked.prompt in prompts else -by
    return _asking(replace(session, quick=Asked(prompts[(at + by) % len(prompts)], asked.size)))


def ranks(session: Session, wish: Mapping[str, Any]) -> Done:
    """The ranks so far, with their uncertainty."""
    rows, by_content = _ranked(session)
    told = [_told(row, by_content[row.image]) for row in rows]
    return session, (lambda _: {"quick": {"ranks": told}},)


def file(session: Session, wish: Mapping[str, Any]) -> Done:
    """The ranks so far as the text of a file, CSV or JSON."""
    form = wish.get("form")
    if form not in FORMS:
        raise CuratorError(f"there is no form {str(form)[:40]!r}; expected csv or json")
    rows, by_content = _ranked(session)
    beside: dict[str, dict[str, Any]] = {
        "file": {row.image: str(by_content[row.image].path) for row in rows},
        "prompt": {row.image: by_content[row.image].generated.prompt for row in rows},
        "stars": {
            row.image: by_content[row.image].stars for row in rows if by_content[row.image].stars is not None
        },
    }
    if form == "csv":
        text = "\ufeff" + csv_text(rows, beside)
    else:
        text = json_text(rows, beside, {"across_prompts": _asked(session).prompt is ACROSS})
    name = f"quick ranking {time.strftime('%Y-%m-%d %H-%M-%S')}.{form}"
    return session, (lambda _: {"quick": {"file": {"name": name, "text": text}}},)


COMMANDS: dict[str, Callable[[Session, Mapping[str, Any]], Done]] = {
    "quick_begin": begin,
    "quick_answer": answer,
    "quick_skip": skip,
    "quick_undo": undo,
    "quick_turn": turn,
    "quick_ranks": ranks,
    "quick_file": file,
}


def _store(session: Session) -> SharedAnswers:
    from .scoring import library_folder

    return SharedAnswers(library_folder(), {row.path.parent for row in _rows(session)})


def _asked(session: Session) -> Asked:
    if session.quick is None:
        raise CuratorError("quick ranking has not begun; close it and open it again")
    return session.quick


def _prompt_of(session: Session) -> str | None:
    """The prompt of the chosen picture."""
    if session.view is None or session.picked is None:
        return None
    return session.view.rows[session.picked].generated.prompt


def _content(address: object) -> str:
    row = addresses.row(str(address))
    if row is None or not row.content:
        raise CuratorError(
            "one of these pictures is not known any more; close quick ranking and open it again"
        )
    return row.content


def _images(session: Session, wish: Mapping[str, Any]) -> list[str]:
    """The pictures that were shown, by content; all of them of the prompt that is asked about."""
    shown = wish.get("images")
    if not isinstance(shown, list) or not 2 <= len(shown) <= max(SIZES):
        raise CuratorError("found no list of 2 to 4 pictures that were shown; load the page again")
    images = [_content(each) for each in shown]
    of_prompt = {row.content for row in _rows(session)}
    if len(set(images)) < len(images) or not of_prompt.issuperset(images):
        raise CuratorError(
            "one of these pictures is not among those shown for this prompt any more; close quick ranking and open it again"
        )
    return images


def _rows(session: Session) -> list[Row]:
    """The pictures that are asked about, one for each content."""
    view, asked = session.view, _asked(session)
    places = groups(session, asked.prompt is ACROSS).get(asked.prompt, [])
    return [] if view is None else [view.rows[place] for place in places]


def _ranking(session: Session) -> tuple[QuickRanking, dict[str, Row]]:
    view, asked = session.view, _asked(session)
    rows = {row.content: row for row in _rows(session)}
    assert view is not None
    places = [view.places[row.path] for row in rows.values()]
    panel = (view.result.main, *view.result.beside)
    # What scorers say of pictures for different prompts cannot be compared.
    scores = [] if asked.prompt is ACROSS else [[float(each.values[at]) for at in places] for each in panel]
    known = [each for each in scores if not all(math.isnan(value) for value in each)]
    with _store(session) as store:
        return store.ranking(asked.prompt, list(rows), known), rows


def _ranked(session: Session) -> tuple[list[RankedRow], dict[str, Row]]:
    ranking, rows = _ranking(session)
    return ranking.rows(), rows


def _asking(session: Session, again: Sequence[str] = ()) -> Done:
    """The next question, or the one that was asked ``again``."""
    ranking, rows = _ranking(session)
    asked = _asked(session)
    prompts = list(groups(session, asked.prompt is ACROSS))
    if again and all(image in rows for image in again):
        images: Sequence[str] = again
    else:
        question = ranking.question(asked.size)
        images = () if question is None else question.images
    told = {
        "prompt": "" if asked.prompt is None else asked.prompt,
        "across": asked.prompt is ACROSS,
        "size": asked.size,
        "at": prompts.index(asked.prompt) if asked.prompt in prompts else 0,
        "prompts": len(prompts),
        "pictures": len(rows),
        "answers": sum(each.among(rows) is not None for each in ranking.comparisons),
        "question": [_picture(rows[image]) for image in images],
        "why": "" if images else NO_GROUP,
    }
    return session, (partial(_say, told),)


def _say(told: Mapping[str, Any], _: Session) -> Values:
    return {"quick": told}


def _picture(row: Row) -> dict[str, Any]:
    return {
        "id": addresses.of(row),
        "name": row.path.name,
        "stars": row.stars,
        "width": row.width,
        "height": row.height,
    }


def _told(ranked: RankedRow, row: Row) -> dict[str, Any]:
    facts = asdict(ranked)
    del facts["image"]
    return {**facts, **_picture(row)}
