"""Tells open pages what happens, by server-sent events."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from starlette.responses import StreamingResponse

from imagereward_core.plain import encodable

_STILL_THERE = 20.0
"""Seconds after which a line is sent that says nothing, so that a page that has gone is noticed."""
_MOST_PAGES = 100
"""Pages that listen at most: each holds a connection, and of those the system has few. The one that has listened the longest goes."""
_MOST = 200
"""Events that wait for one page at most; the oldest go first."""


class Events:
    """Hands on events to all pages that listen. ``tell`` and ``end`` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: dict[asyncio.Queue[str | None], asyncio.AbstractEventLoop] = {}
        self._ended = False

    def tell(self, kind: str, told: Mapping[str, Any]) -> None:
        """Sends an event to every page."""
        line = f"event: {kind}\ndata: {json.dumps(encodable(dict(told)), ensure_ascii=False)}\n\n"
        self._put(line)

    def end(self) -> None:
        """Ends all streams, so that the server need not wait for pages that are open."""
        self._ended = True
        self._put(None)

    def _put(self, line: str | None) -> None:
        with self._lock:
            for queue, loop in self._pages.items():
                with suppress(RuntimeError):  # its loop has ended
                    loop.call_soon_threadsafe(_add, queue, line)

    def response(self, first: Mapping[str, Any] | None = None) -> StreamingResponse:
        """The answer that goes on as long as a page listens; ``first`` is sent at once, as the event ``hello``."""
        return StreamingResponse(
            self._lines(first or {}),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def _lines(self, first: Mapping[str, Any]) -> AsyncIterator[str]:
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        with self._lock:
            while len(self._pages) >= _MOST_PAGES:
                oldest = next(iter(self._pages))
                with suppress(RuntimeError):  # its loop has ended
                    self._pages.pop(oldest).call_soon_threadsafe(_add, oldest, None)
            self._pages[queue] = asyncio.get_running_loop()
        try:
            yield f"retry: 2000\nevent: hello\ndata: {json.dumps(encodable(dict(first)), ensure_ascii=False)}\n\n"
            while not self._ended:
                try:
                    line = await asyncio.wait_for(queue.get(), _STILL_THERE)
                except asyncio.TimeoutError:
                    line = ":\n\n"
                if line is None:
                    break
                yield line
        finally:
            with self._lock:
                self._pages.pop(queue, None)


def _add(queue: asyncio.Queue[str | None], line: str | None) -> None:
    while queue.qsize() >= _MOST:
        queue.get_nowait()
    queue.put_nowait(line)
