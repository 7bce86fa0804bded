"""Damages pictures and metadata blocks in every way files get damaged, and checks what must hold for each of them.

Used by ``fuzz_metadata``, which takes ten thousand and more, and by the test suite, which takes a few hundred.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import features

from imagereward_core.errors import ImageError
from imagereward_core.metadata.cleaning import clean_prompt
from imagereward_core.metadata.containers.blocks import read_blocks
from imagereward_core.metadata.formats.a1111 import parse_infotext
from imagereward_core.metadata.formats.comfyui.prompt import positive_prompt
from imagereward_core.metadata.formats.drawthings import parse_xmp
from imagereward_core.metadata.formats.easydiffusion import parse_lines
from imagereward_core.metadata.formats.fooocus_log import logged_prompt
from imagereward_core.metadata.formats.invokeai import parse_dream, parse_invoke_graph, parse_sd_metadata
from imagereward_core.metadata.formats.json_text import parse_json_text
from imagereward_core.metadata.generation import generated_facts
from imagereward_core.metadata.picture_prompt import read_prompt
from imagereward_core.metadata.sidecar import sidecar_prompt
from imagereward_core.metadata.writing.plan import plan_stream
from imagereward_core.metadata.writing.splice import apply, reversed_splices
from imagereward_core.metadata.writing.xmp import read_xmp, xmp_with_rating

from . import generator_files as files
from .fuzz_damage import BLOCK_DAMAGE, PICTURE_DAMAGE, Damage, split

__all__ = [
    "BLOCK_DAMAGE",
    "PICTURE_DAMAGE",
    "Broken",
    "Hang",
    "Item",
    "Outcome",
    "items",
    "try_block",
    "try_picture",
]

FIELDS = {"aesthetic_score": "6.1000", "ImageReward": "-0.5312"}
BLOCK = json.dumps({"version": 1, "rank": 1})
LIMIT = 5.0
"""Seconds that one item may take, on a machine that does other things too."""


class Hang(BaseException):
    """An item took longer than the limit. No ``Exception``, so that no handler for damaged files swallows it."""


class Broken(AssertionError):
    """A promise did not hold."""


@dataclass(frozen=True)
class Item:
    """One damaged thing.

    Attributes:
        original: What it was made from.
        damage: How.
        data: Its bytes.
    """

    original: str
    damage: str
    data: bytes


@dataclass(frozen=True)
class Outcome:
    """The outcome of one item: ``read``, ``nothing`` or ``refused`` for reading; ``edited``, ``refused`` or empty for writing."""

    reading: str
    writing: str
    seconds: float


def picture_originals(folder: Path) -> dict[str, bytes]:
    """Whole pictures: every container, formats of every generator."""
    infotext = files.A1111.format(version="v1.10.1")
    graph = {
        "1": {"class_type": "CLIPTextEncode", "inputs": {"text": "a red fox", "clip": ["9", 1]}},
        "2": {
            "class_type": "KSampler",
            "inputs": {"positive": ["1", 0], "latent_image": ["9", 0], "steps": 3},
        },
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
    }
    chunks: dict[str, dict[str, object]] = {
        "a1111": {"parameters": infotext},
        "comfyui": {"prompt": graph, "workflow": {"nodes": [], "links": []}},
        "invokeai": {"invokeai_metadata": files.INVOKE, "sd__metadata": files.INVOKE_2, "Dream": files.DREAM},
        "fooocus": {"parameters": files.FOOOCUS, "fooocus_scheme": "fooocus"},
        "novelai": {"Software": "NovelAI", "Comment": files.NOVELAI_4, "Description": "a red fox"},
        "easydiffusion": {key: str(value) for key, value in files.EASY.items()},
        "drawthings": {files.XMP: files.draw_things_xmp()},
    }
    found: dict[str, bytes] = {}
    for name, texts in chunks.items():
        path = files.png(folder / "a.png", (files.XMP,), **texts)
        found[f"png {name}"] = path.read_bytes()
    for suffix in ("jpg", "webp"):
        for name, comment in (
            ("a1111", infotext),
            ("swarmui", files.SWARM),
            ("drawthings", files.DRAW_THINGS),
            ("plain", None),
        ):
            path = folder / f"a.{suffix}"
            tags = {0x010F: "maker", 0x0110: "prompt:" + json.dumps(graph)} if name == "a1111" else None
            if comment is None:
                files.small_picture().save(path)
            else:
                files.exif_picture(path, comment, tags)
            found[f"{suffix} {name}"] = path.read_bytes()
    if features.check("avif"):
        found["avif a1111"] = files.exif_picture(folder / "a.avif", infotext).read_bytes()
    files.small_picture().save(folder / "a.gif", comment=infotext.encode())
    found["gif a1111"] = (folder / "a.gif").read_bytes()
    hidden = files.with_stealth(files.small_picture().resize((120, 90)), infotext)
    hidden.save(folder / "a.png")
    found["png stealth"] = (folder / "a.png").read_bytes()
    return found


def block_originals() -> dict[str, bytes]:
    """Texts as they stand inside pictures or beside them."""
    return {
        "infotext": files.A1111.format(version="v1").encode(),
        "swarmui json": json.dumps(files.SWARM).encode(),
        "fooocus json": json.dumps(files.FOOOCUS).encode(),
        "novelai json": json.dumps(files.NOVELAI_4).encode(),
        "sd-metadata json": json.dumps(files.INVOKE_2).encode(),
        "invokeai graph": json.dumps(
            {"nodes": {"core_metadata": files.INVOKE, "pos_prompt": {"value": "x"}}}
        ).encode(),
        "dream": files.DREAM.encode(),
        "easydiffusion lines": files.EASY_LINES.encode(),
        "draw things xmp": files.draw_things_xmp().encode(),
        "fooocus log": files.fooocus_log("a.png", "b.png").encode(),
        "our xmp": xmp_with_rating(None, 3, FIELDS),
    }


def items(originals: dict[str, bytes], damage: tuple[Damage, ...], count: int, seed: int) -> Iterator[Item]:
    """Damaged things, in turn from every original in every way; the same for the same seed."""
    names = sorted(originals)
    for number in range(count):
        name = names[number % len(names)]
        how = damage[number // len(names) % len(damage)]
        dice = random.Random(f"{seed} {number}")
        data = how(dice, originals[name])
        for _ in range(dice.choice((0, 0, 0, 1, 2))):
            data = dice.choice(damage)(dice, data) if data else data
        yield Item(name, how.__name__, data)


def try_picture(item: Item) -> Outcome:
    """Read a damaged picture and write scores into it.

    Raises:
        Broken: A promise did not hold.
        Hang: It took longer than ``LIMIT``.
        Exception: What the code under test should not have raised.
    """
    began = time.perf_counter()
    with time_limit(LIMIT):
        reading = "refused"
        before = None
        with contextlib.suppress(ImageError):
            before = read_prompt(io.BytesIO(item.data), "item", stealth="stealth" in item.original)
            reading = "read" if before and before.prompt else "nothing"
        if before is not None:
            generated_facts(before)
            clean_prompt(before.prompt)
        try:
            plan = plan_stream(io.BytesIO(item.data), FIELDS, BLOCK)
        except ImageError as error:
            if len(str(error)) < 40:
                raise Broken(f"an error that says little: {error}") from error
            return Outcome(reading, "refused", time.perf_counter() - began)
        result = apply(item.data, plan)
        _check(item.data, result, reading == "refused")
        if apply(result, reversed_splices(plan)) != item.data:
            raise Broken("the plan cannot be undone")
        if plan_stream(io.BytesIO(result), FIELDS, BLOCK):
            raise Broken("planning again gives another plan")
    return Outcome(reading, "edited", time.perf_counter() - began)


def try_block(item: Item, folder: Path) -> Outcome:
    """Read a damaged text in every way texts are read; raises as ``try_picture`` does."""
    began = time.perf_counter()
    text = item.data.decode("utf-8", "replace")
    found = []
    (folder / "log.html").write_bytes(item.data if item.original == "fooocus log" else b"")
    (folder / "a.txt").write_bytes(item.data)
    (folder / "a.json").write_bytes(item.data)
    with time_limit(LIMIT):
        for read in (
            parse_infotext,
            parse_json_text,
            positive_prompt,
            parse_sd_metadata,
            parse_invoke_graph,
            parse_dream,
            parse_lines,
            parse_xmp,
        ):
            found.append(read(text))
        found += [sidecar_prompt(folder / "a.png"), logged_prompt(folder / "a.png")]
        for each in found:
            if each is not None:
                generated_facts(each)
        for prompt in {each.prompt for each in found if each is not None}:
            clean_prompt(prompt)
        writing = "refused"
        with contextlib.suppress(ImageError):
            changed = xmp_with_rating(item.data, 4, FIELDS, over_person=True)
            told = read_xmp(changed)
            if item.data.strip() and (told.rating, told.fields) != (4, FIELDS):
                raise Broken(f"the XMP file says {told} afterwards")
            writing = "edited"
    # Any text at all is a prompt without settings to the infotext reader, and to that of files beside pictures.
    known = (found[0] is not None and found[0].settings) or any(
        each is not None and each.prompt for each in found[1:-2]
    )
    reading = "read" if known else "nothing"
    return Outcome(reading, writing, time.perf_counter() - began)


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise ``Hang`` after some seconds, where the system can interrupt; elsewhere when the time has passed."""
    began = time.perf_counter()
    can_interrupt = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()

    def stop(*_: object) -> None:
        raise Hang(f"longer than {seconds} s")

    if can_interrupt:
        old = signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        if can_interrupt:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, old)
    if time.perf_counter() - began > seconds:
        raise Hang(f"longer than {seconds} s")


