"""Starts the server: an address that is free, said and opened in the browser, until Ctrl-C."""

from __future__ import annotations

import socket
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagereward_core.errors import CuratorError

from .hosts import Hosts, is_local

if TYPE_CHECKING:
    from starlette.types import ASGIApp

LOCAL = "127.0.0.1"
_WAITING = 64
"""Connections that wait to be taken at most."""
_GRACE = 3
"""Seconds that answers under way have when the server ends."""


class ServeError(CuratorError):
    """The server cannot be started at this address."""


@dataclass(frozen=True)
class Listening:
    """A server that is about to start.

    Attributes:
        address: For people: ``http://127.0.0.1:8123/``.
        hosts: Under which names it is reached.
    """

    address: str
    hosts: Hosts


def serve(
    make: Callable[[Listening], ASGIApp],
    *,
    host: str = LOCAL,
    port: int = 0,
    names: tuple[str, ...] = (),
    browser: bool = True,
    say: Callable[[str], None] = print,
    path: str = "",
    ready: Callable[[Listening], None] = lambda _: None,
    stop: threading.Event | None = None,
    ending: Callable[[], None] = lambda: None,
) -> None:
    """Serves an application until Ctrl-C.

    Args:
        make: Makes the application, once it is known where it listens.
        host: Address to listen at; only this computer reaches the default one.
        port: Port; 0 for a free one.
        names: Further names under which the server is reached.
        browser: Whether to open the page.
        say: Told the address in a sentence.
        path: What follows the address in what is said and opened, such as ``"open#token=..."``.
        ready: Called once it answers.
        stop: Ends the server as well, when set.
        ending: Called as soon as it is to end, before it waits for answers under way: closes streams.

    Raises:
        ServeError: The address cannot be listened at.
    """
    import uvicorn

    listener = _listen(host, port)
    shown = {"0.0.0.0": LOCAL, "::": "::1", "": LOCAL}.get(host, host)
    number = listener.getsockname()[1]
    address = f"http://{f'[{shown}]' if ':' in shown else shown}:{number}/"
    told = Listening(address, Hosts.of(host, names))
    config = uvicorn.Config(
        make(told),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE,
        server_header=False,
        # Where the system has no more connections to give, asyncio reports it so many times at once.
        backlog=_WAITING,
        lifespan="on",
    )
    begun = threading.Event()

    class Server(uvicorn.Server):
        """Says when it has begun, and ends streams before it waits for them."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            """Listens."""
            await super().startup(sockets)
            begun.set()

        async def on_tick(self, counter: int) -> bool:
            """Ten times a second."""
            self.should_exit = self.should_exit or (stop is not None and stop.is_set())
            if await super().on_tick(counter):
                ending()
                return True
            return False

    def open_page() -> None:
        begun.wait(60)
        if begun.is_set() and not server.should_exit:
            ready(told)
            if browser:
                webbrowser.open(address + path)

    server = Server(config)
    threading.Thread(target=open_page, daemon=True, name="imagereward-browser").start()
    say(f"Open {address}{path} in a browser. Ctrl-C ends this.")
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:  # uvicorn passes it on once it has ended
        pass
    finally:
        begun.set()
        listener.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows lets others listen at the same port otherwise
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_WAITING)
    except (OSError, OverflowError) as error:
        listener.close()
        where = f"{host}:{port}" if port else host
        raise ServeError(
            f"{where} cannot be listened at ({getattr(error, 'strerror', None) or error}); --port names another port, 0 a free one"
        ) from error
    return listener


def needs_token(host: str) -> bool:
    """Whether others than this computer reach an address, so that a token is needed there."""
    return not is_local(host)
