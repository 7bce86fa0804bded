import os
from pathlib import Path

import pytest

from tests.support.webui import true_loop
from tests.support.webui.fake_scorer import FakeScorer
from tests.support.webui.fake_webui import HOSTS, FakeHost, ours
from tests.support.webui.real_webui import kind_of

WEBUI = os.environ.get("WEBUI_PATH")


def pytest_generate_tests(metafunc):
    """Every test of a host runs for those of ``--webui``; where WEBUI_PATH is set, for the true loop of that checkout too."""
    if "host" in metafunc.fixturenames:
        true = bool(WEBUI) and getattr(metafunc.module, "TRUE_LOOP", False)
        hosts = chosen_hosts(metafunc.config)
        metafunc.parametrize("host", [*hosts, *(["true loop"] if true else [])], indirect=True)


def chosen_hosts(config):
    """The imitated hosts that were asked for."""
    asked = config.getoption("--webui")
    hosts = HOSTS if asked == "all" else tuple(asked.split(","))
    if not set(hosts) <= set(HOSTS):
        raise pytest.UsageError(f"--webui: found {asked!r}, expected all, or some of {', '.join(HOSTS)}")
    return hosts


@pytest.fixture
def host(request, monkeypatch, tmp_path):
    """Each of the chosen hosts, imitated; or imitated around the true loop."""
    if request.param in HOSTS:
        return FakeHost(monkeypatch, tmp_path, request.param)
    made = FakeHost(monkeypatch, tmp_path, kind_of(Path(WEBUI)))
    true_loop.install(monkeypatch, made, WEBUI)
    return made


@pytest.fixture
def one_host(monkeypatch, tmp_path):
    """A host, for promises in which the hosts do not differ."""
    return FakeHost(monkeypatch, tmp_path)


@pytest.fixture
def scorer(monkeypatch):
    """In place of every scorer: the brightness of a picture, from -2 to 2."""
    return FakeScorer.install(monkeypatch, ours("scorer_cache"))
