"""A real PostgreSQL for tests: started in a temporary folder by an unprivileged user, reached by a socket, gone in the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

_NUMBERS = count(1)
# The user that Debian's package makes, or one that every system has.
_USERS = ("postgres", "nobody")


def binaries() -> Path | None:
    """The folder of PostgreSQL's programs; None where it is not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "pg_ctl").is_file()), None)


@contextmanager
def running() -> Iterator[Path]:
    """The folder of the socket of a PostgreSQL that runs; skips the test where there is none."""
    pytest.importorskip("psycopg")
    pwd = pytest.importorskip("pwd")
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed; Debian's package is named postgresql")
    as_user: dict[str, Any] = {}
    user = None
    if os.getuid() == 0:  # which PostgreSQL refuses
        known = {each.pw_name: each for each in pwd.getpwall()}
        user = next((known[name] for name in _USERS if name in known), None)
        if user is None:
            pytest.skip("PostgreSQL refuses to run as root, and there is no user to run it")
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    memory = Path("/dev/shm")  # a new database is a thousand files, of which none has to stay
    home = memory if os.access(memory, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="imagereward-pg-", dir=home))
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)

        def run(program: str, *arguments: str | Path) -> None:
            subprocess.run(
                [programs / program, *arguments],
                cwd=folder,
                check=True,
                timeout=120,
                capture_output=True,
                **as_user,
            )

        data = folder / "data"
        run(
            "initdb",
            "--pgdata",
            data,
            "--username",
            "tests",
            "--auth",
            "trust",
            "--no-sync",
            "--encoding",
            "UTF8",
            "--locale",
            "C",
        )
        # Nothing here has to survive a loss of power, and nobody is to reach it over the network.
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off -c max_connections=200"
        run("pg_ctl", "--pgdata", data, "--wait", "--log", folder / "log", "--options", options, "start")
        try:
            yield folder
        finally:
            run("pg_ctl", "--pgdata", data, "--wait", "--mode", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(socket: Path) -> str:
    """The URL of a new empty database."""
    import psycopg

    name = f"project_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(host=str(socket), user="tests", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql://tests@/{name}?host={socket}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    with running() as socket:
        yield socket


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """The URL of a database of each kind; empty for SQLite, whose file lies in the project."""
    if request.param == "sqlite":
        return ""
    return new_database(request.getfixturevalue("postgres"))