def _check(before: bytes, after: bytes, unreadable: bool) -> None:
    """Everything that is not ours is as it was, and the scores can be read."""
    if _others(before) != _others(after):
        raise Broken("something else in the file changed")
    if unreadable:
        return
    blocks = read_blocks(io.BytesIO(after))
    told = blocks.get("ImageReward", "") if after.startswith(b"\x89PNG") else blocks.get("UserComment", "")
    if FIELDS["ImageReward"] not in told:
        raise Broken(f"the scores cannot be read: {told[-200:]!r}")
    old, new = (read_prompt(io.BytesIO(data)) for data in (before, after))
    # A WebP whose header did not say that there is EXIF says so afterwards.
    healed = old is None and before.startswith(b"RIFF")
    if (old.prompt if old else "") != (new.prompt if new else "") and not healed:
        raise Broken(f"the prompt was {old}, is {new}")


def _others(data: bytes) -> list[bytes]:
    """The parts of a file in which none of our changes may show."""
    head, parts, tail = split(data)
    if data.startswith(b"\x89PNG"):
        ours = {*FIELDS, "imagereward", "parameters"}
        texts = (b"tEXt", b"zTXt", b"iTXt")
        kept = [
            part
            for part in parts
            if not (part[4:8] in texts and part[8:].partition(b"\0")[0].decode("latin-1") in ours)
        ]
    elif data.startswith(b"RIFF"):
        kept = [part for part in parts if part[:4] not in (b"EXIF", b"VP8X")]
        head = b""
    else:
        kept = [part for part in parts if not part[4:].startswith(b"Exif\0\0")]
    return [head, *kept, tail]
