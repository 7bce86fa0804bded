"""The routes of annotation, asked as browsers, strangers and forgers ask."""

from __future__ import annotations

import json
import random

import pytest

from tests.support.lab.annotation import Clock, add, open_service, protocol_answer
from tests.support.lab.annotation_pages import OWN, SECRET, Visitor, app_of, drawn_project

SCRIPT = '<script>alert("1")</script>"><img src=x onerror=alert(1)>'


@pytest.fixture
def project(tmp_path):
    return drawn_project(tmp_path, tasks=3, prompt=f"a red star {SCRIPT}")


@pytest.fixture
def service(project):
    made = open_service(project)
    yield made
    made.close()


@pytest.fixture
def app(service):
    return app_of(service)


@pytest.fixture
def ann(service, app):
    return Visitor(app, add(service, "ann")[1])


@pytest.fixture
def bob(service, app):
    return Visitor(app, add(service, "bob")[1])


@pytest.fixture
def owner(app):
    return Visitor(app, OWN)


def answer(task, seed=1):
    return protocol_answer([image["id"] for image in task["images"]], random.Random(seed))


def test_a_task_goes_from_draft_to_submission_and_the_next_one_comes_with_the_answer(ann):
    task = ann.json("GET", "next")["task"]
    assert ann.json("GET", "next")["task"]["id"] == task["id"]
    half = {"prompt": {"category": "arts"}, "images": {}}
    told = ann.json("PUT", f"tasks/{task['id']}/draft", {"document": half})
    assert {fault["code"] for fault in told["faults"]} >= {
        "intent_missing",
        "image_unrated",
        "ranking_missing",
    }
    assert {fault["stage"] for fault in told["faults"]} == {"prompt", "images", "ranking"}
    assert ann.json("GET", "next")["task"]["draft"] == half
    given = ann.json("POST", f"tasks/{task['id']}/submit", {"document": answer(task), "seconds": 12.5})
    assert given["faults"] == [] and given["task"]["id"] != task["id"] and given["progress"]["done"] == 1


def test_what_the_protocol_forbids_is_refused_with_a_sentence_that_says_which_pictures(ann):
    task = ann.json("GET", "next")["task"]
    ids = [image["id"] for image in task["images"]]
    wrong = answer(task)
    for place, image in enumerate(ids):
        wrong["images"][image]["overall"] = place + 1
    wrong["ranking"] = [ids[:3], [], [], [], []]
    told = ann.json("POST", f"tasks/{task['id']}/submit", {"document": wrong})
    assert "task" not in told
    assert [fault["message"] for fault in told["faults"]] == [
        "Slot 1 holds 3 pictures (1, 2, 3); at most two may share one.",
        "Picture 4 is not in the ranking. Put it into a slot.",
    ]
    wrong["ranking"] = [[ids[0]], [ids[1]], [ids[2], ids[3]], [], []]
    told = ann.json("POST", f"tasks/{task['id']}/submit", {"document": wrong})
    assert {fault["code"] for fault in told["faults"]} == {"order"}
    assert told["faults"][0]["images"] == [ids[1], ids[0]]
    assert ann.json("GET", "me")["progress"]["done"] == 0


def test_somebody_elses_task_can_neither_be_seen_nor_answered_nor_skipped(ann, bob):
    task = ann.json("GET", "next")["task"]
    other = bob.json("GET", "next")["task"]
    assert task["id"] != other["id"]
    ways = [("PUT", "draft"), ("POST", "submit"), ("POST", "skip"), ("POST", "again"), ("POST", "as_it_is")]
    for way, path in ways:
        refused = bob.ask(way, f"/annotation/api/tasks/{task['id']}/{path}", json={"document": answer(task)})
        assert refused.status_code == 409 and refused.json()["code"] == "not_yours", path


def test_forged_numbers_are_refused(ann):
    paths = ("tasks/{}/submit", "tasks/{}/draft", "tasks/{}/skip", "inspections/{}", "people/{}/remove")
    for number in ("0", "-1", "999", "1.5", "9" * 30, "2147483648", "x", "%00", "..", "1%2f2"):
        for path in paths:
            way = "PUT" if path.endswith("draft") else "POST"
            told = ann.ask(
                way, f"/annotation/api/{path.format(number)}", json={"document": {}, "verdict": "valid"}
            )
            assert told.status_code in (400, 403, 404, 405, 409), (path, told.status_code, told.text)
            assert told.json()["problem"]


