"""Who may use the routes and how much a request may bring, with every way the hosts can be started."""

from __future__ import annotations

import base64

import pytest
from api_client import PREFIX, ApiHost
from fake_webui import HOSTS, ours
from hypothesis import given
from hypothesis import strategies as st


def basic(text):
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


ROUTES = [
    ("get", "version"),
    ("get", "models"),
    ("get", "schema"),
    ("post", "unload"),
    ("post", "score"),
    ("post", "rank"),
]


@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_no_route_answers_without_the_accounts_of_the_api(monkeypatch, tmp_path, name, method, route):
    client = ApiHost(monkeypatch, tmp_path, name, api_auth="anna:geheim,bob:pa:ss").start()
    ask = (
        getattr(client, method)
        if method == "get"
        else lambda where, **more: client.post(where, json={}, **more)
    )
    address = f"{PREFIX}/{route}"
    assert ask(address).status_code == 401
    assert ask(address).headers["www-authenticate"].startswith("Basic")
    for wrong in ("anna:falsch", "anna:", "anna", ":", "carl:geheim", "bob:pa", "anna:geheim "):
        assert ask(address, headers=basic(wrong)).status_code == 401
    assert ask(address, headers={"Authorization": "Bearer geheim"}).status_code == 401
    assert ask(address, headers={"Authorization": "Basic %%%"}).status_code == 401
    for right in ("anna:geheim", "bob:pa:ss"):
        assert ask(address, headers=basic(right)).status_code in (200, 422)


def test_where_only_the_pages_have_accounts_those_are_asked_for(monkeypatch, tmp_path):
    listed = tmp_path / "accounts"
    listed.write_text("carl:drei\n\ndora:vier,emil:fünf\n", encoding="utf-8")
    client = ApiHost(monkeypatch, tmp_path, gradio_auth="anna:eins", gradio_auth_path=str(listed)).start()
    assert client.get(f"{PREFIX}/version").status_code == 401
    for right in ("anna:eins", "carl:drei", "dora:vier", "emil:fünf"):
        assert client.get(f"{PREFIX}/version", headers=basic(right)).status_code == 200


def test_the_accounts_of_the_api_come_before_those_of_the_pages(monkeypatch, tmp_path):
    client = ApiHost(monkeypatch, tmp_path, api_auth="anna:eins", gradio_auth="carl:drei").start()
    assert client.get(f"{PREFIX}/version", headers=basic("carl:drei")).status_code == 401
    assert client.get(f"{PREFIX}/version", headers=basic("anna:eins")).status_code == 200


def test_a_cookie_of_the_pages_opens_nothing(monkeypatch, tmp_path):
    client = ApiHost(monkeypatch, tmp_path, gradio_auth="anna:eins").start()
    client.cookies.set("access-token", "anything")
    assert client.get(f"{PREFIX}/version").status_code == 401


@given(st.text(max_size=40))
def test_no_text_in_the_header_is_more_than_refused(text):
    assert not ours("api.guard").allowed(text, {"anna": "eins"})


@pytest.mark.parametrize(
    ("arguments", "demo", "there"),
    [({"api": False}, "pages", False), ({}, "pages", True), ({"api": False, "nowebui": True}, None, True)],
)
def test_routes_are_there_where_the_hosts_api_is(monkeypatch, tmp_path, arguments, demo, there):
    client = ApiHost(monkeypatch, tmp_path, **arguments).start(demo)
    assert (client.get(f"{PREFIX}/version").status_code == 200) is there


