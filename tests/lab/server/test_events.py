"""Events reach every page that listens, and those that have listened the longest make room for new ones."""

from __future__ import annotations

import asyncio

from imagereward_lab.server import events as module
from imagereward_lab.server.events import Events


def test_the_page_that_has_listened_the_longest_makes_room(monkeypatch):
    monkeypatch.setattr(module, "_MOST_PAGES", 3)

    async def listening():
        events = Events()
        streams = [events.response({"number": number}).body_iterator for number in range(5)]
        for number, stream in enumerate(streams):
            assert f'"number": {number}' in await anext(stream)
        events.tell("changed", {"serial": 7})
        heard = []
        for stream in streams:
            try:
                heard.append("serial" in await anext(stream))
            except StopAsyncIteration:
                heard.append(None)
        assert heard == [None, None, True, True, True]
        events.end()

    asyncio.run(listening())
