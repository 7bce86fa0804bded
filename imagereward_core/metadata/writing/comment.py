"""The user comment of an EXIF block, edited in the encoding it is written in."""

from __future__ import annotations

import codecs
from collections.abc import Mapping

from ...errors import ImageError
from ..containers.text_encoding import CHARSETS, decode_user_comment
from ..score_keys import METADATA_KEY
from .infotext import put_into_comment
from .splice import BESIDE, apply
from .tiff import Tiff, new_block

_LABEL = f"{METADATA_KEY}:".encode()
_CODECS = (
    (b"", "utf-16-be"),
    (b"", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (b"", "utf-8"),
    (codecs.BOM_UTF8, "utf-8"),
    (b"", "latin-1"),
    (b"", "iso2022_jp"),
)


def edited_block(data: bytes, fields: Mapping[str, str], block: str = "") -> bytes:
    """An EXIF block, from its byte order mark on or a new one, with scores in its user comment.

    ``block`` is our JSON; it replaces that of a file which holds one already, in a tag of its own.

    Raises:
        ImageError: The block is damaged, or its comment is in no known encoding.
    """
    if not data:
        return new_block(_encoded(put_into_comment("", fields)))
    tiff = Tiff(data)
    label = tiff.labelled(_LABEL)
    if label is not None and block:
        tail = b"\0" if tiff.value(label).endswith(b"\0") else b""
        tiff = Tiff(apply(data, tiff.with_value(label, _LABEL + block.encode() + tail)))
    entry = tiff.comment()
    if entry is None:
        return apply(tiff.data, tiff.with_comment(_encoded(put_into_comment("", fields))))
    old = tiff.value(entry)
    new = edited_comment(old, tiff.big_endian, fields)
    return tiff.data if new == old else apply(tiff.data, tiff.with_value(entry, new))


def edited_comment(raw: bytes, big_endian: bool, fields: Mapping[str, str]) -> bytes:
    """A user comment with scores in it.

    Raises:
        ImageError: The comment is in no known encoding, or cannot be changed without being read differently.
    """
    text = decode_user_comment(raw, big_endian)
    changed = put_into_comment(text, fields)
    if changed == text:
        return raw
    if not text.strip():
        return _encoded(changed)
    charset = raw[:8] if raw[:8] in CHARSETS else b""
    body = raw[len(charset) :]
    for mark, codec in _CODECS:
        try:
            written = mark + text.encode(codec)
        except UnicodeError:
            continue
        if body.startswith(written) and not body[len(written) :].strip(b"\0"):
            return charset + mark + changed.encode(codec) + body[len(written) :]
    raise ImageError(
        "the EXIF user comment is in no encoding known here, so it cannot be changed safely; expected UTF-8, UTF-16 or Latin-1. "
        + BESIDE
    )


def _encoded(text: str) -> bytes:
    """A new comment as the WebUIs write it: in big endian, whatever the block says."""
    return b"UNICODE\0" + text.encode("utf-16-be")
