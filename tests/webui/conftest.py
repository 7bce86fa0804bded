import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

import true_loop
from fake_scorer import FakeScorer
from fake_webui import HOSTS, FakeHost, ours
from real_webui import kind_of

WEBUI = os.environ.get("WEBUI_PATH")


def pytest_generate_tests(metafunc):
    """Every test of a host runs for three of them; where WEBUI_PATH is set, for the true loop of that checkout too."""
    if "host" in metafunc.fixturenames:
        true = bool(WEBUI) and getattr(metafunc.module, "TRUE_LOOP", False)
        metafunc.parametrize("host", [*HOSTS, *(["true loop"] if true else [])], indirect=True)


@pytest.fixture
def host(request, monkeypatch, tmp_path):
    """Each of the three hosts, imitated; or imitated around the true loop."""
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
    return FakeScorer.install(monkeypatch, ours("loaded"))
