"""Events of the system about changes in a folder, through the package watchdog."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...errors import CuratorError
from ...images.suffixes import is_picture_name
from ...metadata.companions import PROMPT_ENDINGS, owners

_LIMITS = (errno.ENOSPC, errno.EMFILE, errno.ENFILE)


class WatchError(CuratorError):
    """A folder cannot be watched: the package is missing, the system's limit is reached, or somebody watches it already."""


class WatchLimitError(WatchError):
    """The system watches no more folders for this user; looking every so often still works."""


@contextmanager
def folder_events(folder: Path, tell: Callable[[Path], None]) -> Iterator[Callable[[], bool]]:
    """A context in which ``tell`` gets, in another thread, every picture that appears or changes in an absolute ``folder`` and below.

    A text file that appears counts as a change of the picture it belongs to, and a folder that appears as all pictures in it. Hidden
    files and folders are passed over.

    Yields:
        Whether the system still reports events.

    Raises:
        WatchError: The folder cannot be watched.
    """
    try:
        from watchdog.events import FileSystemEventHandler
        from watchdog.observers import Observer
    except ImportError as error:
        raise WatchError(
            "the package watchdog is missing, through which the system tells of new files; install it with 'pip install watchdog', or look "
            "into the folder every so often with --poll 10"
        ) from error

    new_folders = threading.Event()

    class Handler(FileSystemEventHandler):  # type: ignore[misc]
        """Passes on what concerns pictures."""

        def on_any_event(self, event: Any) -> None:
            """Told of everything."""
            if event.is_directory and event.event_type in ("created", "moved"):
                new_folders.set()
            if event.event_type in ("created", "modified", "moved", "closed"):
                path = os.fsdecode(getattr(event, "dest_path", "") or event.src_path)
                for picture in pictures_of(
                    Path(path), folder, event.is_directory and event.event_type != "modified"
                ):
                    tell(picture)

    observer = Observer()
    try:
        observer.schedule(Handler(), str(folder), recursive=True)
        observer.start()
        if not _has_room(Observer, FileSystemEventHandler()):
            observer.stop()
            raise OSError(errno.ENOSPC, "the system watches no more folders")
    except OSError as error:
        # a part of the folders may be watched already
        observer.unschedule_all()
        kind = WatchLimitError if error.errno in _LIMITS else WatchError
        raise kind(
            f"{folder} cannot be watched ({error.strerror or error}); on Linux the number of watched folders is limited by "
            "fs.inotify.max_user_watches and fs.inotify.max_user_instances. Raise them, or look into the folder every so often with "
            "--poll 10"
        ) from error

    def alive() -> bool:
        if new_folders.is_set():
            new_folders.clear()
            if not _has_room(Observer, FileSystemEventHandler()):
                new_folders.set()
                return False
        # an emitter that meets the limit at a folder made later ends alone, while the observer lives on
        return observer.is_alive() and all(emitter.is_alive() for emitter in observer.emitters)

    try:
        yield alive
    finally:
        observer.stop()
        observer.join(10)


def _has_room(observe: Callable[[], Any], handler: Any) -> bool:
    """Whether the system would watch one more folder; else some of those asked for may not be watched.

    Newer versions of watchdog pass over folders within the one they are to watch, without a word, where the limit is reached.
    """
    if not sys.platform.startswith("linux"):
        return True
    with tempfile.TemporaryDirectory(prefix="imagereward-") as folder:
        observer = observe()
        try:
            observer.schedule(handler, folder, recursive=False)
            observer.start()
        except OSError as error:
            return error.errno not in _LIMITS
        observer.stop()
        observer.join(10)
    return True


def pictures_of(path: Path, root: Path, is_folder: bool) -> Iterator[Path]:
    """The pictures that a change of ``path`` concerns; none where it, or a folder between it and ``root``, is hidden."""
    try:
        between = path.relative_to(root).parts
    except ValueError:
        return
    if any(part.startswith(".") for part in between):
        return
    if is_folder:
        for where, folders, names in os.walk(path):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                if is_picture_name(name):
                    yield Path(where, name)
    elif is_picture_name(path.name):
        yield path
    elif path.name.lower().endswith(PROMPT_ENDINGS):
        yield from owners(path)
