"""Names under which the server may be reached. Any other one is a page elsewhere that has its own name lead here."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass

_LOCAL = "localhost"


@dataclass(frozen=True)
class Hosts:
    """Names that a request may give for this computer.

    Attributes:
        names: In small letters.
        numbers: Whether any address in digits will do as well; an address cannot be made to lead elsewhere as a name can.
    """

    names: frozenset[str]
    numbers: bool = False

    @classmethod
    def of(cls, address: str, more: Iterable[str] = ()) -> Hosts:
        """The names of a server that listens at ``address``, and ``more`` that somebody gave it."""
        given = {name.strip().lower().rstrip(".") for name in more if name.strip()}
        if is_local(address):
            return cls(frozenset({_LOCAL, "127.0.0.1", "::1", address.lower(), *given}))
        own = socket.gethostname().lower()
        return cls(frozenset({_LOCAL, address.lower(), own, f"{own}.local", *given}), numbers=True)

    def knows(self, header: str) -> bool:
        """Whether the server is meant by a ``Host`` header."""
        name = host_name(header)
        return bool(name) and (name in self.names or (self.numbers and _is_number(name)))


def host_name(header: str) -> str:
    """The name in a ``Host`` header, without its port; empty where it is none.

    >>> host_name("LocalHost:8000"), host_name("[::1]:8000"), host_name("a b")
    ('localhost', '::1', '')
    """
    text = header.strip().lower()
    if text.startswith("["):
        name, ends, port = text[1:].partition("]")
        if not ends or (port and not port.startswith(":")):
            return ""
        port = port.removeprefix(":")
    else:
        name, _, port = text.partition(":")
    fits = (
        name and not any(letter in name for letter in " /\\@?#\t\"'<>,;") and (not port or port.isdecimal())
    )
    return name.rstrip(".") if fits else ""


def is_local(address: str) -> bool:
    """Whether only this computer reaches an address.

    >>> is_local("127.0.0.1"), is_local("localhost"), is_local("0.0.0.0")
    (True, True, False)
    """
    if address.lower() == _LOCAL:
        return True
    return _is_number(address) and ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True
