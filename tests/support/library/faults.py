"""File systems that misbehave, for the length of a test."""

from __future__ import annotations

import errno
import io
import os
import pathlib
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock


def refusal(code, path=""):
    return OSError(code, os.strerror(code), str(path))


@contextmanager
def refusing(name, code, when=lambda *paths: True, module=os):
    """``os.<name>`` fails with an error number where ``when`` says so of its paths."""
    real = getattr(module, name)

    def call(*arguments, **more):
        if when(*map(str, arguments)):
            raise refusal(code, arguments[0])
        return real(*arguments, **more)

    with replaced(module, name, call):
        if name == "link":
            with mock.patch.object(os, "supports_follow_symlinks", {*os.supports_follow_symlinks, call}):
                yield
        else:
            yield


@contextmanager
def replaced(module, name, call):
    """``os.<name>`` is another function, for Path.unlink, Path.rename and the like as well."""
    # Python 3.10 keeps the functions that pathlib calls in a class of its own.
    accessor = getattr(pathlib, "_NormalAccessor", None)
    with ExitStack() as stack:
        shared = getattr(accessor, name, None) is getattr(module, name)
        stack.enter_context(mock.patch.object(module, name, call))
        if shared:
            stack.enter_context(mock.patch.object(accessor, name, staticmethod(call)))
        yield


@contextmanager
def another_file_system(folder):
    """Everything below ``folder`` is on a file system of its own."""

    def apart(source, target, *_):
        return (str(folder) in source) != (str(folder) in target)

    with refusing("link", errno.EXDEV, apart), refusing("rename", errno.EXDEV, apart):
        yield


@contextmanager
def without_links():
    """As exFAT: no hard links."""
    with refusing("link", errno.EPERM):
        yield


@contextmanager
def without_letter_case(root):
    """Below ``root``, ``a.png`` and ``A.PNG`` are one name, as on Windows, macOS and memory cards; there are no hard links."""
    start = Path(os.path.realpath(root))

    def folded(path):
        if not isinstance(path, (str, os.PathLike)):
            return path
        path = Path(path)
        if start not in path.parents:
            return path
        found = start
        for part in path.relative_to(start).parts:
            try:
                found = found / next(name for name in listdir(found) if name.lower() == part.lower())
            except (StopIteration, OSError):
                found = found / part
        return found

    listdir = os.listdir

    def wrapped(real, folded_arguments):
        def call(*arguments, **more):
            arguments = list(arguments)
            for place in folded_arguments:
                if place < len(arguments):
                    arguments[place] = folded(arguments[place])
            return real(*arguments, **more)

        return call

    def rename(source, target):
        source, wanted = folded(source), Path(target)
        there = folded(wanted)
        real_rename(source, there.parent / wanted.name)
        if there.exists() and there.name != wanted.name and there != source:
            there.unlink()

    real_rename = os.rename
    replacements = [
        (os, name, wrapped(getattr(os, name), [0]))
        for name in (
            "stat",
            "lstat",
            "unlink",
            "mkdir",
            "rmdir",
            "listdir",
            "readlink",
            "utime",
            "chmod",
            "scandir",
        )
    ]
    replacements += [
        (os, "rename", rename),
        (os, "replace", wrapped(os.replace, [0, 1])),
        (io, "open", wrapped(io.open, [0])),
        (os, "open", wrapped(os.open, [0])),
    ]
    with ExitStack() as stack:
        stack.enter_context(without_links())
        for replacement in replacements:
            stack.enter_context(replaced(*replacement))
        yield


class Killed(BaseException):
    """Stands for the end of the process: nothing that follows it runs."""
