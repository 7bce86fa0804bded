"""Two real processes that work together, as ``torchrun`` would start them."""

from __future__ import annotations

import multiprocessing
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

CAN_FORK = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and signals")


def _one(rank: int, port: int, work: Callable[..., None], given: tuple[Any, ...]) -> None:
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    torch.set_num_threads(1)  # a fork has none of the threads its parent had, and would wait for them
    work(rank, *given)


@contextmanager
def two_processes(work: Callable[..., None], *given: Any, seconds: float = 120) -> Iterator[None]:
    """Two forks do ``work(rank, *given)`` while the body runs; at its end both have to have done it."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    fork = multiprocessing.get_context("fork")
    both = [fork.Process(target=_one, args=(rank, port, work, given)) for rank in (0, 1)]
    for each in both:
        each.start()
    try:
        yield
    finally:
        for each in both:
            each.join(seconds)
            each.kill()
    assert [each.exitcode for each in both] == [0, 0]
