"""A setting is said once, on its field: options, inputs, fields and widgets have its default and its range in every door."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

import pytest

from imagereward_core.cli.arguments import add_setting
from imagereward_core.clips import FrameRule
from imagereward_core.library.curate.buckets import Buckets
from imagereward_core.library.curate.options import CurateOptions, CurationRule
from imagereward_core.library.scan.options import ScanOptions
from imagereward_core.scorers.requests import LoadRequest
from imagereward_core.selection import Rule
from imagereward_core.settings import check, setting, settings_of

RULE = ("top_k", "top_percent", "min_score", "min_percentile", "keep_at_least")


def known(owner, name):
    return settings_of(owner)[name]


@pytest.mark.parametrize(
    "owner", [Rule, CurationRule, CurateOptions, ScanOptions, LoadRequest, FrameRule, Buckets]
)
def test_every_default_is_in_the_range_of_its_setting_and_every_help_is_a_sentence(owner):
    for name, each in settings_of(owner).items():
        each.check(each.default)
        low, high = each.ends
        assert each.help and not each.help.endswith("."), name
        if each.kind in ("int", "float") and name != "duplicate_bits":
            assert max(low, each.low) <= each.value <= min(high, each.high) or each.value == each.unset, name
            assert math.isfinite(low) and math.isfinite(high), name
        if each.unset is not None and each.default is None:
            assert each.given(each.unset) is None and each.given(each.unset) != 0


@dataclass(frozen=True)
class Toy:
    """Settings of a test."""

    share: float | None = setting(None, "Keep this share", low=0, high=40, unit="percent", unset=40)
    number: int = setting(3, "Keep so many", low=1, shown=(1, 9))
    order: str = setting("up", "Which way", choices=("up", "down"))

    def __post_init__(self):
        check(self)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"share": 41}, "share is 41; expected a number from 0 to 40"),
        ({"share": math.nan}, "share is nan"),
        ({"number": 0}, "number is 0; expected a number from 1"),
        ({"order": "left"}, "order is 'left'; expected 'up' or 'down'"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(wrong, said):
    with pytest.raises(ValueError, match=said):
        Toy(**wrong)


def test_an_option_of_a_setting_refuses_what_the_setting_refuses(capsys):
    parser = argparse.ArgumentParser()
    for name in settings_of(Toy):
        add_setting(parser, Toy, name, f"--{name}")
    found = parser.parse_args(["--share", "20%", "--number", "1", "--order", "down"])
    assert vars(found) == {"share": 20.0, "number": 1, "order": "down"}
    assert Toy(**vars(parser.parse_args([]))) == Toy()
    for wrong in (
        ["--share", "41"],
        ["--share", "nan"],
        ["--number", "0"],
        ["--number", "1.5"],
        ["--order", "x"],
    ):
        with pytest.raises(SystemExit):
            parser.parse_args(wrong)
    assert "keep so many (default: 3)" in " ".join(parser.format_help().split())


def test_options_of_the_command_have_the_defaults_and_ranges_of_their_settings():
    from imagereward_core.cli.main import build_parser

    rule = {f"--{name.replace('top_k', 'top').replace('_', '-')}": (Rule, name) for name in RULE}
    sorting = {
        "--within": (CurationRule, "per"), "--keep-stars": (CurationRule, "keep_stars"), "--buckets-by": (Buckets, "by"),
        "--buckets": (CurationRule, "buckets"), "--unique": (CurationRule, "duplicate_bits"),
        "--score-in-name": (CurateOptions, "name_scores"), "--write-back": (CurateOptions, "write_scores"),
        "--xmp": (CurateOptions, "xmp"), "--copy": (CurateOptions, "action"),
    }  # fmt: skip
    scoring = {
        "--prompt-from": (ScanOptions, "prompt_from"), "--raw-prompt": (ScanOptions, "raw_prompt"), "--scorer": (LoadRequest, "name"),
        "--device": (LoadRequest, "device"), "--precision": (LoadRequest, "precision"), "--whole-picture": (LoadRequest, "whole_picture"),
    }  # fmt: skip
    wanted = {
        "score": scoring,
        "rank": {**rule, **scoring, "--within": (Rule, "within")},
        "report": {**rule, "--within": (Rule, "within"), "--buckets-by": (Buckets, "by")},
        "curate": {**rule, **sorting, **scoring},
        "watch": {**rule, **sorting, **scoring},
    }
    commands = next(
        each.choices for each in build_parser()._actions if isinstance(each, argparse._SubParsersAction)
    )
    for command, options in wanted.items():
        actions = {text: each for each in commands[command]._actions for text in each.option_strings}
        for option, (owner, name) in options.items():
            each, action = known(owner, name), actions[option]
            assert commands[command].get_default(action.dest) == each.default, (command, option)
            if each.choices and action.nargs != 0:
                assert tuple(action.choices) == tuple(filter(None, each.choices)), (command, option)
            if each.kind in ("int", "float"):
                for end in filter(math.isfinite, (each.low, each.high)):
                    assert action.type(f"{end:g}") == end
                    beyond = end - 1 if end == each.low else end + 1
                    with pytest.raises(argparse.ArgumentTypeError):
                        action.type(f"{beyond:g}")
        assert "--within" not in actions or actions["--within"] is actions["--per"]


def test_inputs_of_nodes_have_the_defaults_and_ranges_of_their_settings():
    from tests.support.comfyui.pack import schemas

    rule = {name: (Rule, name) for name in RULE}
    wanted = {
        "FilterByScore": {**rule, "within": (Rule, "within")},
        "SortByScore": {"within": (Rule, "within")},
        "PickBest": {"within": (Rule, "within")},
        "CurateFolder": {
            **rule, "per": (CurationRule, "per"), "unique": (CurationRule, "duplicate_bits"), "action": (CurateOptions, "action"),
            "buckets": (CurationRule, "buckets"), "buckets_by": (Buckets, "by"), "score_in_name": (CurateOptions, "name_scores"),
        },
        "LoadScorer": {
            name: (LoadRequest, name) for name in ("precision", "device", "whole_picture", "batch_size", "allow_download")
        },
        "ScoreImages": {"frames": (FrameRule, "which"), "frame_count": (FrameRule, "count"), "clip_score": (FrameRule, "pooling")},
    }  # fmt: skip
    words = {"all": "all pictures"}
    found = schemas()
    for node, inputs in wanted.items():
        given = {each.id: each.given for each in found[f"ImageRewardCurator{node}"].inputs}
        for shown, (owner, name) in inputs.items():
            each, made = known(owner, name), given[shown]
            assert made["tooltip"].startswith(each.help) or node in ("SortByScore", "PickBest"), (node, shown)
            if each.kind in ("int", "float") and shown != "unique":
                assert (made["default"], made["min"], made["max"]) == (each.value, *each.ends), (node, shown)
            elif each.choices:
                assert made["default"] == words.get(each.default, each.default), (node, shown)
                assert len(made["options"]) <= len(each.choices)
            else:
                assert made["default"] == (each.default or made["default"]), (node, shown)
                assert bool(made["default"]) == bool(each.default)


def test_fields_of_the_api_have_the_defaults_and_ranges_of_their_settings():
    pytest.importorskip("pydantic")
    from pydantic import ValidationError

    from webui_extension.api.schemas import RankRequest

    fields = {"top": "top_k", **{name: name for name in (*RULE[1:], "within")}}
    usual = RankRequest(pictures=[])
    for field, name in fields.items():
        each = known(Rule, name)
        assert getattr(usual, field) == each.default, field
        for end in filter(math.isfinite, (each.low, each.high) if each.kind in ("int", "float") else ()):
            assert getattr(RankRequest(pictures=[], **{field: end}), field) == end
            with pytest.raises(ValidationError):
                RankRequest(pictures=[], **{field: end - 1 if end == each.low else end + 1})
    for name in ("prompt_from", "raw_prompt"):
        assert getattr(usual, name) == known(ScanOptions, name).default
    with pytest.raises(ValidationError):
        RankRequest(pictures=[], top=10**18)


def test_widgets_have_the_defaults_and_ranges_of_their_settings():
    from webui_extension import settings_page
    from webui_extension.tab.forms import HOW, PER, PROMPTS
    from webui_extension.widgets import widget

    for owner, name in ((Rule, "top_percent"), (CurationRule, "keep_stars"), (LoadRequest, "batch_size")):
        each, made = known(owner, name), widget(owner, name)
        assert (made["value"], made["minimum"], made["maximum"], made["step"]) == (
            each.value,
            *each.ends,
            each.step,
        )
    for owner, name, words in (
        (CurationRule, "per", PER),
        (CurateOptions, "action", HOW),
        (ScanOptions, "prompt_from", PROMPTS),
    ):
        made = widget(owner, name, words)
        assert words[made["value"]] == known(owner, name).default and made["choices"] == list(words)
    lines = {each.key: each for each in settings_page.SETTINGS}
    for name in ("device", "precision", "batch_size", "whole_picture", "allow_download"):
        assert lines[name].default == known(LoadRequest, name).default
    assert lines["precision"].arguments == {"choices": list(known(LoadRequest, "precision").choices)}
    assert lines["batch_size"].arguments["minimum"] == known(LoadRequest, "batch_size").low
