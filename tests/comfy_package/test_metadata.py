"""What registry and manager read in pyproject.toml is there, and agrees with the rest."""

from __future__ import annotations

import re
import sys

import pytest

import imagereward_core
from tests.support.comfyui.pack import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.fixture(scope="module")
def metadata():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_version_is_written_out_and_that_of_the_package(metadata):
    """ComfyUI-Manager takes no pack for installed from the registry whose version is not written in the file itself."""
    version = metadata["project"]["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", version) and version == imagereward_core.__version__


def test_name_is_one_the_registry_takes(metadata):
    name = metadata["project"]["name"]
    assert re.fullmatch(r"[a-z][a-z0-9._-]{1,99}", name) and "comfyui" not in name


def test_comfy_section_is_complete_and_registers_no_second_web_folder(metadata):
    comfy = metadata["tool"]["comfy"]
    assert set(comfy) == {"PublisherId", "DisplayName", "requires-comfyui"}
    assert comfy["DisplayName"] and re.fullmatch(r">=\d+\.\d+\.\d+", comfy["requires-comfyui"])


def test_classifiers_are_ones_the_registry_understands(metadata):
    classifiers = metadata["project"]["classifiers"]
    assert "Operating System :: OS Independent" in classifiers
    assert not [each for each in classifiers if each.startswith("Environment ::")]
    assert metadata["project"]["license"] == {"file": "LICENSE"} and (ROOT / "LICENSE").is_file()
