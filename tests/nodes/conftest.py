"""Hosts for the node tests: two generations of the host in this process, and a real one where COMFYUI_PATH is set."""

from __future__ import annotations

import pytest

from tests.support.comfyui.curation import scenes
from tests.support.comfyui.fake_host import FakeHost
from tests.support.comfyui.graphs import draw_scenes

__all__ = ["scenes"]


@pytest.fixture(scope="session")
def running_comfyui(tmp_path_factory):
    """The real host, started once; None where COMFYUI_PATH is not set."""
    from tests.support.comfyui.real_host import from_environment

    host = from_environment(tmp_path_factory.mktemp("comfyui"))
    if host is not None:
        draw_scenes(host.base / "input" / "scenes")
    yield host
    if host is not None:
        host.close()


@pytest.fixture
def real(running_comfyui):
    """The real host alone."""
    if running_comfyui is None:
        pytest.skip("COMFYUI_PATH is not set; set it to a ComfyUI folder to run this against the real host")
    return running_comfyui


@pytest.fixture(params=["recent", "old"])
def fake(request, monkeypatch, tmp_path):
    """A host in this process, of either generation."""
    host = FakeHost(monkeypatch, tmp_path, recent=request.param == "recent")
    draw_scenes(tmp_path / "input" / "scenes")
    yield host
    host.close()


@pytest.fixture(params=["recent", "old", "real"])
def host(request):
    """Any host: what a test says with this holds in this process and in the real one."""
    if request.param == "real":
        yield request.getfixturevalue("real")
        return
    monkeypatch = request.getfixturevalue("monkeypatch")
    made = FakeHost(monkeypatch, request.getfixturevalue("tmp_path"), recent=request.param == "recent")
    draw_scenes(made.base / "input" / "scenes")
    yield made
    made.close()
