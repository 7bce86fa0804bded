"""Folders of pictures, one for each generator, as a command line names them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from imagereward_core.cli.exits import UsageError
from imagereward_core.cli.inputs import Input, find_pictures
from imagereward_core.files.regular import is_folder

from ..scoring import Failure
from .pictures import Files, Found, Matched, PromptOf, matched


def named_folders(arguments: Sequence[str]) -> dict[str, Path]:
    """The folder of every generator by its name: ``NAME=DIR``, or the folder's own name, with parents where two would be alike.

    Raises:
        UsageError: There are fewer than two, one is no folder, or two are the same or have the same name.
    """
    given = [_split(each) for each in arguments]
    if len(given) < 2:
        found = "no folder" if not given else "one folder"
        raise UsageError(
            f"found {found}; expected a folder of pictures for each of two generators or more, such as: imagereward "
            "compare-models DIR_A DIR_B"
        )
    for _, folder in given:
        if not is_folder(folder):
            raise UsageError(
                f"{folder}: no such folder; expected a folder with the pictures of one generator"
            )
    names = _names(given)
    seen: dict[str, str] = {}
    for name, (_, folder) in zip(names, given):
        real = os.path.realpath(folder)
        if real in seen:
            raise UsageError(f"{folder} was given twice; expected one folder for each generator")
        seen[real] = name
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise UsageError(f"two generators are called {double!r}; give them names of their own with NAME=DIR")
    return {name: folder for name, (_, folder) in zip(names, given)}


def _split(argument: str) -> tuple[str, Path]:
    """Name, empty for none, and folder; a folder that is there is a folder, whatever signs are in its name."""
    name, equals, rest = argument.partition("=")
    if not os.path.lexists(argument) and equals and name and not {"/", os.sep} & set(name):
        return name, Path(rest).expanduser()
    return "", Path(argument).expanduser()


def _names(given: Sequence[tuple[str, Path]]) -> list[str]:
    parts = [Path(os.path.abspath(folder)).parts for _, folder in given]  # noqa: PTH100 - Path.resolve follows links
    for depth in range(1, max(map(len, parts)) + 1):
        names = [name or "/".join(each[-depth:]) for (name, _), each in zip(given, parts)]
        if len(set(names)) == len(names):
            break
    return names


def match_folders(
    folders: Mapping[str, Path],
    prompt_of: PromptOf,
    recursive: bool,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Matched:
    """Pictures of all folders by their prompts.

    Args:
        folders: Of every generator, by its name.
        prompt_of: Finds the prompt of a picture.
        recursive: Whether pictures in subfolders count.
        tell: Told how many pictures were looked at, and how many there are.

    Raises:
        UsageError: A folder has no pictures, or one picture would belong to two generators.
        MatchError: No prompt has pictures of all generators.
    """
    pictures: list[tuple[str, Input]] = []
    owners: dict[str, str] = {}
    for name, folder in folders.items():
        for each in find_pictures([str(folder)], recursive, sys.stdin).pictures:
            owner = owners.setdefault(os.path.realpath(each.path), name)
            if owner != name:
                raise UsageError(
                    f"{each.path} belongs to {owner} and to {name}; expected folders that neither lie within one another nor hold "
                    "links to the same pictures. Leave out --recursive, or name other folders"
                )
            pictures.append((name, each))
    found: list[Found] = []
    unmatched: list[Failure] = []
    for done, (name, each) in enumerate(pictures, 1):
        prompt, reason = ("", each.problem) if each.problem else prompt_of(each.path, folders[name])
        if reason:
            unmatched.append(Failure("", each.name, "", reason))
        else:
            found.append(Found(name, prompt, each.name))
        tell(done, len(pictures))
    return matched(tuple(folders), found, Files(), prompt_of.how, unmatched)
