"""The few operations on files that everything else is made of. Each leaves every file whole, whenever the process ends."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ...metadata.companions import alike

_BLOCK = 1024 * 1024
_WITHOUT_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
TEMPORARY_PREFIX, TEMPORARY_SUFFIX = ".imagereward-", ".tmp"


class Refused(Exception):
    """A step cannot be done as things are; the text is the reason. All files are as they were."""


@dataclass(frozen=True)
class Mark:
    """By what a version of a file is known again.

    Attributes:
        modified_ns: Time of its last change, in nanoseconds since 1970.
        digest: SHA-256 of its bytes in hexadecimal; empty where they were not read.
    """

    size: int
    modified_ns: int
    digest: str = ""

    def looks_like(self, other: Mark | None) -> bool:
        """Whether size and time agree. A file that is to be removed is compared by its bytes instead."""
        return other is not None and (self.size, self.modified_ns) == (other.size, other.modified_ns)


def mark_of(path: Path) -> Mark:
    """Size and time of a file."""
    return _mark(path.stat())


def _mark(facts: os.stat_result, digest: str = "") -> Mark:
    return Mark(facts.st_size, facts.st_mtime_ns, digest)


def read_mark(path: Path) -> Mark:
    """Size, time and digest of a file, which is read for it."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
        return _mark(os.fstat(file.fileno()), digest.hexdigest())


def holds(path: Path, mark: Mark | None) -> bool:
    """Whether there is a file with exactly the bytes of ``mark``."""
    if mark is None or not mark.digest:
        return False
    try:
        return path.is_file() and path.stat().st_size == mark.size and read_mark(path).digest == mark.digest
    except FileNotFoundError:
        return False


def version_of(path: Path) -> tuple[int, ...] | None:
    """A value that changes when a file is written to or replaced; None where there is none. Costs one call; links are followed."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns


def exists(path: Path) -> bool:
    """Whether the name is taken, by whatever."""
    return os.path.lexists(path)


def same_entry(one: Path, other: Path) -> bool:
    """Whether two names stand for one file, or for two symbolic links to one place."""
    try:
        if os.path.samestat(one.lstat(), other.lstat()):
            return True
        return one.is_symlink() and other.is_symlink() and os.path.realpath(one) == os.path.realpath(other)
    except OSError:
        return False


def two_names(one: Path, other: Path) -> bool:
    """Whether one file stands under both names, so that one of them can go.

    False where letter case does not count and both are one, and where two paths lead to one name.
    """
    try:
        facts, others = one.lstat(), other.lstat()
    except OSError:
        return False
    link = stat.S_ISLNK(facts.st_mode)
    if os.path.samestat(facts, others):
        found = facts.st_nlink > 1 and not link
    else:
        found = link and stat.S_ISLNK(others.st_mode) and os.path.realpath(one) == os.path.realpath(other)
    return found and not one_name(one, other) and not spells_alike(one, other)


def one_name(one: Path, other: Path) -> bool:
    """Whether two paths lead to one name in one folder, as through a mount, a mapped drive or a link: removing one removes both."""
    return alike(one.name) == alike(other.name) and _one_folder(one.parent, other.parent)


def _one_folder(one: Path, other: Path) -> bool:
    """Whether two paths lead to one folder. Where the system's numbers do not show it, a hidden file put into one shows in the other."""
    try:
        first, second = one.stat(), other.stat()
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)
    if first.st_dev == second.st_dev and first.st_ino and second.st_ino:
        return first.st_ino == second.st_ino
    probe = temporary_in(one)
    try:
        probe.open("xb").close()
    except OSError:
        return True  # where nothing can be written, nothing can go either
    try:
        return exists(other / probe.name)
    finally:
        discard(probe)


def can_spare(name: Path, other: Path) -> bool:
    """Whether a file's name can go because all it holds is under another name too, as a file of its own or as a further name of it."""
    try:
        if one_name(name, other) or not same_content(name, other):
            return False
        facts = name.stat()
        return not os.path.samestat(facts, other.stat()) or facts.st_nlink > 1
    except OSError:
        return False


def spells_alike(one: Path, other: Path) -> bool:
    """Whether two names in one folder are two spellings of one entry, as ``a.png`` and ``A.PNG`` where letter case does not count."""
    if one.name == other.name or not same_entry(one, other) or not same_entry(one.parent, other.parent):
        return False
    names = os.listdir(one.parent)  # noqa: PTH208 - names only
    return not (one.name in names and other.name in names)


def same_content(one: Path, other: Path) -> bool:
    """Whether both are files with the same bytes. Symbolic links are followed."""
    try:
        if os.path.samestat(one.stat(), other.stat()):
            return True
        if not (one.is_file() and other.is_file()) or one.stat().st_size != other.stat().st_size:
            return False
        with one.open("rb") as first, other.open("rb") as second:
            while block := first.read(_BLOCK):
                if block != second.read(len(block)):
                    return False
            return not second.read(1)
    except OSError:
        return False


def temporary_in(folder: Path) -> Path:
    """A hidden name in ``folder`` that nobody else has. It is short, so that it fits wherever the folder does."""
    return folder / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"


def rename_new(source: Path, target: Path) -> None:
    """Gives ``source`` the name ``target``, which nobody may have yet; never replaces a file, as a plain rename would.

    Where the process ends in between, the file has both names and ``same_entry`` says so.

    Raises:
        FileExistsError: The name is taken.
        OSError: The name cannot be given; ``EXDEV`` where it is on another file system.
    """
    if link_new(source, target):
        drop_old(source, target)


