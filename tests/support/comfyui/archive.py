"""The archive that would be published: what git knows of, less what ``.comfyignore`` names, as the registry's own tool packs it."""

from __future__ import annotations

import subprocess
import zipfile

from pathspec import GitIgnoreSpec

from tests.support.comfyui.pack import ROOT


def published_files(files=None, more=()):
    """Paths relative to the repository, with forward slashes.

    Args:
        files: The paths to choose from; None for those that git knows.
        more: Lines to be read after those of ``.comfyignore``.
    """
    lines = (ROOT / ".comfyignore").read_text(encoding="utf-8").splitlines()
    ignored = GitIgnoreSpec.from_lines([*lines, *more])
    return [path for path in (_known_to_git() if files is None else files) if not ignored.match_file(path)]


def unpack_published(folder):
    """Packs the archive, unpacks it into ``folder`` and returns that."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    target = folder.with_suffix(".zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in published_files():
            archive.write(ROOT / path, path)
    with zipfile.ZipFile(target) as archive:
        archive.extractall(folder)
    target.unlink()
    return folder


def _known_to_git():
    """Tracked files, and new ones that are not ignored: a file counts before it is committed."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    return sorted(path for path in set(listed) if path and (ROOT / path).is_file())
