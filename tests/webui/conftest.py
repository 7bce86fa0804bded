import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from fake_scorer import FakeScorer
from fake_webui import HOSTS, FakeHost, ours


@pytest.fixture(params=HOSTS)
def host(request, monkeypatch, tmp_path):
    """Each of the three hosts, imitated."""
    return FakeHost(monkeypatch, tmp_path, request.param)


@pytest.fixture
def one_host(monkeypatch, tmp_path):
    """A host, for promises in which the hosts do not differ."""
    return FakeHost(monkeypatch, tmp_path)


@pytest.fixture
def scorer(monkeypatch):
    """In place of every scorer: the brightness of a picture, from -2 to 2."""
    return FakeScorer.install(monkeypatch, ours("loaded"))
