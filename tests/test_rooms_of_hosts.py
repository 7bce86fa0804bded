"""The rooms of the two hosts: neither knows the other, and neither does what an extension must not do."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WEBUI = [*sorted((ROOT / "webui_extension").rglob("*.py")), *sorted((ROOT / "scripts").glob("*.py"))]
NODES = [ROOT / "__init__.py", *sorted((ROOT / "nodes").rglob("*.py"))]
CALLS = {"eval", "exec", "compile", "__import__", "print"}
ATTRIBUTES = {"environ", "getenv", "system", "popen", "rmtree", "rmdir"}
COMFYUIS = {"nodes", "comfy", "comfy_api", "folder_paths"}
WEBUIS = {"webui_extension", "imagereward_webui", "modules"}
FLAGGED = {"subprocess", "socket", "urllib", "http", "pickle", "ctypes", "requests"}
HEAVY = {
    "torch",
    "transformers",
    "timm",
    "torchvision",
    "huggingface_hub",
    "numpy",
}  # gradio is what the host is made of


def imported(nodes: Iterable[ast.AST]) -> set[str]:
    """Modules that some of a file's parts import by absolute name."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").split(".")[0])
    return found


def wrong(
    paths: Iterable[Path], flaws: Callable[[Path, str], Iterable[str | int]]
) -> dict[str, list[str | int]]:
    """What is wrong with files, by their names; those with which nothing is are left out."""
    found = {
        path.relative_to(ROOT).as_posix(): sorted(set(flaws(path, path.read_text(encoding="utf-8"))), key=str)
        for path in paths
    }
    return {name: each for name, each in found.items() if each}


def test_the_webui_extension_runs_no_program_and_opens_no_connection() -> None:
    def flaws(path: Path, text: str) -> Iterator[str]:
        nodes = list(ast.walk(ast.parse(text)))
        yield from imported(nodes) & FLAGGED
        for node in nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
                yield node.func.id
            if isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES:
                yield node.attr

    assert wrong(WEBUI, flaws) == {}


def test_importing_the_webui_extension_loads_nothing_heavy() -> None:
    # The runtime is imported when a scorer is loaded, not before.
    early = [path for path in WEBUI if "runtime" not in path.parts]
    assert wrong(early, lambda path, text: imported(ast.parse(text).body) & HEAVY) == {}


def test_hosts_rooms_do_not_know_each_other() -> None:
    def flaws(path: Path, text: str) -> set[str]:
        return imported(ast.walk(ast.parse(text))) & (COMFYUIS if path in WEBUI else WEBUIS)

    assert len(WEBUI) > 40 and len(NODES) > 20
    assert wrong([*WEBUI, *NODES], flaws) == {}


def test_no_file_of_the_webui_extension_is_longer_than_four_hundred_lines() -> None:
    def flaws(path: Path, text: str) -> list[int]:
        return [length for length in [len(text.splitlines())] if length > 400]

    assert wrong(WEBUI, flaws) == {}
