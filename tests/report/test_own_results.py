"""A file of results is ours where it holds what some version of this program writes, and nothing that somebody has added."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from imagereward_core.cli.output.rows import Row
from imagereward_core.cli.output.write import render
from imagereward_core.library.export import ExportRow
from imagereward_core.report.own_results import written_by_us
from imagereward_core.report.tables import TEXT_FORMS, Layout, row_columns, write_parquet, write_text
from imagereward_core.scores import Scores
from imagereward_core.weights.cards import get_card

CARD = get_card("demo")
SCORES = Scores(np.array([0.5, np.nan]), "demo", "ab" * 6, ("a star",) * 2, ("",) * 2, {1: "no picture"})
FACTS = {
    "rank_in_prompt": 1,
    "scored_in_prompt": 1,
    "kept": True,
    "prompt": "a star",
    "prompt_cut": "",
    "prompt_written": "a (star:1.2),\r\nred\rblue",
    "prompt_source": "sidecar",
    "notes": "",
    "disputed": "",
}
OLD = tuple(name for name in row_columns(Row) if name != "disputed")


def rows(kind=Row, beside=None):
    more = {"beside": beside or {}, **FACTS}
    return [
        kind(file='a, "b".png', score=0.5, percentile=None, rank=1, reason="kept: rank 1 of 1", **more),
        kind(file="c\udc80.png", score=None, percentile=None, rank=0, reason="no picture", **more),
    ]


def text_of(form, kind=Row, others=()):
    if form == "table":
        return render("table", rows(), range(2), SCORES, CARD, None, None)
    layout = Layout.of(kind, SCORES, others, CARD, {"top_k": 1}, {"pictures": 2})
    text = io.StringIO(newline="")
    write_text(text, form, rows(kind, dict.fromkeys(others, 0.25)), layout)
    return text.getvalue()


@pytest.fixture
def ours(tmp_path):
    def ask(text):
        path = tmp_path / "results"
        path.write_bytes(text.encode("utf-8", "backslashreplace"))
        return written_by_us(path)

    return ask


@pytest.mark.parametrize("kind", [Row, ExportRow])
@pytest.mark.parametrize("others", [(), ("CLIP", "my own, weights")])
@pytest.mark.parametrize("form", TEXT_FORMS)
def test_what_is_written_now_is_known_again(ours, form, kind, others):
    assert ours(text_of(form, kind, others))
    assert form != "csv" or ours("\ufeff" + text_of(form, kind, others))


def test_a_printed_table_is_known_again(ours):
    assert ours(text_of("table"))
    assert ours(text_of("table").replace("\n", "\n\n", 1))


def test_tables_of_earlier_versions_are_known_again(ours):
    """Without what scorers dispute and say beside; JSON with every value on a line; line ends that a prompt brought along."""
    first = [{name: vars(row)[name] for name in OLD} for row in rows()]
    source = {"scorer": "demo", "revision": "abababababab"}
    head = json.loads(text_of("json"))
    for more in ({}, {"disputed": "", "beside": {"CLIP": None}}):
        old = [each | more for each in first]
        assert ours(json.dumps(head | {"rows": old}, ensure_ascii=False, indent=2) + "\n")
        assert ours("".join(json.dumps(each | source) + "\n" for each in old))
    assert ours(json.dumps(head | {"rows": []}, indent=2) + "\n")
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, (*OLD, *source), lineterminator="\n")
    writer.writeheader()
    writer.writerows(each | source for each in first)
    assert ours(text.getvalue()) and ours(
        text.getvalue().replace('"a (star:1.2),\r\nred\rblue"', "red\rblue")
    )


def test_a_column_of_somebody_makes_a_table_theirs(ours):
    """Whatever it is called, and in whatever form; a word beside a row or below a table as well."""
    lines = text_of("csv").split("\n")
    assert not ours("\n".join([lines[0] + ",my verdict", *lines[1:]]))
    assert not ours("\n".join([lines[0], *(line + ",print this" for line in lines[1:] if line)]))
    assert not ours(text_of("csv").replace(",notes,", ",my notes,", 1))
    assert not ours(text_of("jsonl").replace('"notes": ""', '"notes": "", "my verdict": 1'))
    assert not ours(text_of("json").replace('"notes": ""', '"notes": "", "my verdict": 1'))
    assert not ours(text_of("json").replace('"counts": {', '"mine": 1,\n  "counts": {'))
    assert not ours(text_of("json") + "my notes\n")
    table = text_of("table")
    assert not ours(table.replace("Reason", "Reason  My verdict", 1))
    assert not ours(table + "the first one goes to the printer\n")


@pytest.mark.parametrize(
    "text",
    [
        '{"schema_version": 1, "scorer": "mine", "rows": [{"my": "labels of a week"}]}\n',
        '{"rows": [{"scorer": "x", "v": 1}], "name": "my experiment"}\n',
        '{\n  "schema_version": 1,\n  "scorer": "mine",\n  "rows": [\n    {"my": "labels"}\n  ]\n}\n',
        '<!doctype html>\n<head><meta name="generator" content="ImageReward Curator"></head> my own notes',
        "Rank  Score  Player\n1  99.0000  me\n",
        "Rank  Score  In prompt  File\nwhoever\n",
        "[" * 100_000,
        '{"a":' * 100_000,
        "\0" * 100,
    ],
)
def test_what_looks_a_little_like_it_is_somebody_elses(ours, text):
    assert not ours(text)


def test_a_page_is_ours_from_its_first_byte_to_its_last(ours, tmp_path):
    from imagereward_core.report.own_results import _PAGE_END, _PAGE_START

    page = (_PAGE_START + b"rest" + _PAGE_END).decode()
    assert ours(page)
    assert not ours(page.replace("</body>", "<p>mine</p></body>"))
    assert not ours(page.replace("<head>", "<head><!-- mine -->"))


def test_parquet_is_told_by_its_columns(tmp_path):
    pytest.importorskip("pyarrow")
    import pyarrow
    from pyarrow import parquet

    path = tmp_path / "rows.parquet"
    layout = Layout.of(ExportRow, SCORES, ("CLIP",), CARD, None, {"pictures": 2})
    write_parquet(path, rows(ExportRow, {"CLIP": 1.0}), layout)
    assert written_by_us(path)
    table = parquet.read_table(path)
    parquet.write_table(table.append_column("my verdict", pyarrow.array(["print", ""])), path)
    assert not written_by_us(path)
