"""Things among the files that are no files, and small files that become large: pictures, texts, checkpoints."""

from __future__ import annotations

import json
import os
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from imagereward_core.demo.batches import draw_batches
from imagereward_core.metadata.containers.png import PNG_SIGNATURE

from ..killing import tree
from .arena import Arena, apart, changes, command

RULE = ("-s", "demo", "--top", "1", "--offline")
WAYS = {
    "score": lambda folder: command("score", "-s", "demo", "--offline", "-r", folder),
    "rank": lambda folder: command("rank", "-s", "demo", "--offline", "-r", folder),
    "curate --copy": lambda folder: command(
        "curate", folder, *RULE, "--copy", "--yes", "--write-back", "--xmp"
    ),
    "report": lambda folder: command("report", folder),
    "stars --import": lambda folder: command("stars", folder, "--import"),
    "watch": lambda folder: command(
        "watch", folder, *RULE, "--copy", "--yes", "--poll", "0.2", "--settle", "0.1"
    ),
}
MIB = 1 << 20
Make = Callable[[Path], None]


def packed(size: int, block: bytes = bytes(MIB)) -> bytes:
    """Zeros, deflated: a thousandth of ``size``."""
    packing = zlib.compressobj(9)
    return b"".join(packing.compress(block) for _ in range(size // len(block))) + packing.flush()


def chunk(kind: bytes, data: bytes) -> bytes:
    """A part of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, bits: int, colour: int, pixels: bytes, *more: bytes) -> bytes:
    """A PNG file, its pixels deflated already."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return PNG_SIGNATURE + head + b"".join(more) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def small(*more: bytes) -> bytes:
    """A PNG file of one pixel."""
    return png(1, 1, 8, 0, zlib.compress(b"\0\0"), *more)


def _chunks(folder: Path) -> None:
    (folder / "text of 256 MiB.png").write_bytes(small(chunk(b"zTXt", b"parameters\0\0" + packed(256 * MIB))))
    (folder / "text.png").write_bytes(small(chunk(b"iTXt", b"parameters\0\1\0\0\0" + packed(256 * MIB))))
    (folder / "profile.png").write_bytes(small(chunk(b"iCCP", b"icc\0\0" + packed(256 * MIB))))
    (folder / "many.png").write_bytes(
        small(*[chunk(b"tEXt", b"k%d\0v" % number) for number in range(100_000)])
    )
    (folder / "exif.png").write_bytes(small(chunk(b"eXIf", b"MM\0*\0\0\0\x08" + b"\xff" * 8 * MIB)))


def _json(folder: Path) -> None:
    for name, text in {
        "deep": '{"a":' * 200_000, "deep list": "[" * 200_000, "digits": '{"seed": ' + "1" * 2_000_000 + "}",
        "keys": json.dumps({str(number): {"inputs": {"text": "x"}, "class_type": "CLIPTextEncode"} for number in range(50_000)}),
    }.items():  # fmt: skip
        info = PngInfo()
        info.add_text("prompt", text)
        info.add_text("workflow", text)
        Image.new("RGB", (8, 8)).save(folder / f"{name}.png", pnginfo=info)
        Image.new("RGB", (8, 8)).save(folder / f"{name} beside.png")
        (folder / f"{name} beside.json").write_text(text)


def _xml(folder: Path) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    text = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><x:xmpmeta xmlns:x="adobe:ns:meta/">&l11;</x:xmpmeta>'
    for name in ("one", "two"):
        Image.new("RGB", (8, 8)).save(folder / f"{name}.png")
    (folder / "one.xmp").write_text(text)
    (folder / "two.png.xmp").write_text(text)
    (folder / "inside.png").write_bytes(small(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + text.encode())))


def _sparse(folder: Path) -> None:
    for number, name in enumerate(("txt", "caption", "json", "xmp", "png.xmp", "yaml")):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(folder / f"{number}.png")
        with (folder / f"{number}.{name}").open("wb") as file:
            file.truncate(80 * MIB)
    with (folder / "log.html").open("wb") as file:
        file.truncate(80 * MIB)
    for name in ("hole.png", "hole.jpg", "hole.webp"):
        with (folder / name).open("wb") as file:
            file.truncate(8 << 30)


def _pixels(folder: Path) -> None:
    (folder / "ten gigapixels.png").write_bytes(png(100_000, 100_000, 1, 0, packed(64 * MIB)))
    (folder / "huge.png").write_bytes(png(0x7FFFFFFF, 0x7FFFFFFF, 8, 6, packed(MIB)))
    (folder / "just too many.png").write_bytes(png(13_400, 13_400, 8, 0, packed(180 * MIB)))
    jpeg = folder / "huge.jpg"
    Image.new("RGB", (8, 8)).save(jpeg)
    data = bytearray(jpeg.read_bytes())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    jpeg.write_bytes(data)
    frames = [Image.new("P", (400, 400), number % 256) for number in range(300)]
    frames[0].save(folder / "frames.gif", save_all=True, append_images=frames[1:])


def _largest(folder: Path) -> None:
    """As many pixels as are taken: this has to be scored."""
    (folder / "the largest.png").write_bytes(
        png(13_300, 13_300, 8, 2, packed(13_300 * (3 * 13_300 + 1), bytes(3 * 13_300 + 1)))
    )


BOMBS: dict[str, Make] = {
    "texts and profiles in PNG chunks": _chunks,
    "JSON that is deep, long or full of digits": _json,
    "XMP with entities in entities": _xml,
    "files of 80 MiB and 8 GiB that hold nothing": _sparse,
    "pixels by the billion": _pixels,
    "the largest picture that is taken": _largest,
}


@contextmanager
def _zoo(folder: Path) -> Iterator[None]:
    """Everything that only looks like a picture, or like a text beside one."""
    os.mkfifo(folder / "pipe.png")
    for name in ("a.txt", "a.xmp", "a.png.xmp", "a.json", "log.html"):
        os.mkfifo(folder / name)
    (folder / "zero.png").symlink_to("/dev/zero")
    (folder / "terminal.png").symlink_to("/dev/tty")
    (folder / "dangling.png").symlink_to("nowhere.png")
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "circle").symlink_to(folder, target_is_directory=True)
    (folder / "folder.png").mkdir()
    here = Path.cwd()
    os.chdir(folder)  # the path of a socket may be 108 bytes long
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.png")
        os.chdir(here)
        try:
            os.mknod(folder / "device.png", 0o20666, os.makedev(1, 5))
        except OSError:
            pass  # who may not make one
        yield


