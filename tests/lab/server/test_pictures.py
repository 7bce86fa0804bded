"""Pictures that the server sends: by ids alone, from given folders alone, whole or as small copies."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from fastapi import APIRouter
from PIL import Image

from imagereward_core.gallery import small_copies
from imagereward_core.gallery.small_copies import SmallCopies
from imagereward_lab.server.access import Access
from imagereward_lab.server.app import make_app
from imagereward_lab.server.hosts import Hosts
from imagereward_lab.server.part import Part
from tests.support.lab.server import BASE, Client


class Known:
    """Some files by ids."""

    lasting = False

    def __init__(self, folder, files):
        self.folder, self.files = folder, files

    def folders(self):
        return [self.folder]

    def find(self, picture):
        return self.files.get(picture)


def served(root, copies=None, /, **files):
    part = Part(name="some", router=APIRouter(), pictures=Known(root, files))
    return Client(make_app([part], Access.open(), Hosts.of("127.0.0.1"), small_copies=copies))


def draw(path, size=(800, 600), **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (200, 30, 60)).save(path, **more)
    return path


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "pictures"


def test_a_picture_is_sent_whole_and_small(folder):
    path = draw(folder / "a <b>&\"'.png")
    client = served(folder, one=path)
    whole, small = client.get("/some/pictures/large/one"), client.get("/some/pictures/small/one")
    assert whole.content == path.read_bytes() and whole.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(small.content)).size == (384, 288)
    for answer in (whole, small):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        again = client.get(str(answer.request.url.path), headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 304 and again.content == b""
    draw(path, (20, 20))
    again = client.get("/some/pictures/small/one", headers={"if-none-match": small.headers["etag"]})
    assert Image.open(io.BytesIO(again.content)).size == (20, 20)


@pytest.mark.parametrize(
    "name",
    [
        "nothing",
        "..",
        "%2e%2e",
        "one%00",
        "../../etc/passwd",
        "..%2f..%2fetc%2fpasswd",
        "x" * 5000,
        "%ff",
        "one/",
        "%c3%a9",
    ],
)
def test_an_id_that_was_not_given_out_is_no_picture(folder, name):
    client = served(folder, one=draw(folder / "one.png"))
    for size in ("small", "large", "huge"):
        assert client.get(f"/some/pictures/{size}/{name}").status_code == 404


def test_nothing_outside_of_the_folders_is_sent(tmp_path, folder):
    secret = draw(tmp_path / "secret.png")
    draw(folder / "sub" / "a.png")
    (folder / "link.png").symlink_to(secret)
    (folder / "linked").symlink_to(tmp_path)
    (folder / "inner.png").symlink_to(folder / "sub" / "a.png")
    (folder / "round.png").symlink_to(folder / "round.png")
    os.mkfifo(folder / "pipe.png")
    client = served(
        folder,
        link=folder / "link.png",
        through=folder / "linked" / "secret.png",
        up=folder / ".." / "secret.png",
        away=secret,
        gone=folder / "gone.png",
        round=folder / "round.png",
        pipe=folder / "pipe.png",
        folder=folder,
        inner=folder / "inner.png",
    )
    for name in ("link", "through", "up", "away", "gone", "round", "pipe", "folder"):
        for size in ("small", "large"):
            answer = client.get(f"/some/pictures/{size}/{name}")
            assert answer.status_code == 404 and str(tmp_path) not in answer.text
    assert client.get("/some/pictures/large/inner").status_code == 200


def test_what_is_no_picture_is_not_sent_and_never_as_a_page(folder):
    folder.mkdir()
    (folder / "page.png").write_text("<html><script>alert(1)</script>")
    (folder / "drawing.png").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    )
    whole = draw(folder / "whole.png").read_bytes()
    (folder / "half.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").touch()
    files = {name: folder / f"{name}.png" for name in ("page", "drawing", "half", "empty")}
    client = served(folder, **files)
    for name in files:
        assert client.get(f"/some/pictures/small/{name}").status_code in (
            (200, 404) if name == "half" else (404,)
        )
        answer = client.get(f"/some/pictures/large/{name}")
        assert answer.status_code == 404 or (name == "half" and answer.headers["content-type"] == "image/png")


def test_formats_that_browsers_do_not_know_are_sent_as_png(folder):
    path = draw(folder / "a.tiff")
    answer = served(folder, one=path).get("/some/pictures/large/one")
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).getpixel((5, 5)) == (200, 30, 60)


def test_many_who_ask_at_once_get_one_copy_that_is_made_once(tmp_path, folder, monkeypatch):
    made, real = [], small_copies._small

    def counted(path, side):
        made.append(threading.current_thread().name)
        return real(path, side)

    monkeypatch.setattr(small_copies, "_small", counted)
    paths = {f"p{place}": draw(folder / f"{place}.png", (384, 100 + place)) for place in range(6)}
    app = served(folder, SmallCopies(tmp_path / "small"), **paths).app

    async def all_at_once():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client:
            asked = [client.get(f"/some/pictures/small/{name}") for _ in range(5) for name in paths]
            return await asyncio.gather(*asked)

    answers = asyncio.run(all_at_once())
    assert {answer.status_code for answer in answers} == {200} and len(
        {answer.content for answer in answers}
    ) == 6
    assert len(made) == 6 and all(name.startswith("imagereward-some") for name in made)  # off the event loop
    assert len(list((tmp_path / "small").iterdir())) == 6


def test_small_copies_stay_within_their_limit_and_those_not_asked_for_the_longest_go(tmp_path, folder):
    paths = [draw(folder / f"{place}.png", (300, 300 + place)) for place in range(8)]
    place = tmp_path / "small"
    size = len(SmallCopies(tmp_path / "other").get(paths[0]))
    copies = SmallCopies(place, most=4 * size + size // 2)
    for path in paths[:4]:
        copies.get(path)
    assert copies.known(paths[0])  # asked for again
    for path in paths[4:7]:
        copies.get(path)
    assert copies.known(paths[0]) and copies.known(paths[1]) is None
    assert sum(path.stat().st_size for path in place.iterdir()) <= copies.most
    for number, path in enumerate((*paths[4:7], paths[0])):  # as if asked for one after the other
        os.utime(place / copies._name(path), (1000 + number, 1000 + number))
    later = SmallCopies(place, most=copies.most)  # the order outlasts the program
    later.get(paths[7])
    assert later.known(paths[0]) and later.known(paths[4]) is None


def test_a_copy_whose_file_somebody_removed_is_made_again(tmp_path, folder):
    path, copies = draw(folder / "a.png"), SmallCopies(tmp_path / "small")
    first = copies.get(path)
    for made in (tmp_path / "small").iterdir():
        made.unlink()
    assert copies.known(path) is None and copies.get(path) == first


def test_threads_that_make_and_drop_copies_at_once_always_get_whole_ones(tmp_path, folder):
    paths = [draw(folder / f"{place}.png", (64, 64 + place)) for place in range(12)]
    copies = SmallCopies(tmp_path / "small", most=4000)
    with ThreadPoolExecutor(8) as pool:
        sizes = [Image.open(io.BytesIO(data)).size for data in pool.map(copies.get, paths * 10)]
    assert sizes == [(64, 64 + place) for place in range(12)] * 10
    assert sum(path.stat().st_size for path in (tmp_path / "small").iterdir()) <= 4000
