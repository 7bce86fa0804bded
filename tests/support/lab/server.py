"""A client that asks an application directly, as a browser on this computer would."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

BASE = "http://127.0.0.1:8000"


class Client:
    """Keeps cookies from one request to the next. Paths are sent as they are written, dots and all."""

    def __init__(self, app: Any) -> None:
        self.app, self.cookies = app, httpx.Cookies()

    def get(self, path: str, **given: Any) -> httpx.Response:
        return self.ask("GET", path, **given)

    def post(self, path: str, **given: Any) -> httpx.Response:
        return self.ask("POST", path, **given)

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        return asyncio.run(self._ask(method, path, **given))

    async def _ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=BASE, cookies=self.cookies) as client:
            request = client.build_request(method, "/", **given)
            path, _, query = path.partition("?")
            request.url = request.url.copy_with(raw_path=(path + (f"?{query}" if query else "")).encode())
            answer = await client.send(request)
            await answer.aread()
            self.cookies = client.cookies
        return answer
