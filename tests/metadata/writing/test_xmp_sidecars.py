"""Ratings in XMP files: read by others, and what others wrote stays."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.errors import ImageError
from imagereward_core.metadata.writing.xmp import read_xmp, sidecar_paths, stars_of, xmp_with_rating
from tests.support.metadata.picture_files import FIELDS, OTHER_FIELDS

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
RATING = "{http://ns.adobe.com/xap/1.0/}Rating"

DARKTABLE = b"""<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:darktable="http://darktable.sf.net/"
   xmp:Rating="0"
   darktable:auto_presets_applied="1">
   <darktable:history>
    <rdf:Seq>
     <rdf:li darktable:operation="exposure" darktable:params="a&lt;b"/>
    </rdf:Seq>
   </darktable:history>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""
LIGHTROOM = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>
<rdf:Description rdf:about='' xmlns:crs='http://ns.adobe.com/camera-raw-settings/1.0/' crs:Exposure='+0.30'/>
<rdf:Description rdf:about='' xmlns:xap='http://ns.adobe.com/xap/1.0/'>
 <xap:Rating>0</xap:Rating><xap:Label>Rot, ‘Grün’</xap:Label>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end='w'?>""".encode()


def properties(data):
    """All properties of all descriptions, read with another parser."""
    root = ElementTree.fromstring(data)
    found = {}
    for description in root.iter(f"{RDF}Description"):
        found |= description.attrib
        found |= {child.tag: (child.text or "").strip() for child in description}
    return found


def without_ours(text):
    """The text without the attributes of our namespace and without the rating's value."""
    plain = re.sub(r'\s+(xmlns:)?imagereward(:[\w-]+)?="[^"]*"', "", text)
    return re.sub(r'(Rating(="|>))\d', r"\g<1>", plain)


@pytest.mark.parametrize("rating", range(-1, 6))
def test_a_new_file_holds_rating_and_scores(rating):
    data = xmp_with_rating(None, rating, FIELDS)
    found = properties(data)
    assert found[RATING] == str(rating)
    assert found["{urn:imagereward-curator:1.0/}ImageReward"] == "-0.5312"
    again = read_xmp(data)
    assert (again.rating, again.by_person, again.fields) == (rating, False, FIELDS)


@pytest.mark.parametrize("existing", [DARKTABLE, LIGHTROOM, xmp_with_rating(None, 2, {})])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_existing_file_keeps_everything_else_and_writing_twice_is_writing_once(existing, encoding):
    text = existing.decode("utf-8")
    if encoding != "utf-8":
        text = text.removeprefix("\ufeff").replace('encoding="UTF-8"', "")
    existing = text.encode(encoding)
    first = xmp_with_rating(existing, 4, FIELDS)
    second = xmp_with_rating(first, 5, OTHER_FIELDS)
    assert second == xmp_with_rating(existing, 5, OTHER_FIELDS)
    assert second == xmp_with_rating(second, 5, OTHER_FIELDS)
    before, after = properties(existing), properties(second)
    ours = {f"{{urn:imagereward-curator:1.0/}}{key}": value for key, value in OTHER_FIELDS.items()}
    given = {RATING: "5", "{urn:imagereward-curator:1.0/}given-rating": "5"}
    assert after == {**before, **given, **ours}
    assert without_ours(second.decode(encoding)) == without_ours(text)


def test_a_rating_given_by_a_person_stays_and_the_scores_are_written():
    rated = DARKTABLE.replace(b'Rating="0"', b'Rating="2"')
    assert read_xmp(rated).by_person
    data = xmp_with_rating(rated, 5, FIELDS)
    assert properties(data)[RATING] == "2" and read_xmp(data).fields == FIELDS
    assert xmp_with_rating(data, 5, FIELDS) == data
    assert properties(xmp_with_rating(data, 5, FIELDS, over_person=True))[RATING] == "5"
    changed = xmp_with_rating(DARKTABLE, 3, {}).replace(b'xmp:Rating="3"', b'xmp:Rating="1"')
    assert properties(xmp_with_rating(changed, 5, {}))[RATING] == "1"
    # Somebody happens to give what we would have given, and later we would give another.
    assert properties(xmp_with_rating(xmp_with_rating(rated, 2, {}), 4, {}))[RATING] == "2"


