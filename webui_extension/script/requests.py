"""Reads what a request to the host's API asks of the script, where the host takes it apart: later, what it left out cannot be known."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..door import guard
from .arguments import SETTINGS, TITLE, from_mapping
from .patching import mark, original_of

_API = "modules.api.api"
_NAME = "init_script_args"
_TOO_LARGE = 2**63
"""The host writes the request into its answer, as JSON that knows no larger whole numbers."""


class Asked(dict[str, Any]):
    """The settings of a request by their names, in place of the first argument.

    Attributes:
        given: Those that the request itself names.
        wants_images: Whether the answer is to hold the pictures.
        ignored: How many arguments came after an object that names all settings.
    """

    given: frozenset[str] = frozenset()
    wants_images: bool = True
    ignored: int = 0


def wants_order(values: tuple[Any, ...]) -> bool:
    """Whether a request asks for the best first in so many words: by default a program finds pictures in the host's order."""
    first = values[0] if values else None
    if isinstance(first, Asked):
        return "sort_gallery" in first.given
    return isinstance(first, Mapping) and "sort_gallery" in first


def wants_images(values: tuple[Any, ...]) -> bool:
    """Whether a request asks for the pictures themselves."""
    return not values or getattr(values[0], "wants_images", True)


def remarks(values: tuple[Any, ...]) -> list[str]:
    """A line about arguments that nobody reads."""
    number = getattr(values[0], "ignored", 0) if values else 0
    said = (
        "argument after the first, an object, is"
        if number == 1
        else "arguments after the first, an object, are"
    )
    return [f"{number} {said} ignored; write all settings into that object"] if number else []


def on_app_started(demo: Any, app: Any = None) -> None:
    """The host's callback: stands around the function that reads the scripts' arguments of a request, where there is an API."""
    api = getattr(sys.modules.get(_API), "Api", None)
    original = getattr(api, _NAME, None)
    if original is None or original_of(original) is not None:
        return

    def init_script_args(self: Any, request: Any, *arguments: Any, **named: Any) -> Any:
        entry = _entry(request)
        _check(entry)
        found = original(self, request, *arguments, **named)
        runner = named.get("script_runner", arguments[3] if len(arguments) > 3 else None)
        guard(_note, "reading the arguments of a request")(found, entry, request, runner)
        return found

    setattr(api, _NAME, mark(init_script_args, original))


def close() -> None:
    """Takes our function off the host's again."""
    api = getattr(sys.modules.get(_API), "Api", None)
    original = original_of(getattr(api, _NAME)) if hasattr(api, _NAME) else None
    if original is not None:
        setattr(api, _NAME, original)


def _entry(request: Any) -> Any:
    """The arguments of a request under the script's name, which may be in any case; None where it does not name it."""
    scripts = getattr(request, "alwayson_scripts", None) or {}
    return next((value for name, value in scripts.items() if str(name).lower() == TITLE.lower()), None)


def _check(entry: Any) -> None:
    """Raises the host's kind of error for arguments that it would stumble over without a word."""
    from fastapi import HTTPException

    advice = f'write "alwayson_scripts": {{"{TITLE}": {{"args": [{{"enabled": true}}]}}}}'
    if entry is not None and not isinstance(entry, Mapping):
        raise HTTPException(
            422,
            f"alwayson_scripts.{TITLE} is {_kind(entry)}; expected an object with the list args: {advice}",
        )
    if entry is not None and not isinstance(entry.get("args", []), (list, tuple)):
        raise HTTPException(
            422,
            f"args of {TITLE} is {_kind(entry['args'])}; expected a list, also for settings by name: {advice}",
        )
    if entry is not None:
        _check_values(entry.get("args", []), advice)


def _check_values(given: Sequence[Any], advice: str) -> None:
    """The same for single arguments of which nobody would be told in the answer: there is none, or it is that of a run without us."""
    from fastapi import HTTPException

    first = given[0] if given else None
    named = first if isinstance(first, Mapping) else dict(zip(SETTINGS, given))
    large = [str(number)[:40] for number in _whole_numbers(given) if abs(number) >= _TOO_LARGE]
    if large:
        raise HTTPException(
            422,
            f"args of {TITLE} hold the number {large[0]}; expected numbers that an answer of the WebUI can hold",
        )
    _, problems = from_mapping({"enabled": named.get("enabled")})
    if problems:
        raise HTTPException(422, f"args of {TITLE}: {problems[0].partition('. ')[0]}: {advice}")


def _whole_numbers(value: Any) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    elif isinstance(value, Mapping):
        yield from _whole_numbers(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _whole_numbers(each)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    return (
        "an object"
        if isinstance(value, Mapping)
        else "a list"
        if isinstance(value, list)
        else repr(value)[:80]
    )


def _note(found: Any, entry: Any, request: Any, runner: Any) -> None:
    """Puts the arguments into one object that knows what was asked for."""
    script = next((each for each in runner.alwayson_scripts if each.title() == TITLE), None)
    if script is None:
        return
    start, names = script.args_from, list(SETTINGS)
    given = list((entry or {}).get("args", ()))
    by_name = bool(given) and isinstance(given[0], Mapping)
    asked = Asked(given[0] if by_name else zip(names, found[start : script.args_to]))
    asked.given = frozenset(map(str, given[0]) if by_name else names[: len(given)])
    asked.ignored = len(given) - 1 if by_name else 0
    asked.wants_images = bool(getattr(request, "send_images", True))
    found[start] = asked
