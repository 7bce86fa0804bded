"""Prompts are read from whatever holds them, each once, and what cannot be read is said."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imagereward_core.library.library import Library
from imagereward_lab.data.notes import Notes
from imagereward_lab.data.prompts import prompt_key
from imagereward_lab.prompts.errors import SelectionError
from imagereward_lab.prompts.sources import read_prompts
from imagereward_lab.prompts.sources.collected import Prompts


def read(path: Path | str, **how: str) -> tuple[list[str], Prompts, list[str]]:
    notes = Notes()
    prompts, _ = read_prompts(str(path), notes, **how)
    return list(prompts), prompts, [str(note) for note in notes]


def test_lines_of_a_text_each_prompt_once(tmp_path: Path) -> None:
    file = tmp_path / "prompts.txt"
    long = "x" * 100_010
    file.write_bytes(f"\ufeffA red  fox\r\n\r\na RED fox \nein Bär\n{long}\nthe last".encode())
    texts, prompts, notes = read(file)
    assert texts == ["A red  fox", "ein Bär", "the last"]
    assert prompts.counts.tolist() == [2, 1, 1] and prompts.rows.tolist() == [0, 3, 5]
    assert prompts.places.tolist() == [0, 2, 3]
    assert (prompts.total, prompts.kept, prompts.blank) == (6, 4, 1)
    assert len(notes) == 1 and "line 5" in notes[0] and "100,000" in notes[0]


def test_which_rows_are_equal_does_not_depend_on_how_many_there_are() -> None:
    rng = np.random.default_rng(0)
    rows = [
        f"{'A ' if number % 2 else 'a  '}thing number {number}"
        for number in rng.integers(0, 400, 3000).tolist()
    ]
    prompts = Prompts(iter(rows), Notes())
    first: dict[str, int] = {}
    counts: dict[str, int] = {}
    for place, row in enumerate(rows):
        first.setdefault(prompt_key(row), place)
        counts[prompt_key(row)] = counts.get(prompt_key(row), 0) + 1
    assert prompts.rows.tolist() == list(first.values())
    assert [prompts[index] for index in range(len(prompts))] == [rows[place] for place in first.values()]
    assert prompts.counts.tolist() == list(counts.values())


def test_the_digest_names_the_prompts_and_their_order() -> None:
    def digest(*rows: str) -> str:
        return Prompts(rows, Notes()).digest

    assert digest("a", "b") == digest("a", "", "b", "A")
    assert len({digest("a", "b"), digest("b", "a"), digest("ab"), digest("A", "b")}) == 4


@pytest.mark.parametrize(
    ("encoding", "written", "said"),
    [
        (
            "",
            "latin-1",
            r"line 2: found the byte 0xe4 behind 'ein B', which is no text in utf-8.*--encoding latin-1",
        ),
        ("", "utf-16", r"found a text in UTF-16.*--encoding utf-16"),
        ("nonsense", "utf-8", r"--encoding nonsense: found no such encoding"),
        ("rot13", "utf-8", r"--encoding rot13: found no such encoding"),
        ("utf-16", "utf-8", r"no text in utf-16"),
    ],
)
@pytest.mark.parametrize("name", ["prompts.txt", "prompts.csv"])
def test_a_wrong_encoding_is_told_and_the_right_one_reads(
    encoding: str, written: str, said: str, name: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_bytes(("prompt\nein Bär\n" if name.endswith("csv") else "a\nein Bär\n").encode(written))
    with pytest.raises(SelectionError, match=said if name.endswith("txt") else "encod|no text"):
        read(file, encoding=encoding)
    assert "ein Bär" in read(file, encoding=written)[0]


def test_tables_with_commas_semicolons_and_tabs(tmp_path: Path) -> None:
    file = tmp_path / "prompts.csv"
    file.write_text('id;Prompt\n1;"a fox\nat night"\n2;a bird; and more\n\n3\n4;""\n', encoding="utf-8")
    texts, prompts, _ = read(file)
    assert texts == ["a fox\nat night", "a bird"] and (prompts.total, prompts.blank) == (4, 2)
    file.write_text("id,what,prompt\n1,a fox,no\n", encoding="utf-8")
    assert read(file, column="WHAT")[0] == ["a fox"]
    with pytest.raises(SelectionError, match="no column 'wat'.*'id', 'what', 'prompt'"):
        read(file, column="wat")
    (tmp_path / "p.tsv").write_text("id\ttext\n1\ta, b; c\n", encoding="utf-8")
    assert read(tmp_path / "p.tsv")[0] == ["a, b; c"]
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(
        SelectionError, match="found the columns 'a', 'b'; expected one called prompt, caption or text"
    ):
        read(file)


def test_parquet_and_a_folder_of_it(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    for number in (1, 2):
        table = pa.table({"prompt": [f"a fox {number}", None, "a bird"], "n": [1, 2, 3]})
        parquet.write_table(table, tmp_path / f"part-{number}.parquet")
    assert read(tmp_path / "part-1.parquet")[0] == ["a fox 1", "a bird"]
    texts, prompts, _ = read(tmp_path)
    assert texts == ["a fox 1", "a bird", "a fox 2"] and prompts.counts.tolist() == [1, 2, 1]
    assert (prompts.total, prompts.blank) == (6, 2)
    with pytest.raises(SelectionError, match="no prompt"):
        read(tmp_path / "part-1.parquet", column="n")
    (tmp_path / "part-1.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(SelectionError, match="cannot be read as Parquet"):
        read(tmp_path / "part-1.parquet")


def test_pictures_and_the_library_that_knows_them(tmp_path: Path) -> None:
    for name, prompt in (("a", "a fox <lora:x:1>"), ("b", "A fox"), ("c", ""), ("d", "a bird")):
        Image.new("RGB", (8, 8), (ord(name), 0, 0)).save(tmp_path / f"{name}.png")
        if prompt:
            (tmp_path / f"{name}.txt").write_text(prompt, encoding="utf-8")
    assert read(tmp_path)[0] == ["a fox", "a bird"]
    with Library.open(tmp_path / ".imagereward", root=tmp_path) as library:
        library.scan([tmp_path], None)
    (tmp_path / "b.txt").write_text("not read again", encoding="utf-8")
    texts, prompts, _ = read(tmp_path)
    assert texts == ["a fox", "a bird"] and prompts.counts.tolist() == [2, 1] and prompts.blank == 1


def test_lines_on_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("a fox\nein Bär\n".encode())))
    assert read("-")[0] == ["a fox", "ein Bär"]
    assert not sys.stdin.buffer.closed


@pytest.mark.parametrize("content", [b"", b"\n \n\t\n"])
def test_nothing_to_choose_from_is_an_error(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "prompts.txt"
    file.write_bytes(content)
    with pytest.raises(SelectionError, match="found no prompt; expected a text with a prompt on each line"):
        read(file)
    with pytest.raises(SelectionError, match="no such file or folder"):
        read(tmp_path / "other.txt")
    with pytest.raises(SelectionError, match="--column x.*no columns"):
        read(file, column="x")
