"""A page stays small enough to be opened, and says which of its pictures are inside."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from imagereward_core.report import size
from imagereward_core.report import write as report
from imagereward_core.report.contents import ReportEntry
from imagereward_core.report.thumbnails import Thumbnail
from imagereward_core.report.write import write_report
from imagereward_core.selection import select
from tests.support.library.reports import CARD, Page, make_scores


@pytest.fixture
def noisy(tmp_path):
    """A picture that no format makes small."""
    pixels = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noise.jpg", quality=95)
    return tmp_path / "noise.jpg"


def write(folder, picture, number, written=""):
    scores = make_scores([float(number - index) for index in range(number)])
    entries = [
        ReportEntry(f"{index}.jpg", picture=picture, path=picture, written=written) for index in range(number)
    ]
    page = write_report(folder / "page.html", entries, scores, select(scores), CARD)
    return page, page.read_text(encoding="utf-8")


def test_beyond_its_room_a_page_holds_links_to_files_and_says_so(tmp_path, noisy, monkeypatch):
    monkeypatch.setattr(report, "LARGEST_PAGE", 600_000)
    page, text = write(tmp_path, noisy, 200)
    assert page.stat().st_size <= 600_000
    inside, linked = text.count('<img src="data:'), text.count("open the file")
    assert 10 < inside < 200 and inside + linked == 200
    assert f"Small pictures of the best {inside:,} are inside this page. The other {linked:,} are links" in (
        text
    )
    assert text.index("open the file") > text.rindex('<img src="data:')  # the best are those inside


def test_thumbnails_get_smaller_before_any_becomes_a_link(tmp_path, noisy, monkeypatch):
    monkeypatch.setattr(report, "LARGEST_PAGE", 2_000_000)
    page, text = write(tmp_path, noisy, 60)
    assert page.stat().st_size <= 2_000_000
    assert text.count('<img src="data:') == 60 and "open the file" not in text
    assert 'width="384"' not in text and "complete in itself" in text


def test_pictures_beyond_the_room_are_not_even_opened(tmp_path, monkeypatch):
    opened = []

    def stub(source, side):
        opened.append(source)
        return Thumbnail("data:image/jpeg;base64," + "A" * 9_000, side, side)

    monkeypatch.setattr("imagereward_core.report.thumbnails.thumbnail", stub)
    monkeypatch.setattr(size, "side_for", lambda sources, room: 96)
    monkeypatch.setattr(report, "side_for", lambda sources, room: 96)
    monkeypatch.setattr(report, "LARGEST_PAGE", 700_000)
    write(tmp_path, tmp_path / "x.jpg", 250)
    assert 0 < len(opened) < 120


def test_a_page_whose_text_alone_is_too_long_shows_the_best(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "LARGEST_PAGE", 600_000)
    page, text = write(tmp_path, None, 400, written="an other text " * 100)
    shown, seen = text.count('class="scoreline"'), Page()
    seen.feed(text)
    assert page.stat().st_size <= 600_000 and 10 < shown < 400
    assert f"The best {shown} are shown" in seen.words


def test_three_thousand_large_thumbnails_make_no_page_beyond_fifty_megabytes(tmp_path, monkeypatch):
    stub = Thumbnail("data:image/jpeg;base64," + "A" * 40_000, 96, 96)
    monkeypatch.setattr("imagereward_core.report.thumbnails.thumbnail", lambda source, side: stub)
    monkeypatch.setattr(size, "thumbnail", lambda source, side: stub)
    page, _ = write(tmp_path, tmp_path / "x.jpg", 3000)
    assert 30_000_000 < page.stat().st_size < 50_000_000