def test_bodies_that_are_no_answers_are_told_as_such_and_keep_nothing(ann):
    task = ann.json("GET", "next")["task"]["id"]
    bodies = [
        b"",
        b"[]",
        b"null",
        b"7",
        b'"x"',
        b"{",
        b'{"document": ' + b"[" * 5000 + b"}",
        b'{"document": NaN}',
        b'{"document": 1e999}',
        b'{"document": {"ranking": "\\ud800"}}',
        b'{"document": {"prompt": {"category": "a\\u0000b"}}}',
        b'{"document": {"images": []}}',
        b'{"document": {"best": {}}}',
        b'{"document": "\xe9',
    ]
    for body in bodies:
        for way, path in (("POST", "submit"), ("PUT", "draft")):
            told = ann.ask(
                way,
                f"/annotation/api/tasks/{task}/{path}",
                content=body,
                headers={"content-type": "application/json"},
            )
            assert told.status_code == 200 or (told.status_code == 400 and told.json()["problem"]), (
                body,
                told.text,
            )
            if told.status_code == 200:
                assert told.json()["faults"], body
    assert ann.json("GET", "me")["progress"]["done"] == 0
    assert ann.json("GET", "next")["task"]["id"] == task


def test_huge_bodies_are_not_read(ann):
    task = ann.json("GET", "next")["task"]["id"]
    path = f"/annotation/api/tasks/{task}/draft"
    huge = json.dumps({"document": {"x": "y" * 2_000_000}}).encode()
    assert ann.ask("PUT", path, content=huge, headers={"content-type": "application/json"}).status_code == 413
    long = ann.ask("PUT", path, json={"document": {"x": "y" * 500_000}})
    assert long.status_code == 400 and long.json()["code"] == "long_document"


def test_other_origins_forms_and_people_without_a_token_are_refused(app, ann):
    task = ann.json("GET", "next")["task"]["id"]
    path = f"/annotation/api/tasks/{task}/skip"
    foreign = ann.post(path, json={}, headers={"origin": "http://evil.example"})
    form = ann.post(path, content=b"reason=x", headers={"content-type": "application/x-www-form-urlencoded"})
    assert foreign.status_code == 403 and form.status_code == 415
    for token in ("", "x", "a" * 300):
        stranger = Visitor(app, token)
        for asked in ("me", "next", "results", "people", "answered", "questions", "ranks.csv"):
            assert stranger.get(f"/annotation/api/{asked}").status_code in (400, 401)
        assert stranger.get("/annotation/pictures/small/1").status_code in (400, 401)
    assert ann.json("GET", "me")["progress"]["skipped"] == 0


def test_roles_see_what_is_theirs(service, app, ann):
    inspector = Visitor(app, add(service, "ida", "inspector")[1])
    for path in ("people", "results"):
        assert ann.get(f"/annotation/api/{path}").status_code == 403
        assert inspector.get(f"/annotation/api/{path}").status_code == 403
    assert ann.get("/annotation/api/inspections/next").status_code == 403
    assert ann.post("/annotation/api/people", json={"name": "eve", "role": "researcher"}).status_code == 403
    assert ann.post("/annotation/api/people/1/remove").status_code == 403
    assert inspector.json("GET", "inspections/next")["inspection"] is None


def test_an_invited_person_has_a_token_once_and_none_after_they_are_removed(app, owner):
    made = owner.json("POST", "people", {"name": f"eve {SCRIPT}", "role": "annotator"})
    eve = Visitor(app, made["token"])
    assert eve.json("GET", "me")["person"]["name"] == f"eve {SCRIPT}"
    assert made["token"] not in json.dumps(owner.json("GET", "people"))
    again = owner.post("/annotation/api/people", json={"name": f"eve {SCRIPT}", "role": "annotator"})
    assert again.status_code == 400 and again.json()["code"] == "name_taken"
    for name, role in [
        ("", "annotator"),
        ("x" * 101, "annotator"),
        ("a\0b", "annotator"),
        ("\ud800", "annotator"),
        ("z", "king"),
        ("z", None),
        (7, "annotator"),
    ]:
        body = json.dumps({"name": name, "role": role}).encode()
        told = owner.post(
            "/annotation/api/people", content=body, headers={"content-type": "application/json"}
        )
        assert told.status_code == 400, (name, role)
    owner.json("POST", f"people/{made['person']['id']}/remove")
    assert eve.get("/annotation/api/me").status_code == 401
    me = owner.json("GET", "me")["person"]["id"]
    assert owner.post(f"/annotation/api/people/{me}/remove").status_code == 403


