"""``imagereward rankings``: checks, converts and splits rankings of pictures made by people."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from imagereward_core.cli.arguments import add_setting, number_type
from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import DONE, SOME_FAILED, USAGE, UsageError
from imagereward_core.cli.options import add_overwrite, add_talk, check_writable
from imagereward_core.cli.output.write import ellipsis, put, window_width
from imagereward_core.cli.parser import Parser
from imagereward_core.plain import count_of

from .check import check_rankings
from .check.report import as_json, as_table
from .images.moved import moved, prefix_from
from .jsonl import write_rankings
from .notes import Notes
from .options import add_rankings, opened, plainly
from .readers import FORMATS, format_of, images_folder, read, told
from .split import TEST, VALIDATION, Agreement, SplitOptions, split_by_agreement, split_by_prompt

_EXAMPLES = """\
examples:
  imagereward rankings check ImageRewardDB                           is everything there, and how much of it is there
  imagereward rankings convert ImageRewardDB -o ImageRewardDB/rankings.jsonl
  imagereward rankings split mine.csv --images pictures -o rankings.jsonl
  imagereward rankings split outputs -o outputs/rankings.jsonl       a folder that was curated, or has stars
  imagereward rankings split all.jsonl -o parted.jsonl --test-by-agreement --researchers ann,bob
"""
_EXITS = """\
exit codes:
    0  nothing is wrong
    1  check found something wrong; convert and split left rows out (the others are written)
    2  the command line cannot be understood, or no rankings were found
    3  a package that the format needs is missing
    4  anything else, for example a file that cannot be written
"""


def declare(parser: Parser) -> None:
    """Adds the command's own commands."""
    formats = "\n".join(f"  {each.name:<21} {each.title}" for each in FORMATS.values())
    parser.description = (
        "Reads rankings of pictures (who prefers which, for one prompt) in the formats that people publish, checks them, writes them as "
        "JSON Lines and parts them for training. No picture is changed or copied."
    )
    parser.epilog = f"formats, recognised by what a file or folder holds:\n{formats}\n\n{_EXAMPLES}\n{_EXITS}"
    parser.set_defaults(run=lambda args: _help(parser), quiet=False, debug=False)
    commands = parser.add_subparsers(dest="what", metavar="WHAT", title="commands")
    for name, help, add, run in (
        ("check", "report what is missing, damaged, there twice, tied or in two splits", _add_check, _check),
        ("convert", "write rankings of any known format as JSON Lines", _add_convert, _convert),
        ("split", "write rankings with a split for each: train, validation, test", _add_split, _split),
    ):
        each = commands.add_parser(
            name,
            help=help,
            description=f"{help[0].upper()}{help[1:]}.",
            epilog=_EXITS,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add_rankings(each)
        add(each)
        add_talk(each)
        each.set_defaults(run=run)


def _help(parser: Parser) -> int:
    parser.print_help()
    return USAGE


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--split", default="", metavar="NAME", help="only rankings of this split")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="only look whether the pictures are there; without it each one is decoded",
    )
    parser.add_argument(
        "--format", dest="form", choices=("table", "json"), default="table", help="(default: table)"
    )
    parser.add_argument(
        "--most",
        type=number_type(1, whole=True),
        default=5,
        metavar="N",
        help="findings of each kind in the table; json has a thousand (default: %(default)s)",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the report there")
    add_overwrite(parser)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="the file to write. In a folder above the pictures it needs no --images afterwards",
    )
    add_overwrite(parser)


def _add_convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--split", default="", metavar="NAME", help="only rankings of this split")
    _add_output(parser)


def _add_split(parser: argparse.ArgumentParser) -> None:
    add_setting(parser, SplitOptions, "test", "--test")
    add_setting(parser, SplitOptions, "validation", "--validation")
    add_setting(parser, SplitOptions, "seed", "--seed")
    parser.add_argument(
        "--anew",
        action="store_true",
        help="replace splits that the rankings have; without it those stay, and only rankings without one get one",
    )
    group = parser.add_argument_group("a test by the annotators who judge best")
    group.add_argument(
        "--test-by-agreement",
        action="store_true",
        help="take the test's prompts from the annotators who agree most with the researchers, as the ImageReward paper did",
    )
    group.add_argument(
        "--researchers",
        action="append",
        default=[],
        metavar="NAME",
        help="annotators who are researchers; several with commas, or the option several times",
    )
    add_setting(group, SplitOptions, "least_pairs", "--least-pairs")
    _add_output(parser)


