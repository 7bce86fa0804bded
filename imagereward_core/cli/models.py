"""``imagereward models``: all scorers, and which of their weights are on this machine."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..scorers.requests import DEFAULT_SCORER
from .console import Console
from .exits import DONE, NO_SCORER, NoScorerError, UsageError
from .options import Commands, add_command, add_list_format, add_talk, add_weights, weight_settings

if TYPE_CHECKING:
    from ..weights.card import ScorerCard, WeightsCard
    from ..weights.checkpoint.layout import Layout
    from ..weights.locate import FoundWeights, WeightSettings


def add_parser(commands: Commands) -> None:
    """Declares the command and its own commands; without one of them it lists."""
    parser = add_command(
        commands,
        "models",
        _list,
        help="list, download, verify or convert weights",
        description="Lists scorers and takes care of their weights.",
    )
    parser.set_defaults(format="table", models_dir=[], offline=False, quiet=False, debug=False)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", help="what there is, and where it lies on this machine")
    add_list_format(listing)
    download = actions.add_parser(
        "download", help="fetch the weights of a scorer into a folder that can be copied elsewhere"
    )
    check = actions.add_parser("verify", help="read all of a checkpoint and say whether it is sound")
    for action, metavar, words in (
        (download, "ID", f"scorer (default: {DEFAULT_SCORER})"),
        (check, "ID|FILE", "scorer, or a checkpoint file"),
    ):
        action.add_argument("scorer", nargs="?", default=DEFAULT_SCORER, metavar=metavar, help=words)
    convert = actions.add_parser(
        "convert", help="rewrite a .pt checkpoint as .safetensors, which loads faster and holds no code"
    )
    convert.add_argument("source", type=Path, metavar="SRC", help="the checkpoint; it is not changed")
    convert.add_argument(
        "target",
        type=Path,
        nargs="?",
        metavar="DST",
        help="the file to make (default: SRC with another ending)",
    )
    for action, run in ((listing, _list), (download, _download), (check, _verify), (convert, _convert)):
        if action is not convert:
            add_weights(action)
        add_talk(action)
        action.set_defaults(run=run)


def _list(args: argparse.Namespace) -> int:
    from ..weights.cards import CARDS, OTHERS
    from ..weights.locate import FoundWeights, find_weights
    from ..weights.own import own_checkpoints
    from .output.table import Column, render_table
    from .output.write import ellipsis, window_width

    settings = weight_settings(args)
    facts = [_facts(card, find_weights(card, settings)) for card in CARDS.values()]
    for own in own_checkpoints(settings).values():
        facts.append(_facts(own.card, FoundWeights(own.path, None)))
    facts += [_facts(card, find_weights(card, settings)) for card in OTHERS.values()]
    if args.format == "json":
        print(json.dumps(facts, ensure_ascii=False, indent=2))
        return DONE
    columns = (
        Column("Id"),
        Column("What it is", flexible=True, dispensable=True),
        Column("Size", right=True),
        Column("Licence", flexible=True),
        Column("Typical"),
        Column("Tokens", right=True, dispensable=True),
        Column("Pinned"),
        Column("Where", flexible=True, keep_end=True),
    )
    rows = [
        (
            fact["id"],
            fact["title"],
            readable_size(fact["size"]),
            fact["licence"],
            _typical(fact),
            str(fact["token_limit"] or "-"),
            _PINNED.get(fact["pinned"], fact["pinned"]),
            _where(fact),
        )
        for fact in facts
    ]
    sys.stdout.write(render_table(columns, rows, window_width(), ellipsis()))
    return DONE


_PINNED = {"checksum": "by checksum", "revision": "by commit", "": "-"}
"""How the list says what makes sure that the published file is the one that is fetched."""


def _typical(fact: dict[str, Any]) -> str:
    """Scores that most pictures get."""
    if not fact["scores_pictures"]:
        return "-"
    return "{:.3g} to {:.3g}".format(*fact["typical_range"]) if fact["typical_range"] else "not known"


def _where(fact: dict[str, Any]) -> str:
    """Where the weights lie, or what is to be done."""
    if fact["found"] is None:
        return "to be fetched by hand" if fact["address"] else "not downloaded"
    lacks = fact["backbone"] and fact["backbone_found"] is None
    remarks = ["not whole: see models verify"] if fact["defect"] else []
    remarks += [f"without {fact['backbone']}"] if lacks else []
    remarks += ["without its vocabulary"] if fact["lacks_vocabulary"] else []
    if fact["verified"] is False:
        remarks.append("not the published file")
    elif fact["verified"] is None and not fact["own"]:
        remarks.append("not verified")
    if fact["flat_head"]:
        remarks.append("gives every picture the same score")
    return fact["found"] + (f" ({', '.join(remarks)})" if remarks else "")


def _facts(card: WeightsCard, found: FoundWeights | None) -> dict[str, Any]:
    from ..weights.card import ScorerCard
    from ..weights.cards import backbone_of
    from ..weights.formats import defect
    from ..weights.own import has_flat_head
    from ..weights.store import is_published

    parts = [part for part in (card, backbone_of(card)) if part]
    sizes = [part.download_size or part.checkpoint[0].size or 0 for part in parts if part.checkpoint]
    # Of weights that score no picture nothing is said about scores.
    scorer = card if isinstance(card, ScorerCard) else None
    own = scorer is not None and scorer.own
    return {
        "id": card.id,
        "title": card.title,
        "summary": scorer.summary if scorer else "",
        "size": _size(found.checkpoint) if own and found else sum(sizes),
        "licence": card.licence,
        "paper": card.paper,
        "typical_range": list(scorer.typical_range) if scorer and scorer.typical_range else None,
        "token_limit": scorer.token_limit if scorer else None,
        "needs_prompt": scorer is not None and scorer.needs_prompt,
        "compare_across_prompts": scorer is not None and scorer.cross_prompt,
        "notes": list(scorer.notes) if scorer else [],
        "address": card.address,
        "found": str(found.checkpoint) if found else None,
        "backbone": scorer.backbone if scorer else "",
        "backbone_found": str(found.backbone.checkpoint) if found and found.backbone else None,
        "pinned": card.pinned,
        "verified": is_published(found.checkpoint, card, read=False) if found else None,
        "own": own,
        "defect": defect(found.checkpoint) if found else "",
        "flat_head": own and found is not None and has_flat_head(found.checkpoint),
        "scores_pictures": scorer is not None,
        "lacks_vocabulary": not own
        and found is not None
        and card.tokenizer is not None
        and not found.vocabulary,
    }


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _download(args: argparse.Namespace) -> int:
    from ..scorers.registry import card_of
    from ..weights.cards import backbone_of, other_card
    from ..weights.download import download
    from ..weights.locate import bundled_folder, find_weights
    from ..weights.store import resolve

    settings, console = weight_settings(args), Console(args.quiet)
    other = other_card(args.scorer)
    card, path = (other, None) if other else card_of(args.scorer, settings)
    if path is not None:
        console.say(f"{card.id} is the file {path}; there is nothing to download.")
        return DONE
    if bundled_folder(card) is not None:
        console.say(f"{card.id} comes with this program; there is nothing to download.")
        return DONE
    parts = [part for part in (card, backbone_of(card)) if part is not None]
    with console.bytes() as progress:
        folders = []
        for part in parts:
            on_hub = part.preferred is not None and part.preferred.repository
            # What is on no hub is in the folder that a person has put it into.
            here = None if on_hub else find_weights(part, settings)
            folders.append((here or download(part, settings, progress)).checkpoint.parent)
        found = resolve(card, settings, progress)
    print(*folders, sep="\n")
    console.say(f"{card.id} is ready (weights {found.revision}).")
    return DONE


def _verify(args: argparse.Namespace) -> int:
    from ..nets.reward import POSITION_IDS
    from ..scorers.registry import card_of
    from ..weights.card import ScorerCard
    from ..weights.cards import other_card
    from ..weights.checkpoint import StateFile, verify
    from ..weights.locate import find_weights

    settings, console = weight_settings(args), Console(args.quiet)
    path: Path | None
    card: WeightsCard
    named = Path(args.scorer).expanduser()
    if other := other_card(args.scorer):
        card, path = other, None
    elif (other := other_card(named.stem)) and named.is_file():
        card, path = other, named
    else:
        card, path = card_of(args.scorer, settings)
    if path is None:
        found = find_weights(card, settings)
        if found is None:
            raise NoScorerError(
                f"the weights of {card.id} are not on this machine; 'imagereward models download {card.id}' fetches them"
            )
        path = found.checkpoint
    # Of what scores no picture the network is not known here; its published checksum says all.
    layout = _expected(card, path, settings) if isinstance(card, ScorerCard) else StateFile(path).layout()
    with console.bytes() as progress:
        report = verify(path, card, layout, frozenset({POSITION_IDS}), progress)
    print(f"file    {report.path}")
    print(f"size    {readable_size(report.size)}")
    print(f"sha256  {report.sha256}{'' if report.expected_sha256 else ' (nobody states what it should be)'}")
    for problem in report.problems:
        print(f"bad     {problem}")
    print("sound   yes" if report.ok else "sound   no")
    return DONE if report.ok else NO_SCORER


def _expected(card: ScorerCard, path: Path, settings: WeightSettings) -> Layout:
    """Names, dtypes and shapes that a scorer's checkpoint should have; WeightsError where it cannot be made a scorer."""
    from ..runtime import LocalRuntime
    from ..scorers.factory import Maker, skeleton_of
    from ..weights.checkpoint import StateFile

    if card.recipe and (card.base or card.family != "imagereward"):
        Maker(LocalRuntime("cpu", "fp32"), settings).make(path)  # raises where it does not fit
        return StateFile(path).layout()
    expected = skeleton_of(card).state_dict()
    return {name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in expected.items()}


def _convert(args: argparse.Namespace) -> int:
    from ..weights.checkpoint import convert

    console = Console(args.quiet)
    if not args.source.is_file():
        raise UsageError(f"there is no checkpoint {args.source}; expected a .pt file")
    target = args.target or args.source.with_suffix(".safetensors")
    if target.is_dir():
        target = target / args.source.with_suffix(".safetensors").name
    with console.bytes() as progress:
        report = convert(args.source, target, progress=progress)
    print(report.target)
    done = "was there already" if report.reused else f"made in {report.seconds:.0f} s"
    console.say(
        f"{report.tensors} tensors, {readable_size(report.size)}, {done}. The source is unchanged and no longer needed."
    )
    return DONE


def readable_size(number: int) -> str:
    """Bytes in words: ``1.8 GB``."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number} B" if number else "unknown"
