"""Blends as text: in one line for command lines and settings, and in the file that keeps them."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from ..files.locks import exclusive
from ..files.whole import written_whole
from .blend import METHODS, Blend, BlendMember
from .blend_names import BLENDS_FILE, NAME_LENGTH, BlendError


def parse_blend(text: str, name: str = "") -> Blend:
    """Reads a blend from a line such as ``ImageReward-v1.0=0.7,PickScore=0.3@rank``; BlendError, with the wrong part, where it cannot.

    A scorer without a weight counts 1; without ``@`` the method is ``standard``. Without ``name`` it is called by its own description, for
    example ``0.7 ImageReward-v1.0 + 0.3 PickScore (rank)``.
    """
    listed, at, method = text.partition("@")
    method = method.strip() if at else "standard"
    if method not in METHODS:
        raise BlendError(f"after '@' stands {method!r}; expected one of {', '.join(METHODS)}")
    members = tuple(_parse_member(part.strip(), text) for part in listed.split(","))
    if not name:
        name = " + ".join(f"{_plain(member.weight)} {member.scorer}" for member in members) + f" ({method})"
        if len(name) > NAME_LENGTH:
            tail = f" and {len(members) - 1} more ({method})"
            name = members[0].scorer[: NAME_LENGTH - len(tail)] + tail
    return Blend(name, members, method)


def _parse_member(part: str, text: str) -> BlendMember:
    scorer, equals, weight = (piece.strip() for piece in part.partition("="))
    if not scorer:
        found = f"{part!r} names no scorer" if part else "a scorer is missing"
        raise BlendError(f"in {text!r} {found}; expected a form like ImageReward-v1.0=0.7,PickScore=0.3@rank")
    if not equals:
        if scorer.isdigit():
            raise BlendError(
                f"in {text!r} the number {scorer} stands where a scorer is expected; write weights with a point, as in 0.7"
            )
        return BlendMember(scorer)
    try:
        return BlendMember(scorer, float(weight))
    except ValueError as error:
        raise BlendError(
            f"the weight of {scorer} is {weight!r}; expected a number, as in {scorer}=0.7"
        ) from error


def format_blend(blend: Blend) -> str:
    """The line from which :func:`parse_blend` makes the same members, weights and method."""
    return (
        ",".join(f"{member.scorer}={_plain(member.weight)}" for member in blend.members) + f"@{blend.method}"
    )


def _plain(weight: float) -> str:
    return repr(float(weight)).removesuffix(".0")


SCHEMA = 1
_PATIENCE = 10
"""Seconds to wait for another program that is writing the file."""


class BlendFile:
    """The named blends of a folder, kept in its ``blends.json``, which the first :meth:`save` makes.

    Fields this version does not know, and entries it cannot read, are kept as they are. Where a saved blend is changed or
    removed, the file as it was is first copied to ``blends.backup-<number>.json``. A file that cannot be read is never written.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.path = Path(folder) / BLENDS_FILE

    def load(self) -> tuple[dict[str, Blend], dict[str, str]]:
        """All blends by name, in the file's order, and why entries cannot be read by name; BlendError where the whole file cannot."""
        blends: dict[str, Blend] = {}
        problems: dict[str, str] = {}
        for name, entry in self._read()[1]["blends"].items():
            try:
                blends[name] = _blend_from(name, entry)
            except BlendError as error:
                problems[name] = str(error)
        return blends, problems

    def save(self, blend: Blend, replace: bool = False) -> Path | None:
        """Adds a blend, or, with ``replace``, changes a different one of the same name; BlendError where the name is taken without.

        Returns the copy that was made of the file before a change; None where nothing was lost.
        """
        with self._lock():
            before, content = self._read()
            entries = content["blends"]
            saved = _find(entries, blend.name)
            if saved is None:
                entries[blend.name] = _entry_from(blend, {})
                self._write(content)
                return None
            if not replace and not _is_same(blend, saved, entries[saved]):
                raise BlendError(
                    f"{self.path} has another blend {saved!r}; choose another name, or ask for it to be replaced"
                )
            changed = _entry_from(blend, entries[saved])
            if changed == entries[saved] and saved == blend.name:
                return None
            content["blends"] = {
                (blend.name if name == saved else name): (changed if name == saved else entry)
                for name, entry in entries.items()
            }
            return self._write(content, before)

    def remove(self, name: str) -> Path:
        """Takes a blend out of the file; returns the copy that was made of the file before. BlendError where there is no such blend."""
        with self._lock():
            before, content = self._read()
            saved = _find(content["blends"], name)
            if saved is None:
                raise BlendError(f"no blend is called {name!r} in {self.path}; nothing was removed")
            del content["blends"][saved]
            backup = self._write(content, before)
            assert backup is not None
            return backup

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Keeps other programs from changing the file between our reading and our writing it."""
        waited = 0

        def wait() -> None:
            nonlocal waited
            waited += 1
            if waited >= _PATIENCE:
                raise BlendError(f"another program is writing {self.path}; nothing was changed, try again")

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with exclusive(self.path, wait):
                yield
        except OSError as error:
            raise BlendError(
                f"{self.path} cannot be written ({error}); nothing was changed. Check that the folder may be written to"
            ) from error

    def _read(self) -> tuple[bytes, dict[str, Any]]:
        """The file's bytes and its content, checked as far as this program must understand it."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return b"", {"schema": SCHEMA, "blends": {}}
        except OSError as error:
            raise BlendError(f"{self.path} cannot be read ({error})") from error
        try:
            content = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_without_repeats)
        except (ValueError, RecursionError) as error:
            raise self._broken(f"it is not JSON ({error})") from error
        if not isinstance(content, dict) or not isinstance(content.get("blends"), dict):
            raise self._broken("it holds no 'blends' with a name for each")
        if content.get("schema") != SCHEMA:
            raise self._broken(
                f"its schema is {content.get('schema')!r} and this version knows {SCHEMA}; a newer version may have written it"
            )
        return raw, content

    def _broken(self, why: str) -> BlendError:
        return BlendError(
            f"{self.path} cannot be understood: {why}. It was left as it is; mend it, or move it away to begin a new one"
        )

    def _write(self, content: dict[str, Any], before: bytes | None = None) -> Path | None:
        """Puts ``content`` into the file, all or nothing; first copies ``before``, where given, to a new file beside it."""
        backup = None if before is None else self._back_up(before)
        text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
        with written_whole(self.path) as temporary:
            # Undecodable characters come out as \udcXX, which is how JSON writes them.
            temporary.write_bytes(text.encode("utf-8", "backslashreplace"))
        return backup

    def _back_up(self, content: bytes) -> Path:
        for number in count(1):
            backup = self.path.with_name(f"{self.path.stem}.backup-{number}.json")
            with suppress(FileExistsError):
                file = backup.open("xb")
                break
        try:
            with file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            backup.unlink(missing_ok=True)  # half a copy is none
            raise
        return backup


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; of two entries with one name one would be lost when the file is next written."""
    content = dict(pairs)
    if len(content) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is in it twice")
    return content


def same_name(name: str) -> str:
    """The form in which two names are equal that people, or file systems, take for the same."""
    return unicodedata.normalize("NFC", name).casefold()


def _find(entries: Mapping[str, Any], name: str) -> str | None:
    """The saved name that is ``name``, exactly or but for letter case."""
    if name in entries:
        return name
    return next((saved for saved in entries if same_name(saved) == same_name(name)), None)


def _blend_from(name: str, entry: Any) -> Blend:
    """The blend an entry describes."""
    try:
        members = tuple(_member_from(member) for member in entry["members"])
        return Blend(name, members, entry["method"])
    except (TypeError, KeyError, AttributeError, OverflowError) as error:
        raise BlendError(
            f"the entry {name!r} cannot be read ({type(error).__name__}: {error}); expected 'method' and a list 'members', each with "
            "'scorer' and 'weight'"
        ) from error


def _member_from(member: Any) -> BlendMember:
    scorer, weight = member["scorer"], member["weight"]
    if not isinstance(scorer, str) or isinstance(weight, bool) or not isinstance(weight, (int, float)):
        raise TypeError(f"scorer {scorer!r} with weight {weight!r}")
    return BlendMember(scorer, float(weight))


def _is_same(blend: Blend, name: str, entry: Any) -> bool:
    try:
        saved = _blend_from(name, entry)
    except BlendError:
        return False
    return (saved.members, saved.method) == (blend.members, blend.method)


def _entry_from(blend: Blend, known: Any) -> dict[str, Any]:
    """The entry of a blend, with the fields of the former one that this version does not know."""
    former = known if isinstance(known, dict) else {}
    listed = former.get("members")
    extras = {
        member["scorer"]: member
        for member in (listed if isinstance(listed, list) else [])
        if isinstance(member, dict) and isinstance(member.get("scorer"), str)
    }
    members = [
        {**extras.get(member.scorer, {}), "scorer": member.scorer, "weight": member.weight}
        for member in blend.members
    ]
    return {**former, "method": blend.method, "members": members}
