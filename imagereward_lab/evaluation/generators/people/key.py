"""The key of a blind task: which generator made which picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagereward_core.files.regular import read_regular
from imagereward_core.plain import encodable

from ....data.form import FieldError, list_in, shown, text_in
from ....data.strict_json import loads
from ..pictures import MatchError

KIND = "key of a blind task"
_MOST_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Picture:
    """Whose a picture of a task is, and its name before."""

    generator: str
    original: str


@dataclass(frozen=True)
class Key:
    """A key.

    Attributes:
        generators: Their names.
        scorer: Which scorer chose the pictures.
        pictures: By their names in the task.
    """

    generators: tuple[str, ...]
    scorer: str
    pictures: Mapping[str, Picture]

    def text(self) -> str:
        """The file."""
        content = {
            "schema_version": 1,
            "kind": KIND,
            "generators": list(self.generators),
            "scorer": self.scorer,
            "pictures": {
                name: {"generator": each.generator, "original": each.original}
                for name, each in sorted(self.pictures.items())
            },
        }
        return json.dumps(encodable(content), ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def read_key(path: Path) -> Key:
    """The key that a file holds.

    Raises:
        MatchError: It holds none; the text says what was found.
        OSError: It cannot be read.
    """
    expected = "expected the key that --export-task wrote"
    try:
        data = read_regular(path, _MOST_BYTES).decode("utf-8-sig")
        content = loads(data)
        if not isinstance(content, dict) or content.get("kind") != KIND:
            raise FieldError(
                "kind", shown(content.get("kind") if isinstance(content, dict) else content), KIND
            )
        if content.get("schema_version") != 1:
            raise FieldError("schema_version", shown(content.get("schema_version")), "1, from this version")
        generators = list_in("generators", content.get("generators"), text_in, least=2)
        double = next((name for name in generators if generators.count(name) > 1), None)
        if double is not None:
            raise FieldError("generators", f"{double!r} twice", "every name once")
        pictures = content.get("pictures")
        if not isinstance(pictures, dict) or not pictures:
            raise FieldError("pictures", shown(pictures), "an object with the pictures of the task")
        return Key(
            generators,
            text_in("scorer", content.get("scorer")),
            {name: _picture(name, each, generators) for name, each in pictures.items()},
        )
    except (FieldError, ValueError) as error:
        raise MatchError(f"{path}: {error}; {expected}") from error


def _picture(name: str, value: Any, generators: tuple[str, ...]) -> Picture:
    if not isinstance(value, dict):
        raise FieldError(f"pictures.{name}", shown(value), "an object")
    generator = value.get("generator")
    if generator not in generators:
        raise FieldError(f"pictures.{name}.generator", shown(generator), "one of the generators")
    return Picture(generator, text_in(f"pictures.{name}.original", value.get("original")))
