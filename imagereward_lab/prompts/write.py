"""Chosen prompts as text: one a line, a table for people, Markdown, csv and JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagereward_core.cli.output.table import Column, render_table
from imagereward_core.plain import plain, spreadsheet_safe
from imagereward_core.report.own_figures import CHOICE_KEYS, CHOSEN_COLUMNS, sealed

from .choice import Choice
from .coverage import QUANTILES, Coverage
from .sources.collected import Prompts

KIND = "chosen prompts"
_LINE = re.compile(r"\s*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]\s*")
_MARKS = re.compile(r"([\\`*_\[\]<>|#&])")


@dataclass(frozen=True)
class Result:
    """A choice with all that a reader wants to know of it.

    Attributes:
        prompts: All prompts.
        choice: Which of them were chosen.
        facts: From what and how, in order, by names for people.
    """

    prompts: Prompts
    choice: Choice
    facts: Mapping[str, Any]

    def rows(self) -> Iterator[dict[str, Any]]:
        """The chosen prompts with what is known of each."""
        choice = self.choice
        numbers = zip(
            choice.points.tolist(), choice.groups.tolist(), choice.scores.tolist(), choice.votes.tolist()
        )
        for place, (point, group, score, votes) in enumerate(numbers, 1):
            values = (
                place,
                self.prompts[point],
                int(self.prompts.counts[point]),
                int(self.prompts.rows[point]) + 1,
                group + 1,
                votes,
                round(score, 6),
            )
            yield dict(zip(CHOSEN_COLUMNS, values, strict=True))


def render(result: Result, form: str, width: int | None = None, to_file: bool = False) -> str:
    """The choice as a text.

    Args:
        result: What was chosen.
        form: One of :data:`.options.FORMS`.
        width: Columns of the window a table must fit into; None for as wide as it takes.
        to_file: Whether it goes into a file; for people it ends there with a line by which it is known again.
    """
    if form == "text":
        return "".join(f"{one_line(row['prompt'])}\n" for row in result.rows())
    if form == "csv":
        return _csv(result)
    if form == "json":
        return json.dumps(document(result), ensure_ascii=False, allow_nan=False, indent=2) + "\n"
    if form == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in result.rows())
    text = _markdown(result) if form == "markdown" else _table(result, width)
    return sealed(text, comment=form == "markdown") if to_file else text


def document(result: Result) -> dict[str, Any]:
    """All of it as JSON holds it."""
    coverage = {
        "prompts measured": result.choice.measured,
        "chosen": _figures(result.choice.coverage),
        "random": _figures(result.choice.random),
    }
    values = (1, KIND, dict(result.facts), coverage, list(result.rows()))
    return dict(zip(CHOICE_KEYS, values, strict=True))


def sentences(choice: Choice) -> list[str]:
    """What the choice covers, in words."""
    chosen, random = choice.coverage, choice.random
    within = ", ".join(
        f"{name:.0%} within {one:.3f} ({other:.3f})"
        for name, one, other in zip(QUANTILES, chosen.quantiles, random.quantiles)
    )
    said = [
        f"Covered (chosen, or with a chosen one among its neighbours): {chosen.covered:.1%} of all prompts; as many chosen by "
        f"chance cover {random.covered:.1%}.",
        f"Distance to the nearest chosen prompt (1 - cosine; by chance in brackets): {chosen.mean:.3f} ({random.mean:.3f}) on average, "
        f"{within}, all within {chosen.largest:.3f} ({random.largest:.3f}).",
    ]
    if choice.recall is not None:
        said.append(f"The search found {choice.recall:.1%} of the true neighbours.")
    return said


def one_line(prompt: str) -> str:
    r"""A prompt without line ends, which a text of one prompt a line cannot have.

    >>> one_line("a red fox,\n  at night")
    'a red fox, at night'
    """
    return _LINE.sub(" ", prompt).strip()


def _figures(coverage: Coverage) -> dict[str, float]:
    names = ["mean distance", *(f"{each:.0%} quantile" for each in QUANTILES), "largest distance", "covered"]
    values = (coverage.mean, *coverage.quantiles, coverage.largest, coverage.covered)
    return {name: round(value, 6) for name, value in zip(names, values, strict=True)}


def _csv(result: Result) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CHOSEN_COLUMNS)
    for row in result.rows():
        # A writer before Python 3.13 does not quote a lone carriage return, which would end the row.
        writer.writerow([spreadsheet_safe(_ends(value)) for value in row.values()])
    return text.getvalue()


def _ends(value: Any) -> Any:
    return value.replace("\r\n", "\n").replace("\r", "\n") if isinstance(value, str) else value


def _table(result: Result, width: int | None) -> str:
    columns = [
        Column("Place", right=True),
        Column("Score", right=True),
        Column("Votes", right=True),
        Column("Times", right=True),
        Column("Group", right=True),
        Column("Prompt", flexible=True),
    ]
    grouped = bool(result.choice.groups.any())
    rows = [
        (
            str(row["place"]),
            f"{row['score']:.2f}",
            str(row["votes"]),
            str(row["times"]),
            str(row["group"]) if grouped else "",
            row["prompt"],
        )
        for row in result.rows()
    ]
    said = "".join(f"{sentence}\n" for sentence in sentences(result.choice))
    return f"{render_table(columns, rows, width)}\n{said}"


def _markdown(result: Result) -> str:
    parts = [
        "# Chosen prompts\n",
        "".join(f"- {_inline(name)}: {_inline(value)}\n" for name, value in result.facts.items()),
    ]
    parts.append("".join(f"- {sentence}\n" for sentence in sentences(result.choice)))
    lines = [
        _row([name.capitalize() for name in CHOSEN_COLUMNS]),
        "| ---: | :--- |" + " ---: |" * (len(CHOSEN_COLUMNS) - 2) + "\n",
    ]
    lines += [_row([_inline(value) for value in row.values()]) for row in result.rows()]
    return "\n".join([*parts, "".join(lines)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _inline(value: Any) -> str:
    """Text that stands for itself in Markdown: of others, it makes neither pages nor links."""
    return _MARKS.sub(r"\\\1", plain(one_line(str(value))))
