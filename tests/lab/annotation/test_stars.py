"""Stars of the library out of quick mode as a table or into another library, and in as answers; nothing else ever becomes stars."""

from __future__ import annotations

import csv
import shutil

import pytest
from PIL import Image

from imagereward_core.cli.main import main
from imagereward_core.files import STORE_FOLDER
from imagereward_core.library.library import Library
from imagereward_core.library.store.records import Query
from imagereward_lab.annotation.project.candidates import LeftOut
from imagereward_lab.annotation.project.new import open_quick
from imagereward_lab.annotation.project.options import ProjectOptions
from imagereward_lab.annotation.service import Service
from imagereward_lab.annotation.store.tasks import all_tasks
from imagereward_lab.data.readers import open_rankings
from tests.support.lab.annotation import add, answer_to, open_service

STARS = {"0.png": 5, "1.png": 2, "2.png": 2}


def stars_in(root):
    with Library.look(root / STORE_FOLDER, root=root) as library:
        return {row.path.name: row.stars for row in library.rows(Query(folder=root)) if row.stars is not None}


def pictures(root):
    root.mkdir(parents=True)
    for place in range(4):
        Image.new("RGB", (8, 6), (40 * place, 10, 10)).save(root / f"{place}.png")
        (root / f"{place}.txt").write_text("a red fox, =1+1", encoding="utf-8")
    return root


@pytest.fixture
def outputs(tmp_path):
    """A folder whose pictures were given stars in quick mode."""
    root = pictures(tmp_path / "outputs")
    service = Service(open_quick(root, ProjectOptions(mode="quick"), 1.0, LeftOut()))
    me = service.local_person()
    service.answer(me, service.question(me).id, None)  # an answer gives no stars
    for task in service.project.database.read(all_tasks):
        for image, name in zip(task.ids, task.names):
            if name in STARS:
                service.set_stars(me, image, STARS[name])
    service.close()
    assert stars_in(root) == STARS
    return root


def export(outputs, target, *more):
    return main(["annotate", "export", str(outputs), "--form", "stars", "-o", str(target), *more])


def test_stars_go_out_as_a_table_that_is_rankings_and_comes_into_another_project(outputs, tmp_path, capsys):
    out = tmp_path / "stars.csv"
    assert export(outputs, out) == 0
    with out.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["image"].removeprefix("outputs/"): int(row["stars"]) for row in rows} == STARS
    assert {row["prompt"] for row in rows} == {"a red fox, =1+1"}
    assert export(outputs, out) != 0 and "--overwrite" in capsys.readouterr().err

    data = open_rankings(out)
    (ranking,) = list(data.rankings)
    by_table = {name.removeprefix("outputs/"): rank for name, rank in zip(ranking.images, ranking.ranks)}
    (ranking,) = list(open_rankings(outputs).rankings)  # the library itself, read as rankings
    by_library = dict(zip(ranking.images, ranking.ranks))
    assert by_table == by_library == {"0.png": 1, "1.png": 4, "2.png": 4}
    assert not ranking.knows_ties, "equal stars are no ties"

    made = tmp_path / "made"
    assert main(["annotate", "new", str(made), "--from", str(outputs), "--mode", "quick"]) == 0
    for source in (out, outputs):
        assert main(["annotate", "import", str(made), str(source), "--annotator", f"by {source.name}"]) == 0
    again = main(["annotate", "import", str(made), str(out), "--annotator", "by stars.csv"])
    assert again != 0 and "has answered questions about these pictures already" in capsys.readouterr().err
    service = open_service(made)
    results = service.results(service.local_person())
    assert results.comparisons == 2 and results.ranks[0].name == "0.png"
    service.close()
    assert stars_in(outputs) == STARS


def test_stars_of_the_library_come_into_the_folder_s_own_quick_mode_once(outputs):
    for code in (0, 1):  # the second time they are there already
        assert main(["annotate", "import", str(outputs), str(outputs), "--from", "stars"]) == code
    service = open_service(open_quick(outputs, ProjectOptions(mode="quick"), 2.0, LeftOut()))
    results = service.results(service.local_person())
    assert results.comparisons == 2 and results.ranks[0].name == "0.png"  # one by hand, one by stars
    service.close()


def test_stars_go_into_another_library_by_pixels_and_what_is_there_stays(outputs, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    for name in ("0", "1", "3"):
        shutil.copy(outputs / f"{name}.png", other / f"copy of {name}.png")
    assert export(outputs, other) == 2 and "found no library" in capsys.readouterr().err
    with Library.open(other / STORE_FOLDER, root=other) as library:
        library.scan([other], None)
        library.set_stars(other / "copy of 1.png", 4)
    assert export(outputs, other) == 0
    said = capsys.readouterr().err
    assert (
        "kept: 1.png: there it has 4 stars, here 2" in said
        and "1 picture " in said
        and "1 are not in" in said
    )
    assert stars_in(other) == {"copy of 0.png": 5, "copy of 1.png": 4}
    assert export(outputs, other / STORE_FOLDER, "--overwrite") == 0
    assert stars_in(other) == {"copy of 0.png": 5, "copy of 1.png": 2}
    assert "1 had them already" in capsys.readouterr().err
    assert export(outputs, outputs) == 2 and "in this library already" in capsys.readouterr().err


def test_nothing_but_stars_becomes_stars(outputs, tmp_path, capsys):
    made = tmp_path / "made"
    main(["annotate", "new", str(made), "--from", str(outputs)])
    service = open_service(made)
    ann, _ = add(service, "ann")
    task = service.next(ann).task
    assert service.submit(ann, task.id, answer_to(task)) == []
    service.close()
    assert export(made, tmp_path / "none.csv") == 2
    assert "ratings never become any" in capsys.readouterr().err
    assert not (tmp_path / "none.csv").exists() and stars_in(outputs) == STARS

    bare = pictures(tmp_path / "bare")
    main(["annotate", "new", str(tmp_path / "quick"), "--from", str(bare), "--mode", "quick"])
    assert export(tmp_path / "quick", tmp_path / "none.csv") == 2
    assert "has no library" in capsys.readouterr().err
    open_quick(bare, ProjectOptions(mode="quick"), 1.0, LeftOut())
    assert (
        export(bare, tmp_path / "none.csv") == 2 and "no picture of it has stars" in capsys.readouterr().err
    )


@pytest.mark.parametrize("text", ["6", "-1", "2.5", "five"])
def test_a_table_with_other_stars_says_which_row(tmp_path, text):
    table = tmp_path / "stars.csv"
    table.write_text(
        f"prompt,image,stars\na,1.png,5\na,2.png,{text}\na,3.png,\na,4.png,0\n", encoding="utf-8"
    )
    data = open_rankings(table)
    (ranking,) = list(data.rankings)
    assert ranking.images == ("1.png", "4.png")
    (note,) = list(data.notes)
    assert "line 3" in str(note) and "0 to 5" in str(note)