def link_new(source: Path, target: Path) -> bool:
    """The first half of :func:`rename_new`; false where the system renames in one and it is all done, else the file has both names now."""
    if os.name == "nt":
        os.rename(source, target)  # noqa: PTH104 - Windows never replaces here, Path.rename says the same less clearly
        return False
    try:
        if os.link in os.supports_follow_symlinks:
            os.link(source, target, follow_symlinks=False)
        else:
            os.link(source, target)
    except OSError as error:
        if error.errno not in _WITHOUT_LINKS:
            raise
        # A file system without hard links, such as exFAT. Only here another program could take the name in between.
        if exists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        source.rename(target)
        return False
    return True


def drop_old(source: Path, target: Path) -> None:
    """The second half of :func:`rename_new`: the old name goes."""
    # Gone, or replaced by a new file under the old name: then the rename is complete already.
    if two_names(source, target):
        drop_name(source, target)


def drop_name(name: Path, other: Path) -> None:
    """Takes one of two names from a file; if that is not allowed, it is the other that goes."""
    try:
        name.unlink()
    except FileNotFoundError:
        pass
    except OSError:
        if exists(name):
            other.unlink()
        raise


def leave(source: Path, target: Path, before: Mark) -> None:
    """Takes the old name from a file that was copied to a new one; what was copied goes where the old one is not as ``before`` by now.

    Raises:
        Refused: The file changed since it was read. It stays as it is.
    """
    if mark_of(source) != Mark(before.size, before.modified_ns):
        remove(target)
        raise Refused(f"{source} changed while it was moved; something is still writing it")
    drop_name(source, target)


def copy_steadily(
    source: Path, temporary: Path, transform: Callable[[BinaryIO, BinaryIO], None] | None = None
) -> Copying:
    """Writes ``source`` to ``temporary`` with its times and permissions; returns the marks of both.

    A generator: it yields once, when all is written. Whoever asks for more has brought the file onto the disk with :func:`sync_file`.
    Nothing is left at ``temporary``, from :func:`temporary_in`, where something fails. ``transform`` reads its first and writes its second;
    by default all bytes as they are.

    Raises:
        Refused: The source changed meanwhile, or the disk gave back other bytes than were written.
        OSError: Reading or writing failed.
    """
    try:
        with source.open("rb") as reading, temporary.open("xb") as writing:
            facts = os.fstat(reading.fileno())
            taken, given = _Hashed(reading), _Hashed(writing)
            (transform or _copy_all)(taken, given)  # type: ignore[arg-type]
            _send(writing)
        # Only now, because Windows sets the time of a written file once more when it is closed.
        _keep_facts(source, facts, temporary)
        yield
        if mark_of(source) != _mark(facts) or taken.size != facts.st_size:
            raise Refused(f"{source} changed while it was read; something is still writing it")
        before = _mark(facts, taken.digest.hexdigest())
        after = read_mark(temporary)
        if after.digest != given.digest.hexdigest():
            raise Refused(f"{temporary.parent} gave back other bytes than were written there; check the disk")
        return before, after
    except BaseException:
        discard(temporary)
        raise


Copying = Generator[None, None, tuple[Mark, Mark]]


def _send(file: BinaryIO) -> None:
    """Sends what was written on its way to the disk, so that many files go at once; Windows waits until it is there."""
    file.flush()
    if os.name == "nt":
        os.fsync(file.fileno())
    elif hasattr(os, "posix_fadvise"):
        with suppress(OSError):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def sync_file(path: Path) -> None:
    """Brings a file that was written and closed onto the disk. On Windows it is there: only a file open for writing can be asked for."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _Hashed:
    """A file that hashes what passes."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest, self.size = file, hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        return self._passed(self.file.read(size))

    def write(self, data: bytes) -> int:
        self._passed(data)
        return self.file.write(data)

    def _passed(self, data: bytes) -> bytes:
        self.digest.update(data)
        self.size += len(data)
        return data


def _copy_all(source: BinaryIO, target: BinaryIO) -> None:
    while block := source.read(_BLOCK):
        target.write(block)


def _keep_facts(source: Path, facts: os.stat_result, temporary: Path) -> None:
    """Owner where we may, permissions, times and extended attributes. A file system that cannot keep them is no reason to fail."""
    with suppress(OSError):
        if hasattr(os, "chown") and os.geteuid() == 0:
            os.chown(temporary, facts.st_uid, facts.st_gid)
    with suppress(OSError):
        shutil.copystat(source, temporary)
    with suppress(OSError):
        os.utime(temporary, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def write_new(temporary: Path, content: bytes) -> Generator[None, None, tuple[None, Mark]]:
    """Writes ``content`` to a name from :func:`temporary_in`; yields once, as :func:`copy_steadily` does."""
    try:
        with temporary.open("xb") as file:
            file.write(content)
            _send(file)
        yield
        return None, read_mark(temporary)
    except BaseException:
        discard(temporary)
        raise


def replace(temporary: Path, target: Path) -> None:
    """Puts a written file in the place of another in one instant."""
    os.replace(temporary, target)  # noqa: PTH105 - so that tests can let it fail


def remove(path: Path) -> None:
    """Removes a file of ours, also where it was copied from one that is read-only (Windows)."""
    try:
        path.unlink()
    except PermissionError:
        mode = path.lstat().st_mode
        if mode & stat.S_IWUSR:
            raise
        path.chmod(mode | stat.S_IWUSR)
        path.unlink()


def discard(temporary: Path) -> None:
    """Removes a hidden file of ours, if it is there."""
    with suppress(FileNotFoundError):
        remove(temporary)


def sync_folder(folder: Path) -> None:
    """Brings a folder's names onto the disk, where the system can."""
    if os.name == "nt":
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
