"""The house plan holds: imports point one way, the package is light to import, and what a host receives is clean."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "imagereward_core"

# Which rooms a room may import. A room not named here may import nothing of ours but the ground floor.
GROUND = {"errors", "plain"}
MAY_IMPORT = {
    "nets": set(),
    "images": set(),
    "weights": {"images"},
    "scores": {"weights", "images"},
    "selection": {"scores"},
    "clips": {"scores"},
    "runtime": set(),
    "scorers": {"nets", "images", "weights", "scores", "runtime"},
    "model": {"nets", "images", "weights", "scores", "runtime", "scorers"},
    "library": {"images", "weights", "scores", "selection", "scorers", "runtime"},
    "training": {"nets", "images", "weights", "scores", "scorers", "runtime"},
    "demo": {"nets", "images", "weights", "scores", "selection", "scorers", "training", "runtime"},
    "cli": {
        "nets",
        "images",
        "weights",
        "scores",
        "selection",
        "scorers",
        "training",
        "runtime",
        "library",
        "demo",
        "model",
    },
}
HOSTS = {
    "comfy",
    "comfy_api",
    "folder_paths",
    "modules",
    "modules_forge",
    "backend",
    "ldm_patched",
    "gradio",
    "server",
    "launch",
}
ENTRIES = {"__init__", "__main__"}


def sources() -> list[Path]:
    return sorted(CORE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(CORE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[tuple[str, bool]]:
    """Modules a file imports, as (name, ours): names of ours are relative to the package."""
    package = path.relative_to(CORE.parent).with_suffix("").parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {(alias.name, alias.name.split(".")[0] == "imagereward_core") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - node.level + 1]
                target = ".".join([*base[1:], *(node.module or "").split(".")]).strip(".")
                found |= {(target or alias.name, True) for alias in node.names}
            else:
                found.add((node.module or "", (node.module or "").split(".")[0] == "imagereward_core"))
    return found


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(CORE)))
def test_arrows_point_one_way(path):
    room = room_of(path)
    for name, ours in imports(path):
        if not ours:
            assert name.split(".")[0] not in HOSTS, f"{path.name} imports the host module {name}"
            continue
        target = name.split(".")[0]
        if target in GROUND or target == room or room in ENTRIES or target.startswith("__"):
            continue
        assert target in MAY_IMPORT[room], f"{room} must not import {target}"


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(CORE)))
def test_inside_the_package_imports_are_relative(path):
    assert not [name for name, _ in imports(path) if name.split(".")[0] == "imagereward_core"]


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(CORE)))
def test_core_runs_no_programs_and_reads_no_environment(path):
    forbidden_modules = {"subprocess", "requests", "urllib.request", "socket", "pickle", "http.client"}
    assert not {name for name, _ in imports(path)} & forbidden_modules
    if room_of(path) == "cli":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec", "compile", "__import__"}
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"environ", "getenv", "system", "popen"}


@pytest.mark.parametrize(
    "path", [*sources(), *sorted((ROOT / "tests").rglob("*.py"))], ids=lambda path: path.name
)
def test_no_file_is_longer_than_four_hundred_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip()


def test_importing_the_package_loads_nothing_heavy():
    heavy = "torch,transformers,timm,torchvision,numpy,PIL,huggingface_hub,safetensors,tokenizers"
    assert (
        run_python(
            f"import sys, imagereward_core; print([m for m in '{heavy}'.split(',') if m in sys.modules])"
        )
        == "[]"
    )


def test_scoring_needs_neither_timm_nor_torchvision():
    code = """
import sys
sys.modules["timm"] = sys.modules["torchvision"] = None
import imagereward_core as RM
from PIL import Image
value = RM.load("demo", device="cpu").score("a red star on a gray background", Image.new("RGB", (80, 60), "gray"))
print(type(value).__name__)
"""
    assert run_python(code) == "float"


def test_requirements_pin_nothing_and_name_nothing_a_host_brings():
    lines = [
        line.split("#")[0].strip()
        for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    ]
    names = [line for line in lines if line]
    assert names and not [line for line in names if any(mark in line for mark in ("==", "~=", "<", "git+"))]
    brought = {"torch", "transformers", "numpy", "pillow", "torchvision", "timm"}
    assert not {name.lower().split(">")[0] for name in names} & brought


def test_install_script_is_silent_when_nothing_is_missing():
    assert run_python("import install; print(install.missing()); install.main()") == "[]"
