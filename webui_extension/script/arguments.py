"""The settings of the always-on script: one dataclass from which the page, the API's arguments, the infotext and the plot's axes come.

Fields are only ever appended: the API passes them by place.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from imagereward_core.scorers.blend_names import METHODS
from imagereward_core.settings import Setting, setting, settings_of

KEY = "ImageReward Curator"
"""Under this key the settings stand in an infotext; it holds no score."""
TITLE = KEY

DEFAULT = "default"
"""As a scorer: the one chosen on the settings page."""
BATCH, JOB = "batch", "job"
TO_FOLDER, MARKED, NOT_SAVED = "rejects folder", "marked", "do not save"

ScorerName = str
"""A name, of which more are known than are listed."""
ScoreText = str
"""A number as text; empty for none."""

_SWITCH = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
_SWAPPED = str.maketrans({'"': "'", "'": '"'})


@dataclass(frozen=True)
class Settings:
    """The settings the user chose, every value plain JSON. See the labels and sentences for what each is."""

    enabled: bool = setting(False, "", label=TITLE)
    scorer: ScorerName = setting(
        DEFAULT, "Gives every picture a number before it is saved; higher is better", label="Scorer"
    )
    blend_with: str = setting(
        "",
        "Other scorers and their weights, such as PickScore=0.5, Aesthetic=0.3. The scorer above counts 1 unless it is named here too",
        label="Blend with",
    )
    blend_method: str = setting(
        "standard", "How the scores of several scorers become one", label="Blend method", choices=(*METHODS,)
    )
    sort_gallery: bool = setting(True, "", label="Sort the gallery, best first")
    keep_best: int = setting(
        0, "At most this many pictures; 0: no such limit", label="Keep the best", low=0, high=64
    )
    keep_scope: str = setting(
        BATCH,
        "The best of each batch, or of the whole job",
        label="The limit holds for every",
        choices=(BATCH, JOB),
    )
    min_score: ScoreText = setting(
        "", "A number on the scorer's own scale; empty: no minimum", label="Minimum score"
    )
    min_percentile: float = setting(
        0.0,
        "Against the scorer's published reference scores; 0: no minimum",
        label="Minimum percentile",
        low=0,
        high=100,
    )
    rejects: str = setting(
        TO_FOLDER,
        "In a folder of their own, saved as usual with a mark in name and infotext, or not saved. Nothing on disk is ever deleted",
        label="Rejected pictures",
        choices=(TO_FOLDER, MARKED, NOT_SAVED),
    )
    show_rejects: bool = setting(
        False, "", label="Show rejected pictures in the gallery, after the kept ones"
    )
    until: int = setting(
        0, "0: just the batches asked for", label="Generate until this many are kept", low=0, high=256
    )
    until_pictures: int = setting(40, "", label="Give up after this many pictures", low=1, high=2048)
    until_minutes: float = setting(
        30.0, "", label="Give up after this many minutes", low=0.5, high=720, step=0.5
    )
    gate_hires: bool = setting(
        False, "", label="With hires. fix, score the first pass and upscale only what passes"
    )
    show_percentile: bool = setting(True, "", label="Show percentiles beside scores")
    score_prompt: str = setting(
        "", "Empty: each picture is scored with its own prompt", label="Score against this prompt instead"
    )
    companions: bool = setting(True, "", label="Masks, first passes and previews go with a rejected picture")

    @property
    def minimum(self) -> float | None:
        """The minimum score as a number."""
        return float(self.min_score) if self.min_score else None

    @property
    def selects(self) -> bool:
        """Whether any picture can be rejected."""
        return bool(self.keep_best or self.min_score or self.min_percentile)


SETTINGS = settings_of(Settings)
"""In the order of the arguments."""


def read_arguments(values: Sequence[Any]) -> tuple[Settings, list[str]]:
    """The settings that a page or a request gave, by place or as one mapping by name, and a line about all that had to be replaced."""
    if values and isinstance(values[0], Mapping):
        return from_mapping(values[0])
    settings, problems = from_mapping(dict(zip(SETTINGS, values)))
    if len(values) > len(SETTINGS):
        problems.append(
            f"{len(values)} arguments were given, {len(SETTINGS)} are known; the last ones are ignored"
        )
    return settings, problems


def from_mapping(values: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """The settings with these names and values; see :func:`read_arguments`."""
    problems, found = [], {}
    for name, value in values.items():
        if name not in SETTINGS:
            problems.append(f"there is no setting {str(name)[:50]!r}; known are {', '.join(SETTINGS)}")
        elif value is not None:
            try:
                found[name] = _read(SETTINGS[name], value)
            except (TypeError, ValueError, OverflowError):
                problems.append(_objection(SETTINGS[name], value))
    return Settings(**found), problems


def _objection(known: Setting, value: Any) -> str:
    expected = {
        "bool": "true or false",
        "str": f"one of {', '.join(known.choices)}" if known.choices else "text",
        "ScorerName": "the name of a scorer",
        "ScoreText": "a number, or nothing",
    }.get(known.kind, f"a number from {known.low:g} to {known.high:g}")
    return f"{known.name} is {str(value)[:80]!r}; expected {expected}. {known.default!r} is used"


def _read(known: Setting, value: Any) -> Any:
    """The value in the type of its setting.

    Raises:
        TypeError, ValueError, OverflowError: It is none.
    """
    if known.kind == "bool":
        switch = _SWITCH.get(str(value).strip().lower())
        return _wrong() if switch is None else switch
    if known.kind in ("int", "float"):
        number = float(value) if not isinstance(value, bool) else _wrong()
        if not known.low <= number <= known.high or (known.kind == "int" and number != int(number)):
            return _wrong()
        return int(number) if known.kind == "int" else number
    if known.kind == "ScoreText" and isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return _wrong()
    text = value.strip()
    if known.kind == "ScoreText":
        return text if not text or math.isfinite(float(text)) else _wrong()
    if known.choices:
        return next((choice for choice in known.choices if choice.lower() == text.lower()), None) or _wrong()
    return text or known.default if known.kind == "ScorerName" else text


def _wrong() -> Any:
    raise ValueError


def to_infotext(settings: Settings) -> str:
    """The settings that differ from their defaults, as JSON with both kinds of quotes exchanged: infotexts quote that without clutter."""
    changed = {
        name: value
        for name, value in asdict(settings).items()
        if name != "enabled" and value != SETTINGS[name].default
    }
    return json.dumps(changed, ensure_ascii=False).translate(_SWAPPED)


def from_infotext(text: str) -> Settings | None:
    """The settings of an infotext, switched on; None where the text is not ours. What is unknown gets its default."""
    try:
        values = json.loads(text.translate(_SWAPPED))
    except ValueError:
        return None
    return from_mapping({**values, "enabled": True})[0] if isinstance(values, dict) else None
