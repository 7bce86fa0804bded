from __future__ import annotations

import csv
import io
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imagereward_core.library import export as exporting
from imagereward_core.library.export import ExportRow, export, export_rows
from imagereward_core.plain import spreadsheet_safe
from imagereward_core.report.tables import ExportError, row_columns
from imagereward_core.selection import Rule, select
from tests.support.library.folders import FOLDER, make_result, make_row
from tests.support.library.reports import CARD

NAN = math.nan
VALUES = [0.5, NAN, 1.25, -1.0]
PROMPTS = ["a cat", "a cat", "a cat", "a dog"]


def exported(target: Path, **options) -> list[dict]:
    """What a file of four pictures holds, read back by a reader that is not ours."""
    result = make_result(VALUES, PROMPTS, other=[1.0, NAN, 2.0, 3.0])
    rows = [
        make_row(
            0, "雪.png", stars=4, model="v1-5", loras=("detail", "film, grain"), seed="18446744073709551615"
        ),
        make_row(1),
        make_row(2, model="sdxl", negative="blurry"),
        make_row(3, "sub/x.png", prompt="a dog", written="a dog"),
    ]
    selection = select(result.main, Rule(top_k=2))
    number = export(target, rows, result, selection, CARD, **{"rule": {"top_k": 2}, **options})
    assert number == 4
    if target.suffix == ".csv":
        return list(csv.DictReader(io.StringIO(target.read_bytes().decode("utf-8-sig"), newline="")))
    if target.suffix == ".json":
        return json.loads(target.read_text(encoding="utf-8"))["rows"]
    if target.suffix == ".jsonl":
        return [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    parquet = pytest.importorskip("pyarrow.parquet")
    return parquet.read_table(target).to_pylist()


def test_everything_known_about_a_picture_is_in_its_row(tmp_path):
    row = exported(tmp_path / "a.json")[0]
    assert row["file"] == str(FOLDER / "雪.png")
    assert (row["score"], row["rank"], row["rank_in_prompt"], row["scored_in_prompt"]) == (0.5, 2, 2, 2)
    assert (row["prompt"], row["prompt_written"], row["prompt_source"]) == (
        "a cat",
        "a (cat:1.2)",
        "metadata",
    )
    assert (row["model"], row["loras"], row["seed"]) == (
        "v1-5",
        ["detail", "film, grain"],
        "18446744073709551615",
    )
    assert (row["stars"], row["width"], row["height"], row["bytes"]) == (4, 832, 1216, 1_500_000)
    assert row["modified"] == "2023-11-14T22:13:20+00:00"
    assert row["beside"] == {"other": 1.0} and row["disputed"] == "one says best, other says worst"
    assert 69 < row["percentile"] < 70 and row["kept"] is True
    assert row["content"] == f"{0:064x}" and row["fingerprint"] == ""


def test_a_picture_without_a_score_has_its_reason_and_no_number(tmp_path):
    row = exported(tmp_path / "a.jsonl")[1]
    assert row["score"] is None and row["percentile"] is None and row["beside"] == {"other": None}
    assert row["reason"] == "broken" and row["kept"] is False and row["rank"] == 0
    assert row["scorer"] == "fake" and row["revision"] == "0123456789ab"


def as_cell(value) -> str:
    """A value of JSON as a table without types has it."""
    if isinstance(value, list):
        return "; ".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_every_form_says_the_same_as_json(tmp_path, ending):
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    for one, other in zip(exported(tmp_path / "a.json"), exported(tmp_path / f"a.{ending}"), strict=True):
        for name in row_columns(ExportRow):
            value, wanted = other[name], one[name]
            if ending == "csv":
                wanted = as_cell(wanted)
            assert value == wanted, name
        beside = other["beside"]["other"] if ending == "jsonl" else other["score:other"]
        assert (float(beside) if beside not in ("", None) else None) == one["beside"]["other"]


def test_json_says_what_is_needed_to_read_the_numbers(tmp_path):
    exported(tmp_path / "a.json")
    document = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert document["counts"] == {"pictures": 4, "scored": 3, "kept": 2}
    assert document["rule"] == {"top_k": 2} and document["card"]["title"] == "Fake scorer"


def test_parquet_has_types_and_no_text_where_numbers_belong(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    exported(tmp_path / "a.parquet")
    schema = {field.name: str(field.type) for field in parquet.read_schema(tmp_path / "a.parquet")}
    assert schema["score"] == schema["score:other"] == schema["percentile_in_history"] == "double"
    assert schema["stars"] == schema["rank"] == "int64" and schema["kept"] == "bool"
    assert schema["loras"].startswith("list<") and schema["seed"] == "string"


def test_parquet_without_its_package_says_what_to_install_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ExportError, match="pip install pyarrow"):
        exported(tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.csv.gz"])
def test_an_unknown_ending_is_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(ExportError, match="csv"):
        exported(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_rows_can_be_written_best_first(tmp_path):
    result = make_result(VALUES, PROMPTS)
    rows = [make_row(number) for number in range(4)]
    selection = select(result.main)
    export(tmp_path / "a.jsonl", rows, result, selection, CARD, order=selection.order.tolist())
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["rank"] for line in lines] == [1, 2, 3, 0]


def test_rows_are_read_and_written_one_after_another(tmp_path):
    """Streaming: no more than one row is alive at a time, however many there are."""
    alive = [0, 0]

    class Counted:
        def __init__(self, row):
            self.__dict__.update(vars(row))
            alive[0] += 1
            alive[1] = max(alive)

        def __del__(self):
            alive[0] -= 1

    number = 300
    result = make_result([float(each) for each in range(number)])
    rows = (Counted(make_row(each)) for each in range(number))
    assert export(tmp_path / "a.csv", rows, result, select(result.main), CARD) == number
    assert alive[1] <= 3


@pytest.mark.parametrize("rows", [3, 5])
def test_rows_that_do_not_fit_the_scores_are_refused_and_leave_the_earlier_file(tmp_path, rows):
    result = make_result(VALUES, PROMPTS)
    (tmp_path / "a.csv").write_text(",".join((*row_columns(ExportRow), "scorer", "revision")))
    with pytest.raises(ValueError):
        export(tmp_path / "a.csv", map(make_row, range(rows)), result, select(result.main), CARD)
    assert (tmp_path / "a.csv").read_text().startswith("file,score") and len(list(tmp_path.iterdir())) == 1


def test_percentiles_against_the_own_history_are_shown_once_it_is_long_enough():
    result = make_result([0.5, NAN, 2.0], ["a cat"] * 3)
    selection = select(result.main)
    rows = [make_row(number) for number in range(3)]

    def own(history):
        return [row.percentile_in_history for row in export_rows(rows, result, selection, history=history)]

    assert own(np.linspace(0, 1, 100)) == [50.0, None, 100.0]
    assert own([0.1] * 49) == [None] * 3


# A cell that begins so is run as a formula by Excel, LibreOffice or Google Sheets.
@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＠x", "-lora heavy"]
)
def test_text_that_a_spreadsheet_would_run_is_defused(text):
    assert spreadsheet_safe(text) == f"'{text}"


@pytest.mark.parametrize(
    "value", [-1.5, -3, 1e-300, True, None, "-1.5", "+3", "-1e-7", "a - b", "'=1", "", "1=2"]
)
def test_numbers_and_harmless_text_stay_as_they_are(value):
    assert spreadsheet_safe(value) is value


def test_no_cell_of_a_table_begins_a_formula_and_negative_scores_stay_numbers(tmp_path):
    result = make_result([-1.5], ["=HYPERLINK(1)"])
    row = make_row(
        0, "=x.png", prompt="=HYPERLINK(1)", written="@me", model="+m", loras=("-a",), negative="\t=2"
    )
    export(tmp_path / "a.csv", [row], result, select(result.main), CARD)
    text = (tmp_path / "a.csv").read_text(encoding="utf-8")
    (record,) = csv.DictReader(io.StringIO(text, newline=""))
    assert float(record["score"]) == -1.5
    assert not [
        cell for name, cell in record.items() if name != "score" and cell[:1] in ("=", "+", "-", "@", "\t")
    ]
    assert record["prompt"] == "'=HYPERLINK(1)" and record["loras"] == "'-a"


@pytest.mark.parametrize("bom", [True, False])
def test_a_byte_order_mark_stands_in_front_of_csv_only_when_asked_for(tmp_path, bom):
    exported(tmp_path / "a.csv", bom=bom)
    data = (tmp_path / "a.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf") is bom and "雪".encode() in data
    exported(tmp_path / "a.jsonl", bom=bom)
    assert not (tmp_path / "a.jsonl").read_bytes().startswith(b"\xef\xbb\xbf")


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(), min_size=1, max_size=4), st.sampled_from(["csv", "json", "jsonl"]))
@example(["a\rb", "\r", "\n", '"'], "csv")
def test_any_text_comes_back_as_it_was(tmp_path_factory, texts, form):
    target = tmp_path_factory.mktemp("any") / f"a.{form}"
    result = make_result([0.0] * len(texts), texts)
    rows = [make_row(number, written=text, prompt=text) for number, text in enumerate(texts)]
    export(target, rows, result, select(result.main), CARD)
    if form == "csv":
        read = list(csv.DictReader(io.StringIO(target.read_bytes().decode(), newline="")))
    elif form == "json":
        read = json.loads(target.read_bytes())["rows"]
    else:
        read = [json.loads(line) for line in target.read_bytes().decode().split("\n") if line]
    wanted = [str(spreadsheet_safe(text)) if form == "csv" else text for text in texts]
    assert [row["prompt_written"] for row in read] == wanted


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet"])
def test_names_of_files_that_are_no_text_can_be_written(tmp_path, form):
    if form == "parquet":
        pytest.importorskip("pyarrow")
    result = make_result([0.5])
    export(tmp_path / f"a.{form}", [make_row(0, "caf\udce9.png")], result, select(result.main), CARD)
    assert (tmp_path / f"a.{form}").stat().st_size > 100


def test_a_time_that_no_calendar_holds_is_left_out():
    assert exporting._time(2**70) == ""