@pytest.mark.parametrize("announced", [True, False])
def test_a_request_that_is_too_large_is_not_read(monkeypatch, tmp_path, announced):
    host = ApiHost(monkeypatch, tmp_path)
    host.option("imagereward_api_most_megabytes", 0.1)
    read = []

    def body():
        for _ in range(1000):
            read.append(10_000)
            yield b" " * 10_000

    content = b" " * 200_000 if announced else body()
    answer = host.start().post(
        f"{PREFIX}/score", content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413 and "megabytes" in answer.text


def test_who_may_not_enter_is_told_so_before_anything_is_read(monkeypatch, tmp_path):
    host = ApiHost(monkeypatch, tmp_path, api_auth="anna:eins")
    host.option("imagereward_api_most_megabytes", 0.1)
    answer = host.start().post(f"{PREFIX}/score", content=b" " * 200_000)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("20", 20),
        (7.0, 7),
        (0, 64),
        (-3, 64),
        ("viel", 64),
        (None, 64),
        (float("nan"), 64),
        (float("inf"), 64),
    ],
)
def test_a_limit_that_is_no_number_counts_as_the_default(one_host, value, number):
    one_host.shared.opts.imagereward_api_most_pictures = value
    assert ours("api.limits").limits().most_pictures == number


@pytest.mark.parametrize("route", ["unload", "score", "rank"])
def test_a_page_of_another_address_cannot_make_a_browser_post(monkeypatch, tmp_path, route):
    client = ApiHost(monkeypatch, tmp_path).start()
    address = f"{PREFIX}/{route}"
    assert client.post(address).status_code == 415
    assert client.post(address, data={"a": "b"}).status_code == 415
    assert client.post(address, content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    for origin in ("http://elsewhere.example", "null", "http://[", "http://testserver:81"):
        assert client.post(address, json={}, headers={"origin": origin}).status_code == 403
    for origin in ({}, {"origin": "http://testserver"}, {"origin": "https://TestServer"}):
        assert client.post(address, json={}, headers=origin).status_code == (
            200 if route == "unload" else 422
        )
    assert (
        client.post(f"{PREFIX}/unload", content=b"", headers={"content-type": "application/json"}).status_code
        == 422
    )


@pytest.mark.parametrize("number", ["-Infinity", "Infinity", "NaN", "1e999", "-1e999", "1" * 400, "1" * 5000])
@pytest.mark.parametrize("field", ["min_score", "top_percent", "top"])
def test_numbers_no_score_can_have_are_refused(monkeypatch, tmp_path, field, number):
    client = ApiHost(monkeypatch, tmp_path).start()
    body = f'{{"pictures": [{{"path": "a.png"}}], "{field}": {number}}}'
    answer = client.post(f"{PREFIX}/rank", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422


@pytest.mark.parametrize("number", ["9" * 19, "1" + "0" * 30, "1e30", "1e308", f'"{"1" * 30}"', "-1", '"-1"'])
@pytest.mark.parametrize("field", ["top", "keep_at_least"])
def test_whole_numbers_beyond_any_number_of_pictures_are_refused_by_every_host(
    monkeypatch, tmp_path, field, number
):
    client = ApiHost(monkeypatch, tmp_path).start()
    body = f'{{"pictures": [{{"path": "a.png"}}], "{field}": {number}}}'
    answer = client.post(f"{PREFIX}/rank", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("truth", ["true", "false"])
@pytest.mark.parametrize("field", ["top", "keep_at_least", "top_percent", "min_score", "min_percentile"])
def test_true_and_false_are_no_numbers(monkeypatch, tmp_path, field, truth):
    client = ApiHost(monkeypatch, tmp_path).start()
    body = f'{{"pictures": [{{"path": "a.png"}}], "{field}": {truth}}}'
    answer = client.post(f"{PREFIX}/rank", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["detail"]) == (422, f"{field} is {truth}; expected a number.")


def test_a_whole_number_that_is_too_long_is_told_as_that(monkeypatch, tmp_path):
    client = ApiHost(monkeypatch, tmp_path).start()
    answer = client.post(f"{PREFIX}/rank", json={"pictures": [], "top": 10**19})
    assert "expected whole numbers of at most 18 digits" in answer.json()["detail"]


def test_nesting_without_end_is_refused(monkeypatch, tmp_path):
    client = ApiHost(monkeypatch, tmp_path).start()
    headers = {"content-type": "application/json"}
    assert client.post(f"{PREFIX}/score", content=b"[" * 200_000, headers=headers).status_code == 422
