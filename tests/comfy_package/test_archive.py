"""The archive that would be published: complete for the host, nothing more, and nothing in it that the registry flags."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys

import pytest

from tests.support.comfyui.pack import NODE_IDS, ROOT

pytest.importorskip("pathspec", reason="pathspec reads .comfyignore; it comes with the development packages")
from tests.support.comfyui.archive import published_files

FILES = published_files()
PYTHON = [path for path in FILES if path.endswith(".py")]
NETWORK = {
    "requests",
    "httpx",
    "aiohttp",
    "socket",
    "ssl",
    "http",
    "urllib",
    "urllib3",
    "websocket",
    "websockets",
    "ftplib",
    "smtplib",
}
PROCESSES = {"subprocess", "multiprocessing", "pty", "ctypes", "pickle", "marshal", "shelve", "pip"}
CALLS = {"eval", "exec", "compile", "__import__"}
ATTRIBUTES = {
    "environ",
    "environb",
    "getenv",
    "putenv",
    "system",
    "popen",
    "execv",
    "execve",
    "spawnv",
    "startfile",
    "rmtree",
}
WORDS = re.compile(r"\b(subprocess|os\.environ|getenv|os\.system|base64\.b64decode)\b")
SUFFIXES = {".py", ".md", ".json", ".jpg", ".toml", ".txt", ".safetensors", ".typed", ""}


def findings(source):
    """What a scanner would flag in a Python file."""
    found = []
    for node in ast.walk(ast.parse(source)):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            modules = [node.module or ""]
        found += [name for name in modules if name.split(".")[0] in NETWORK | PROCESSES]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            found.append(node.func.id)
        if isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES:
            found.append(node.attr)
    return found + [match.group() for match in WORDS.finditer(source)]


def test_nothing_in_it_is_what_the_registry_flags():
    flagged = {path: findings((ROOT / path).read_text(encoding="utf-8")) for path in PYTHON}
    assert {path: found for path, found in flagged.items() if found} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess",
        "from urllib.request import urlopen",
        "import os\nkey = os.environ['X']",
        "from os import getenv\ngetenv('X')",
        "eval('1')",
        "exec('1')",
        "import requests.sessions",
        "import socket as s",
        "import os\nos.popen('ls')",
    ],
)
def test_the_scan_finds_what_it_looks_for(source):
    assert findings(source)


def test_it_holds_no_script_for_the_browser_and_no_program():
    assert {
        "." + path.rpartition("/")[2].rpartition(".")[2] if "." in path.rpartition("/")[2] else ""
        for path in FILES
    } <= SUFFIXES
    assert [path for path in FILES if path.endswith(".safetensors")] == [
        "imagereward_core/demo/model/demo.safetensors"
    ]


def test_it_has_what_the_host_reads_and_leaves_out_what_it_does_not():
    tops = {path.partition("/")[0] for path in FILES}
    host = {"__init__.py", "nodes", "imagereward_core", "web", "locales", "example_workflows", "subgraphs"}
    assert tops == host | {"pyproject.toml", "requirements.txt", "README.md", "LICENSE"}
    rooms = {
        path.split("/")[1] for path in FILES if path.startswith("imagereward_core/") and path.count("/") > 1
    }
    assert not rooms & {"cli", "training", "evaluation"}
    assert not [path for path in FILES if "test" in path.lower()]


INVENTED = (
    "taste/fit.py",
    "imagereward_core/taste/fit.py",
    "imagereward_core/taste.py",
    "imagereward_core/library/people/faces.py",
    "imagereward_core/library/people.py",
    "imagereward_core/report/pages.py",
    "imagereward_core/demo/people.py",
    "imagereward_lab/people.py",
    "tool.py",
    ".secret",
    "notes/nodes/list.py",
)
"""Files that nobody has named in the list of what is published, one for each place in which a new one may appear."""


def test_a_new_room_or_file_does_not_ship_unless_it_is_named():
    assert published_files(INVENTED) == []
    named = ("imagereward_core/taste.py", "imagereward_core/library/people/faces.py")
    let_in = ("!/imagereward_core/taste.py", "!/imagereward_core/library/people/")
    assert published_files(INVENTED, let_in) == list(named)


def test_it_is_small(published):
    assert sum(path.stat().st_size for path in published.rglob("*") if path.is_file()) < 6_000_000


def run_in(folder, code):
    """Runs code in a fresh process that sees the fake host and the unpacked archive."""
    start = f"import sys; sys.path[:0] = [{str(ROOT)!r}]; sys.dont_write_bytecode = True\n"
    command = [sys.executable, "-P" if sys.version_info >= (3, 11) else "-B", "-c", start + code]
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_fresh_process_gets_all_nodes_from_it_and_every_module_imports_without_those_left_out(
    published, tmp_path
):
    code = f"""
import importlib, json, sys
from pathlib import Path
import pytest
from tests.support.comfyui import fake_host
repository = {str(ROOT / "imagereward_core")!r}
with pytest.MonkeyPatch.context() as patch:
    host = fake_host.FakeHost(patch, Path({str(tmp_path)!r}), packs=(Path({str(published)!r}),))
    files = [str(getattr(module, "__file__", "")) for module in sys.modules.values()]
    strays = [file for file in files if file.startswith(repository)]
    root = Path({str(published)!r})
    names = [".".join(path.relative_to(root).with_suffix("").parts) for path in sorted(root.rglob("*.py"))]
    for name in names:
        if name != "__init__":
            importlib.import_module(host.packs[0].__name__ + "." + name.removesuffix(".__init__"))
    print(json.dumps([sorted(host.nodes), host.packs[0].WEB_DIRECTORY, strays, len(names)]))
"""
    nodes, web, strays, modules = run_in(published, code)
    assert nodes == sorted(NODE_IDS) and strays == []
    assert (published / web / "docs" / f"{nodes[0]}.md").is_file()
    assert modules == len(PYTHON)


def test_the_real_host_loads_it_and_serves_its_pages_texts_and_examples(comfyui):
    assert set(NODE_IDS) <= set(comfyui.call("/object_info"))
    examples = {path.rpartition("/")[2] for path in FILES if path.startswith("example_workflows/")}
    served = comfyui.call("/workflow_templates")["imagereward-curator"]
    assert {f"{name}.json" for name in served} == {name for name in examples if name.endswith(".json")}
    texts = comfyui.call("/i18n")
    assert all(set(NODE_IDS) <= set(texts[language]["nodeDefs"]) for language in ("en", "zh"))
    assert "IMPORT FAILED" not in comfyui.log.read_text(errors="replace")
    blueprints = comfyui.call("/global_subgraphs")
    if blueprints is not None:  # hosts of 2025 have no blueprints
        assert "Best of N, upscaled (ImageReward)" in {each["name"] for each in blueprints.values()}
