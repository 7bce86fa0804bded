"""The server's door: names, origins, tokens and sizes of requests, and what every answer says to the browser."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, Request

from imagereward_lab.server.access import Access, new_token, person
from imagereward_lab.server.app import make_app
from imagereward_lab.server.hosts import Hosts
from imagereward_lab.server.part import Part
from tests.support.lab.server import Client

TOKEN = new_token()


def parts():
    router = APIRouter()
    done = []

    @router.get("")
    def first(request: Request):
        return {"person": person(request)}

    @router.post("/do")
    async def do(request: Request):
        done.append(await request.json())
        return {"done": len(done)}

    @router.get("/fail")
    def fail():
        raise RuntimeError("secret")

    part = Part(name="some", router=router)
    part.router.done = done
    return part


@pytest.fixture
def part():
    return parts()


@pytest.fixture
def here(part):
    return Client(make_app([part], Access.open(), Hosts.of("127.0.0.1")))


@pytest.fixture
def elsewhere(part):
    return Client(
        make_app([part], Access.by_token(TOKEN), Hosts.of("0.0.0.0", ["pictures.home"]), largest_body=1000)
    )


def test_the_first_part_is_what_the_address_leads_to(here):
    answer = here.get("/")
    assert answer.status_code == 307 and answer.headers["location"] == "/some"
    assert here.get("/some").json() == {"person": None}


@pytest.mark.parametrize(
    "name",
    [
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "",
        "127.0.0.1:8000@evil",
        "10.0.0.5:8000",
        "a b",
        "[::1",
        "[::1]evil",
    ],
)
def test_another_name_for_this_computer_is_refused(here, name):
    answer = here.get("/some", headers={"host": name})
    assert answer.status_code == 421 and "localhost" in answer.json()["problem"]


@pytest.mark.parametrize("name", ["127.0.0.1:8000", "localhost:1", "LOCALHOST", "[::1]:8000"])
def test_the_names_of_this_computer_are_known(here, name):
    assert here.get("/some", headers={"host": name}).status_code == 200


@pytest.mark.parametrize("name", ["pictures.home:80", "192.168.1.5:8000", "[fe80::1]:8000"])
def test_a_server_for_others_is_reached_by_number_and_by_a_given_name(elsewhere, name):
    assert (
        elsewhere.get("/some", headers={"host": name, "authorization": f"Bearer {TOKEN}"}).status_code == 200
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://test.evil"},
        {"origin": "http://[evil"},
        {"origin": "http://127.0.0.1:8000/path"},
        {"origin": "127.0.0.1:8000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
    ],
)
def test_a_page_of_another_site_gets_nothing_and_does_nothing(here, part, headers):
    assert here.post("/some/do", json={}, headers=headers).status_code == 403
    assert here.get("/some", headers=headers).status_code == 403
    assert part.router.done == []


def test_a_link_on_another_site_may_lead_here_but_a_frame_or_a_form_may_not(here):
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert here.get("/some", headers=link).status_code == 200
    assert here.get("/some", headers={**link, "sec-fetch-dest": "iframe"}).status_code == 403
    assert here.post("/some/do", json={}, headers=link).status_code == 403
    answer = here.get("/some")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert (
        answer.headers["x-content-type-options"] == "nosniff" and answer.headers["x-frame-options"] == "DENY"
    )


def test_what_a_form_elsewhere_could_send_is_refused_and_the_own_page_is_served(here, part):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert here.post("/some/do", content=b"{}", headers={"content-type": kind}).status_code == 415
    assert here.post(
        "/some/do", json=1, headers={"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"}
    ).json() == {"done": 1}
    assert part.router.done == [1]


def test_without_a_token_nothing_is_served_but_the_page_that_asks_for_it(elsewhere):
    for path in ("/", "/some", "/some/do", "/nothing", "/static/some/x.js"):
        answer = elsewhere.get(path)
        assert answer.status_code == 401 and set(answer.json()) == {"problem"}
    page = elsewhere.get("/some", headers={"accept": "text/html"})
    assert page.status_code == 401 and 'id="enter"' in page.text
    assert elsewhere.get("/static/shared/enter.js").status_code == 200
    assert elsewhere.post("/some/do", json={}).status_code == 401


def test_a_token_becomes_a_cookie_that_no_script_and_no_other_site_gets(elsewhere):
    assert elsewhere.get("/enter").status_code == 401
    for wrong in (
        {"token": TOKEN + "x"},
        {"token": ""},
        {"token": 5},
        {"token": "é"},
        {"token": "x" * 201},
        [],
    ):
        assert elsewhere.post("/enter", json=wrong).status_code in (400, 401)
    answer = elsewhere.post("/enter", json={"token": TOKEN})
    cookie = answer.headers["set-cookie"].lower()
    assert (
        answer.status_code == 204
        and "httponly" in cookie
        and "samesite=strict" in cookie
        and "path=/" in cookie
    )
    assert elsewhere.get("/enter").status_code == 204
    assert elsewhere.get("/some").json() == {"person": True}
    elsewhere.post("/leave", json={})
    assert elsewhere.get("/some").status_code == 401


def test_a_token_is_not_taken_from_the_address(elsewhere):
    assert elsewhere.get(f"/some?token={TOKEN}").status_code == 401


@pytest.mark.parametrize(
    "cookie", ["imagereward-8000", 'imagereward-8000="', "=;=;;", "imagereward-8000=" + "x" * 5000]
)
def test_a_damaged_cookie_is_no_token(elsewhere, cookie):
    assert elsewhere.get("/some", headers={"cookie": cookie}).status_code == 401


def test_a_body_that_is_too_large_is_refused_before_it_is_read(elsewhere, part):
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert elsewhere.post("/some/do", json="x" * 2000, headers=headers).status_code == 413
    assert elsewhere.post("/some/do", json={}, headers={**headers, "content-length": "-1"}).status_code == 413

    async def pieces():
        for _ in range(50):
            yield b"1" * 100

    kind = {"content-type": "application/json"}
    assert elsewhere.post("/some/do", content=pieces(), headers=headers | kind).status_code == 413
    assert part.router.done == []


def test_a_fault_is_told_in_a_sentence_without_its_text(here):
    answer = here.get("/some/fail")
    assert (
        answer.status_code == 500
        and "RuntimeError" in answer.json()["problem"]
        and "secret" not in answer.text
    )
    assert here.get("/nothing").json().keys() == {"problem"}
    assert (
        here.post("/enter", content=b"[" * 5000, headers={"content-type": "application/json"}).status_code
        == 400
    )


@pytest.mark.parametrize(
    "path",
    [
        "/static/shared/../app.py",
        "/static/shared/..%2fapp.py",
        "/static/shared/%2e%2e/app.py",
        "/static/shared/texts.json",
        "/static/shared/",
        "/static/shared//etc/passwd",
        "/static/shared/page.js%00",
        "/static/shared/page.js/",
    ],
)
def test_nothing_but_its_own_files_is_served(here, path):
    assert here.get(path).status_code == 404
