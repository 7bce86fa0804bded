"""The actions of a project as pages call them: turns, leases, drafts, answers and their versions, skips, inspections."""

from __future__ import annotations

import pytest

from imagereward_lab.annotation.records import GoneError, NotAllowedError
from imagereward_lab.annotation.store import people
from imagereward_lab.annotation.store.answers import final_answers
from imagereward_lab.annotation.store.audit import trail
from tests.support.lab.annotation import Clock, add, answer_to, make_project, new_tasks, open_service


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def opened(tmp_path, clock):
    services = []

    def make(tasks=None, **options):
        services.append(open_service(make_project(tmp_path, tasks, **options), clock))
        return services[-1]

    yield make
    for each in services:
        each.close()


def next_of(service, person):
    found = service.next(person).task
    assert found is not None
    return found


def test_a_task_goes_from_given_to_answered_and_the_next_one_comes(opened):
    service = opened(new_tasks(2))
    ann, token = add(service, "ann")
    assert service.me(token) == ann and service.me("x") is None
    first = next_of(service, ann)
    assert next_of(service, ann) == first  # as often as it is asked
    assert service.submit(ann, first.id, answer_to(first), 12.0) == []
    assert service.submit(ann, first.id, answer_to(first), 12.0) == []  # sent twice, counts once
    second = next_of(service, ann)
    assert second.id != first.id
    assert service.submit(ann, second.id, answer_to(second), 8.0) == []
    assert service.next(ann).reason == "done"
    progress = service.progress(ann)
    assert (progress.done, progress.left, progress.seconds_each) == (2, 0, 10.0)


def test_what_the_protocol_forbids_is_refused_and_kept_as_a_draft_only(opened):
    service = opened()
    ann, _ = add(service, "ann")
    task = next_of(service, ann)
    wrong = answer_to(task)
    wrong["ranking"] = [[picture.id for picture in task.images], [], [], [], []]
    service.save_draft(ann, task.id, wrong)
    assert {fault.code for fault in service.submit(ann, task.id, wrong)} == {"slot_full"}
    assert {fault.code for fault in service.check(ann, task.id, wrong, "ranking")} == {"slot_full"}
    assert service.check(ann, task.id, wrong, "images") == []
    assert next_of(service, ann).draft == wrong
    assert service.progress(ann).done == 0


def test_nobody_is_given_more_than_is_asked_and_a_closed_browser_frees_its_task(opened, clock):
    service = opened(new_tasks(1, people=2), people=2)
    ann, bob, eve = (add(service, name)[0] for name in ("ann", "bob", "eve"))
    task = next_of(service, ann)
    service.save_draft(ann, task.id, {"images": {}})
    assert next_of(service, bob).id == task.id
    assert service.next(eve).reason == "wait"
    clock.minutes(20)
    service.save_draft(bob, task.id, {})  # a sign of life
    clock.minutes(20)
    assert next_of(service, eve).id == task.id  # of ann's seat, not of bob's
    with pytest.raises(GoneError, match="somebody else has it now; your work is kept"):
        service.submit(ann, task.id, answer_to(next_of(service, eve)))
    assert service.save_draft(ann, task.id, {"images": {"still": "kept"}}) == 0
    assert service.next(ann).reason == "wait"
    service.skip(eve, task.id, "not well")
    back = next_of(service, ann)  # the seat is free again, and the work is there
    assert (back.id, back.draft) == (task.id, {"images": {"still": "kept"}})
    assert service.submit(ann, task.id, answer_to(back)) == []
    assert service.next(eve).reason == "done"  # what was skipped does not come back


def test_a_late_answer_counts_where_nobody_has_taken_the_seat(opened, clock):
    service = opened(new_tasks(1))
    ann, _ = add(service, "ann")
    task = next_of(service, ann)
    clock.minutes(10_000)
    assert service.submit(ann, task.id, answer_to(task)) == []


