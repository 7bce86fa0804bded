"""An installed copy has all that the pages need, also what a checkout has for the WebUI."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FILES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "style.css")
FOLDERS = ("javascript", "localizations", "imagereward_core", "imagereward_lab")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of a copy of this tree, unpacked."""
    pytest.importorskip(
        "setuptools", minversion="70.1", reason="builds a wheel, for which older ones need more"
    )
    tree, built = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("built")
    for name in FILES:
        shutil.copy(ROOT / name, tree / name)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    code = f"from setuptools import build_meta; build_meta.build_wheel({str(built)!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    (made,) = built.glob("*.whl")
    with zipfile.ZipFile(made) as archive:
        archive.extractall(built / "here")
    return built / "here"


def test_a_wheel_has_every_file_that_a_page_asks_for(wheel):
    code = """
from fastapi import APIRouter
from imagereward_lab.server.browse.routes import HERE, _MODULES
from imagereward_lab.server.scripts import SCRIPTS, script_texts
from imagereward_lab.server.shell import STATIC, shared_texts
from imagereward_lab.server.texts import read_texts
known = {path.name for place in (HERE / "static", STATIC, *SCRIPTS) for path in place.iterdir()}
print(len(SCRIPTS), HERE, sorted(known), len(script_texts("zh")) > 20, len(read_texts(HERE / "texts.json")) > 50, bool(shared_texts()))
print((HERE / "body.html").is_file(), {f"imagereward_{name}.js" for name in _MODULES} - known)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=wheel,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(wheel)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = done.stdout.splitlines()
    assert first.startswith(f"1 {wheel}") and first.endswith("True True True") and second == "True set()"
    asked = set()
    for path in (*wheel.rglob("server/**/*.js"), *wheel.rglob("server/**/*.html")):
        asked |= set(re.findall(r'from "(?:\./|\.\./shared/)([\w.]+)"', path.read_text(encoding="utf-8")))
    assert asked and all(
        f"'{name}'" in first for name in asked | {"style.css", "open.css", "open.js", "page.css"}
    )
