"""Ratings and scores in XMP files beside pictures, as digiKam, darktable and Lightroom read them.

An existing file is edited as text: what is not ours stays byte for byte.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ...errors import ImageError
from ..companions import SideFile, side_files
from ..containers.xml_text import Element, Name, XmlError, decode_xml, read_xml
from .splice import Splice, apply

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMP = "http://ns.adobe.com/xap/1.0/"
OURS = "urn:imagereward-curator:1.0/"
"""The namespace of our scores."""

_RATING: Name = (XMP, "Rating")
_PERCENT: Name = ("http://ns.microsoft.com/photo/1.0/", "Rating")
"""Ratings as Windows writes them: 1, 25, 50, 75 or 99 of a hundred for 1 to 5 stars."""
_GIVEN: Name = (OURS, "given-rating")
_PREFIXES = {XMP: "xmp", OURS: "imagereward"}
_NEW = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    f' <rdf:RDF xmlns:rdf="{RDF}">\n'
    '  <rdf:Description\n    rdf:about=""/>\n'
    " </rdf:RDF>\n"
    "</x:xmpmeta>\n"
)
_KEY = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_TAG = re.compile(rb"<[^\s/>=]+")
_ATTRIBUTE = re.compile(rb"(\s+)([^\s=/>]+)\s*=\s*(\"[^\"]*\"|'[^']*')")
_TAG_END = re.compile(rb"\s*/?>")


class _Attribute(NamedTuple):
    """An attribute as written: its place with the white space before it, its name, and from where to where its quoted value stands."""

    place: int
    spaces: bytes
    name: Name
    start: int
    end: int


@dataclass(frozen=True)
class XmpRating:
    """What an XMP file says about a picture.

    Attributes:
        rating: -1 for rejected, 0 for unrated, 1..5; None where nothing is said.
        by_person: Whether somebody gave the rating: it is there, is not 0, and is not the one we wrote.
        fields: Our scores by key.
    """

    rating: int | None
    by_person: bool
    fields: Mapping[str, str]


def sidecar_paths(path: str | os.PathLike[str]) -> tuple[Path, Path]:
    """Where XMP files beside a picture stand: ``img.png.xmp`` (digiKam, darktable) and ``img.xmp`` (Lightroom, Bridge).

    Pictures that differ in their suffix alone share the second.
    """
    picture = Path(path)
    return picture.with_name(picture.name + ".xmp"), picture.with_suffix(".xmp")


def sidecars_of(path: str | os.PathLike[str]) -> tuple[SideFile, SideFile]:
    """As ``sidecar_paths``, with the file that is there in place of a name, however it is spelled (``IMG.XMP``)."""
    picture = Path(path)
    there = {each.whole: each for each in reversed(side_files(picture, (".xmp",)))}
    full, stem = sidecar_paths(picture)
    return there.get(True, SideFile(full, ".xmp", True)), there.get(False, SideFile(stem, ".xmp", False))


def stars_of(percentile: float | None = None, kept: bool | None = None) -> int:
    """A rating from the percentile of a score, 0..100, or from whether a rule kept the picture; None, or NaN, where there is none.

    -1 for a rejected picture; else 1..5 by percentile, each a fifth of the pictures; 5 for a kept one without; 0 where nothing is known.
    """
    if kept is False:
        return -1
    if percentile is None or percentile != percentile:
        return 5 if kept else 0
    return 1 + sum(percentile >= step for step in (20, 40, 60, 80))


def read_xmp(data: bytes) -> XmpRating:
    """The rating and our scores in an XMP file.

    Raises:
        ImageError: The file is damaged or no XMP.
    """
    _, elements = _parsed(data)
    values: dict[Name, str] = {}
    for description, children in _descriptions(elements):
        values |= description.attributes
        values |= {child.name: child.text.strip() for child in children}
    rating = _number(values.get(_RATING))
    if rating in (None, 0) and (percent := _number(values.get(_PERCENT))):
        rating = 1 + sum(percent >= step for step in (13, 38, 63, 88))
    fields = {
        local: value for (uri, local), value in values.items() if uri == OURS and (uri, local) != _GIVEN
    }
    by_person = rating not in (None, 0) and rating != _number(values.get(_GIVEN))
    return XmpRating(rating, by_person, fields)


def xmp_with_rating(
    existing: bytes | None, rating: int, fields: Mapping[str, str], over_person: bool = False
) -> bytes:
    """An XMP file with a rating (-1 for rejected, 0 for unrated, 1..5) and scores by key, which replace those written before.

    A rating that somebody gave in the ``existing`` file, None or empty for a new one, is replaced only where ``over_person`` says so.

    Raises:
        ImageError: The existing file is damaged or no XMP; it is better left alone.
        ValueError: The rating is none, or a key cannot be the name of a property.
    """
    if rating not in range(-1, 6):
        raise ValueError(f"the rating is {rating}; expected -1 (rejected), 0 (unrated) or 1 to 5")
    for key in fields:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} cannot be written; expected a key of letters, digits and _")
    data = existing if existing and existing.strip() else _NEW.encode()
    keep = not over_person and read_xmp(data).by_person
    text, elements = _parsed(data)
    codec = decode_xml(data)[1]
    wanted: dict[Name, str] = {} if keep else {_RATING: str(rating), _GIVEN: str(rating)}
    wanted |= {(OURS, key): value for key, value in fields.items()}
    body = text.encode("utf-8")
    changed = apply(body, _edits(body, elements, wanted, keep)).decode("utf-8")
    return changed.encode(codec)


def _edits(body: bytes, elements: list[Element], wanted: Mapping[Name, str], keep: bool) -> list[Splice]:
    splices: list[Splice] = []
    rated = keep
    descriptions = _descriptions(elements)
    for description, children in descriptions:
        for each in _attributes(body, description):
            if each.name == _RATING and not keep:
                splices.append(Splice(each.start, body[each.start : each.end], _quoted(wanted[_RATING])))
                rated = True
            elif each.name[0] == OURS:
                splices.append(Splice(each.place, body[each.place : each.end], b""))
        for child in children:
            inside = _tag_end(body, child)
            has_inside = body[inside - 2 : inside] != b"/>"
            if child.name == _RATING and not keep and has_inside:
                splices.append(Splice(inside, body[inside : child.end], wanted[_RATING].encode()))
                rated = True
            elif child.name[0] == OURS:
                start = child.start
                while body[start - 1 : start].isspace():
                    start -= 1
                end = body.index(b">", child.end) + 1 if has_inside else inside
                splices.append(Splice(start, body[start:end], b""))
    missing = {name: value for name, value in wanted.items() if name != _RATING or not rated}
    if not descriptions:
        raise _unreadable("it holds no rdf:Description")
    return [*splices, *_added(body, descriptions[0][0], missing)]


def _added(body: bytes, element: Element, missing: Mapping[Name, str]) -> list[Splice]:
    """Attributes for what is not there yet, behind those that are, in their style of white space."""
    if not missing:
        return []
    kept = [each for each in _attributes(body, element) if each.name[0] != OURS]
    place = kept[-1].end if kept else _name_end(body, element)
    spaces = kept[-1].spaces if kept else b" "
    prefixes: dict[str, str] = {}
    words: list[bytes] = []
    for uri in dict.fromkeys(name[0] for name in missing):
        known = [prefix for prefix, found in element.prefixes.items() if found == uri and prefix]
        if known:
            prefixes[uri] = known[0]
            continue
        prefix = _PREFIXES[uri]
        while prefix in element.prefixes:
            prefix += "_"
        prefixes[uri] = prefix
        words.append(f"xmlns:{prefix}=".encode() + _quoted(uri))
    words += [
        f"{prefixes[uri]}:{local}=".encode() + _quoted(value) for (uri, local), value in missing.items()
    ]
    return [Splice(place, b"", b"".join(spaces + word for word in words))]


def _attributes(body: bytes, element: Element) -> list[_Attribute]:
    found: list[_Attribute] = []
    at = _name_end(body, element)
    while match := _ATTRIBUTE.match(body, at):
        prefix, colon, local = match[2].decode("utf-8").rpartition(":")
        name = (element.prefixes.get(prefix, "") if colon else "", local)
        found.append(_Attribute(match.start(), match[1], name, match.start(3), match.end(3)))
        at = match.end()
    return found


def _name_end(body: bytes, element: Element) -> int:
    match = _TAG.match(body, element.start)
    if match is None:
        raise _unreadable(f"there is no tag at byte {element.start}")
    return match.end()


def _tag_end(body: bytes, element: Element) -> int:
    """Behind the start tag."""
    attributes = _attributes(body, element)
    match = _TAG_END.match(body, attributes[-1].end if attributes else _name_end(body, element))
    if match is None:
        raise _unreadable(f"the tag at byte {element.start} has no end")
    return match.end()


def _descriptions(elements: list[Element]) -> list[tuple[Element, list[Element]]]:
    """The elements that hold a file's properties, ``rdf:Description`` right inside ``rdf:RDF``, with what is right inside each."""
    children: dict[int, list[Element]] = {}
    for element in elements:
        children.setdefault(element.parent, []).append(element)
    return [
        (element, children.get(index, []))
        for index, element in enumerate(elements)
        if element.name == (RDF, "Description")
        and element.parent >= 0
        and elements[element.parent].name == (RDF, "RDF")
    ]


def _quoted(value: str) -> bytes:
    escaped = html.escape(value, quote=True)
    for character in "\t\n\r":
        escaped = escaped.replace(character, f"&#{ord(character)};")
    return f'"{escaped}"'.encode()


def _parsed(data: bytes) -> tuple[str, list[Element]]:
    try:
        text, _ = decode_xml(data)
        return text, read_xml(text)
    except XmlError as error:
        raise _unreadable(str(error)) from error


def _number(text: str | None) -> int | None:
    try:
        return round(float(text)) if text else None
    except (ValueError, OverflowError):
        return None


def _unreadable(what: str) -> ImageError:
    return ImageError(f"the XMP file cannot be read: {what}. Repair it or move it away; it is left as it is.")
