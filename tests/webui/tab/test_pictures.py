"""The pictures of the tab over HTTP: to whom they were sent, as what they are, and no others."""

from __future__ import annotations

import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image, ImageOps

from imagereward_core.gallery import small_copies
from imagereward_core.gallery.addresses import Addresses
from tests.support.webui.api_client import ApiHost, TestClient
from tests.support.webui.drawn import SETTINGS, png, save_scenes, scenes
from tests.support.webui.fake_webui import ours
from tests.support.webui.tab_page import TabPage

SMALL, LARGE = "/imagereward/pictures/small", "/imagereward/pictures/large"


@pytest.fixture
def page(monkeypatch, tmp_path):
    page = TabPage(ApiHost(monkeypatch, tmp_path), monkeypatch)
    save_scenes(page.host.samples, prompts=1, pictures=2)
    ours("tab").on_app_started("pages", page.host.app)
    page.client = TestClient(page.host.app, raise_server_exceptions=False)
    yield page
    ours("tab").close()


def address(page, name):
    """The address that was sent for a file of the folder."""
    page.score()
    shown = {picture["name"]: picture["id"] for picture in page.deck["pictures"]}
    if name not in shown:
        page.filter(show="Not scored")
        shown = {picture["name"]: picture["id"] for picture in page.deck["pictures"]}
    return shown[name]


def save(page, name, data):
    (page.host.samples / name).write_bytes(data)
    return page.host.samples / name


def test_the_large_picture_is_the_file_and_the_small_one_a_copy_of_it(page):
    path = save(page, "wide.png", png(scenes()[0][1].resize((900, 300)), scenes()[0][0] + SETTINGS))
    found = address(page, "wide.png")
    large, small = page.client.get(f"{LARGE}/{found}"), page.client.get(f"{SMALL}/{found}")
    assert large.content == path.read_bytes() and large.headers["content-type"] == "image/png"
    picture = Image.open(io.BytesIO(small.content))
    assert picture.format == "JPEG" and picture.size == (384, 128)
    for answer in (large, small):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert "private" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "asked",
    [
        *(
            "",
            "guess",
            "../../etc/passwd",
            "%2e%2e%2fsecret",
            "%252e%252e%252f",
            "0" * 5000,
            "%00",
            "%ff%fe",
            "%F0%9F%90%B1",
        ),
        *(
            "/etc/passwd",
            "%2Fetc%2Fpasswd",
            "C:%5Cpagefile.sys",
            "%5C%5Cserver%5Cshare",
            "known%00.png",
            "known%20",
        ),
        "../large/../../imagereward/pictures/small/unknown",
    ],
)
def test_an_address_nobody_was_sent_is_nothing(page, asked):
    known = address(page, "000 szene.png")
    for kind in (SMALL, LARGE):
        answer = page.client.get(f"{kind}/{asked.replace('known', known)}")
        assert answer.status_code == 404 and str(page.host.samples) not in answer.text
    path = page.host.samples / "000 szene.png"
    for kind in (SMALL, LARGE):
        for given in (str(path), path.name, path.as_uri()):
            assert page.client.get(f"{kind}/{quote(given, safe='')}").status_code == 404
            assert (
                page.client.get(f"{kind}/unknown", params={"address": given, "path": given}).status_code
                == 404
            )
        assert page.client.post(f"{kind}/{known}").status_code == 405


def test_addresses_are_long_all_different_and_stay_while_the_file_does(page):
    first, other = address(page, "000 szene.png"), address(page, "001 szene.png")
    assert first != other and min(len(first), len(other)) >= 24
    assert address(page, "000 szene.png") == first
    save(page, "000 szene.png", png(scenes()[1][1].rotate(90), scenes()[0][0] + SETTINGS))
    changed = address(page, "000 szene.png")
    assert changed != first


def test_a_file_that_is_gone_or_in_a_folder_no_longer_allowed_is_not_sent(page, tmp_path):
    elsewhere = tmp_path / "mine"
    save_scenes(elsewhere, prompts=1, pictures=2)
    page.host.option("imagereward_extra_folders", str(elsewhere))
    page.score(folder=str(elsewhere))
    gone, forbidden = (picture["id"] for picture in page.deck["pictures"])
    assert page.client.get(f"{LARGE}/{forbidden}").status_code == 200
    (elsewhere / page.deck["pictures"][0]["name"]).unlink()
    assert page.client.get(f"{LARGE}/{gone}").status_code == 404
    page.host.option("imagereward_extra_folders", "")
    for kind in (SMALL, LARGE):
        assert page.client.get(f"{kind}/{forbidden}").status_code == 404


