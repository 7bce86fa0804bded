"""Decodes text where files do not say, or say wrongly, how it is encoded."""

from __future__ import annotations

import codecs
import locale

CHARSETS = {
    b"UNICODE\0": "utf-16",
    b"ASCII\0\0\0": "utf-8",
    b"JIS\0\0\0\0\0": "iso2022_jp",
    b"\0\0\0\0\0\0\0\0": "",
}
"""The eight-byte character codes that begin an EXIF UserComment (EXIF 2.32, section 4.6.5)."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


_GUESSED = "the text file is no UTF-8: read as {}; save it as UTF-8 if letters are wrong"


def decode_text(data: bytes, big_endian: bool = True) -> str:
    """Decode text of unknown encoding: by byte order mark, as UTF-8, as UTF-16 by its look, as Latin-1, which every byte is.

    ``big_endian`` says which byte order to believe when UTF-16 text reads equally well in both.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    if b"\0" in data.rstrip(b"\0"):
        return decode_utf16(data, big_endian)
    try:
        return data.decode("utf-8").rstrip("\0")
    except UnicodeDecodeError:
        return data.decode("latin-1").rstrip("\0")


def decode_file(data: bytes) -> tuple[str, str]:
    """Decode a text file that somebody saved with any editor; with a sentence where its encoding had to be guessed, else an empty one.

    What is neither UTF-8 nor UTF-16 was saved in the encoding of some system: this one's if it fits, else that of
    Windows in Western Europe.
    """
    if b"\0" in data.rstrip(b"\0") or any(data.startswith(mark) for mark, _ in _BOMS):
        return decode_text(data), ""
    try:
        return data.decode("utf-8").rstrip("\0"), ""
    except UnicodeDecodeError:
        pass
    damaged = data.decode("utf-8", "replace")
    # Letters that UTF-8 writes in several bytes hardly ever come up in text of another encoding.
    if sum(letter > "\x7f" for letter in damaged.replace("\ufffd", "")) > damaged.count("\ufffd"):
        return damaged.rstrip("\0"), "the text file is damaged: some bytes are no UTF-8"
    for name in (system_encoding(), "cp1252"):
        try:
            text = data.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
        return text.rstrip("\0"), _GUESSED.format(name)
    return data.decode("latin-1").rstrip("\0"), _GUESSED.format("latin-1")


def system_encoding() -> str:
    """What programs of this system save text in where they do not save UTF-8."""
    # From Python 3.11 on; the other one says UTF-8 in Python's UTF-8 mode, whatever the system uses.
    getter = getattr(locale, "getencoding", None)
    return getter() if getter else locale.getpreferredencoding(False)


def decode_utf16(data: bytes, big_endian: bool = True) -> str:
    """Decode UTF-16 in the byte order in which more of it is ordinary ASCII.

    The EXIF standard leaves the order open; piexif and with it the WebUIs write big endian whatever the file
    says, other tools the file's own order. Prompts hold spaces, commas and digits in any language, so the
    wrong order shows at once. UTF-8 behind a wrong label is recognised in the same way.
    """
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return data.decode("utf-16", "replace").rstrip("\0")
    orders = ("utf-16-be", "utf-16-le") if big_endian else ("utf-16-le", "utf-16-be")
    readings = [data[: len(data) // 2 * 2].decode(order, "replace") for order in orders]
    try:
        readings.append(data.decode("utf-8"))
    except UnicodeDecodeError:
        pass
    # max() keeps the first of equals, so the preferred byte order wins a tie.
    return max(readings, key=_plainness).rstrip("\0")


def decode_user_comment(data: bytes, big_endian: bool = True) -> str:
    """Decode an EXIF UserComment with or without its eight-byte character code.

    ``big_endian`` is the byte order of the EXIF block, used where UTF-16 text does not show its own.
    """
    charset = CHARSETS.get(data[:8])
    if charset is None:
        return decode_text(data, big_endian)
    body = data[8:]
    if charset == "utf-16":
        return decode_utf16(body, big_endian)
    if charset == "iso2022_jp":
        try:
            return body.decode(charset).rstrip("\0")
        except UnicodeDecodeError:
            pass
    return decode_text(body, big_endian)


def mend_latin1(text: str) -> str:
    """Undo the reading of UTF-8 bytes as Latin-1; text that is honest Latin-1 comes back unchanged.

    PNG ``tEXt`` and EXIF ASCII fields are Latin-1 or ASCII by their standards, but many programs put UTF-8
    there.
    """
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _plainness(text: str) -> float:
    """Share of characters that are printable ASCII or ordinary white space, 0..1."""
    if not text:
        return 0.0
    return sum(" " <= character <= "~" or character in "\n\r\t" for character in text) / len(text)
