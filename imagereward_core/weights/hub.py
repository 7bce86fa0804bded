"""The few calls to huggingface_hub that a download needs, in a form that holds for its versions 0.20 to 2.x.

huggingface_hub decides the endpoint, offline mode, proxies, certificates and the user's token; this module
only asks it.
"""

from __future__ import annotations

import errno
import inspect
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CuratorError, DownloadError
from .card import WeightFile
from .ledger import is_sha256

_PAGE = (b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<?xml", b"<!--")


@dataclass(frozen=True)
class RemoteFile:
    """A file as the hub describes it.

    Attributes:
        name: The file's path inside the repository.
        commit: The commit that the revision asked for stands for just now.
        etag: The hub's name for the content.
        size: In bytes; 0 where the hub does not say.
        url: Where the bytes of exactly this commit are.
    """

    repository: str
    name: str
    commit: str
    etag: str
    size: int
    url: str

    @property
    def sha256(self) -> str | None:
        """The checksum the hub declares: a large file's ETag. A small file's is another kind of hash."""
        return self.etag if is_sha256(self.etag) else None


def ask(weight_file: WeightFile, endpoint: str | None) -> RemoteFile:
    """Asks the hub about a file; DownloadError where what answered is none, else errors that :func:`reason` puts into words."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    name = weight_file.path_in_repository
    metadata = get_hf_file_metadata(
        hf_hub_url(weight_file.repository, name, revision=weight_file.revision, endpoint=endpoint)
    )
    if not metadata.etag or not metadata.commit_hash:
        raise DownloadError(
            "the server that answered does not describe the file as a hub does; check the mirror or "
            "HF_ENDPOINT, and whether a proxy or a login page answers in its place"
        )
    # Asking for the commit, not the branch, gives the bytes just described even if the branch moves on.
    url = hf_hub_url(weight_file.repository, name, revision=metadata.commit_hash, endpoint=endpoint)
    return RemoteFile(
        weight_file.repository, name, metadata.commit_hash, metadata.etag, metadata.size or 0, url
    )


def stream(remote: RemoteFile, part: Path, endpoint: str | None, report: Callable[[int], None]) -> None:
    """Appends to ``part`` what it still lacks of the file; ``report`` gets its length as it grows.

    DownloadError where a web page came in place of the bytes, of which none is kept; after any other error ``part`` keeps what had come.
    """
    have = part.stat().st_size if part.exists() else 0
    if remote.size and have == remote.size:
        return
    try:
        from huggingface_hub.file_download import http_get
    except ImportError:
        _whole_file(remote, part, endpoint)
        return
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    # Compressed on the way, the bytes counted would not be the file's, and the rest could not be asked for.
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    named: dict[str, Any] = {"headers": headers, "expected_size": remote.size or None}
    if "displayed_filename" in inspect.signature(http_get).parameters:
        named["displayed_filename"] = remote.name
    with _CountingFile(part, report) as file:
        if remote.size and have > remote.size:
            file.truncate(0)
            have = 0
        try:
            http_get(remote.url, file, resume_size=have, **named)
        except OSError:
            # Before 2.x the answer of a server that ignores the offset is appended; only the length shows it.
            if not have or not remote.size or file.tell() <= remote.size:
                raise
            file.truncate(0)
            http_get(remote.url, file, resume_size=0, **named)


def reason(error: BaseException) -> str:
    """Why a download failed, in words for a person, without a full stop."""
    if isinstance(error, CuratorError):
        return str(error)
    if isinstance(error, ImportError):
        return f"huggingface_hub cannot be used ({error}); install it with: pip install huggingface_hub"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"the disk is full ({error.strerror})"
    if isinstance(error, PermissionError) and error.errno is not None:
        return f"the folder cannot be written to ({error})"
    import huggingface_hub.utils

    utils: Any = huggingface_hub.utils  # the errors moved between modules; here every version has them

    first = str(error).strip().split("\n")[0]
    for kind, text in (
        (utils.OfflineModeIsEnabled, "huggingface_hub is in offline mode (HF_HUB_OFFLINE)"),
        (utils.GatedRepoError, "the repository asks for a login and acceptance of its terms"),
        (utils.RepositoryNotFoundError, "the hub does not know the repository, or refuses access to it"),
        (utils.RevisionNotFoundError, "the repository has no such revision"),
        (utils.EntryNotFoundError, "the repository has no such file"),
    ):
        if isinstance(error, kind):
            return text
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return f"the hub answered with status {status} ({first})"
    return (
        f"the download broke off or could not begin ({type(error).__name__}: {first}); what has "
        "arrived is kept for the next attempt"
    )


def _whole_file(remote: RemoteFile, part: Path, endpoint: str | None) -> None:
    """The documented download, for a version of huggingface_hub without ``http_get``."""
    from huggingface_hub import hf_hub_download

    arrived = hf_hub_download(
        remote.repository,
        remote.name,
        revision=remote.commit,
        local_dir=part.with_suffix(".hub"),
        endpoint=endpoint,
    )
    with Path(arrived).open("rb") as file:
        refuse_page(file.read(512))
    Path(arrived).replace(part)


def refuse_page(beginning: bytes) -> None:
    """Raises DownloadError where bytes sent as a file of weights or a vocabulary begin as a web page does."""
    text = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()[:16].lower()
    if text.startswith(_PAGE):
        raise DownloadError(
            "a web page came in place of the file, such as the login page of a network or of a proxy; nothing of it was "
            "kept. Open any web page in a browser to see whether the network asks for a login, check the mirror or "
            "HF_ENDPOINT if one is set, and try again"
        )


class _CountingFile(io.BufferedWriter):
    """A file that reports its length as it grows, and takes no web page: every version of the hub can write to one."""

    def __init__(self, path: Path, report: Callable[[int], None]) -> None:
        super().__init__(io.FileIO(path, "a"))
        self._report = report
        self._begun = False

    def write(self, data: bytes) -> int:  # type: ignore[override]
        if not self._begun:  # the first bytes of an answer, also of one that continues a part
            refuse_page(data)
            self._begun = True
        written = super().write(data)
        self._report(self.tell())
        return written
