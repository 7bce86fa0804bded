"""Checkpoints of a user's own with ImageReward's layout: their names and cards."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import WeightsError
from ..files.devices import is_device
from .card import Distribution, ScorerCard, WeightFile
from .cards import BACKBONES, CARDS, OTHERS
from .cards.imagereward import IMAGEREWARD
from .ledger import State, state_of
from .locate import WeightSettings, models_folders, user_folder
from .manifest import sha256_of
from .suffixes import SUFFIXES
from .trained import applied, is_number, is_trained, trained_fields

logger = logging.getLogger(__name__)

CARD_SUFFIX = ".card.json"

_LARGEST_CARD = 64 * 1024
_LONGEST_TEXT = 500
_LONGEST_ID = 80
_FORBIDDEN = re.compile(r'[/\\:*?"<>|,=@%]')
_seen: dict[tuple[str, State], bool] = {}
_flat: dict[tuple[str, State], bool] = {}


@dataclass(frozen=True)
class OwnCheckpoint:
    """A checkpoint that belongs to no registered scorer."""

    card: ScorerCard
    path: Path


def is_official(path: Path) -> bool:
    """Whether a checkpoint named by its path is the published ImageReward-v1.0: by checksum, or, where none is stated, by its name."""
    known = CARDS[IMAGEREWARD.id].checkpoint
    form = next((form for form in known if form.name.casefold() == path.name.casefold()), None)
    if form is None or form.sha256 is None:
        return form is not None
    try:
        return sha256_of(path) == form.sha256
    except OSError:
        return False


def own_card(path: Path) -> ScorerCard:
    """The card of a user's own checkpoint: what ``<name>.card.json`` beside it says (WeightsError where it cannot be used), or its name."""
    return _card(_safe_id(path.stem), path.name, _read_card(card_path(path)))


def stored_card(scorer: str, revision: str = "", settings: WeightSettings | None = None) -> ScorerCard:
    """The card of an own checkpoint of which only numbers are left, given by weights of ``revision`` (``store.revision_of``).

    What its own card says holds for these numbers only while the file in the models folders still has the weights that gave them.
    """
    from .store import revision_of

    for path in _files(settings) if settings is not None else ():
        try:
            if not card_path(path).is_file() or (card := own_card(path)).id != scorer:
                continue
            if revision.partition("+")[0] == labelled(revision_of(path), card):
                return card
        except (WeightsError, OSError, ImportError) as error:
            logger.debug("the card of %s is not used: %s", path, error)
    return _card(scorer, "", {})


def own_checkpoints(settings: WeightSettings) -> dict[str, OwnCheckpoint]:
    """Own checkpoints in the models folders, by id in lower case; the first of several with one id counts."""
    found: dict[str, OwnCheckpoint] = {}
    for path in _files(settings):
        if path.stem.casefold() in _known_stems() or not is_reward_model(path):
            continue
        try:
            card = own_card(path)
        except WeightsError as error:
            logger.warning("%s is not listed: %s", path.name, error)
            continue
        found.setdefault(card.id.casefold(), OwnCheckpoint(card, path))
    return found


def own_files(names: Iterable[str]) -> list[str]:
    """Those of some names of files that are checkpoints' and not those of a registered scorer's weights."""
    known = _known_stems()
    paths = ((name, Path(name)) for name in names)
    return [
        name for name, path in paths if path.suffix.lower() in SUFFIXES and path.stem.casefold() not in known
    ]


def find_by_name(name: str, settings: WeightSettings) -> Path | None:
    """Where a checkpoint lies in the models folders, by its file name or its id; None where it does not."""
    if Path(name).name != name:
        return None
    if Path(name).suffix.lower() in SUFFIXES:
        folded = name.casefold()
        return next((path for path in _files(settings) if path.name.casefold() == folded), None)
    found = own_checkpoints(settings).get(name.casefold())
    return None if found is None else found.path


def labelled(revision: str, card: ScorerCard) -> str:
    """The label of weights together with what the card says that changes their numbers."""
    return f"{revision}-{card.recipe}" if card.recipe else revision


