"""The library as everything else uses it: stars, moves, judgements over stored numbers."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from imagereward_core.library.scan.keys import key_of
from imagereward_core.library.store.records import Query, ScorerKey
from imagereward_core.scorers.blend import Blend, BlendMember, BlendScorer
from imagereward_core.scorers.panel import Panel
from tests.support.library.scans import MeanScorer, panel_of, pixels, same, save, settle


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "outputs"
    for number in range(8):
        save(folder / str(number % 2) / f"{number}.png", number, f"prompt {'x' * (number // 4)}")
    (folder / "1" / "bad.png").write_bytes(b"no picture")
    settle(folder / "1" / "bad.png")
    return folder


def test_stars_belong_to_the_content_and_can_be_taken_away(library, tree, tmp_path):
    library.scan([tree], None)
    path = tree / "0" / "2.png"
    library.set_stars(path, 5)
    shutil.copy(path, tree / "copy.png")
    library.scan([tree], None)
    assert [row.stars for row in library.find([path, tree / "copy.png"])] == [5, 5]
    content = library.find([path])[0].content
    library.set_stars(content, None)
    assert library.find([path])[0].stars is None


@pytest.mark.parametrize("stars", [-1, 6, 2.5])
def test_stars_go_from_0_to_5(library, tree, stars):
    with pytest.raises(ValueError, match="from 0 to 5"):
        library.set_stars(tree / "0" / "2.png", stars)


def test_stars_for_a_picture_nobody_knows_are_an_error(library, tree):
    library.scan([tree], None)
    for unknown in (tree / "unknown.png", tree / "1" / "bad.png", "00ff", "no hash"):
        with pytest.raises(LookupError, match="knows no such picture"):
            library.set_stars(unknown, 3)


def test_a_decision_belongs_to_the_content_and_can_be_taken_back(library, tree):
    library.scan([tree], None)
    path = tree / "0" / "2.png"
    shutil.copy(path, tree / "copy.png")
    library.scan([tree], None)
    for kept in (True, False, None):
        library.decide(library.find([path])[0].content, kept)
        assert [row.decision for row in library.find([path, tree / "copy.png"])] == [kept, kept]
    with pytest.raises(LookupError, match="knows no such picture"):
        library.decide(tree / "unknown.png", True)


def test_a_store_from_before_decisions_keeps_its_stars_and_takes_decisions(library, tree, tmp_path):
    from imagereward_core.library.library import Library
    from imagereward_core.library.store.schema import APPLICATION_ID

    library.scan([tree], None)
    library.set_stars(tree / "0" / "2.png", 4)
    place = library.database.path
    library.close()
    with contextlib.closing(sqlite3.connect(place)) as file:
        file.execute("ALTER TABLE pictures DROP COLUMN decision")
        for column in ("notes", "picture_note"):
            file.execute(f"ALTER TABLE files DROP COLUMN {column}")
        file.execute("DROP TABLE origin")
        file.execute("PRAGMA user_version = 1")
        assert file.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    with Library.look(place.parent) as older:
        assert [row.stars for row in older.find([tree / "0" / "2.png"])] == [4]
    with Library.open(place.parent, data=tmp_path / "data") as older:
        older.decide(tree / "0" / "2.png", False)
        assert [(row.stars, row.decision) for row in older.find([tree / "0" / "2.png"])] == [(4, False)]


def test_a_move_told_to_the_library_needs_no_scan(library, tree):
    scorer = MeanScorer()
    library.scan([tree], panel_of(scorer))
    source, target = tree / "0" / "2.png", tree / "kept" / "best.png"
    (before,) = library.find([source], key_of(scorer))
    target.parent.mkdir()
    source.rename(target)
    library.moved(source, target)
    assert library.find([source]) == []
    (after,) = library.find([target], key_of(scorer))
    assert (after.value, after.content, after.generated) == (before.value, before.content, before.generated)
    assert [row.path for row in library.rows(Query(key=key_of(scorer), folder=target.parent))] == [target]
    result = library.scan([tree], panel_of(scorer))
    assert (result.known, result.gone) == (9, 0)


def test_a_copy_told_to_the_library_has_the_numbers_of_the_first(library, tree):
    scorer = MeanScorer()
    library.scan([tree], panel_of(scorer))
    source, target = tree / "0" / "2.png", tree / "2 again.png"
    shutil.copyfile(source, target)
    library.copied(source, target)
    first, second = library.find([source, target], key_of(scorer))
    assert (first.value, first.content) == (second.value, second.content)
    assert library.count(Query(key=key_of(scorer), scored=True)) == 9
    library.copied(tree / "unknown.png", tree / "nowhere.png")
    assert library.find([tree / "nowhere.png"]) == []


def test_a_move_onto_a_file_the_library_knew_forgets_that_one(library, tree):
    library.scan([tree], None)
    source, target = tree / "0" / "2.png", tree / "0" / "4.png"
    content = library.find([source])[0].content
    source.replace(target)
    library.moved(source, target)
    assert library.find([target])[0].content == content
    assert library.count(Query()) == 8


def test_judgements_over_stored_numbers_are_those_of_a_run(library, tree):
    first, second = MeanScorer("one"), MeanScorer("two", revision="9", reads_prompt=False)
    blend = BlendScorer(Blend("both", (BlendMember("one"), BlendMember("two", 2.0)), "rank"), [first, second])
    panel = Panel(blend, [MeanScorer("three")])
    library.scan([tree], panel)
    found = library.scored(panel, tree)
    assert [row.path.name for row in found.rows] == [
        "0.png",
        "2.png",
        "4.png",
        "6.png",
        "1.png",
        "3.png",
        "5.png",
        "7.png",
        "bad.png",
    ]
    good = [row.path for row in found.rows[:-1]]
    direct = panel.judge(panel.score(good, [row.generated.prompt for row in found.rows[:-1]]))
    assert same(found.result.main.values[:-1], direct.main.values)
    assert found.result.main.scorer == "blend:both" and found.result.main.revision == direct.main.revision
    assert [each.scorer for each in found.result.beside] == [each.scorer for each in direct.beside]
    assert [row.value for row in found.rows[:-1]] == found.result.main.values[:-1].tolist()
    last = found.rows[-1]
    assert last.value is None and "not a picture" in last.problem
    assert np.isnan(found.result.main.values[-1])


def test_judgements_of_chosen_files_are_in_the_order_they_were_asked_for(library, tree):
    scorer = MeanScorer()
    library.scan([tree], panel_of(scorer))
    asked = [tree / "1" / "7.png", tree / "0" / "0.png", tree / "unknown.png"]
    found = library.scored(panel_of(scorer), paths=asked)
    assert [row.path for row in found.rows] == asked[:2]
    assert found.result.main.prompts == ("prompt x", "prompt")


def test_what_is_judged_can_be_chosen_among_the_rows_that_are_read(library, tree):
    first, second = MeanScorer("one"), MeanScorer("two", reads_prompt=False)
    panel = panel_of(first, second)
    library.scan([tree], panel)
    read = []

    def choose(rows):
        read.extend(row.path.name for row in rows)
        return [3, 0]

    found = library.scored(panel, [tree / "1", tree / "0"], choose=choose)
    assert read == ["1.png", "3.png", "5.png", "7.png", "bad.png", "0.png", "2.png", "4.png", "6.png"]
    assert [row.path.name for row in found.rows] == ["7.png", "1.png"]
    asked = library.scored(panel, paths=[tree / "1" / "7.png", tree / "1" / "1.png"])
    assert found.rows == asked.rows and same(found.result.main.values, asked.result.main.values)
    assert same(found.result.beside[0].values, asked.result.beside[0].values)


def test_files_with_the_same_pixels_are_found(library, tree):
    shutil.copy(tree / "0" / "2.png", tree / "again.png")
    library.scan([tree], None)
    rows = library.find([tree / "again.png", tree / "1" / "bad.png"])
    assert [row.path for row in library.alike(rows)] == [
        tree / "again.png",
        tree / "1" / "bad.png",
        tree / "0" / "2.png",
    ]


def test_files_nobody_has_scored_yet_say_so(library, tree):
    library.scan([tree], None)
    found = library.scored(panel_of(MeanScorer()), tree)
    assert {row.problem for row in found.rows if row.path.name != "bad.png"} == {
        "it has not been scored yet; scan its folder"
    }
    assert library.scored(panel_of(MeanScorer()), tree / "unknown").rows == []


def test_history_counts_every_number(library, tree):
    scorer = MeanScorer()
    library.scan([tree], panel_of(scorer))
    values = [row.value for row in library.rows(Query(key=key_of(scorer), scored=True))]
    assert values == sorted(values, reverse=True)
    assert sorted(library.history(key_of(scorer)).tolist()) == sorted(values)
    some = {row.content for row in library.rows(Query(key=key_of(scorer), folder=tree / "1"))} - {""}
    others = [row.value for row in library.rows(Query(key=key_of(scorer), folder=tree / "0"))]
    assert sorted(library.history(key_of(scorer), besides=some).tolist()) == sorted(others)


def test_a_cut_prompt_is_told_with_the_score(library, tmp_path):
    scorer = MeanScorer()
    save(tmp_path / "out" / "1.png", 1, "x" * 50)
    library.scan([tmp_path / "out"], panel_of(scorer))
    assert library.page(Query(key=key_of(scorer)))[0].cut == "x" * 10


def test_relative_folders_and_detours_are_the_same_folder(library, tree, monkeypatch):
    library.scan([tree], None)
    monkeypatch.chdir(tree.parent)
    assert library.count(Query(folder=tree.relative_to(tree.parent))) == 9
    assert library.count(Query(folder=tree / "0" / ".." / "1")) == 5
    library.set_stars((tree / "0" / "2.png").relative_to(tree.parent), 2)
    assert library.find([tree / "1" / ".." / "0" / "2.png"])[0].stars == 2


def test_rows_of_a_library_being_read_survive_its_being_written(library, tree):
    scorer = MeanScorer()
    library.scan([tree], panel_of(scorer))
    rows = library.rows(Query(key=key_of(scorer)))
    first = next(rows)
    pixels(99).save(tree / "new.png")
    library.scan([tree], panel_of(scorer))
    assert first.path not in [row.path for row in rows]


def test_keys_sort_and_compare():
    assert sorted([ScorerKey("b", "1"), ScorerKey("a", "2")]) == [ScorerKey("a", "2"), ScorerKey("b", "1")]


def test_importing_the_library_loads_nothing_heavy():
    code = (
        "import sys, imagereward_core.library.library; "
        "print([name for name in ('torch', 'transformers', 'numpy', 'PIL') if name in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_moved_file_takes_everything_along_that_the_store_says_of_it(library):
    from imagereward_core.library.store import relocation

    with library.database.reading() as connection:
        columns = {row[1] for row in connection.execute("PRAGMA table_info(files)")}
    of_the_place = {"id", "folder", "name", "gone", *relocation._DISK}
    assert columns - of_the_place == set(relocation._SAME)
