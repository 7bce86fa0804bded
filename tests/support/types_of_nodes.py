"""Types of the node pack, by mypy: ``python -m tests.support.types_of_nodes``.

The pack reaches the core by ``..imagereward_core``, as a host loads it, so it has to be looked at as a package in a folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support import ROOT

OPTIONS = (
    "--strict --ignore-missing-imports --no-warn-return-any --no-warn-unused-ignores --allow-any-generics --allow-untyped-calls "
    "--allow-subclassing-any --follow-imports=silent"
).split()


def main() -> int:
    """Looks at the nodes through a link to the repository; returns mypy's exit code."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pack").symlink_to(ROOT, target_is_directory=True)
        command = [sys.executable, "-m", "mypy", *OPTIONS, "-p", "pack.nodes"]
        return subprocess.run([*command, "--config-file", os.devnull], cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