def test_an_inspector_gives_an_invalid_answer_to_somebody_else(service, app, ann, bob):
    ida = Visitor(app, add(service, "ida", "inspector")[1])
    task = ann.json("GET", "next")["task"]
    ann.json("POST", f"tasks/{task['id']}/submit", {"document": answer(task), "seconds": 30})
    found = ida.json("GET", "inspections/next")["inspection"]
    assert found["document"] == answer(task) and "ann" not in json.dumps(found)
    assert (
        ida.post(f"/annotation/api/inspections/{found['answer']}", json={"verdict": "good"}).status_code
        == 400
    )
    ida.json(
        "POST", f"inspections/{found['answer']}", {"verdict": "invalid", "note": "the scale is turned round"}
    )
    given = [bob.json("GET", "next")["task"]]
    while given[-1] and given[-1]["id"] != task["id"]:
        given.append(
            bob.json("POST", f"tasks/{given[-1]['id']}/submit", {"document": answer(given[-1])})["task"]
        )
    assert given[-1]["id"] == task["id"]


def test_the_skip_quota_is_kept(tmp_path):
    service = open_service(drawn_project(tmp_path, tasks=3, skips=1))
    ann = Visitor(app_of(service), add(service, "ann")[1])
    task = ann.json("GET", "next")["task"]["id"]
    for reason in ("x" * 501, 7, ["a"]):
        assert ann.post(f"/annotation/api/tasks/{task}/skip", json={"reason": reason}).status_code == 400
    given = ann.json("POST", f"tasks/{task}/skip", {"reason": "I do not know the subject"})
    assert given["task"]["id"] != task and given["progress"]["skips_left"] == 0
    refused = ann.post(f"/annotation/api/tasks/{given['task']['id']}/skip", json={"reason": ""})
    assert refused.status_code == 403 and refused.json()["code"] == "no_skips_left"
    service.close()


def test_a_task_whose_lease_ended_and_that_somebody_else_has_is_told_as_taken(tmp_path):
    clock = Clock()
    service = open_service(drawn_project(tmp_path, tasks=1, lease_minutes=1), clock)
    app = app_of(service)
    ann, bob = (Visitor(app, add(service, name)[1]) for name in ("ann", "bob"))
    task = ann.json("GET", "next")["task"]
    assert bob.json("GET", "next")["reason"] == "wait"
    clock.minutes(2)
    assert bob.json("GET", "next")["task"]["id"] == task["id"]
    assert ann.json("PUT", f"tasks/{task['id']}/draft", {"document": {}})["taken"]
    late = ann.post(f"/annotation/api/tasks/{task['id']}/submit", json={"document": answer(task)})
    assert late.status_code == 409 and late.json()["code"] == "task_taken"
    service.close()


@pytest.mark.parametrize("mode", ["top-picks", "per-generator"])
def test_where_sources_are_hidden_nothing_that_is_sent_names_them(tmp_path, mode):
    service = open_service(drawn_project(tmp_path, mode=mode))
    app = app_of(service)
    ann = Visitor(app, add(service, "ann")[1])
    seen = [ann.get("/annotation"), ann.get("/annotation/api/next"), ann.get("/annotation/api/me")]
    for image in seen[1].json()["task"]["images"]:
        for size in ("small", "large"):
            sent = ann.get(f"/annotation/pictures/{size}/{image['id']}")
            assert sent.status_code == 200
            seen.append(sent)
    task = seen[1].json()["task"]
    order = {"ranking": [[image["id"]] for image in task["images"]]}
    seen.append(ann.ask("PUT", f"/annotation/api/tasks/{task['id']}/draft", json={"document": order}))
    seen.append(ann.ask("POST", f"/annotation/api/tasks/{task['id']}/submit", json={"document": order}))
    seen.append(Visitor(app, add(service, "ida", "inspector")[1]).get("/annotation/api/inspections/next"))
    for answer in seen:
        whole = answer.content + repr(answer.headers).encode()
        for name in (SECRET.encode(), b"made by", b".png", b"parameters"):
            assert name not in whole, (answer.request.url, name)
    service.close()


def test_pictures_are_sent_by_their_ids_alone(service, ann):
    image = ann.json("GET", "next")["task"]["images"][0]["id"]
    assert ann.get(f"/annotation/pictures/large/{image}").headers["content-type"] == "image/png"
    for name in ("0/0.png", "..%2fproject%2fproject.json", "0%2f0.png", f"{image}x", "", "%00", "a" * 5000):
        assert ann.get(f"/annotation/pictures/large/{name}").status_code == 404
    service.image_file(image).path.unlink()
    assert ann.get(f"/annotation/pictures/large/{image}").status_code == 404


def test_the_page_holds_no_text_of_strangers_and_forbids_other_addresses(ann, owner):
    page = ann.get("/annotation")
    assert page.status_code == 200 and "default-src 'self'" in page.headers["content-security-policy"]
    assert SCRIPT not in page.text and "alert" not in page.text
    assert 'lang="zh"' in ann.get("/annotation", headers={"accept-language": "zh-CN"}).text