def play(arena: Arena) -> None:
    """Everything with everything that reads pictures; a good picture beside them gets its score."""
    room = arena.room()
    with _zoo(_good(room / "folder")):
        _try(arena, "pipes, sockets, devices, links to nowhere", room)
    for name, make in BOMBS.items():
        room = arena.room()
        make(_good(room / "folder"))
        _try(arena, name, room)
    _checkpoints(arena)


def _good(folder: Path) -> Path:
    folder.mkdir()
    batch = next(draw_batches(1, 2, seed=2, size=96))
    info = PngInfo()
    info.add_text("parameters", batch.prompt)
    batch.pictures[0].image.save(folder / "a.png", pnginfo=info)
    return folder


def _try(arena: Arena, name: str, room: Path) -> None:
    folder = room / "folder"
    before = (
        {key: entry for key, entry in tree(folder).items() if len(entry.content) < 1 << 30}
        if "GiB" not in name
        else {}
    )
    for way, make in WAYS.items():
        until = "Watching" if way == "watch" else ""
        ended = apart(make(folder), cwd=room, home=room / "home", until=until)
        wrong = []
        if way == "score" and not ("a.png" in ended.said and "demo" in ended.said and ended.code in (0, 1)):
            wrong.append(f"the good picture has no score: {ended.said[-300:]}")
        if before:
            now = {key: entry for key, entry in tree(folder).items() if key in before}
            wrong += changes(before, now, "the folder")
        arena.note("bombs and what is no file", name, way, wrong, ended)


def _checkpoints(arena: Arena) -> None:
    room = arena.room()
    folder = _good(room / "folder")
    for name in ("data.pkl", "byteorder", "version"):
        with zipfile.ZipFile(room / f"{name}.pt", "w") as archive:
            if name != "data.pkl":
                archive.writestr("archive/data.pkl", b"\x80\x02}q\0.")
            with archive.open(zipfile.ZipInfo(f"archive/{name}"), "w", force_zip64=True) as entry:
                entry.write(b"")
        with zipfile.ZipFile(room / f"{name} deflated.pt", "w", zipfile.ZIP_DEFLATED) as archive:
            if name != "data.pkl":
                archive.writestr("archive/data.pkl", b"\x80\x02}q\0.")
            archive.writestr(f"archive/{name}", bytes(512 * MIB))
    (room / "header.safetensors").write_bytes(struct.pack("<Q", 1 << 40) + b"{}")
    (room / "deep.safetensors").write_bytes(struct.pack("<Q", 200_000) + b"[" * 200_000)
    (room / "pickle.pt").write_bytes(b"cos\nsystem\n(S'touch " + os.fsencode(room / "run") + b"'\ntR.")
    os.mkfifo(room / "pipe.safetensors")
    for path in sorted([*room.glob("*.pt"), *room.glob("*.safetensors")]):
        ended = apart(command("score", "-s", path, "--offline", folder), cwd=room, home=room / "home")
        wrong = [] if ended.code in (2, 3, 4) else [f"it ended with {ended.code}"]
        if (room / "run").exists():
            wrong.append("a pickle was run")
        arena.note("checkpoints", path.name, "score", wrong, ended)