def is_reward_model(path: Path) -> bool:
    """Whether a file is a scorer: by a card that training wrote beside it, or by ImageReward's names in it.

    False where it cannot be read, which is logged.
    """
    return _has_trained_card(path) or is_image_reward(path)


def _has_trained_card(path: Path) -> bool:
    try:
        return is_trained(_read_json(card_path(path)))
    except ValueError as error:
        logger.debug("the card of %s cannot be read: %s", path, error)
        return False


def trained_id(path: Path) -> str:
    """The id that training gave a checkpoint, by the card beside it; empty without such a card, or where the card cannot be used."""
    try:
        return own_card(path).id if _has_trained_card(path) else ""
    except WeightsError:
        return ""


def is_image_reward(path: Path) -> bool:
    """Whether a file has ImageReward's layout, by the names in it; False where it cannot be read, which is logged."""
    from .checkpoint import StateFile
    from .checkpoint.kinds import has_reward_head

    try:
        key = (str(path.resolve()), state_of(path))
        if key not in _seen:
            try:
                _seen[key] = has_reward_head(StateFile(path).names)
            except WeightsError as error:
                logger.warning("not listed as a checkpoint: %s", error)
                _seen[key] = False
        return _seen[key]
    except OSError:
        return False


def has_flat_head(path: Path) -> bool:
    """Whether the reward head of a checkpoint gives every picture the same score, by its weights alone; False where it cannot be read.

    See :func:`.checkpoint.head_is_untrained`. Nothing but the head is read.
    """
    from .checkpoint import StateFile, head_is_untrained
    from .checkpoint.kinds import is_of_head

    try:
        key = (str(path.resolve()), state_of(path))
        if key not in _flat:
            file = StateFile(path)
            _flat[key] = head_is_untrained(file.map(filter(is_of_head, file.names)))
        return _flat[key]
    except (WeightsError, OSError, RuntimeError) as error:
        logger.debug("the head of %s is not looked at: %s", path, error)
        return False


def card_path(checkpoint: Path) -> Path:
    """Where the card of a checkpoint lies, if it has one."""
    return checkpoint.with_name(checkpoint.stem + CARD_SUFFIX)


def _files(settings: WeightSettings) -> Iterator[Path]:
    """Checkpoint files in the models folders and in ImageReward's own folders there, best form first."""
    own = user_folder(IMAGEREWARD)
    folders = [
        folder for in_root, root in models_folders(IMAGEREWARD, settings) for folder in (root, in_root)
    ]
    for folder in dict.fromkeys([*folders, *([own.parent, own] if own else [])]):
        try:
            names = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file()]
        except OSError:
            continue
        yield from sorted(names, key=lambda path: (SUFFIXES.index(path.suffix.lower()), path.name))


def _known_stems() -> set[str]:
    cards = (*CARDS.values(), *BACKBONES.values(), *OTHERS.values())
    return {Path(form.name).stem.casefold() for card in cards for form in card.checkpoint}


def id_of(name: str) -> str:
    """The id of a scorer that is called ``name``: that itself where it can be one, else the nearest that can."""
    return _safe_id(name)


def _safe_id(text: str) -> str:
    """A name as the id of a scorer: fit for command lines, blends and file names, and none that is registered."""
    text = "".join(mark if mark.isprintable() else "_" for mark in text)
    text = _FORBIDDEN.sub("_", text).strip()[:_LONGEST_ID].strip(" .") or "checkpoint"
    if text.isdigit() or is_device(text):
        text = f"_{text}"[:_LONGEST_ID]
    known = {name.casefold() for name in CARDS}
    return f"{text[: _LONGEST_ID - 4]}-own" if text.casefold() in known else text


