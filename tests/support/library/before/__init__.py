"""A folder as the version before left it: its pictures, its library, its journal, and what it was before that version sorted it.

Made on Linux by the program of commit 99e3915 (SQLite 3.40), in a folder with five pictures of one colour each:

    imagereward curate OUT -s demo --move --buckets great=60,good=30 --buckets-by share --write-back --xmp full -y
    imagereward stars OUT --set 4 "great/4 bild ü.png"
    imagereward curate OUT -s demo --copy --top 1 --kept ALBUM --leave rejected -y

The databases are kept as text; in it ``@PLACE@`` stands for the folder that OUT and ALBUM were in.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

HERE = Path(__file__).parent
FILES = json.loads((HERE / "files.json").read_text(encoding="utf-8"))
REVISION = "2722731aacff"
"""Of the weights that the demo scorer had then."""
STARRED = "great/4 bild ü.png"
SCORES = {
    "great/day 1/2 bild ü.png": -0.8371,
    "great/4 bild ü.png": -1.2994,
    "great/3 bild ü.png": -1.3182,
    "good/day 1/1 bild ü.png": -1.7937,
    "good/day 1/0 bild ü.png": -2.1239,
}
"""As that version showed them, best first."""


def made_by_the_version_before(place: Path) -> Path:
    """Lays the folder down in another one, as a copy that keeps times leaves it; returns it. The album lies beside it."""
    for name, entry in FILES["after"].items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(entry["base64"]) if "base64" in entry else entry["text"].encode())
        os.utime(path, ns=(entry["modified"], entry["modified"]))
    store = place / "out" / ".imagereward"
    store.mkdir()
    for name in ("library", "journal"):
        script = (HERE / f"{name}.sql").read_text(encoding="utf-8").replace("@PLACE@", place.as_posix())
        with closing(sqlite3.connect(store / f"{name}.sqlite3")) as connection:
            connection.executescript(script)
    return place / "out"


def as_it_was(folder: Path) -> bool:
    """Whether the files in a folder are, byte for byte, those from before it was sorted."""
    return FILES["before"] == {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and ".imagereward" not in path.parts
    }