@pytest.mark.parametrize(
    ("form", "kind"), [("JPEG", "image/jpeg"), ("WEBP", "image/webp"), ("GIF", "image/gif")]
)
def test_a_picture_is_what_it_holds_whatever_it_is_called(page, form, kind):
    data = io.BytesIO()
    scenes()[0][1].save(data, form)
    save(page, "named.png", data.getvalue())
    (page.host.samples / "named.txt").write_text(scenes()[0][0], encoding="utf-8")
    answer = page.client.get(f"{LARGE}/{address(page, 'named.png')}")
    assert answer.headers["content-type"] == kind and answer.content == data.getvalue()


def test_formats_that_browsers_do_not_know_are_sent_upright_and_without_loss(page):
    picture, exif = scenes()[0][1].resize((60, 40)), Image.Exif()
    exif[0x0112] = 6
    picture.save(page.host.samples / "turned.tiff", exif=exif)
    (page.host.samples / "turned.txt").write_text(scenes()[0][0], encoding="utf-8")
    answer = page.client.get(f"{LARGE}/{address(page, 'turned.tiff')}")
    assert answer.headers["content-type"] == "image/png"
    sent = Image.open(io.BytesIO(answer.content)).convert("RGB")
    upright = ImageOps.exif_transpose(Image.open(page.host.samples / "turned.tiff")).convert("RGB")
    assert sent.size == (40, 60) and sent.tobytes() == upright.tobytes()


def test_grey_of_16_bits_keeps_all_of_them(page):
    grey = Image.frombytes("I;16", (64, 64), bytes(range(256)) * 32)
    grey.save(page.host.samples / "deep.tiff")
    (page.host.samples / "deep.txt").write_text(scenes()[0][0], encoding="utf-8")
    answer = page.client.get(f"{LARGE}/{address(page, 'deep.tiff')}")
    sent = Image.open(io.BytesIO(answer.content))
    assert answer.headers["content-type"] == "image/png"
    assert np.array_equal(np.asarray(sent), np.asarray(grey))


def test_a_page_that_is_called_a_picture_is_never_sent(page):
    save(page, "evil.png", b"<!doctype html><script>alert(1)</script>")
    found = address(page, "evil.png")
    for kind in (SMALL, LARGE):
        answer = page.client.get(f"{kind}/{found}")
        assert answer.status_code == 404 and b"<script" not in answer.content
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.headers["cache-control"] == "no-store"


def swap_for_link(samples, outside):
    (samples / "sub" / "a.png").unlink()
    (samples / "sub" / "a.png").symlink_to(outside / "a.png")


def swap_for_chain(samples, outside):
    (samples / "chain").symlink_to("../../outside")
    (samples / "sub" / "a.png").unlink()
    (samples / "sub" / "a.png").symlink_to("../chain/a.png")


def swap_folder(samples, outside):
    (samples / "sub").rename(samples / "was")
    (samples / "sub").symlink_to(outside, target_is_directory=True)


def swap_for_pipe(samples, outside):
    (samples / "sub" / "a.png").unlink()
    os.mkfifo(samples / "sub" / "a.png")


def swap_for_folder(samples, outside):
    (samples / "sub" / "a.png").unlink()
    (samples / "sub" / "a.png").mkdir()


@pytest.mark.skipif(os.name == "nt", reason="needs links and pipes")
@pytest.mark.parametrize("swap", [swap_for_link, swap_for_chain, swap_folder, swap_for_pipe, swap_for_folder])
def test_what_took_the_place_of_a_picture_and_lies_elsewhere_is_not_sent(page, swap):
    outside = page.host.samples.parent.parent / "outside"
    outside.mkdir()
    (outside / "a.png").write_bytes(png(scenes()[1][1], "the words of a key" + SETTINGS))
    (page.host.samples / "sub").mkdir()
    save(page, "sub/a.png", png(scenes()[0][1], scenes()[0][0] + SETTINGS))
    found = address(page, "a.png")
    assert page.client.get(f"{LARGE}/{found}").status_code == 200
    swap(page.host.samples, outside)
    for kind in (SMALL, LARGE):
        assert page.client.get(f"{kind}/{found}").status_code == 404
    page.wish("send", id=found)
    assert page.problem and "picture" not in page.values and "key" not in str(page.values)


@pytest.mark.skipif(os.name == "nt", reason="needs links")
def test_a_link_out_of_the_allowed_folders_is_neither_scored_nor_shown(page):
    outside = page.host.samples.parent.parent / "outside"
    outside.mkdir()
    (outside / "a.png").write_bytes(png(scenes()[1][1], "the words of a key" + SETTINGS))
    (page.host.samples / "link.png").symlink_to(outside / "a.png")
    (page.host.samples / "folder").symlink_to(outside, target_is_directory=True)
    page.score()
    assert "2 new scores" in page.values["message"] and len(page.shown) == 2
    page.filter(show="Not scored")
    assert page.shown == ["link.png"] and "leads out of the folders" in page.deck["pictures"][0]["reason"]
    for picture in page.deck["pictures"]:
        page.wish("show", at=0, id=picture["id"])
        assert page.client.get(f"{LARGE}/{picture['id']}").status_code == 404
        assert page.client.get(f"{SMALL}/{picture['id']}").status_code == 404
    assert "key" not in str(page.values)


