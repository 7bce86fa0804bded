"""Quick mode of a project: questions that stay until they are answered, answers that count once, ranks, stars of the library."""

from __future__ import annotations

import csv
import io
import json

import pytest
from PIL import Image

from imagereward_core.files import STORE_FOLDER
from imagereward_core.library.library import Library
from imagereward_lab.annotation.records import AnnotationError, GoneError, NotAllowedError
from tests.support.lab.annotation import Clock, add, make_project, new_tasks, open_service


@pytest.fixture
def service(tmp_path):
    found = open_service(
        make_project(tmp_path, new_tasks(2, 5, mode="quick"), mode="quick", questions=2.0), Clock()
    )
    yield found
    found.close()


def value_of(service, picture):
    """Pictures are the better the later their place in the folder."""
    return int(service.image_file(picture.id).path.stem)


def test_a_question_stays_until_it_is_answered_and_counts_once(service):
    ann, _ = add(service, "ann")
    assert service.next(ann).reason == "quick"
    one = service.question(ann)
    assert service.question(ann) == one and len(one.images) == 2 and (one.done, one.expected) == (0, 20)
    winner = one.images[0].id
    for _ in range(2):
        service.answer(ann, one.id, winner, 1.5)
    with pytest.raises(GoneError, match="dealt with already"):
        service.answer(ann, one.id, one.images[1].id)
    two = service.question(ann)
    assert two.id != one.id and two.done == 1
    with pytest.raises(GoneError, match="not part of this question"):
        service.answer(ann, two.id, "somebody")
    service.pass_question(ann, two.id)
    three = service.question(ann)
    assert {picture.id for picture in three.images} != {picture.id for picture in two.images}
    bob, _ = add(service, "bob")
    with pytest.raises(GoneError, match="not put to you"):
        service.answer(bob, three.id, None)


def test_an_answer_is_taken_back_and_asked_again(service):
    ann, _ = add(service, "ann")
    assert service.undo_answer(ann) is None
    one = service.question(ann)
    service.answer(ann, one.id, one.images[0].id)
    service.question(ann)
    again = service.undo_answer(ann)
    assert (again.id, again.images) == (one.id, one.images)
    assert service.results(ann).comparisons == 0
    service.answer(ann, again.id, None)
    assert service.results(ann).comparisons == 1


def test_ranks_follow_the_answers_and_end_when_enough_is_known(service):
    ann, bob = add(service, "ann")[0], add(service, "bob")[0]
    asked = 0
    while (question := service.question((ann, bob)[asked % 2])) is not None:
        best = max(question.images, key=lambda picture: value_of(service, picture))
        service.answer((ann, bob)[asked % 2], question.id, best.id)
        asked += 1
    assert 20 <= asked <= 21  # two for each of ten pictures; a question already put is not taken away
    for prompt in {rank.prompt for rank in service.results(ann).ranks}:
        ranks = [rank for rank in service.results(ann).ranks if rank.prompt == prompt]
        names = [rank.name[-5] for rank in ranks]
        assert (names[0], names[-1]) == ("4", "0")
        assert all(rank.low < rank.strength < rank.high for rank in ranks)
    rows = list(csv.DictReader(io.StringIO(service.ranks_text(ann, "csv"))))
    assert len(rows) == 10 and {"name", "prompt", "rank", "rank_low"} <= rows[0].keys()
    assert json.loads(service.ranks_text(ann, "json"))["across_prompts"] is False


def test_stars_are_those_of_the_library(service, tmp_path):
    ann, _ = add(service, "ann")
    question = service.question(ann)
    with pytest.raises(GoneError, match="no library"):
        service.set_stars(ann, question.images[0].id, 3)
    file = service.image_file(question.images[0].id)
    file.path.parent.mkdir()
    Image.new("RGB", (8, 8), "red").save(file.path)
    with Library.open(file.root / STORE_FOLDER, root=file.root) as library:
        library.scan([file.root], None)
    service.set_stars(ann, question.images[0].id, 3)
    with Library.look(file.root / STORE_FOLDER, root=file.root) as library:
        assert [row.stars for row in library.find([file.path])] == [3]
    assert service.question(ann).stars[question.images[0].id] == 3
    with pytest.raises(GoneError, match="does not know"):
        service.set_stars(ann, question.images[1].id, 3)
    with pytest.raises(AnnotationError):
        service.set_stars(ann, question.images[0].id, 6)


def test_ratings_of_the_protocol_never_become_stars(tmp_path):
    service = open_service(make_project(tmp_path))
    ann, _ = add(service, "ann")
    task = service.next(ann).task
    with pytest.raises(NotAllowedError):
        service.set_stars(ann, task.images[0].id, 5)
    service.close()


def test_across_prompts_a_warning_stands_with_the_ranks(tmp_path):
    service = open_service(
        make_project(tmp_path, new_tasks(1, 4, mode="quick"), mode="quick", across_prompts=True), Clock()
    )
    ann, _ = add(service, "ann")
    assert service.question(ann).across_prompts
    assert "mix how good a picture is" in json.loads(service.ranks_text(ann, "json"))["warning"]
    service.close()


def test_the_question_after_the_next_is_there_before_the_next_is_answered(service):
    ann, _ = add(service, "ann")
    one, two = service.questions(ann)
    assert service.questions(ann) == (one, two) and service.question(ann) == one
    assert {picture.id for picture in one.images} != {picture.id for picture in two.images}
    service.answer(ann, one.id, one.images[0].id)
    first, second = service.questions(ann)
    assert first.id == two.id and second.id not in (one.id, two.id)
    service.undo_answer(ann)
    assert [each.id for each in service.questions(ann)] == [one.id, two.id]
    asked = 0
    while waiting := service.questions(ann):
        service.answer(ann, waiting[0].id, None)
        asked += 1
    assert asked == one.expected, "what waits counts: no more is asked than was said"
