"""What a host receives: imports that cannot hit another pack's files, and nothing a registry's scanner flags."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [ROOT / "__init__.py", *sorted((ROOT / "nodes").rglob("*.py"))]
BROUGHT = {"torch", "numpy", "PIL", "comfy", "comfy_api", "comfy_execution", "folder_paths", "server"}
FORBIDDEN = {"subprocess", "socket", "urllib", "http", "pickle", "ctypes", "requests", "os"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_imports_are_relative_or_the_hosts_and_nothing_is_flagged(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        for name in names:
            top = name.split(".")[0]
            assert top in BROUGHT or (top in sys.stdlib_module_names and top not in FORBIDDEN), name
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec", "compile", "__import__", "print"}
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"environ", "getenv", "cuda", "unlink", "rmtree", "rmdir"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_heavy_is_imported_at_the_top_of_a_family(path):
    if path.name == "runtime.py":  # imported when a scorer is loaded, not before
        return
    heavy = {"torch", "transformers", "huggingface_hub", "comfy"}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            assert not {alias.name.split(".")[0] for alias in node.names} & heavy
        if isinstance(node, ast.ImportFrom) and not node.level:
            assert (node.module or "").split(".")[0] not in heavy