def _card(scorer: str, file: str, facts: dict[str, Any]) -> ScorerCard:
    name = facts.get("id", scorer)
    published = applied(facts)
    notes = [
        f"What is published about {published.id}, its typical scores and its percentiles, does not hold for it.",
        *facts.get("notes", ()),
    ]
    return replace(
        published,
        id=name,
        title=facts.get("title", f"{name} (a checkpoint of your own)"),
        summary=facts.get(
            "summary", f"A checkpoint of your own{f' ({file})' if file else ''} with {published.id}'s layout."
        ),
        paper=facts.get("paper", ""),
        licence=facts.get("licence", "not stated"),
        checkpoint=(WeightFile(name=file),) if file else (),
        typical_range=facts.get("typical_range"),
        distribution=facts.get("distribution"),
        notes=tuple(notes),
        download_size=0,
        cross_prompt=True,
        learned_scale=False,
        home=published.folder,
        metadata_key="",
        own=True,
    )


def _read_card(path: Path) -> dict[str, Any]:
    """The fields of a card that are there; WeightsError where it cannot be read, or one is of another kind."""
    try:
        content = _read_json(path)
        return _fields(content) | trained_fields(content)
    except ValueError as error:
        raise WeightsError(
            f"the card {path} cannot be used ({error}); mend it as docs/scorers.md shows, or take it away"
        ) from error


def _read_json(path: Path) -> dict[str, Any]:
    """The object in a card's file; empty where there is no such file.

    Raises:
        ValueError: It cannot be read, is too long, or holds something else.
    """
    try:
        if not path.is_file():
            return {}
        with path.open("rb") as file:
            data = file.read(_LARGEST_CARD + 1)
        if len(data) > _LARGEST_CARD:
            raise ValueError(f"it is longer than {_LARGEST_CARD:,} bytes")
        content = json.loads(data.decode("utf-8-sig"))
    except (OSError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if not isinstance(content, dict):
        raise ValueError("it is no JSON object")
    return content


def _fields(content: dict[str, Any]) -> dict[str, Any]:
    texts = ("id", "title", "summary", "paper", "licence")
    facts: dict[str, Any] = {name: _text(name, content[name]) for name in texts if name in content}
    if "id" in facts and (safe := _safe_id(facts["id"])) != facts["id"]:
        raise ValueError(
            f"the id {facts['id']!r} is that of a registered scorer, or cannot be a name; {safe!r} could"
        )
    if "notes" in content:
        if not isinstance(content["notes"], list) or len(content["notes"]) > 20:
            raise ValueError("notes is no list of up to 20 sentences")
        facts["notes"] = tuple(_text("a note", note) for note in content["notes"])
    if "typical_range" in content:
        given = content["typical_range"]
        if not isinstance(given, list) or len(given) != 2 or not all(map(is_number, given)):
            raise ValueError("typical_range is no pair of numbers such as [-2, 2]")
        if not given[0] < given[1]:
            raise ValueError("typical_range does not rise")
        facts["typical_range"] = (float(given[0]), float(given[1]))
    if "distribution" in content:
        facts["distribution"] = _distribution(content["distribution"])
    return facts


def _distribution(given: Any) -> Distribution:
    if not isinstance(given, dict) or not all(is_number(given.get(name)) for name in ("mean", "std")):
        raise ValueError("distribution has no mean and std that are numbers")
    if given["std"] <= 0:
        raise ValueError("the std of distribution is not above 0")
    marks = given.get("quantiles", [])
    fits = isinstance(marks, list) and len(marks) != 1 and len(marks) <= 10_001
    if not fits or not all(map(is_number, marks)):
        raise ValueError("the quantiles of distribution are no list of at least two numbers")
    if any(after < before for before, after in zip(marks, marks[1:])):
        raise ValueError("the quantiles of distribution fall")
    source = _text("source", given.get("source", "the checkpoint's own card"))
    return Distribution(source, float(given["mean"]), float(given["std"]), tuple(map(float, marks)))


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_TEXT:
        raise ValueError(f"{name} is no text of 1 to {_LONGEST_TEXT} characters")
    if not value.isprintable():
        raise ValueError(f"{name} holds a line break or a control character")
    return value
