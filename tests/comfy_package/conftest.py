"""The node pack as it is presented and published: schemas from a host in this process, examples, the archive."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.comfyui import pack
from tests.support.comfyui.fake_host import FakeHost
from tests.support.comfyui.real_host import RealHost


@pytest.fixture(scope="session")
def texts():
    """Everything a schema says, by node id."""
    return pack.schema_texts()


@pytest.fixture(scope="session")
def known_nodes():
    """Our nodes by their schemas, and the built-in nodes the examples use as recorded from real hosts."""
    return {**pack.recorded_nodes(), **pack.own_nodes()}


@pytest.fixture
def bench(monkeypatch, tmp_path):
    """A host in this process with our pack and with those built-in nodes that draw pictures."""
    host = FakeHost(monkeypatch, tmp_path, packs=(pack.ROOT, Path(pack.__file__).parent / "builtins"))
    yield host
    host.close()


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """The folder a user has after installing from the registry."""
    pytest.importorskip(
        "pathspec", reason="pathspec reads .comfyignore; it comes with the development packages"
    )
    from tests.support.comfyui.archive import unpack_published

    return unpack_published(tmp_path_factory.mktemp("registry") / "custom_nodes" / "imagereward-curator")


@pytest.fixture(scope="session")
def comfyui(tmp_path_factory, published):
    """A real host with the pack as published."""
    folder = os.environ.get("COMFYUI_PATH")
    if not folder:
        pytest.skip(
            "COMFYUI_PATH is not set; set it to a ComfyUI folder to run the published pack in the real host"
        )
    python = os.environ.get("COMFYUI_PYTHON", sys.executable)
    host = RealHost(Path(folder), python, tmp_path_factory.mktemp("host"), pack=published)
    yield host
    host.close()