def test_a_prefix_that_means_something_else_is_not_used():
    odd = (
        DARKTABLE.replace(b"xmlns:xmp=", b"xmlns:rate=")
        .replace(b"xmp:Rating", b"rate:Rating")
        .replace(
            b'xmlns:darktable="http://darktable.sf.net/"',
            b'xmlns:darktable="http://darktable.sf.net/" xmlns:imagereward="other:"',
        )
    )
    found = properties(xmp_with_rating(odd, 3, FIELDS))
    assert found[RATING] == "3" and found["{urn:imagereward-curator:1.0/}ImageReward"] == "-0.5312"


def test_scores_as_elements_are_replaced_too():
    other = DARKTABLE.replace(
        b"   <darktable:history>",
        b'   <c:ImageReward xmlns:c="urn:imagereward-curator:1.0/">1.0</c:ImageReward>\n   <c:X xmlns:c="urn:imagereward-curator:1.0/"/>\n'
        b"   <darktable:history>",
    )
    assert read_xmp(other).fields == {"ImageReward": "1.0", "X": ""}
    assert read_xmp(xmp_with_rating(other, 1, FIELDS)).fields == FIELDS


ENTITIES = b"".join(b'<!ENTITY a%d "%s">' % (number + 1, b"&a%d;" % number * 10) for number in range(40))
LAUGHS = b'<!DOCTYPE x [<!ENTITY a0 "ha">' + ENTITIES + b"]>" + DARKTABLE.partition(b"?>")[2]
"""Whoever replaces the entities before refusing them needs more memory than there is."""


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (LAUGHS, "document type"),
        (LAUGHS.replace(b'"ha"', b'SYSTEM "file:///etc/passwd"'), "document type"),
        (b"<!DOCTYPE x SYSTEM 'http://example.com/x.dtd'><x/>", "document type"),
        (b"<x:xmpmeta", "well-formed"),
        (b"not xml", "well-formed"),
        (b"<a/>", "rdf:Description"),
        (b"<a>" * 5000, "deeper|well-formed"),
        (b'<?xml version="1.0" encoding="koi8-r"?><a/>', "koi8-r"),
        (b"\xff\xfe\xff", "utf-16"),
        (b'<?xml version="1.0" encoding="utf-8"?><a>\xff</a>', "utf-8"),
    ],
)
def test_hostile_and_damaged_files_are_refused(data, words):
    with pytest.raises(ImageError, match=words):
        xmp_with_rating(data, 3, FIELDS)


def test_what_is_no_rating_or_no_name_is_refused():
    for rating in (-2, 6, 100):
        with pytest.raises(ValueError):
            xmp_with_rating(None, rating, {})
    with pytest.raises(ValueError):
        xmp_with_rating(None, 1, {"a:b": "1"})


@settings(deadline=None, max_examples=100)
@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z_]\w{0,8}", fullmatch=True).filter(str.isascii),
        st.text(
            st.characters(
                min_codepoint=32, blacklist_categories=("Cs",), blacklist_characters="\ufffe\uffff\x7f"
            ),
            max_size=20,
        ),
        max_size=4,
    ),
    st.integers(-1, 5),
)
def test_any_scores_come_back(fields, rating):
    data = xmp_with_rating(LIGHTROOM, rating, fields)
    assert properties(data)[RATING] == str(rating)
    assert read_xmp(data).fields == fields


def test_both_names_of_the_file_beside_a_picture():
    assert sidecar_paths(Path("a b") / "img.v2.png") == (
        Path("a b") / "img.v2.png.xmp",
        Path("a b") / "img.v2.xmp",
    )


def test_stars_by_percentile_and_by_what_a_rule_decided():
    assert [stars_of(value) for value in (0, 19.9, 20, 59, 60, 80, 100)] == [1, 1, 2, 3, 4, 5, 5]
    assert [
        stars_of(99, kept=False),
        stars_of(None, kept=False),
        stars_of(None, kept=True),
        stars_of(30, kept=True),
    ] == [-1, -1, 5, 2]
    assert stars_of() == 0 and stars_of(float("nan")) == 0


@pytest.mark.skipif(
    shutil.which("exiftool") is None, reason="exiftool is not installed (Debian: libimage-exiftool-perl)"
)
@pytest.mark.parametrize("existing", [None, DARKTABLE, LIGHTROOM])
def test_exiftool_reads_rating_and_scores(tmp_path, existing):
    path = tmp_path / "img.png.xmp"
    path.write_bytes(xmp_with_rating(existing, 4, FIELDS))
    done = subprocess.run(
        ["exiftool", "-json", "-a", "-G1", "-warning", "-all", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    (found,) = json.loads(done.stdout)
    assert found["XMP-xmp:Rating"] == 4 and not [key for key in found if "Warning" in key]
    assert -0.5312 in found.values()
