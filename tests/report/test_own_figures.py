"""Files of figures are ours where nothing was added, and files of others never are."""

from __future__ import annotations

import json

import pytest

from imagereward_core.report.own_figures import DOCUMENT_KEYS, FIGURE_COLUMNS, SCORED_KEYS, sealed
from imagereward_core.report.own_results import written_by_us


@pytest.fixture
def ours(tmp_path):
    def ask(text):
        path = tmp_path / "results"
        path.write_bytes(text.encode())
        return written_by_us(path)

    return ask


def document(**changes):
    made = dict(zip(DOCUMENT_KEYS, (1, "evaluation", "t", {}, [], {}, [dict.fromkeys(FIGURE_COLUMNS)], [])))
    return json.dumps(made | changes, indent=2) + "\n"


def test_a_document_is_ours_with_its_own_keys_alone(ours):
    assert ours(document())
    assert not ours(document(mine=1))
    assert not ours(document(figures=[{**dict.fromkeys(FIGURE_COLUMNS), "mine": 1}]))
    assert not ours(document(not_scored=[{"image": "a.png"}]))
    assert not ours(document() + "x")
    assert not ours(json.dumps(json.loads(document())))


def test_rows_are_ours_with_their_own_columns_alone(ours):
    head = ",".join(FIGURE_COLUMNS)
    row = ",".join("x" for _ in FIGURE_COLUMNS)
    assert ours(f"{head}\n{row}\n")
    assert not ours(f"{head},mine\n{row},y\n") and not ours(f"{head}\n{row},y\n")
    line = json.dumps(dict.fromkeys(FIGURE_COLUMNS, 1))
    assert ours(f"{line}\n{line}\n") and not ours(f'{line}\n{{"section": "mine"}}\n')
    scored = json.dumps(dict.fromkeys(SCORED_KEYS, 1))
    assert ours(f"{scored}\n") and not ours(f'{scored}\n{{"id": 7, "prompt": "mine"}}\n')


@pytest.mark.parametrize("comment", [False, True])
def test_a_sealed_text_is_ours_until_a_letter_changes(ours, comment):
    text = sealed("# A title\n\n| a | b |\n", comment)
    assert ours(text)
    assert not ours(text.replace("title", "Title")) and not ours(text + "\n") and not ours("\n" + text)
    assert not ours(text.replace("ImageReward Curator", "Somebody"))


@pytest.mark.parametrize(
    "text",
    [
        "# My notes\n",
        "section,measure\nmine,1\n",
        '{"id": 1, "prompt": "mine"}\n',
        '{"section": "chapter one", "text": "of my book"}\n',
        '{\n  "schema_version": 1,\n  "kind": "dance"\n}\n',
        '{\n  "schema_version": 1,\n  "kind": "' + "[" * 5000,
    ],
)
def test_files_of_others_are_theirs(ours, text):
    assert not ours(text)
