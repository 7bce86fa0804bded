"""Stars given by command and taken over from other programs."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from imagereward_core.cli.main import main
from imagereward_core.library.library import Library
from imagereward_core.library.places import TAB_FOLDER
from imagereward_core.metadata.stars import person_rating
from imagereward_core.metadata.writing.xmp import read_xmp

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0/" {}/>
</rdf:RDF></x:xmpmeta>"""
SAID = [
    ('xmp:Rating="4"', 4),
    ('xmp:Rating="-1"', -1),
    ('xmp:Rating="0"', None),
    ("", None),
    ('xmp:Rating="99"', None),
]
SAID += [(f'MicrosoftPhoto:Rating="{share}"', stars) for stars, share in enumerate((1, 25, 50, 75, 99), 1)]


@pytest.fixture
def folder(tmp_path):
    for number in range(3):
        levels = np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(levels).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.mark.parametrize(("said", "rating"), SAID)
def test_ratings_of_other_programs_are_read_beside_and_inside(folder, said, rating):
    for name in ("0.xmp", "1.png.xmp"):
        (folder / name).write_text(XMP.format(said))
        assert person_rating(folder / f"{name[0]}.png") == rating
    packet = XMP.format(said).encode()
    start = b"http://ns.adobe.com/xap/1.0/\0"
    Image.new("RGB", (8, 8)).save(folder / "in.jpg")
    data = (folder / "in.jpg").read_bytes()
    length = (len(start) + len(packet) + 2).to_bytes(2, "big")
    (folder / "in.jpg").write_bytes(data[:2] + b"\xff\xe1" + length + start + packet + data[2:])
    assert person_rating(folder / "in.jpg") == rating


def test_stars_are_given_imported_and_listed_and_nobody_loses_any(folder, capsys):
    (folder / "0.xmp").write_text(XMP.format('xmp:Rating="4"'))
    (folder / "1.xmp").write_text(XMP.format('xmp:Rating="5"'))
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert main(["stars", str(folder), "--set", "2", "1.png"]) == 0
    assert main(["stars", str(folder), "--import"]) == 0
    assert "library has 2 stars, the file says 5" in capsys.readouterr().err
    assert main(["stars", str(folder)]) == 0
    assert sorted(capsys.readouterr().out.splitlines()) == ["2  1.png", "4  0.png"]
    assert main(["stars", str(folder), "--set", "none", "1.png"]) == 0
    assert main(["stars", str(folder), "--set", "3", "no.png"]) == 1
    assert main(["stars", str(folder), "--set", "7", "1.png"]) == 2
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_no_second_sidecar_contradicts_a_persons_rating(folder):
    (folder / "0.xmp").write_text(XMP.format('xmp:Rating="2"'))
    words = ["--scorer", "demo", "--prompt", "a red star", "--top", "3", "--stay", "--xmp", "--yes"]
    assert main(["curate", str(folder), *words]) == 0
    assert read_xmp((folder / "0.png.xmp").read_bytes()).rating == 2
    assert person_rating(folder / "0.png") == 2


def test_a_folder_nobody_gave_stars_in_has_none_and_that_is_no_error(folder, capsys):
    """Nothing is made in it either."""
    before = sorted(folder.iterdir())
    assert main(["stars", str(folder)]) == 0
    said = capsys.readouterr()
    assert (
        said.out == "" and "0 pictures have stars: nothing is stored" in said.err and "--import" in said.err
    )
    assert sorted(folder.iterdir()) == before
    assert main(["stars", str(folder), "--store", str(folder / "typo")]) == 2
    assert main(["stars", str(folder), "--set", "4", "1.png"]) == 0
    assert "1 picture has 4 stars now." in capsys.readouterr().err
    assert main(["stars", str(folder)]) == 0
    said = capsys.readouterr()
    assert said.out == "4  1.png\n" and "1 picture has stars." in said.err


def test_stars_of_the_webuis_tab_are_listed_and_new_ones_go_there_too(folder, capsys):
    outputs = folder / "outputs"
    outputs.mkdir()
    for path in folder.glob("*.png"):
        path.rename(outputs / path.name)
    place = folder / TAB_FOLDER
    with Library.open(place, root=outputs) as library:
        library.scan([outputs], None)
        library.set_stars(outputs / "0.png", 5)
    assert main(["stars", str(outputs)]) == 0
    said = capsys.readouterr()
    assert (
        said.out == "5  0.png\n"
        and f"The WebUI's tab knows these pictures: its library in {place}" in said.err
    )
    assert f"imagereward curate {outputs} --store {place} ..." in said.err, (
        "it has no signature of this user's"
    )
    assert main(["stars", str(outputs), "--set", "3", "1.png"]) == 0
    assert main(["stars", str(outputs), "--store", str(place)]) == 0
    assert sorted(capsys.readouterr().out.splitlines()) == ["3  1.png", "5  0.png"]
    assert not (outputs / ".imagereward").exists()
    assert main(["undo", str(outputs)]) == 2
    assert f"--store {place} names that of the WebUI's tab" in capsys.readouterr().err
