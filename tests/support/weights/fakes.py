"""Stand-ins for the weights' tests: cards, a hub on 127.0.0.1, a tiny reward network and large files that
take no room."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

import torch

from imagereward_core.images.spec import ImageSpec
from imagereward_core.weights.card import ScorerCard, WeightFile

ROOT = Path(__file__).resolve().parents[3]
COMMIT = "c" * 40
VOCABULARY = b"[PAD]\n[CLS]\n[SEP]\nstar\n"


def make_card(scorer_id: str = "TestReward-v1", **changes: object) -> ScorerCard:
    """A card with a ``.safetensors`` form, a ``.pt`` form on a hub, and a vocabulary."""
    fields: dict[str, object] = {
        "id": scorer_id,
        "title": "Test",
        "summary": "A card for tests.",
        "paper": "",
        "licence": "Apache-2.0",
        "checkpoint": (
            WeightFile(name="Reward.safetensors"),
            WeightFile(name="Reward.pt", repository="owner/reward"),
        ),
        "tokenizer": WeightFile(
            name="vocab.txt",
            repository="google-bert/bert-base-uncased",
            revision="1" * 40,
            sha256=hashlib.sha256(VOCABULARY).hexdigest(),
            size=len(VOCABULARY),
        ),
        "image": ImageSpec(),
        "token_limit": 35,
        "needs_prompt": True,
        "family": "imagereward",
        "typical_range": (-2.0, 2.0),
        "distribution": None,
        "download_size": 1_786_928_314,
    }
    return ScorerCard(**{**fields, **changes})  # type: ignore[arg-type]


class TinyReward(torch.nn.Module):
    """A network with the parts that matter to loading: weights, a head, and a persistent buffer of
    positions."""

    def __init__(self) -> None:
        super().__init__()
        self.blip = torch.nn.Module()
        self.blip.tower = torch.nn.Linear(8, 6)
        self.blip.register_buffer("position_ids", torch.arange(5).expand(1, -1))
        self.mlp = torch.nn.Module()
        self.mlp.layers = torch.nn.Sequential(torch.nn.Linear(6, 4), torch.nn.Linear(4, 1))


def tiny_skeleton() -> TinyReward:
    """The tiny network without numbers."""
    with torch.device("meta"):
        return TinyReward()


def tiny_state(seed: int = 0) -> dict[str, torch.Tensor]:
    """Weights for it."""
    torch.manual_seed(seed)
    return dict(TinyReward().state_dict())


def sparse_safetensors(path: Path, tensors: int, numbers: int) -> int:
    """A safetensors file of zeros (float32) that takes no room on disk; returns its size in bytes."""
    header = {
        f"layer.{index:03d}": {
            "dtype": "F32",
            "shape": [numbers],
            "data_offsets": [index * numbers * 4, (index + 1) * numbers * 4],
        }
        for index in range(tensors)
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(file.tell() + tensors * numbers * 4)
    return path.stat().st_size


def run_script(script: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a Python script in a process of its own, with the repository importable."""
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def peak_memory() -> int:
    """Most memory this process has held so far, in MiB (Linux only)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


class FakeHub:
    """The three requests huggingface_hub makes for a file, answered from memory.

    Attributes:
        files: Contents by ``repository/name``.
        sent: Contents sent instead of the true ones, by the same key.
        large: Whether files are described as large ones are: with their SHA-256, their bytes at another
            address.
        cut_after: Number of bytes after which the connection breaks, for the next ``cuts`` downloads.
        ignores_offset: Whether the server sends the whole file when asked for its end.
        log: Method, path and asked range of every request.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.sent: dict[str, bytes] = {}
        self.large = True
        self.cut_after = 0
        self.cuts = 0
        self.ignores_offset = False
        self.describes = True
        self.log: list[tuple[str, str, str | None]] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                hub.answer(self, body=False)

            def do_GET(self) -> None:
                hub.answer(self, body=True)

            def log_message(self, *_: object) -> None:
                """Keeps the tests' output quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def endpoint(self) -> str:
        """Address of this hub."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FakeHub:
        self._thread.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def downloads(self) -> list[str | None]:
        """The range asked for in every request that fetched bytes."""
        return [asked for method, path, asked in self.log if method == "GET" and not self._redirects(path)]

    def _redirects(self, path: str) -> bool:
        return self.large and not path.startswith("/cdn/")

    def answer(self, request: BaseHTTPRequestHandler, body: bool) -> None:
        """Answers one request as the hub, or its store of large files, would."""
        asked = request.headers.get("Range")
        self.log.append((request.command, request.path, asked))
        key = request.path.removeprefix("/cdn/").removeprefix("/")
        repository, _, name = key.partition("/resolve/")
        name = name.partition("/")[2]
        content = self.files.get(f"{repository}/{name}")
        if content is None:
            known = any(other.startswith(f"{repository}/") for other in self.files)
            code, status = ("EntryNotFound", 404) if known else ("RepoNotFound", 401)
            self._send(request, status, {"X-Error-Code": code, "X-Error-Message": code}, b"")
            return
        digest = hashlib.sha256(content).hexdigest() if self.large else hashlib.sha1(content).hexdigest()
        headers = (
            {"ETag": f'"{digest}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
            if self.describes
            else {}
        )
        if self._redirects(request.path):
            headers |= {
                "X-Linked-Etag": f'"{digest}"',
                "X-Linked-Size": str(len(content)),
                "Location": f"{self.endpoint}/cdn{request.path}",
            }
            self._send(request, 302, headers, b"")
            return
        content = self.sent.get(f"{repository}/{name}", content)
        status, start = 200, 0
        if body and asked is not None and not self.ignores_offset:
            start = int(asked.removeprefix("bytes=").partition("-")[0])
            status = 206
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._send(request, status, headers, content[start:], body)

    def _send(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        headers: dict[str, str],
        content: bytes,
        body: bool = True,
    ) -> None:
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            request.send_header(name, value)
        request.end_headers()
        if not body or request.command == "HEAD":
            return
        if content and self.cuts > 0:
            self.cuts -= 1
            request.wfile.write(content[: self.cut_after])
            request.wfile.flush()
            request.close_connection = True
            request.connection.shutdown(2)
            return
        request.wfile.write(content)
