"""The server as it starts and ends: a free port, an address that is told, streams that do not hold it up."""

from __future__ import annotations

import socket
import threading

import httpx
import pytest
from fastapi import APIRouter

from imagereward_lab.server.access import Access
from imagereward_lab.server.app import make_app
from imagereward_lab.server.events import Events
from imagereward_lab.server.part import Part
from imagereward_lab.server.start import ServeError, needs_token, serve


def test_it_listens_at_a_free_port_tells_pages_what_happens_and_ends_though_one_listens():
    events, router, said, stop = Events(), APIRouter(), [], threading.Event()
    ended = []

    @router.get("/events")
    def listen():
        return events.response({"now": 1})

    part = Part(name="some", router=router, begin=lambda: said.append("begun"), end=lambda: ended.append(1))
    listening, ready = [], threading.Event()
    thread = threading.Thread(
        target=serve,
        args=(lambda told: make_app([part], Access.open(), told.hosts),),
        kwargs={
            "browser": False,
            "say": said.append,
            "ready": lambda told: (listening.append(told), ready.set()),
            "stop": stop,
            "ending": events.end,
        },
    )
    thread.start()
    assert ready.wait(60)
    address = listening[0].address
    assert said[0] == f"Open {address} in a browser. Ctrl-C ends this." and "begun" in said
    with httpx.stream("GET", f"{address}some/events", timeout=60) as stream:
        lines = stream.iter_lines()
        assert [next(lines) for _ in range(3)] == ["retry: 2000", "event: hello", 'data: {"now": 1}']
        events.tell("new", {"names": ["a\udcff\n"]})
        assert next(lines) == "" and next(lines) == "event: new"
        assert next(lines) == 'data: {"names": ["a\\\\udcff\\n"]}'
        stop.set()
        assert list(lines) == [""]  # the stream ends by itself
    thread.join(60)
    assert not thread.is_alive() and ended == [1]


def test_a_port_that_is_taken_is_an_error_that_says_what_to_do():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=f"127.0.0.1:{port} .*--port"):
            serve(lambda told: None, port=port, browser=False, say=lambda _: None)


def test_others_can_only_reach_it_with_a_token():
    assert not any(map(needs_token, ("127.0.0.1", "::1", "localhost")))
    assert all(map(needs_token, ("0.0.0.0", "192.168.1.2", "::", "box")))
