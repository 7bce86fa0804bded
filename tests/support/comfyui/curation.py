"""Curate Folder on a small tree of drawn scenes."""

from __future__ import annotations

import shutil

import pytest

from tests.support.comfyui.graphs import Graph, shown


@pytest.fixture
def scenes(host):
    """Drawn scenes in the host's output folder, of which nothing is known yet."""
    where = host.base / "output" / "scenes"
    shutil.rmtree(where.parent, ignore_errors=True)
    shutil.copytree(host.base / "input" / "scenes", where)
    return where


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if ".imagereward" not in path.parts
    }


def curate(host, **changes):
    graph = Graph()
    node = graph.curate(**changes)
    probes = [graph.show(node, slot) for slot in range(5)]
    ran = host.run(graph)
    return ran, [
        shown(ran, probe) if probe in ran.outputs else None for probe in probes
    ] if ran.status == "success" else []
