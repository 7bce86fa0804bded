"""Reads XML without trusting it: no document type, so no entities of any kind, and where each element stands in the text."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

MAX_XML_BYTES = 16 * 1024 * 1024
_MOST_ELEMENTS = 100_000
_DEEPEST = 200
_CODECS = "utf-8 utf-8-sig utf-16-le utf-16-be us-ascii ascii iso-8859-1 latin-1".split()
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([\w.\-]+)[\"']")

Name = tuple[str, str]
"""Namespace and local name."""


class XmlError(ValueError):
    """The text is no XML, or XML of a kind that is not read here."""


@dataclass
class Element:
    """One element, with its own text, without that of elements inside it, and the namespaces declared here or around it by prefix.

    ``parent`` is the index of the element around it, or -1; ``start`` is where its start tag begins and ``end`` where its end tag does
    (behind it for an element that is one tag), in bytes of the UTF-8 text.
    """

    name: Name
    attributes: Mapping[Name, str]
    prefixes: Mapping[str, str]
    parent: int
    start: int
    end: int = -1
    text: str = field(default="")


def decode_xml(data: bytes) -> tuple[str, str]:
    """The text of an XML file and the codec that gives its bytes again.

    Raises:
        XmlError: The file is too large, or in an encoding that is not read here.
    """
    if len(data) > MAX_XML_BYTES:
        raise XmlError(f"it holds {len(data)} bytes; expected at most {MAX_XML_BYTES}")
    codec = "utf-8"
    if data.startswith(codecs.BOM_UTF8):
        codec = "utf-8-sig"
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        codec = "utf-16-le" if data.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    elif declared := _DECLARED.match(data):
        codec = declared[1].decode("ascii").lower()
    if codec not in _CODECS:
        raise XmlError(f"it is written in {codec}; expected UTF-8 or UTF-16")
    try:
        return data.decode(codec), codec
    except UnicodeDecodeError as error:
        raise XmlError(f"it is not the {codec} it says it is ({error})") from error


def read_xml(text: str) -> list[Element]:
    """All elements in the order of their start tags.

    Raises:
        XmlError: The text is not well-formed, declares a document type, or is larger or deeper than any real one.
    """
    parser = expat.ParserCreate("utf-8", namespace_separator="\n")
    parser.buffer_text = True
    elements: list[Element] = []
    open_now: list[int] = []
    scopes: list[dict[str, str]] = [{"xml": "http://www.w3.org/XML/1998/namespace"}]
    declared: dict[str, str] = {}

    def no_doctype(*_: object) -> None:
        raise XmlError("it declares a document type, which may define entities; expected none")

    def namespace(prefix: str | None, uri: str | None) -> None:
        declared[prefix or ""] = uri or ""

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if len(elements) >= _MOST_ELEMENTS or len(open_now) >= _DEEPEST:
            raise XmlError("it holds more elements than any real file, or nests them deeper")
        scopes.append({**scopes[-1], **declared} if declared else scopes[-1])
        declared.clear()
        found = {_name(key): value for key, value in attributes.items()}
        around = open_now[-1] if open_now else -1
        open_now.append(len(elements))
        elements.append(Element(_name(name), found, scopes[-1], around, parser.CurrentByteIndex))

    def end(_: str) -> None:
        scopes.pop()
        elements[open_now.pop()].end = parser.CurrentByteIndex

    def words(text: str) -> None:
        if open_now:
            elements[open_now[-1]].text += text

    parser.StartDoctypeDeclHandler = no_doctype
    parser.StartNamespaceDeclHandler = namespace
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = words
    try:
        parser.Parse(text.encode("utf-8"), True)
    except (expat.ExpatError, UnicodeError) as error:
        raise XmlError(f"it is not well-formed ({error})") from error
    return elements


def _name(name: str) -> Name:
    uri, found, local = name.rpartition("\n")
    return (uri, local) if found else ("", name)