def _check(args: argparse.Namespace) -> int:
    console = Console(args.quiet)
    check_writable({"--output": args.output}, args.overwrite, [args.rankings])
    data = opened(args, console, args.split)
    total = len({name for ranking in data.rankings for name in ranking.images})
    with console.count(total, "pictures") as progress:
        report = check_rankings(data, decode=not args.quick, progress=progress)
    if args.form == "json":
        text = as_json(data, report)
    else:
        width = window_width() if args.output is None else None
        text = as_table(data, report, width, ellipsis(), args.most)
    put(text, args.output, data=args.form == "json", overwrite=args.overwrite)
    wrong = report.found.wrong
    console.say(f"Found {count_of(wrong, 'thing')} wrong." if wrong else "Nothing is wrong.")
    return SOME_FAILED if wrong else DONE


def _convert(args: argparse.Namespace) -> int:
    console = Console(args.quiet)
    _check_output(args)
    notes = Notes()
    with plainly():
        format = format_of(args.rankings, args.rankings_format)
        root = images_folder(args.rankings, format, args.images)
    console.say(f"Read as {format.name}: {format.title}.")
    prefix = _prefix(args.output, root, console)
    with plainly(), console.count(0, "rankings") as progress:
        found = read(args.rankings, format, notes)
        some = (each for each in found if not args.split or each.split == args.split)
        count = write_rankings(
            args.output, told(moved(some, root, prefix), progress), overwrite=args.overwrite
        )
    return _written(args, console, count, notes.total, notes)


def _check_output(args: argparse.Namespace) -> None:
    """Raises where rankings cannot be written, or a file is there: rankings replace none unasked, not even earlier ones."""
    if args.output.is_file() and not args.overwrite:
        raise UsageError(
            f"{args.output} is there already; give --output another name, or add --overwrite to replace it"
        )
    check_writable({"--output": args.output}, args.overwrite)


def _split(args: argparse.Namespace) -> int:
    console = Console(args.quiet)
    if args.researchers and not args.test_by_agreement:
        raise UsageError("--researchers is there for --test-by-agreement; give both, or neither")
    if args.test_by_agreement and not args.researchers:
        raise UsageError(
            "--test-by-agreement needs to know who is a researcher; name them with --researchers ann,bob"
        )
    with plainly():
        options = SplitOptions(
            test=args.test, validation=args.validation, seed=args.seed, least_pairs=args.least_pairs
        )
    _check_output(args)
    data = opened(args, console)
    if args.test_by_agreement:
        names = [name.strip() for text in args.researchers for name in text.split(",") if name.strip()]
        with plainly():
            rankings, judged = split_by_agreement(data.rankings, names, options)
        _tell_judged(judged, console)
    else:
        rankings = split_by_prompt(data.rankings, options, anew=args.anew)
        changed = sum(bool(old.split) and old.split != new.split for old, new in zip(data.rankings, rankings))
        kept = sum(bool(old.split) for old in data.rankings)
        if kept and not args.anew:
            console.say(f"{count_of(kept, 'ranking')} had a split already and kept it; --anew splits all.")
        if changed and not args.anew:
            console.complain(
                f"note: {count_of(changed, 'ranking')} of prompts in more than one split went to the test, or else to validation"
            )
    prefix = _prefix(args.output, data.images.root, console)
    count = write_rankings(args.output, moved(rankings, data.images.root, prefix), overwrite=args.overwrite)
    for name, number in sorted(Counter(ranking.split for ranking in rankings).items()):
        prompts = len({ranking.prompt for ranking in rankings if ranking.split == name})
        console.say(f"{name}: {count_of(number, 'ranking')} of {count_of(prompts, 'prompt')}")
    wanted = {TEST: args.test, VALIDATION: args.validation}
    free = args.anew or not all(ranking.split for ranking in data.rankings)
    for name in (name for name, share in wanted.items() if share and free):
        if all(ranking.split != name for ranking in rankings):
            console.complain(
                f"note: no prompt fell to {name}; with few prompts give a larger --{name}, or another --seed"
            )
    return _written(args, console, count, data.left_out, data.notes)


def _prefix(output: Path, root: Path, console: Console) -> str:
    """What comes before names in the new file, so that they are found from its folder; says so where they are not."""
    prefix = prefix_from(output, root)
    if prefix is None:
        console.say(f"The pictures stay where they are: give --images {root} with {output}.")
    return prefix or ""


def _tell_judged(judged: Iterable[Agreement], console: Console) -> None:
    for each in judged:
        chosen = "; their prompts are in the test" if each.chosen else ""
        console.say(
            f"{each.annotator} agrees with the researchers on {100 * each.share:.1f} % of {count_of(each.pairs, 'pair')}{chosen}"
        )


def _written(
    args: argparse.Namespace, console: Console, count: int, left_out: int, notes: Iterable[object]
) -> int:
    for place, note in enumerate(notes):
        if place == 5:
            break
        console.complain(f"left out: {note}")
    if left_out:
        console.complain(
            f"{count_of(left_out, 'row')} left out; 'imagereward rankings check {args.rankings}' lists them"
        )
    console.say(f"Wrote {count_of(count, 'ranking')} to {args.output}")
    return SOME_FAILED if left_out else DONE
