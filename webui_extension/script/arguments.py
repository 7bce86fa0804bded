"""The settings of the always-on script: one dataclass from which the page, the API's arguments, the infotext and the plot's axes come.

Fields are only ever appended: the API passes them by place.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any, Literal

Kind = Literal["toggle", "text", "score", "choice", "scorer", "count", "number"]

KEY = "ImageReward Curator"
"""Under this key the settings stand in an infotext; it holds no score."""
TITLE = KEY

DEFAULT = "default"
"""As a scorer: the one chosen on the settings page."""
METHODS = ("standard", "weighted", "rank")
BATCH, JOB = "batch", "job"
TO_FOLDER, MARKED, NOT_SAVED = "rejects folder", "marked", "do not save"

_SWAPPED = str.maketrans({'"': "'", "'": '"'})


@dataclass(frozen=True)
class Control:
    """How a setting is shown and what it may be.

    Attributes:
        kind: ``score`` is a number as text, empty for none; ``scorer`` is a choice that knows more names than are listed.
        label: Stable: the host keeps defaults of users, and translations, by it.
        info: One sentence below it.
        choices: What a ``choice`` may be.
        low, high, step: The range of numbers.
    """

    kind: Kind
    label: str
    info: str = ""
    choices: tuple[str, ...] = ()
    low: float = 0
    high: float = 0
    step: float = 1


def _shown(default: Any, kind: Kind, label: str, info: str = "", **more: Any) -> Any:
    return field(default=default, metadata={"control": Control(kind, label, info, **more)})


@dataclass(frozen=True)
class Settings:
    """The settings the user chose, every value plain JSON. See the labels and sentences for what each is."""

    enabled: bool = _shown(False, "toggle", TITLE)
    scorer: str = _shown(
        DEFAULT, "scorer", "Scorer", "Gives every picture a number before it is saved; higher is better."
    )
    blend_with: str = _shown(
        "",
        "text",
        "Blend with",
        "Other scorers and their weights, such as PickScore=0.5, Aesthetic=0.3. The scorer above counts 1 unless it is named here too.",
    )
    blend_method: str = _shown(
        "standard", "choice", "Blend method", "How the scores of several scorers become one.", choices=METHODS
    )
    sort_gallery: bool = _shown(True, "toggle", "Sort the gallery, best first")
    keep_best: int = _shown(
        0, "count", "Keep the best", "At most this many pictures; 0: no such limit.", high=64
    )
    keep_scope: str = _shown(
        BATCH,
        "choice",
        "The limit holds for every",
        "The best of each batch, or of the whole job.",
        choices=(BATCH, JOB),
    )
    min_score: str = _shown(
        "", "score", "Minimum score", "A number on the scorer's own scale; empty: no minimum."
    )
    min_percentile: float = _shown(
        0.0,
        "number",
        "Minimum percentile",
        "Against the scorer's published reference scores; 0: no minimum.",
        high=100,
    )
    rejects: str = _shown(
        TO_FOLDER,
        "choice",
        "Rejected pictures",
        "In a folder of their own, saved as usual with a mark in name and infotext, or not saved. Nothing on disk is ever deleted.",
        choices=(TO_FOLDER, MARKED, NOT_SAVED),
    )
    show_rejects: bool = _shown(False, "toggle", "Show rejected pictures in the gallery, after the kept ones")
    until: int = _shown(
        0, "count", "Generate until this many are kept", "0: just the batches asked for.", high=256
    )
    until_pictures: int = _shown(40, "count", "Give up after this many pictures", low=1, high=2048)
    until_minutes: float = _shown(
        30.0, "number", "Give up after this many minutes", low=0.5, high=720, step=0.5
    )
    gate_hires: bool = _shown(
        False, "toggle", "With hires. fix, score the first pass and upscale only what passes"
    )
    show_percentile: bool = _shown(True, "toggle", "Show percentiles beside scores")
    score_prompt: str = _shown(
        "", "text", "Score against this prompt instead", "Empty: each picture is scored with its own prompt."
    )
    companions: bool = _shown(True, "toggle", "Masks, first passes and previews go with a rejected picture")

    @property
    def minimum(self) -> float | None:
        """The minimum score as a number."""
        return float(self.min_score) if self.min_score else None

    @property
    def selects(self) -> bool:
        """Whether any picture can be rejected."""
        return bool(self.keep_best or self.min_score or self.min_percentile)


def controls() -> dict[str, Control]:
    """The control of every setting, in the order of the arguments."""
    return {each.name: each.metadata["control"] for each in fields(Settings)}


def read_arguments(values: Sequence[Any]) -> tuple[Settings, list[str]]:
    """The settings that a page or a request gave, and a line about everything that had to be replaced by its default.

    Args:
        values: By place; or one mapping by name, which is easier to write in a request.
    """
    if values and isinstance(values[0], Mapping):
        return from_mapping(values[0])
    names = [each.name for each in fields(Settings)]
    settings, problems = from_mapping(dict(zip(names, values)))
    if len(values) > len(names):
        problems.append(
            f"{len(values)} arguments were given, {len(names)} are known; the last ones are ignored"
        )
    return settings, problems


def from_mapping(values: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """The settings with these names and values; see :func:`read_arguments`."""
    problems, found = [], {}
    known = {each.name: each for each in fields(Settings)}
    for name, value in values.items():
        if name not in known:
            problems.append(f"there is no setting {str(name)[:50]!r}; known are {', '.join(known)}")
        elif value is not None:
            try:
                found[name] = _read(known[name].metadata["control"], value)
            except (TypeError, ValueError, OverflowError):
                problems.append(_objection(known[name], value))
    return Settings(**found), problems


def _objection(setting: Field[Any], value: Any) -> str:
    control = setting.metadata["control"]
    expected = {
        "toggle": "true or false",
        "text": "text",
        "scorer": "the name of a scorer",
        "score": "a number, or nothing",
        "choice": f"one of {', '.join(control.choices)}",
    }.get(control.kind, f"a number from {control.low:g} to {control.high:g}")
    return f"{setting.name} is {str(value)[:80]!r}; expected {expected}. {setting.default!r} is used"


def _read(control: Control, value: Any) -> Any:
    """The value in the type of its control.

    Raises:
        TypeError, ValueError, OverflowError: It is none.
    """
    if control.kind == "toggle":
        word = str(value).strip().lower()
        return word in ("true", "1", "1.0") if word in ("true", "false", "1", "0", "1.0", "0.0") else _wrong()
    if control.kind in ("count", "number"):
        number = float(value) if not isinstance(value, bool) else _wrong()
        if not control.low <= number <= control.high or (control.kind == "count" and number != int(number)):
            return _wrong()
        return int(number) if control.kind == "count" else number
    if control.kind == "score":
        text = (
            str(value).strip()
            if isinstance(value, (str, int, float)) and not isinstance(value, bool)
            else _wrong()
        )
        return text if not text or math.isfinite(float(text)) else _wrong()
    if not isinstance(value, str):
        return _wrong()
    text = value.strip()
    if control.kind == "choice":
        return (
            next((choice for choice in control.choices if choice.lower() == text.lower()), None) or _wrong()
        )
    return text or (DEFAULT if control.kind == "scorer" else "")


def _wrong() -> Any:
    raise ValueError


def to_infotext(settings: Settings) -> str:
    """The settings that differ from their defaults, as JSON with both kinds of quotes exchanged: infotexts quote that without clutter."""
    changed = {
        each.name: getattr(settings, each.name)
        for each in fields(Settings)
        if each.name != "enabled" and getattr(settings, each.name) != each.default
    }
    return json.dumps(changed, ensure_ascii=False).translate(_SWAPPED)


def from_infotext(text: str) -> Settings | None:
    """The settings of an infotext, switched on; None where the text is not ours. What is unknown gets its default."""
    try:
        values = json.loads(text.translate(_SWAPPED))
    except ValueError:
        return None
    return from_mapping({**values, "enabled": True})[0] if isinstance(values, dict) else None
