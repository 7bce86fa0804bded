"""The house plan holds: imports point one way, nothing goes in a circle, and each room has its own third-party packages."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CORE = "imagereward_core"
PACKAGES = (CORE, "imagereward_lab", "nodes", "webui_extension", "benchmarks", "scripts")

# Anybody may import these.
GROUND = {"errors", "plain", "lazy", "records", "settings"}
SCORING = {"images", "metadata", "weights", "scores", "selection", "metrics", "scorers"}
# For each room: which rooms it may import, and which third-party packages. A room that is not named here may not be.
ROOMS: dict[str, tuple[set[str], set[str]]] = {
    "errors": (set(), set()),
    "plain": (set(), set()),
    "lazy": (set(), set()),
    "records": (set(), set()),
    "settings": (set(), set()),
    "files": (set(), {"filelock"}),
    "nets": (set(), {"timm", "torch"}),
    "runtime": (set(), {"torch"}),
    "images": ({"files"}, {"PIL", "numpy", "torch"}),
    "metadata": ({"files", "images", "weights"}, {"PIL", "numpy"}),
    "weights": ({"files", "images"}, {"huggingface_hub", "safetensors", "torch"}),
    "scores": ({"weights"}, {"numpy"}),
    "selection": ({"scores"}, {"numpy"}),
    "clips": ({"scores"}, {"numpy"}),
    "metrics": ({"scores"}, {"numpy"}),
    "ranking": (set(), {"numpy"}),
    "scorers": (
        {"files", "nets", "runtime", "images", "metadata", "weights", "scores", "metrics"},
        {"PIL", "ftfy", "numpy", "tokenizers", "torch", "transformers"},
    ),
    "model": ({"nets", "runtime", "images", "weights", "scores", "scorers"}, {"torch"}),
    "report": (
        {"files", "images", "metadata", "weights", "scores", "selection", "scorers"},
        {"PIL", "numpy", "pyarrow"},
    ),
    "library.store": ({"files", "images", "weights", "scores"}, set()),
    "library.scan": ({"files", "images", "metadata", "scores", "scorers", "library.store"}, {"PIL", "torch"}),
    "library.journal": ({"files", "images", "metadata"}, set()),
    "library": (
        {"files", "report", "ranking", "library.store", "library.scan", "library.journal", *SCORING},
        {"numpy"},
    ),
    "library.curate": (
        {"files", "report", "library", "library.store", "library.scan", "library.journal", *SCORING},
        {"numpy"},
    ),
    "library.watch": (
        {"files", "images", "metadata", "scorers", "library", "library.scan", "library.curate"},
        {"watchdog"},
    ),
    "gallery": (
        {"files", "images", "report", "library", "library.curate", "library.scan", "library.store", *SCORING},
        {"PIL"},
    ),
    "demo": (set(), {"PIL", "numpy"}),
    "cli": (
        {
            "files",
            "nets",
            "runtime",
            "report",
            "demo",
            "library",
            "library.store",
            "library.scan",
            "library.journal",
            "library.curate",
            "library.watch",
            *SCORING,
        },
        {"PIL", "huggingface_hub", "torch", "tqdm"},
    ),
    "__main__": ({"cli"}, set()),
    CORE: ({"model", "runtime", *SCORING}, set()),
    "imagereward_lab": (
        {CORE},
        {
            *{"PIL", "matplotlib", "numpy", "peft", "pyarrow", "safetensors", "torch", "torch_fidelity"},
            *{"fastapi", "sqlalchemy", "starlette", "uvicorn"},
            *{"diffusers", "faiss", "krippendorff", "tokenizers", "transformers"},
        },
    ),
    "nodes": (
        {CORE},
        {"PIL", "comfy", "comfy_api", "comfy_execution", "folder_paths", "numpy", "server", "torch"},
    ),
    "webui_extension": (
        {CORE},
        {"PIL", "backend", "fastapi", "gradio", "modules", "numpy", "pydantic", "starlette", "torch"},
    ),
    "benchmarks": (
        {CORE, "imagereward_lab", "nodes", "webui_extension"},
        {
            "PIL",
            "diffusers",
            "numpy",
            "playwright",
            "pytest",
            "safetensors",
            "tests",
            "torch",
            "transformers",
        },
    ),
    "scripts": ({"webui_extension"}, {"imagereward_webui"}),
}


@cache
def modules() -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def room_of(module: str) -> str:
    first, *inner = module.split(".")
    if first != CORE:
        return first
    if not inner:
        return CORE
    within = ".".join(inner[:2])
    return within if within in ROOMS else inner[0]


def imports(module: str) -> Iterator[str]:
    """Full names of all modules that a module imports anywhere in its file, for types only too."""
    path = modules()[module]
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            target = ".".join([*base, *filter(None, [node.module])])
            for alias in node.names:
                yield f"{target}.{alias.name}" if f"{target}.{alias.name}" in modules() else target


def test_every_room_imports_only_what_it_may():
    wrong = []
    for module in modules():
        room = room_of(module)
        if room not in ROOMS:
            wrong.append(f"{module}: the room {room} is not in the plan")
            continue
        rooms, packages = ROOMS[room]
        for name in imports(module):
            top = name.split(".")[0]
            if top in sys.stdlib_module_names:
                continue
            if top not in PACKAGES:
                fine = top in packages
            else:
                target = room_of(name)
                shown = modules()[module].name == "__init__.py" and name.startswith(f"{module}.")
                fine = shown or target in GROUND | rooms | {room} or top in rooms
            if not fine:
                wrong.append(f"{module} must not import {name}")
    assert not wrong, "\n".join(wrong)


def test_every_import_of_ours_leads_to_a_module():
    """Also one that stands inside a function, or is for types only: nothing else notices those before a person does."""
    packages = {name.rpartition(".")[0] for name in modules()}
    wrong = []
    for module, path in modules().items():
        package = path.relative_to(ROOT).parts[:-1]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else ()
                target = ".".join([*base, *filter(None, [node.module])])
                if (
                    node.level or target.split(".")[0] in PACKAGES
                ) and target not in modules().keys() | packages:
                    wrong.append(f"{module} imports from {target}, which is not there")
    assert not wrong, "\n".join(wrong)


def test_nothing_goes_in_a_circle():
    arrows = {
        module: {name for name in imports(module) if name in modules()} - {module} for module in modules()
    }
    while arrows:
        ends = {module for module, targets in arrows.items() if not targets & arrows.keys()}
        assert ends, f"these import one another: {sorted(arrows)}"
        arrows = {module: targets for module, targets in arrows.items() if module not in ends}


def test_inside_a_package_imports_are_relative():
    wrong = [
        f"{module} imports {name}"
        for module, path in modules().items()
        if module.split(".")[0] in (CORE, "imagereward_lab")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
        if name.split(".")[0] == module.split(".")[0]
    ]
    assert not wrong, "\n".join(wrong)


def test_core_runs_no_programs_and_reads_no_environment():
    forbidden = {"subprocess", "requests", "urllib.request", "socket", "pickle", "http.client"}
    wrong = []
    for module, path in modules().items():
        if not module.startswith(CORE):
            continue
        wrong += [f"{module} imports {name}" for name in imports(module) if name in forbidden]
        if room_of(module) == "cli":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name) and node.id in {"eval", "exec", "compile", "__import__"}:
                wrong.append(f"{module} calls {node.id}")
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "system", "popen"}:
                wrong.append(f"{module} uses {node.attr}")
    assert not wrong, "\n".join(wrong)


def test_no_file_is_longer_than_four_hundred_lines():
    files = [*modules().values(), *(ROOT / "tests").rglob("*.py")]
    long = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert not {name: lines for name, lines in long.items() if lines > 400}


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


def test_scoring_needs_neither_timm_nor_torchvision_and_the_command_not_even_transformers(tmp_path):
    code = f"""
import sys
sys.modules["timm"] = sys.modules["torchvision"] = None
import imagereward_core as RM
from imagereward_core.cli.main import main
from PIL import Image
Image.new("RGB", (80, 60), "gray").save({str(tmp_path / "gray.png")!r})
main(["score", {str(tmp_path)!r}, "-s", "demo", "-p", "a red star", "-o", {str(tmp_path / "rows.csv")!r}])
print("transformers" in sys.modules)
value = RM.load("demo", device="cpu").score("a red star on a gray background", Image.new("RGB", (80, 60), "gray"))
print(type(value).__name__)
"""
    assert run_python(code).split() == ["False", "float"]
    assert "gray.png" in (tmp_path / "rows.csv").read_text(encoding="utf-8")


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
