"""The rooms of the two hosts: neither knows the other, and neither does what an extension must not do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WEBUI = [*sorted((ROOT / "webui_extension").rglob("*.py")), *sorted((ROOT / "scripts").glob("*.py"))]
NODES = [ROOT / "__init__.py", *sorted((ROOT / "nodes").rglob("*.py"))]
FLAGGED = {"subprocess", "socket", "urllib", "http", "pickle", "ctypes", "requests"}
HEAVY = {
    "torch",
    "transformers",
    "timm",
    "torchvision",
    "huggingface_hub",
    "numpy",
}  # gradio is what the host is made of


def imported(path: Path, top_only: bool = False) -> set[str]:
    """Modules a file imports by absolute name, wherever in the file, or at its top only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").split(".")[0])
    return found


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", WEBUI, ids=named)
def test_the_webui_extension_runs_no_program_and_opens_no_connection(path):
    assert not imported(path) & FLAGGED
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec", "compile", "__import__", "print"}
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"environ", "getenv", "system", "popen", "rmtree", "rmdir"}


@pytest.mark.parametrize("path", WEBUI, ids=named)
def test_importing_the_webui_extension_loads_nothing_heavy(path):
    if "runtime" in path.parts:  # imported when a scorer is loaded, not before
        return
    assert not imported(path, top_only=True) & HEAVY


@pytest.mark.parametrize("path", [*WEBUI, *NODES], ids=named)
def test_hosts_rooms_do_not_know_each_other(path):
    others = (
        {"nodes", "comfy", "comfy_api", "folder_paths"}
        if path in WEBUI
        else {"webui_extension", "imagereward_webui", "modules"}
    )
    assert not imported(path) & others


@pytest.mark.parametrize("path", WEBUI, ids=named)
def test_no_file_of_the_webui_extension_is_longer_than_four_hundred_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
