"""What a person sees of a run: own prompts counted right, sheets and pages with anybody's prompts, tables that go on after a kill."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from PIL import Image

from imagereward_lab.figures.contact_sheet import write_sheet
from imagereward_lab.refl.guards.check import Check
from imagereward_lab.refl.guards.watchdog import History
from imagereward_lab.refl.tuning.update import Update
from imagereward_lab.refl.watching.curves import draw_tuning_curves
from imagereward_lab.refl.watching.logs import CHECKS, UPDATES, TuningLogs
from imagereward_lab.refl.watching.page import change_of, write_tuning_page
from imagereward_lab.refl.watching.previews import Drawn, own_over_others
from imagereward_lab.refl.watching.sheets import write_before_and_after

STRANGE = ("<script>alert(1)</script> $x^2$", "猫 и кошка \x1b[31m " + "long " * 60)


def drawn(colour):
    pictures = tuple(Image.new("RGB", (24, 16), (colour, 20 * number, 9)) for number in range(4))
    return Drawn(pictures=pictures, prompts=STRANGE, seeds=2)


def check(update, scores, **more):
    return Check(update=update, scores={"tuned": scores, "other $1$": [1.0] * 4}, diversity=0.3, **more)


FIRST = check(0, [0.0, 1.0, 2.0, math.nan], own={"tuned": 0.5})
LAST = check(4, [1.0, 1.5, 1.0, 3.0], own={"tuned": 0.75}, faults=("it <b>fell</b>",))


def update(number):
    return Update(
        number=number,
        reward=1.0,
        deviation=0.5,
        above=0.0,
        reward_loss=0.1,
        denoising_loss=math.nan,
        distance=0.01,
        norm=2.0,
        rate=1e-4,
        seconds=0.1,
    )


def test_own_prompts_are_counted_by_pairs_and_a_tie_is_wrong():
    values = np.array([[2.0, 1.0, 2.0], [0.0, 1.0, np.nan], [np.nan, 0.0, 5.0]])
    # 2 > 1, not 2 > 2; 1 > 0; 5 > 0; what has no score is in no pair
    assert own_over_others(values, np.array([0, 1, 2])) == 3 / 4
    assert math.isnan(own_over_others(np.array([[1.0]]), np.array([0])))


def test_the_change_is_over_pictures_and_its_interval_over_prompts():
    estimate, better = change_of(FIRST, LAST, "tuned", 2)
    assert estimate.value == pytest.approx((1.0 + 0.5 - 1.0) / 3) and estimate.count == 3
    assert better == 2 / 3
    assert estimate.low < -0.125 < estimate.high  # mean of the prompts' changes 0.75 and -1
    assert math.isnan(change_of(FIRST, check(1, [math.nan] * 4), "tuned", 2)[0].value)


def test_anybodys_prompts_can_be_shown(tmp_path):
    write_before_and_after(tmp_path / "sheet.png", drawn(0), drawn(200), FIRST, LAST)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width == 4 * 160
    history = History([FIRST, LAST], good=4, stopped="bad")
    page = tmp_path / "report.html"
    write_tuning_page(page, "mine", {"Model": STRANGE[0]}, history, LAST, drawn(0), drawn(200), ["take care"])
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text and "<b>fell" not in text and "\x1b" not in text
    assert (
        "&lt;script&gt;alert(1)" in text
        and "猫" in text
        and text.count("<figure>") == 8
        and "no score" in text
    )
    write_tuning_page(page, "mine", {}, history, LAST, drawn(0), drawn(200))  # a page of ours is replaced
    pytest.importorskip("matplotlib")
    assert draw_tuning_curves(history, tmp_path / UPDATES, tmp_path / "curves.png", "mine $1$")
    with Image.open(tmp_path / "curves.png") as curves:
        assert curves.width > 900


def test_pictures_are_shown_whole_and_small_ones_without_smoothing(tmp_path):
    wide = Image.new("RGB", (300, 100), (255, 0, 0))
    small = Image.new("RGB", (2, 1), (0, 0, 255))
    small.putpixel((1, 0), (0, 255, 0))
    write_sheet(tmp_path / "sheet.png", [[wide, small]], [["a", "b"]], side=104, lines=1)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.getpixel((99, 32)) == (255, 0, 0) and sheet.getpixel((50, 34)) == (255, 255, 255)
        assert (sheet.getpixel((104 + 49, 20)), sheet.getpixel((104 + 50, 20))) == ((0, 0, 255), (0, 255, 0))


def test_tables_go_on_where_the_checkpoint_was(tmp_path):
    with TuningLogs(tmp_path, board=False) as logs:
        logs.check(FIRST)
        for number in range(1, 6):
            logs.update(update(number))
        logs.check(LAST)
    with TuningLogs(tmp_path, 3, board=False) as logs:  # killed after the fifth, its checkpoint of the third
        logs.update(update(4))
    updates = list(csv.DictReader((tmp_path / UPDATES).open(encoding="utf-8")))
    assert [row["update"] for row in updates] == ["1", "2", "3", "4"] and updates[0]["denoising_loss"] == ""
    checks = list(csv.DictReader((tmp_path / CHECKS).open(encoding="utf-8")))
    assert [(row["update"], row["scorer"]) for row in checks] == [("0", "tuned"), ("0", "other $1$")]
    with TuningLogs(tmp_path, 0, board=False):  # before the first update, the first check is kept
        pass
    assert len((tmp_path / CHECKS).read_text(encoding="utf-8").splitlines()) == 3
    TuningLogs(tmp_path, board=False).close()
    assert len((tmp_path / CHECKS).read_text(encoding="utf-8").splitlines()) == 1
