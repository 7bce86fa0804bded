"""The parser of the command line, with errors that say what was found, what was expected and what to do."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from .console import discard
from .options import example_file

_OF_OPTION = re.compile(r"argument (?P<name>[^:]+): (?P<what>.*)", re.DOTALL)
_EXAMPLES = {
    "DIR": "some/folder",
    "ID": "demo",
    "ID|FILE|BLEND": "demo",
    "N": "3",
    "N FILES": "4 a.png b.png",
    "NAME": "rejected",
    "NAME=DIR": "great=/pictures/great",
    "P": "20",
    "PATTERN": "'*.png'",
    "S": "30",
    "TEXT": '"a red fox"',
    "X": "0.5",
}


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line with a way out, instead of a page of usage."""

    declare: Callable[[Parser], None] | None = None
    """Adds the arguments once they are needed, for commands that are not loaded before they are chosen."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """See :mod:`argparse`; files whose names begin with a dash are reported before they are taken for options."""
        if self.declare is not None:
            declare, self.declare = self.declare, None
            declare(self)
        if any(each.nargs == argparse.PARSER for each in self._actions):  # the command's own parser follows
            return super().parse_known_args(args, namespace)
        self._refuse_dashes(args or ())
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(self._unknown(unknown[0]))
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """Says in a line what is wrong and what to do, and ends with exit code 2."""
        found = _OF_OPTION.fullmatch(message)
        message = f"{found['name']}: {self._better(found['name'], found['what'])}" if found else message
        self.exit(2, f"{self.prog}: {message}. '{self.prog} --help' lists everything it takes\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Not as argparse does, which hides that nobody reads help any more; errors, on stderr, lead to their exit code all the same."""
        stream = file or sys.stderr
        try:
            stream.write(message)
        except OSError:
            if stream is not sys.stderr:
                raise
            discard(sys.stderr)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """As argparse does, with the nearest choice, and in the same words in every version of Python."""
        if action.choices is None or value in action.choices:
            return
        choices = [str(choice) for choice in action.choices]
        near = get_close_matches(str(value), choices, 1)
        guess = f" (did you mean {near[0]}?)" if near else ""
        # What follows an option that can stand alone is taken for its value.
        option = action.option_strings[0] if action.nargs == "?" and action.option_strings else ""
        alone = f". Without a value put {option} behind everything else" if option else ""
        listed = " or ".join(filter(None, (", ".join(choices[:-1]), choices[-1])))
        raise argparse.ArgumentError(action, f"found {str(value)!r}; expected {listed}{guess}{alone}")

    def _better(self, name: str, what: str) -> str:
        """What argparse says about an option, with what to do where it does not say that."""
        action = next((each for each in self._actions if "/".join(each.option_strings) == name), None)
        if action is None:
            return what
        option = action.option_strings[-1]
        if what.startswith(("expected one argument", "expected at least one argument")):
            metavar = action.metavar if isinstance(action.metavar, str) else " ".join(action.metavar or ())
            known = {**_EXAMPLES, "FILE": example_file(option)}
            example = known.get(metavar, metavar or "VALUE")
            return f"found nothing behind it; expected {metavar or 'a value'}, such as {option} {example}"
        if action.nargs == "?" and " is no " in what:
            return f"{what}. Without a value put {option} behind everything else"
        return what

    def _refuse_dashes(self, words: Iterable[str]) -> None:
        """Refuses a file called ``-page.png``, which would be read as options, here ``-p age.png``."""
        from ..images.suffixes import is_picture_name

        options = {option for action in self._actions for option in action.option_strings}
        for word in words:
            if word == "--":
                return
            is_option = not word.startswith("-") or word.startswith("--") or word in ("-", *options)
            if not is_option and (os.path.lexists(word) or is_picture_name(word)):
                several = any(each.nargs == "+" for each in self._get_positional_actions())
                either = ", or put -- before the files" if several else ""
                self.error(
                    f"{word} begins with a dash and would be read as options; write .{os.sep}{word}{either}"
                )

    def _unknown(self, word: str) -> str:
        """What to say about a word that this command does not know."""
        options = [option for action in self._actions for option in action.option_strings]
        near = get_close_matches(word.partition("=")[0], options, 1, 0.75)
        guess = f" (did you mean {near[0]}?)" if near else ""
        if word.startswith("-"):
            return f"there is no option {word.partition('=')[0]}{guess}"
        return f"found {word!r}, which it has no use for; expected options, each with its values behind it"
