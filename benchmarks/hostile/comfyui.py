"""The ComfyUI nodes that act on folders, in the imitated host of the tests."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from .arena import Work


class Host:
    """An imitated ComfyUI with the node pack in it.

    Args:
        base: A folder for it, until a graph is run in another one.
    """

    def __init__(self, base: Path) -> None:
        import pytest

        self.patch = pytest.MonkeyPatch()
        self.graphs = importlib.import_module("tests.support.comfyui.graphs")
        self.host = importlib.import_module("tests.support.comfyui.fake_host").FakeHost(self.patch, base)

    def curate(self, base: Path, mode: str, **inputs: object) -> Work:
        """The node *Curate Folder* in a host whose folders lie in ``base``."""

        def work() -> int:
            self._lies_in(base)
            graph = self.graphs.Graph()
            given = {
                "mode": mode, "where": "output", "folder": "", "subfolders": True, "top_k": 1, "top_percent": 100.0,
                "min_score": -1000.0, "min_percentile": 0.0, "keep_at_least": 0, "per": "all pictures", "unique": False,
                "action": "move", "kept_folder": "kept", "rejected_folder": "rejected", "rejected": "put apart",
                "write_scores": False, **inputs,
            }  # fmt: skip
            node = graph.add("CurateFolder", scorer=[graph.load(), 0], **given)
            return self._run(graph, graph.show(node, 4))

        return work

    def save(self, base: Path) -> Work:
        """Some pictures scored and saved by *Save Scored Images* into ``base / "output"``."""

        def work() -> int:
            self._lies_in(base)
            graph = self.graphs.Graph()
            images = [graph.pictures(), 0]
            saved = graph.save(graph.score(images), images, filename_prefix="run/%rank%")
            return self._run(graph, saved)

        return work

    def _lies_in(self, base: Path) -> None:
        paths = sys.modules["folder_paths"]
        self.patch.setattr(paths, "get_output_directory", lambda: str(base / "output"))
        self.patch.setattr(paths, "get_user_directory", lambda: str(base / "user"), raising=False)

    def _run(self, graph: dict, node: str) -> int:
        ran = self.host.run(graph)
        print(ran.status, ran.kind, ran.error, ran.outputs.get(node, ""))
        return 0 if ran.status == "success" else 4
