"""A host with our routes, and a client that speaks to them in this process."""

from __future__ import annotations

import sys
import threading
import types

import pytest

from tests.support.webui.drawn import Loaded
from tests.support.webui.fake_webui import FakeHost, ours

pytest.importorskip("fastapi", reason="the routes need fastapi, which a WebUI brings")
pytest.importorskip("httpx", reason="fastapi's test client needs httpx")

from fastapi import FastAPI
from fastapi.testclient import TestClient

PREFIX = "/imagereward/v1"


class Queue:
    """The host's lock, which must not be taken twice by one thread and is counted here."""

    def __init__(self):
        self.lock, self.turns = threading.Lock(), 0

    def __enter__(self):
        assert self.lock.acquire(timeout=5), "the queue is held already"
        self.turns += 1

    def __exit__(self, *_):
        self.lock.release()


class ApiHost(FakeHost):
    """A host that was started with ``--api``.

    Args:
        monkeypatch: See ``FakeHost``.
        base: See ``FakeHost``.
        name: See ``FakeHost``.
        arguments: Arguments of its command line.
    """

    def __init__(self, monkeypatch, base, name="a1111", **arguments):
        super().__init__(monkeypatch, base, name)
        self.queue = Queue()
        waiting = types.ModuleType("modules.call_queue")
        waiting.queue_lock = self.queue
        monkeypatch.setitem(sys.modules, "modules.call_queue", waiting)
        monkeypatch.setattr(self.shared.state, "end", lambda: None, raising=False)
        for key, value in {"api": True, **arguments}.items():
            monkeypatch.setattr(self.shared.cmd_opts, key, value, raising=False)
        self.samples.mkdir(parents=True, exist_ok=True)
        self.requests = []

        def load(request, *_):
            self.requests.append(request)
            return Loaded(request)

        monkeypatch.setattr(ours("scorer_cache"), "load", load)
        self.option("imagereward_scorer", "demo")
        self.app = FastAPI()

    def option(self, key, value):
        setattr(self.shared.opts, key, value)

    def start(self, demo="pages"):
        """What the host does once its server is there; returns a client."""
        ours("api").on_app_started(demo, self.app)
        return TestClient(self.app, raise_server_exceptions=False)
