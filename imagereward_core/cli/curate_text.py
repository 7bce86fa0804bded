"""Texts about a curation, for people and scripts: the preview of a plan, failures, and what was done."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files.command_words import shell_word
from ..plain import count_of, encodable, plain
from .console import Console

if TYPE_CHECKING:
    from ..library.curate.carry_out import Carried
    from ..library.curate.options import CurateOptions
    from ..library.curate.plan import Curation
    from ..library.journal import Recovery
    from ..library.scan.progress import ScanResult

_SHOWN = 10


def tell_scan(result: ScanResult, console: Console) -> None:
    """The result of a scan in words."""
    spent = ", ".join(
        f"{stage} {seconds:.1f} s" for stage, seconds in result.stages.items() if seconds >= 0.05
    )
    rate = f", {result.done / result.seconds:.1f} a second" if result.done and result.seconds else ""
    console.say(
        f"{count_of(result.found, 'picture')} found, {result.known:,} known already, {result.done:,} new or changed"
        f"{f' ({result.failed:,} failed)' if result.failed else ''}: {result.seconds:.1f} s{rate}{f' ({spent})' if spent else ''}."
    )
    tell_failures(result.problems, console, "not looked into")


def tell_unscored(curation: Curation, console: Console) -> None:
    """Why pictures have no score."""
    tell_failures(
        [
            (row.path, row.problem or "it has not been scored yet")
            for row, placing in zip(curation.rows, curation.placings, strict=True)
            if placing.fate == "unscored"
        ],
        console,
        "not scored",
    )


def tell_failures(
    failures: Sequence[tuple[str | Path, str]], console: Console, what: str, elsewhere: str = ""
) -> None:
    """The first few of what went wrong, how many more there are, and where those are shown."""
    for path, reason in failures[:_SHOWN]:
        console.complain(f"{what}: {path}: {reason.removeprefix(encodable(str(path))).lstrip(': ')}")
    if len(failures) > _SHOWN:
        console.complain(f"{what}: {len(failures) - _SHOWN:,} more{elsewhere}")


def tell_settled(settled: Sequence[Recovery], console: Console) -> None:
    """Says what an earlier run had left half done, and how it was settled."""
    for recovery in settled:
        if recovery.finished or recovery.taken_back:
            console.complain(
                f"An earlier run ({recovery.run.id}: {recovery.run.title}) was cut off: {count_of(recovery.finished, 'step')} finished, "
                f"{recovery.taken_back:,} taken back. No picture is lost."
            )
        for step, reason in recovery.problems:
            console.complain(f"not settled: {step.source}: {reason}")


def tell_carried(
    carried: Carried, options: CurateOptions, args: argparse.Namespace, console: Console
) -> None:
    """Says what was done, and how to take it back."""
    from ..library.curate.summary import VERBS

    tell_settled(carried.settled, console)
    tell_failures(carried.failed, console, "not done")
    if not options.xmp and any("XMP file beside" in reason for _, reason in carried.failed):
        console.complain(
            "--xmp writes scores and stars into XMP files beside the pictures, whatever their format."
        )
    if not carried.run:
        console.say("Nothing had to be done.")
        return
    undo = f"imagereward undo {shell_word(args.outputs)}"
    undo += f" --store {shell_word(args.store)}" if args.store else ""
    how = "written" if options.action == "stay" else f"{VERBS[options.action][1]} or written"
    console.say(
        f"Run {carried.run}: {count_of(carried.done, 'step')} done ({how})"
        f"{f', {carried.skipped:,} needed nothing' if carried.skipped else ''}"
        f"{f', {len(carried.failed):,} failed' if carried.failed else ''}"
        f"{f', {carried.left:,} not come to' if carried.left else ''}."
        f"{f' To take it back: {undo}' if carried.done else ''}"
    )


def preview(curation: Curation, width: int | None, dots: str) -> str:
    """A table of what would happen by name, one of examples, and what there is to say about it."""
    from ..library.curate.summary import examples, sentences, summarise
    from .output.table import Column, render_table

    parts = summarise(curation)
    names = (
        Column("Sorted as"),
        *(Column(title, right=True) for title in ("Pictures", "To do", "In place", "Stay", "Best", "Worst")),
        Column("Folder", flexible=True, keep_end=True),
    )
    rows = [
        (
            part.name or "(no score)",
            f"{part.pictures:,}",
            f"{part.fates['go']:,}",
            f"{part.fates['there']:,}",
            f"{part.pictures - part.fates['go'] - part.fates['there']:,}",
            _score(part.best),
            _score(part.worst),
            str(part.folder or ""),
        )
        for part in parts
    ]
    which = (
        Column("Sorted as"),
        Column("Score", right=True),
        Column("File", flexible=True, keep_end=True),
        Column("Goes to", flexible=True, keep_end=True),
        Column("Because", flexible=True),
    )
    some = [
        (each.name or "(no score)", _score(each.score), each.file, each.target or "(stays)", each.reason)
        for each in examples(curation, 3)
    ]
    return "\n".join(
        (
            render_table(names, rows, width, dots),
            render_table(which, some, width, dots),
            *map(plain, sentences(curation)),
            "",
        )
    )


def document(curation: Curation, carried: Carried | None) -> dict[str, Any]:
    """The plan and its outcome, for scripts."""
    from ..library.curate.summary import remarks

    return {
        "schema_version": 1,
        "folder": str(curation.folder),
        "run": carried.run if carried else None,
        "carried_out": carried is not None,
        "counts": {
            name or "unscored": curation.count(name)
            for name in (*curation.options.rule.names, "")
            if name or curation.count("")
        },
        "failed": [
            {"file": str(path), "reason": reason} for path, reason in (carried.failed if carried else ())
        ],
        "pictures": [
            {
                "file": str(placing.path),
                "score": row.value,
                "sorted_as": placing.name or None,
                "fate": placing.fate,
                "target": str(placing.end),
                "reason": reason,
            }
            for row, placing, reason in zip(
                curation.rows, curation.placings, curation.verdicts.selection.reasons, strict=True
            )
        ],
        "remarks": remarks(curation),
    }


def _score(value: float) -> str:
    return "-" if value != value else f"{value:.4f}"
