"""Work that a page of the tab began: it is seen, stopped, and its result reaches the page that asked for it."""

from __future__ import annotations

import threading

import pytest

from tests.support.webui.api_client import ApiHost
from tests.support.webui.drawn import save_scenes
from tests.support.webui.fake_webui import ours
from tests.support.webui.tab_page import TabPage


@pytest.fixture
def page(monkeypatch, tmp_path):
    """A page about six drawn scenes for two prompts."""
    page = TabPage(ApiHost(monkeypatch, tmp_path), monkeypatch)
    save_scenes(page.host.samples)
    yield page
    ours("tab").close()


def test_stop_is_there_only_while_something_runs(page, monkeypatch):
    jobs = ours("tab.jobs")
    assert "stop" not in page.do("opened"), "what is begun while a page loads stays on it"
    started, go = threading.Event(), threading.Event()

    def slow(job):
        started.set()
        assert go.wait(20)
        return None, "done"

    job = jobs.start("Resting", slow)
    assert started.wait(20)
    page.do("opened")
    assert page.properties["stop"]["visible"] is True
    page.do("stop")
    assert page.properties["stop"]["visible"] is True and job.stopping
    go.set()
    page.finish()
    assert page.properties["stop"]["visible"] is False
    page.begin()
    assert page.properties["stop"]["visible"] is True
    page.finish()
    assert page.properties["stop"]["visible"] is False


def test_work_stops_when_asked_and_goes_on_where_it_stopped(page, monkeypatch):
    jobs = ours("tab.jobs")
    started, go = threading.Event(), threading.Event()
    library = ours("tab.scoring").Library
    scan = library.scan

    def slow(self, *arguments, **named):
        started.set()
        assert go.wait(20)
        return scan(self, *arguments, **named)

    monkeypatch.setattr(library, "scan", slow)
    page.begin()
    assert started.wait(20)
    page.do("poll")
    assert "data-running" in page.values["progress"]
    page.do("export", "CSV")
    assert "no folder is scored yet" in page.values["message"]
    page.begin()
    assert "still at work" in page.values["message"]
    page.do("stop")
    assert jobs.current().stopping
    go.set()
    assert "Stopped before the end" in page.finish()
    monkeypatch.setattr(library, "scan", scan)
    assert "new scores" in page.score() and len(page.shown) == 6


@pytest.mark.parametrize("begin", ["score", "export", "undo"])
def test_work_that_is_done_before_its_page_has_looked_is_still_asked_for(page, monkeypatch, begin):
    jobs = ours("tab.jobs")
    start = jobs.start

    def at_once(title, work):
        job = start(title, work)
        assert job.wait(60)
        return job

    page.score()
    monkeypatch.setattr(jobs, "start", at_once)
    page.begin() if begin == "score" else page.do(begin, *(["CSV"] if begin == "export" else []))
    assert "data-running" in page.values["progress"] and page.properties["stop"]["visible"]
    page.do("poll")
    assert "data-running" not in page.values["progress"] and not page.properties["stop"]["visible"]


def test_a_page_that_is_opened_meanwhile_joins_in(page, monkeypatch):
    page.begin()
    page.session = ours("tab.session").Session(job=ours("tab.jobs").current().number)
    page.finish()
    assert len(page.shown) == 6
    page.session = ours("tab.session").Session()
    page.do("opened")
    assert page.session.view is None and "data-running" not in page.values["progress"]


@pytest.mark.parametrize("error", [RuntimeError("out of luck"), MemoryError(), OSError("disk")])
def test_a_failure_is_a_line_on_the_page_and_the_queue_goes_on(page, monkeypatch, error):
    def fail(request, interruptible=True):
        raise error

    monkeypatch.setattr(ours("scorer_cache"), "load", fail)
    page.score()
    assert "imagereward-error" in page.values["progress"] and type(error).__name__ in page.values["progress"]
    assert not page.host.queue.lock.locked()


def test_a_page_gets_what_it_asked_for_though_somebody_else_began_something_since(page, monkeypatch):
    page.begin()
    assert ours("tab.jobs").current().wait(60)
    other = TabPage(page.host, monkeypatch, fresh=False)
    other.begin(recursive=False)
    assert "6 new scores" in page.finish() and page.session.view is not None
    assert "0 new scores" in other.finish() and other.session.view.wish.options.recursive is False
    assert page.session.view.wish.options.recursive is True