def test_of_a_folder_that_is_no_longer_allowed_nothing_is_sent(page, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    save_scenes(elsewhere, prompts=1, pictures=1)
    page.host.option("imagereward_extra_folders", str(elsewhere))
    page.score(folder=str(elsewhere))
    found = page.deck["pictures"][0]["id"]
    assert (
        page.client.get(f"{LARGE}/{found}").status_code
        == page.client.get(f"{SMALL}/{found}").status_code
        == 200
    )
    page.host.option("imagereward_extra_folders", "")
    assert (
        page.client.get(f"{LARGE}/{found}").status_code
        == page.client.get(f"{SMALL}/{found}").status_code
        == 404
    )
    page.wish("send", id=found)
    assert "outside of the folders" in page.problem


def test_what_changed_since_is_sent_as_it_is_and_not_kept_by_the_browser(page):
    found = address(page, "000 szene.png")
    data = png(scenes()[1][1].resize((50, 40)))
    save(page, "000 szene.png", data)
    answer = page.client.get(f"{LARGE}/{found}")
    assert answer.content == data and answer.headers["cache-control"] == "no-store"


def test_a_full_disk_costs_the_small_picture_alone(page, monkeypatch):
    found = address(page, "000 szene.png")

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    answer = page.client.get(f"{SMALL}/{found}")
    assert answer.status_code == 404 and "No space left" in answer.text
    monkeypatch.undo()


@pytest.mark.parametrize("kind", [SMALL, LARGE])
def test_a_picture_that_could_not_be_read_for_a_moment_is_there_the_next_time(page, monkeypatch, kind):
    scenes()[0][1].save(page.host.samples / "away.tiff")
    (page.host.samples / "away.txt").write_text(scenes()[0][0], encoding="utf-8")
    found = address(page, "away.tiff")

    def away(source):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr("imagereward_core.images.decode.open_image", away)
        answer = page.client.get(f"{kind}/{found}")
        assert answer.status_code == 404 and answer.headers["cache-control"] == "no-store"
    answer = page.client.get(f"{kind}/{found}")
    assert Image.open(io.BytesIO(answer.content)).size == (96, 96)
    assert "immutable" in answer.headers["cache-control"]


def test_a_small_picture_of_what_lay_there_for_a_moment_is_not_kept(page):
    path = page.host.samples / "000 szene.png"
    found, whole, state = address(page, path.name), path.read_bytes(), path.stat()
    save(page, path.name, png(scenes()[1][1].resize((300, 100))))
    other = page.client.get(f"{SMALL}/{found}")
    assert (
        Image.open(io.BytesIO(other.content)).size == (300, 100)
        and other.headers["cache-control"] == "no-store"
    )
    path.write_bytes(whole)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert Image.open(io.BytesIO(page.client.get(f"{SMALL}/{found}").content)).size == (96, 96)


def test_what_is_known_is_sent_and_the_host_goes_on_while_other_pictures_are_made(page, monkeypatch):
    save_scenes(page.host.samples, prompts=10, pictures=6)
    page.score()
    known, *unknown = [picture["id"] for picture in page.deck["pictures"]]
    page.host.app.add_api_route("/ping", lambda: "pong")
    go_on = threading.Event()
    with page.client as client, ThreadPoolExecutor(60) as people:
        assert client.get(f"{SMALL}/{known}").status_code == 200
        small, begun = small_copies._small, threading.Semaphore(0)

        def slow(source, side):
            begun.release()
            assert go_on.wait(60)
            return small(source, side)

        monkeypatch.setattr(small_copies, "_small", slow)
        waiting = [people.submit(client.get, f"{SMALL}/{each}") for each in unknown]
        try:
            for _ in range(4):
                assert begun.acquire(timeout=30)
            for asked in ("/ping", f"{SMALL}/{known}", f"{LARGE}/{known}"):
                assert people.submit(client.get, asked).result(timeout=30).status_code == 200
            assert not any(each.done() for each in waiting)
        finally:
            go_on.set()
        assert {each.result(timeout=60).status_code for each in waiting} == {200}


def test_only_so_many_addresses_are_kept(page):
    page.score()
    addresses = Addresses(most=1)
    one, two = page.session.view.rows[:2]
    first = addresses.of(one)
    second = addresses.of(two)
    assert addresses.row(first) is None and addresses.row(second) is two and addresses.of(one) != first


def test_without_pages_there_are_no_such_routes(page):
    from fastapi import FastAPI

    app = FastAPI()
    before = len(app.routes)
    ours("tab").on_app_started(None, app)
    assert len(app.routes) == before