def test_a_change_that_is_begun_is_kept_counts_nothing_and_can_be_given_up(opened):
    service = opened(new_tasks(2))
    ann, bob = add(service, "ann")[0], add(service, "bob")[0]
    task = next_of(service, ann)
    one = answer_to(task)
    service.submit(ann, task.id, one)
    open_now = next_of(service, ann)
    begun = {**one, "ranking": []}
    assert service.save_draft(ann, task.id, begun) > service.clock.now
    assert service.again(ann, task.id).task.draft == begun and next_of(service, ann).id == open_now.id
    (counts,) = service.project.database.read(final_answers)
    assert counts.document == one
    assert service.submit(ann, task.id, begun), "what is wrong with it is wrong with a change too"
    service.forget_change(ann, task.id)
    assert service.again(ann, task.id).task.draft == one
    service.save_draft(ann, open_now.id, {"ranking": []})
    service.forget_change(ann, open_now.id)  # no change of an answer: the work stays
    assert next_of(service, ann).draft == {"ranking": []}
    for act in (service.again, service.forget_change):
        with pytest.raises(GoneError):
            act(bob, task.id)


def test_another_answer_is_a_new_version_and_the_old_one_stays(opened):
    service = opened(new_tasks(1))
    ann, _ = add(service, "ann")
    task = next_of(service, ann)
    one, two = answer_to(task), answer_to(task)
    two["images"][task.images[0].id]["alignment"] = 8 - one["images"][task.images[0].id]["alignment"]
    two["images"][task.images[0].id]["missing"] = ["a tail"]
    service.submit(ann, task.id, one)
    (own,) = service.answered(ann)
    assert (own.task, own.prompt, own.at, own.versions) == (task.id, task.prompt, service.clock.now, 1)
    assert service.again(ann, task.id).task.draft == one
    service.clock.minutes(1)
    assert service.submit(ann, task.id, two) == []
    assert service.again(ann, task.id).task.draft == two
    (own,) = service.answered(ann)
    assert (own.at, own.versions) == (service.clock.now, 2)
    events = service.project.database.read(lambda c: list(trail(c)))
    assert [event.detail["version"] for event in events if event.action == "answered"] == [1, 2]
    assert service.progress(ann).done == 1


def test_skips_have_a_quota(opened):
    service = opened(new_tasks(4), skips=2)
    ann, _ = add(service, "ann")
    for _ in range(2):
        task = next_of(service, ann)
        service.skip(ann, task.id, "I cannot judge this")
        assert service.skip(ann, task.id, "sent twice").skips_left == service.progress(ann).skips_left
    task = next_of(service, ann)
    with pytest.raises(NotAllowedError, match="all 2 tasks that you may skip are skipped"):
        service.skip(ann, task.id, "one more")
    assert service.submit(ann, task.id, answer_to(task)) == []


def test_an_invalid_answer_goes_to_somebody_else_and_never_back(opened, clock):
    service = opened(new_tasks(1))
    ann, bob, eve = add(service, "ann")[0], add(service, "bob")[0], add(service, "eve", "inspector")[0]
    task = next_of(service, ann)
    with pytest.raises(NotAllowedError):
        service.inspect_next(ann)
    assert service.inspect_next(eve) is None
    service.submit(ann, task.id, answer_to(task))
    assert service.next(bob).reason == "done"
    found = service.inspect_next(eve)
    assert (found.document, found.left, found.faults) == (answer_to(task), 1, ())
    assert [picture.id for picture in found.task.images] == [picture.id for picture in task.images]
    service.judge(eve, found.answer, "invalid", "all sevens")
    service.judge(eve, found.answer, "invalid", "sent twice")
    with pytest.raises(GoneError, match="judged already"):
        service.judge(eve, found.answer, "valid")
    assert service.next(ann).reason == "done"
    with pytest.raises(GoneError, match="invalid"):
        service.submit(ann, task.id, answer_to(task))
    other = next_of(service, bob)
    assert other.id == task.id
    assert service.submit(bob, other.id, answer_to(other)) == []
    assert service.progress(ann).invalid == 1
    boss, _ = add(service, "boss", "researcher")
    assert (service.results(boss).answers, service.results(boss).invalid) == (1, 1)


