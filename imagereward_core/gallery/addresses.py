"""Addresses under which the page asks for pictures. Nobody can guess one, and each stands for one state of one file."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..library.store.records import Row

_MOST = 100_000
"""Addresses kept; the page asks for a few hundred at a time."""
_State = tuple[str, int, int, str]


class Addresses:
    """Gives out addresses and knows what they stand for; they hold until the program ends."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._rows: OrderedDict[str, Row] = OrderedDict()
        self._known: dict[_State, str] = {}

    def of(self, row: Row) -> str:
        """The address of a file as it is now; the same one each time."""
        state = _state(row)
        with self._lock:
            address = self._known.get(state)
            if address is None:
                address = self._known[state] = secrets.token_urlsafe(18)
            self._rows[address] = row
            self._rows.move_to_end(address)
            while len(self._rows) > self._most:
                del self._known[_state(self._rows.popitem(last=False)[1])]
            return address

    def row(self, address: str) -> Row | None:
        """The file of an address; None for one that was never given out, or long ago."""
        with self._lock:
            return self._rows.get(address)


def _state(row: Row) -> _State:
    return str(row.path), row.modified_ns, row.size, row.content
