"""What is answered in the WebUI's tab is found by the page of a folder and the other way round: once, in one place, and by two at once."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap

import pytest
from PIL import Image

from imagereward_core.cli.main import main
from imagereward_core.files import STORE_FOLDER
from imagereward_core.library.answers import ACROSS, AnswerStore
from imagereward_core.library.library import Library
from imagereward_core.library.places import TAB_FOLDER
from imagereward_core.library.shared_answers import SharedAnswers
from imagereward_core.library.store.records import Query
from imagereward_lab.annotation.exchange.rankings import rankings_in
from imagereward_lab.annotation.project.candidates import LeftOut
from imagereward_lab.annotation.project.create import create
from imagereward_lab.annotation.project.folder import Project, project_folder
from imagereward_lab.annotation.project.new import Source, draw, open_quick, remark_of
from imagereward_lab.annotation.project.options import ProjectOptions
from imagereward_lab.annotation.quick import questions
from imagereward_lab.annotation.records import GoneError
from imagereward_lab.annotation.service import Service
from imagereward_lab.annotation.store import people
from imagereward_lab.annotation.store.audit import trail

PROMPT = "a red fox"
QUICK = ProjectOptions(mode="quick", questions=50.0)


def save(path, colour, prompt=PROMPT):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6), (colour, 10, 10)).save(path)
    path.with_suffix(".txt").write_text(prompt, encoding="utf-8")


@pytest.fixture
def outputs(tmp_path):
    """Where a WebUI writes pictures: five of one prompt and one of another, below the folder that it keeps its data in."""
    for place in range(5):
        save(tmp_path / "webui" / "outputs" / f"{place}.png", 20 * place + 5)
    save(tmp_path / "webui" / "outputs" / "more" / "alone.png", 200, "a blue car")
    return tmp_path / "webui" / "outputs"


class Page:
    """The quick mode of a folder, as ``imagereward annotate FOLDER`` opens it."""

    def __init__(self, root, options=QUICK, **how):
        self.root, self.now = root, 1_700_000_000.0
        self.folder = open_quick(root, options, self.now, LeftOut(), **how)
        self.service = Service(self.folder, self.clock)
        self.me = self.service.local_person()

    def clock(self):
        self.now += 1
        return self.now

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.service.close()

    def name(self, image):
        return self.service.image_file(image).path.name

    def answer(self, question=None, winner=0):
        question = question or self.service.question(self.me)
        chosen = None if winner is None else question.images[winner].id
        self.service.answer(self.me, question.id, chosen)
        return question


def contents_of(root, place=None, prompt=PROMPT):
    with Library.look(place or root / STORE_FOLDER, root=root) as library:
        rows = [
            row for row in library.rows(Query(folder=root, order="name")) if row.generated.prompt == prompt
        ]
    return {row.path.name: row.content for row in rows}


def tab(root):
    """What the tab opens when it shows the pictures of a folder."""
    return SharedAnswers(root.parent / TAB_FOLDER, [root])


def test_the_tab_finds_what_the_page_was_told_and_the_page_what_the_tab_was_told(outputs):
    with Page(outputs) as page:
        known = contents_of(outputs)
        first = page.answer()
        shown = {page.name(image.id) for image in first.images}
        with tab(outputs) as store:
            (there,) = store.answers(PROMPT)
            assert {known[name] for name in shown} == set(there.images) and (there.door, there.person) == (
                "page",
                "",
            )
            assert there.winner == known[page.name(first.images[0].id)]
            names = sorted(known)
            for place in range(3):
                store.own.add(
                    PROMPT, [known[names[place]], known[names[place + 1]]], known[names[place]], door="webui"
                )
            store.own.add(PROMPT, ["ab" * 32, "cd" * 32], None, door="webui")  # of pictures in another folder
            store.own.add(ACROSS, [known[names[0]], known[names[1]]], None, door="webui")
        question = page.service.question(page.me)
        assert question.done == 4 and page.service.results(page.me).comparisons == 4
        ranks = [rank.name for rank in page.service.results(page.me).ranks if rank.prompt == PROMPT]
        assert ranks[0] == "0.png", "it won in the tab"
        assert page.service.progress(page.me).done == 4
    with Page(outputs) as again:  # opened anew nothing is there twice
        assert again.service.question(again.me).done == 4
    found = [each for each in rankings_of(outputs) if each.prompt == PROMPT]
    assert len(found) == 4 and {each.annotator for each in found} == {"me"}


def rankings_of(root):
    project = Project(project_folder(root))
    try:
        return rankings_in(project)
    finally:
        project.close()


def test_the_last_answer_is_taken_back_wherever_it_was_given_and_asked_again(outputs):
    with Page(outputs) as page:
        first = page.answer()
        waiting = page.service.question(page.me)
        known = contents_of(outputs)
        with tab(outputs) as store:
            store.own.add(
                PROMPT, [known["3.png"], known["1.png"]], known["1.png"], door="webui", at=page.now + 1
            )
            store.own.add_skip(
                PROMPT, ["ab" * 32, "cd" * 32], door="webui", at=page.now + 2
            )  # not of this folder
        page.now += 2
        undone = page.service.undo_answer(page.me)
        assert [page.name(image.id) for image in undone.images] == ["3.png", "1.png"]
        assert [each.id for each in page.service.questions(page.me)] == [undone.id, waiting.id]
        with tab(outputs) as store:
            assert [each.door for each in store.answers(PROMPT)] == [
                "page",
                "webui",
            ]  # the fox's, and what is elsewhere
        page.answer(undone, winner=0)
        assert page.service.undo_answer(page.me).id == undone.id
        assert page.service.undo_answer(page.me).id == first.id
        assert page.service.undo_answer(page.me) is None and page.service.results(page.me).comparisons == 0
        actions = [each.action for each in page.service.project.database.read(lambda c: list(trail(c)))]
        assert actions.count("took back") == 3


def test_answers_that_a_version_before_kept_in_the_project_are_taken_along_once(outputs):
    folder = outputs / STORE_FOLDER / "quick"
    tasks = draw(Source.of(outputs).candidates(LeftOut()), QUICK, LeftOut())
    create(folder, outputs, QUICK, tasks, 1.0)
    before = Service(folder)
    me = before.local_person()
    ann, _ = before.add_person(me, "Ann", "annotator")
    for person, winner in ((me, 0), (me, None), (ann, 1)):
        question = before.question(person)
        before.answer(person, question.id, None if winner is None else question.images[winner].id)
    before.pass_question(me, before.question(me).id)
    waiting = before.question(me)
    ranks = [(rank.name, rank.rank) for rank in before.results(me).ranks]
    before.close()

    for _ in range(2):
        with Page(outputs) as page:
            assert page.service.results(page.me).comparisons == 3
            assert [(rank.name, rank.rank) for rank in page.service.results(page.me).ranks] == ranks
            assert page.service.question(page.me).id == waiting.id, "what was asked is still asked"
    with AnswerStore.open(outputs / STORE_FOLDER, looking=True) as store:
        assert [(each.person, each.skipped) for each in store.since()] == [
            ("", False),
            ("", False),
            ("Ann", False),
            ("", True),
        ]
    with Page(outputs) as page:
        for _ in range(3):
            page.service.undo_answer(page.me)
    with Page(outputs) as page:  # what was taken back does not come again
        assert page.service.results(page.me).comparisons == 1


def test_whoever_works_here_is_the_one_of_the_tab_whatever_others_are_called(outputs):
    with Page(outputs) as page:
        first = page.service.local_person()
        page.service.project.database.write(lambda c: people.set_state(c, first, people.REMOVED, 1.0, {}))
    with Page(outputs) as page:
        assert page.me.name != first.name
        page.answer()
        with tab(outputs) as store:
            assert [each.person for each in store.answers(PROMPT)] == [""]
        assert page.service.undo_answer(page.me) is not None
    assert rankings_of(outputs) == []


def test_an_answer_counts_once_though_the_server_was_killed_between_the_two_stores(outputs, monkeypatch):
    with Page(outputs) as page:
        question = page.service.question(page.me)

        def killed(*_):
            raise RuntimeError("killed")

        with monkeypatch.context() as patched:
            patched.setattr(questions, "close_answered", killed)
            with pytest.raises(RuntimeError, match="killed"):
                page.answer(question)
    with Page(outputs) as page:
        assert page.service.results(page.me).comparisons == 1
        assert page.service.question(page.me).id != question.id, "it is answered"
        with pytest.raises(GoneError, match="dealt with already"):
            page.answer(question, winner=1)
        page.answer(question)  # sent once more, as pages do
        assert page.service.results(page.me).comparisons == 1


def test_answers_stay_with_pictures_that_are_moved_and_new_ones_are_asked_about(outputs):
    with Page(outputs) as page:
        asked = page.answer()
        moved = page.service.image_file(asked.images[0].id).path
    moved.with_suffix(".txt").rename(outputs / "moved.txt")
    moved.rename(outputs / "moved.png")
    save(outputs / "new.png", 150)
    shutil.copy(outputs / "new.png", outputs / "copy.png")
    shutil.copy(outputs / "new.txt", outputs / "copy.txt")
    with Page(outputs) as page:
        ranks = [rank for rank in page.service.results(page.me).ranks if rank.prompt == PROMPT]
        names = {rank.name for rank in ranks}
        assert moved.name not in names and "moved.png" in names and len(names & {"new.png", "copy.png"}) == 1
        assert [rank.name for rank in ranks if rank.asked and rank.rank == 1] == ["moved.png"]
        page.service.set_stars(
            page.me, page.service.question(page.me).images[0].id, 4
        )  # no library had to be made first


def test_the_library_of_the_tab_can_be_named_and_is_kept_to(outputs):
    place = outputs.parent / TAB_FOLDER
    with Page(outputs, store=place) as page:
        image = page.answer().images[0]
        page.service.set_stars(page.me, image.id, 5)
        name = page.name(image.id)
        told = remark_of(page.folder, outputs.parent / "another user")
    assert f"'imagereward curate {outputs} --store {place} ...'" in told
    with AnswerStore.open(place, looking=True) as store:
        assert len(store.since()) == 1
    with Library.look(place, root=outputs) as library:
        assert [row.path.name for row in library.rows(Query(folder=outputs)) if row.stars == 5] == [name]
    assert not (outputs / STORE_FOLDER / "library.sqlite3").exists()
    with Page(outputs) as page:
        assert page.service.project.library == place and page.service.question(page.me).done == 1


def test_a_folder_begins_with_the_tabs_library_where_that_knows_its_pictures(outputs, tmp_path):
    place = outputs.parent / TAB_FOLDER
    other = tmp_path / "webui" / "others"
    for number in range(2):
        save(other / f"{number}.png", 90 + number)
    with Library.open(place, root=outputs) as library:
        library.scan([outputs], None)
    with Page(outputs) as page:
        image = page.answer().images[0]
        page.service.set_stars(page.me, image.id, 4)
        name = page.name(image.id)
    with Library.look(place, root=outputs) as library:
        assert [row.path.name for row in library.rows(Query(folder=outputs)) if row.stars == 4] == [name]
    assert not (outputs / STORE_FOLDER / "library.sqlite3").exists()
    with Page(other) as page:  # the tab has never seen these
        page.answer()
    assert (other / STORE_FOLDER / "library.sqlite3").is_file()
    shutil.rmtree(outputs / STORE_FOLDER)
    with Library.open(outputs / STORE_FOLDER, root=outputs) as library:
        library.scan([outputs], None)
    with Page(outputs) as page:  # in its own nothing is judged
        assert page.service.project.library == place
    shutil.rmtree(outputs / STORE_FOLDER / "quick")
    with Library.open(outputs / STORE_FOLDER, root=outputs) as library:
        library.set_stars(outputs / "1.png", 3)
    with Page(outputs) as page:  # now it comes first
        assert page.service.project.library == outputs / STORE_FOLDER


def test_a_folder_that_began_with_an_empty_library_of_its_own_goes_on_with_the_tabs(outputs):
    with Page(outputs) as page:
        page.answer()
        assert page.service.project.library == outputs / STORE_FOLDER
    place = outputs.parent / TAB_FOLDER
    with Library.open(place, root=outputs) as library:
        library.scan([outputs], None)
        library.set_stars(outputs / "0.png", 5)
    with Page(outputs) as page:
        assert page.service.project.library == place
        assert page.service.question(page.me).done == 1, "what was answered before is found"


def test_answers_that_cannot_be_read_cost_themselves_alone(outputs):
    place = outputs.parent / TAB_FOLDER
    place.mkdir(parents=True)
    (place / "answers.sqlite3").write_bytes(b"no database" * 100)
    with Page(outputs) as page:
        page.answer()
        assert page.service.question(page.me).done == 1


def test_a_project_with_answers_of_its_own_takes_no_library(tmp_path, capsys, monkeypatch, outputs):
    made = tmp_path / "made"
    main(["annotate", "new", str(made), "--from", str(outputs), "--mode", "quick"])
    assert main(["annotate", str(made), "--store", str(tmp_path / "other"), "--no-browser"]) == 2
    assert "--store goes with a folder of pictures" in capsys.readouterr().err
    assert project_folder(made) == made and project_folder(outputs) == outputs
    seen = {}
    monkeypatch.setattr(
        "imagereward_lab.annotation.pages.serve.serve_project",
        lambda folder, **how: seen.update(how, folder=folder),
    )
    assert main(["annotate", str(outputs), "--store", str(tmp_path / "other"), "--no-browser"]) == 0
    assert seen["folder"] == project_folder(outputs) != outputs
    assert (tmp_path / "other" / "library.sqlite3").is_file()
    assert main(["annotate", "status", str(outputs)]) == 0
    assert "questions answered: 0" in capsys.readouterr().out


_TAB = """
import sys, time
from pathlib import Path
from imagereward_core.library.shared_answers import SharedAnswers
place, root, count, *contents = sys.argv[1:]
for number in range(int(count)):
    with SharedAnswers(Path(place), [Path(root)]) as store:
        asked = store.ranking("a red fox", contents).question(2)
        store.own.add("a red fox", asked.images, asked.images[0], door="webui")
        if number % 5 == 4:
            store.withdraw_last("a red fox", contents, person="")
