"""Draw Things, and other programs that put their JSON or an infotext into a picture's XMP."""

from __future__ import annotations

from ..containers.xml_text import Element, XmlError, read_xml
from ..types import PictureText
from .a1111 import looks_like_infotext, parse_infotext
from .json_text import parse_json_text

XMP_KEY = "XML:com.adobe.xmp"
"""The name of a picture's XMP among its text blocks, as the PNG keyword."""

_COMMENT = ("http://ns.adobe.com/exif/1.0/", "UserComment")
_DESCRIPTION = ("http://purl.org/dc/elements/1.1/", "description")


def parse_xmp(text: str) -> PictureText | None:
    """Read a prompt out of XMP: JSON or an infotext in ``exif:UserComment``, else an infotext in ``dc:description``.

    None if there is none. Never raises.
    """
    try:
        elements = read_xml(text.strip("\0 \t\r\n"))
    except XmlError:
        return None
    for name in (_COMMENT, _DESCRIPTION):
        for index, element in enumerate(elements):
            told = _text(elements, index) if element.name == name else element.attributes.get(name, "")
            if not told.strip():
                continue
            found = parse_json_text(told)
            if found is None and looks_like_infotext(told):
                found = parse_infotext(told)
            if found is not None and found.prompt:
                return found
    return None


def _text(elements: list[Element], index: int) -> str:
    """The text of an element, or of the first in it that has some (``rdf:Alt`` with ``rdf:li``)."""
    inside = {index}
    for position in range(index, len(elements)):
        if position == index or elements[position].parent in inside:
            inside.add(position)
            if elements[position].text.strip():
                return elements[position].text
        else:
            break
    return ""
