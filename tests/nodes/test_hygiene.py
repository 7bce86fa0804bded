"""What a host receives: imports that cannot hit another pack's files, and nothing a registry's scanner flags."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [ROOT / "__init__.py", *sorted((ROOT / "nodes").rglob("*.py"))]
BROUGHT = {"torch", "numpy", "PIL", "comfy", "comfy_api", "comfy_execution", "folder_paths", "server"}
FORBIDDEN = {"subprocess", "socket", "urllib", "http", "pickle", "ctypes", "requests", "os"}


CALLS = {"eval", "exec", "compile", "__import__", "print"}
ATTRIBUTES = {"environ", "getenv", "cuda", "unlink", "rmtree", "rmdir"}
HEAVY = {"torch", "transformers", "huggingface_hub", "comfy"}


def imported(node: ast.AST) -> list[str]:
    """First parts of the names that a statement imports absolutely."""
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [(node.module or "").split(".")[0]]
    return []


def flaws(text: str) -> Iterator[str | int]:
    """What is wrong with a source file."""
    if (length := len(text.splitlines())) > 400:
        yield length
    for node in ast.walk(ast.parse(text)):
        for top in imported(node):
            if top not in BROUGHT and (top not in sys.stdlib_module_names or top in FORBIDDEN):
                yield top
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            yield node.func.id
        if isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES:
            yield node.attr


def test_imports_are_relative_or_the_hosts_and_nothing_is_flagged() -> None:
    assert len(SOURCES) > 20
    found = {str(path.relative_to(ROOT)): list(flaws(path.read_text(encoding="utf-8"))) for path in SOURCES}
    assert {name: each for name, each in found.items() if each} == {}


def test_nothing_heavy_is_imported_at_the_top_of_a_family() -> None:
    found = {
        str(path.relative_to(ROOT)): {
            top for node in ast.parse(path.read_text(encoding="utf-8")).body for top in imported(node)
        }
        & HEAVY
        for path in SOURCES
        if path.name != "runtime.py"  # imported when a scorer is loaded, not before
    }
    assert {name: each for name, each in found.items() if each} == {}
