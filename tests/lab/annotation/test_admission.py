"""Agreement without oneself, and the test before admission: who is let in, who is not, and who has to wait."""

from __future__ import annotations

import random

import pytest

from imagereward_lab.annotation.quality.agreement import Order, agreements
from imagereward_lab.annotation.store.people import CANDIDATE
from tests.support.lab.annotation import Clock, add, make_project, new_tasks, open_service, protocol_answer


def order(task, person, *ranks, researcher=False):
    return Order(task=task, person=person, is_researcher=researcher, ranks=ranks)


def test_the_ensemble_is_the_others_without_oneself_and_ties_are_no_choice():
    found = agreements(
        [
            order(1, 1, 1, 2, 3),
            order(1, 2, 1, 2, 3),
            order(1, 3, 3, 2, 1),
            order(1, 9, 1, 1, 2, researcher=True),
        ]
    )
    # For the first two the others are at one another's throats: one for, one against, so that there is no majority.
    assert (found[1].ensemble.pairs, found[3].ensemble.share, found[3].ensemble.pairs) == (0, 0.0, 3)
    assert (found[1].researchers.share, found[1].researchers.pairs) == (1.0, 2)  # the tie asks nothing
    assert found[3].researchers.share == 0.0
    assert (found[9].ensemble.share, found[9].ensemble.pairs) == (1.0, 2)
    assert agreements([order(1, 1, 1, 2), order(1, 2, 1, 2)], least_others=2)[1].ensemble.pairs == 0


@pytest.fixture
def service(tmp_path):
    tasks = new_tasks(4, 6, tests=3, people=2)
    found = open_service(make_project(tmp_path, tasks, test=3, threshold=70.0, least_pairs=10), Clock())
    yield found
    found.close()


def take_the_test(service, person, sign):
    """Answers the test by what pictures are worth, or the other way round."""
    while (task := service.next(person).task) is not None and task.test:
        worth = {
            image.id: sign * int(service.image_file(image.id).path.stem) / 2 - sign * 1.25
            for image in task.images
        }
        answer = protocol_answer([image.id for image in task.images], random.Random(1), worth)
        assert service.submit(person, task.id, answer) == []


def state(service, token):
    return service.me(token).state


def test_who_agrees_with_the_researchers_is_admitted_and_who_does_not_is_refused(service):
    good, good_token = add(service, "good", state=CANDIDATE)
    take_the_test(service, good, 1)
    assert service.next(good).reason == "judging" and state(service, good_token) == "candidate"
    assert service.progress(good).testing and service.progress(good).test_done == 3
    boss, _ = add(service, "boss", "researcher")
    take_the_test(service, boss, 1)
    assert state(service, good_token) == "active"  # decided as soon as there is somebody to compare with
    assert service.next(good).task.test is False
    bad, bad_token = add(service, "bad", state=CANDIDATE)
    take_the_test(service, bad, -1)
    assert state(service, bad_token) == "refused" and service.next(bad).reason == "refused"
    (status,) = (each for each in service.people(boss) if each.person.name == "bad")
    assert status.test_researchers.share == 0.0 and status.test_researchers.pairs >= 10


def test_without_researchers_three_others_are_needed(service):
    people = [add(service, f"person {number}", state=CANDIDATE) for number in range(4)]
    for person, token in people[:3]:
        take_the_test(service, person, 1)
        assert state(service, token) == "candidate"
    take_the_test(service, people[3][0], 1)
    assert [state(service, token) for _, token in people] == ["active"] * 4


def test_the_test_is_neither_skipped_nor_inspected(service):
    from imagereward_lab.annotation.records import NotAllowedError

    ann, _ = add(service, "ann", state=CANDIDATE)
    eve, _ = add(service, "eve", "inspector")
    task = service.next(ann).task
    with pytest.raises(NotAllowedError, match="cannot be skipped"):
        service.skip(ann, task.id, "no")
    take_the_test(service, ann, 1)
    assert service.inspect_next(eve) is None