"""
_PAGE = """
import sys, time
from pathlib import Path
from imagereward_lab.annotation.service import Service
service = Service(Path(sys.argv[1]))
me = service.local_person()
for number in range(int(sys.argv[2])):
    question, _ = service.questions(me)
    service.answer(me, question.id, question.images[0].id)
    service.answer(me, question.id, question.images[0].id)
    if number % 5 == 4:
        service.undo_answer(me)
service.close()
"""


def test_the_tab_and_the_page_at_the_same_time_lose_and_double_nothing(outputs):
    count = 25
    with Page(outputs) as page:
        contents = list(contents_of(outputs).values())
    place = outputs.parent / TAB_FOLDER
    ways = (
        [_TAB, str(place), str(outputs), str(count), *contents],
        [_PAGE, str(page.folder), str(count)],
    )
    running = [
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(script), *words], stderr=subprocess.PIPE)
        for script, *words in ways
    ]
    for process in running:
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said.decode()
    kept = []
    for where, door in ((place, "webui"), (outputs / STORE_FOLDER, "page")):
        with AnswerStore.open(where, looking=True) as store:
            held, gone = store.since(), store.withdrawn()
        assert {each.door for each in held} == {door}
        assert len(held) + len(gone) == count, "each has what was said to it, and that once"
        kept += [(each.door, each.number) for each in held]
    assert len(kept) == len(set(kept)) == 2 * count - 2 * (count // 5), (
        "each undo took one answer back, whose it was"
    )
    with Page(outputs) as page, tab(outputs) as store:
        assert page.service.results(page.me).comparisons == len(store.answers(PROMPT)) == len(kept)
