"""Fetches the files of a scorer from the hub: pinned, resumed, verified, and named only once they are right.

The bytes are streamed into ``<name>.<tag>.part`` beside the target, where an interrupted download goes on at
the next call; ``hf_hub_download`` itself starts anew since huggingface_hub 2.x.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import shutil
from pathlib import Path

from ..errors import DownloadError
from ..files.locks import exclusive
from .card import WeightFile, WeightsCard
from .hub import ask, reason, stream
from .lacking import by_hand
from .ledger import remember
from .locate import FoundWeights, WeightSettings, inside, target_folder
from .manifest import Progress, read_manifest, sha256_of, write_manifest

logger = logging.getLogger(__name__)

_SPARE_BYTES = 64 * 1024 * 1024


def download(card: WeightsCard, settings: WeightSettings, progress: Progress | None = None) -> FoundWeights:
    """Fetches the checkpoint and the vocabulary of a scorer into one folder; what a head sits on is a card of its own.

    The folder, :func:`~.locate.target_folder`, can be copied to another machine, where both are found without a network. What ``progress``
    raises stops the download, which the next call resumes.

    Raises:
        DownloadError: Any failure; the text says why, and how to get the file by hand.
    """
    form = card.preferred
    if form is None:
        raise DownloadError(
            f"the files of {card.id} ship with this program and are on no hub; install the program again"
        )
    if not form.repository:
        raise DownloadError(
            f"{form.name} of {card.id} is on no hub, and this program fetches from nowhere else. {by_hand(card, form, settings)}"
        )
    checkpoint = download_file(card, form, settings, progress)
    vocabulary = None if card.tokenizer is None else download_file(card, card.tokenizer, settings, progress)
    return FoundWeights(checkpoint, vocabulary)


def download_file(
    card: WeightsCard, weight_file: WeightFile, settings: WeightSettings, progress: Progress | None = None
) -> Path:
    """Fetches one file of a scorer and returns where it lies; errors as of :func:`download`.

    A file that is already there with the right checksum is kept; one that differs is never overwritten.
    """
    target = inside(target_folder(card, settings), weight_file.name)
    watcher = _Watcher(progress, weight_file.name)
    try:
        if not settings.allow_download:
            raise DownloadError(f"downloads are switched off: {settings.to_allow}")
        target.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(target, watcher.wait):
            if not _already_there(target, weight_file):
                _fetch(weight_file, target, settings, watcher)
    except Exception as error:
        if error is watcher.raised:  # a cancellation by the host is the host's, not a failed download
            raise
        raise DownloadError(f"{reason(error)}. {by_hand(card, weight_file, settings)}") from error
    return target


class _Watcher:
    """Passes bytes on to the caller's progress function and remembers what that function raised."""

    def __init__(self, progress: Progress | None, name: str) -> None:
        self.raised: BaseException | None = None
        self.total = 0
        self._waited = False
        self._progress = progress
        self._name = name

    def report(self, done: int) -> None:
        if self._progress is None:
            return
        try:
            self._progress(self._name, done, self.total)
        except BaseException as error:
            self.raised = error
            raise

    def wait(self) -> None:
        if not self._waited:
            logger.info("waiting for another program that is downloading %s", self._name)
        self._waited = True
        self.report(0)

    def hashed(self, name: str, done: int, total: int) -> None:
        """Progress of the checksum: only a chance to cancel, the bytes have been counted before."""
        self.report(self.total)


def _already_there(target: Path, weight_file: WeightFile) -> bool:
    """Whether the file has the card's checksum, or an earlier download of this revision vouches for it."""
    if not target.is_file():
        return False
    if weight_file.sha256 is not None:
        return sha256_of(target) == weight_file.sha256
    wanted, manifest = (weight_file.repository, weight_file.revision), read_manifest(target)
    return manifest is not None and (manifest.repository, manifest.revision) == wanted


def _fetch(weight_file: WeightFile, target: Path, settings: WeightSettings, watcher: _Watcher) -> None:
    """Downloads, verifies and names one file; the folder exists and is locked."""
    remote = ask(weight_file, settings.endpoint)
    expected = weight_file.sha256 or remote.sha256
    watcher.total = remote.size or weight_file.size or 0
    if target.exists():
        if expected is None or sha256_of(target) != expected:
            raise DownloadError(
                f"{target} exists and is not the file the hub has; it is left as it is. Move it away"
            )
        write_manifest(target, expected, weight_file.repository, weight_file.revision, remote.commit)
        return
    # The tag names the version, so that a part of another version is never continued.
    tag = hashlib.sha256(remote.etag.encode()).hexdigest()[:12]
    part = target.with_name(f"{target.name}.{tag}.part")
    _check_room(target.parent, watcher.total - (part.stat().st_size if part.exists() else 0))
    logger.info("downloading %s from %s, commit %s", target.name, remote.repository, remote.commit)
    stream(remote, part, settings.endpoint, watcher.report)
    found = sha256_of(part, watcher.hashed, fresh=True)
    if expected is not None and found != expected:
        aside = _set_aside(part, target)
        raise DownloadError(
            f"what came for {target.name} has the SHA-256 {found}, expected {expected}, and was set aside as "
            f"{aside.name}. A proxy may have changed it, or the hub holds another file by now"
        )
    part.replace(target)
    remember(target, "sha256", found)
    write_manifest(target, found, weight_file.repository, weight_file.revision, remote.commit)
    logger.info("downloaded %s", target)


def _check_room(folder: Path, needed: int) -> None:
    """Raises the error of a full disk before a byte is fetched."""
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE_BYTES:
        raise OSError(
            errno.ENOSPC, f"{free:,} bytes are free in {folder}, {needed + _SPARE_BYTES:,} are needed"
        )


def _set_aside(part: Path, target: Path) -> Path:
    """Renames a bad download to ``<name>.bad``, numbered where that exists: nothing is deleted."""
    aside, number = target.with_name(f"{target.name}.bad"), 2
    while aside.exists():
        aside, number = target.with_name(f"{target.name}.{number}.bad"), number + 1
    part.replace(aside)
    return aside
