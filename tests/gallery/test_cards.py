"""What a page's script is told of each picture: the caption, whose facts stay whole where it goes on in a second line."""

from __future__ import annotations

import math
import re

from imagereward_core.gallery.cards import Cards
from imagereward_core.gallery.filter import Filter, choose
from tests.gallery.test_filter import view_of


def captions(values, **given):
    view = view_of(values, **given)
    cards = Cards(view, choose(view, Filter(minimum=0.0)), lambda row: row.content)
    return [cards[place]["caption"] for place in range(len(values))]


def lines(caption):
    """A caption, broken wherever a browser may break it."""
    return re.split(" ", caption)


def test_a_caption_breaks_between_its_facts_alone_and_has_the_stars_last():
    great, poor = captions([1.5, -2.25], stars=[4, None])
    assert [line.replace("\xa0", " ") for line in lines(great)][:2] == ["#1 ·", "1.500 ·"]
    assert [line.replace("\xa0", " ") for line in lines(great)][3:] == ["4★"]
    assert re.fullmatch(r"\d+\xa0%\xa0·", lines(great)[2])
    assert [line.replace("\xa0", " ") for line in lines(poor)][:2] == ["✕ #2 ·", "-2.250 ·"]


def test_a_picture_without_a_score_shows_its_stars_before_its_name():
    with_stars, without = captions([math.nan, math.nan], stars=[3, None])
    assert with_stars.replace("\xa0", " ") == "no score · 3★ · 000.png"
    assert without.replace("\xa0", " ") == "no score · 001.png"