def test_two_inspectors_never_look_at_the_same_answer(opened, clock):
    service = opened(new_tasks(2))
    ann = add(service, "ann", "inspector")[0]
    eve, ida = add(service, "eve", "inspector")[0], add(service, "ida", "inspector")[0]
    for _ in range(2):
        task = next_of(service, ann)
        service.submit(ann, task.id, answer_to(task))
    assert service.inspect_next(ann) is None  # nobody judges their own
    one, two = service.inspect_next(eve), service.inspect_next(ida)
    assert one.answer != two.answer and service.inspect_next(eve).answer == one.answer
    with pytest.raises(GoneError):
        service.judge(ida, one.answer, "valid")
    clock.minutes(60)
    assert service.inspect_next(ida).answer == two.answer
    service.judge(ida, two.answer, "valid")
    assert service.inspect_next(ida).answer == one.answer  # eve's browser was closed


def test_who_is_removed_can_do_nothing_and_their_answers_stay(opened):
    from imagereward_lab.annotation.store import people

    service = opened(new_tasks(2))
    ann, token = add(service, "ann")
    boss, _ = add(service, "boss", "researcher")
    task = next_of(service, ann)
    service.submit(ann, task.id, answer_to(task))
    service.project.database.write(lambda c: people.set_state(c, ann, people.REMOVED, 0.0, {}))
    assert service.me(token) is None
    with pytest.raises(NotAllowedError):
        service.next(ann)
    assert service.results(boss).answers == 1
    with pytest.raises(NotAllowedError):
        service.results(ann)


def test_pictures_are_found_by_id_alone_and_only_in_the_folder(opened, tmp_path):
    service = opened()
    ann, _ = add(service, "ann")
    task = next_of(service, ann)
    found = service.image_file(task.images[0].id)
    assert found.path.parent.parent == tmp_path / "pictures"
    assert service.image_file("0/0.png") is None and service.image_file("../../etc/passwd") is None
    folder = tmp_path / "pictures" / "0"
    folder.symlink_to(tmp_path)
    assert task.prompt.endswith("0") and [service.image_file(each.id) for each in task.images] == [None] * 4


@pytest.mark.parametrize("mode", ["best-worst", "top-picks", "per-generator"])
def test_the_other_modes_are_answered_alike(opened, mode):
    service = opened(new_tasks(2, mode=mode, sources=True), mode=mode)
    ann, _ = add(service, "ann")
    for _ in range(2):
        task = next_of(service, ann)
        assert "made by" not in repr(task)
        assert service.submit(ann, task.id, {}) != []
        assert service.submit(ann, task.id, answer_to(task)) == []
    assert service.next(ann).reason == "done"


def test_a_task_given_while_the_clock_was_years_ahead_is_free_again_once_it_is_right(opened, clock):
    service = opened(new_tasks(1))
    (ann, _), (bob, _), (eve, _), (ira, _) = (
        add(service, name, role)
        for name, role in (
            ("ann", "annotator"),
            ("bob", "annotator"),
            ("eve", "inspector"),
            ("ira", "inspector"),
        )
    )
    right = clock.now
    clock.now += 5 * 365 * 24 * 3600
    task = service.next(ann).task
    clock.now = right
    taken = service.next(bob).task
    assert taken is not None and taken.id == task.id and service.save_draft(ann, task.id, {}) == 0
    assert service.submit(bob, taken.id, answer_to(taken)) == []
    clock.now += 5 * 365 * 24 * 3600
    answer = service.inspect_next(eve).answer
    clock.now = right
    assert service.inspect_next(ira).answer == answer
    service.judge(ira, answer, "valid")


def test_who_works_alone_is_a_researcher_whoever_else_is_named_so(opened):
    service = opened()
    service.project.database.write(lambda c: people.add(c, "me", "annotator", people.ACTIVE, None, 0.0))
    own = service.local_person()  # answers that were imported made the name; nobody has a token for it
    assert own.researches and own.name == "me" and service.local_person() == own
    assert service.results(own).tasks == 4
    ann, _ = add(service, "ann", "researcher")
    service.remove_person(ann, own.id)
    other = service.local_person()
    assert other.researches and other.id not in (own.id, ann.id) and service.next(other).task is not None


def test_somebody_with_a_token_does_not_become_the_researcher_of_this_computer(opened):
    service = opened()
    me, token = add(service, "me")
    own = service.local_person()
    assert own.researches and own.id != me.id and not service.me(token).researches
