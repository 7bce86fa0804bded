"""A folder as generators leave it, drawn: prompts in every usual place, text files beside pictures, subfolders, two broken files."""

from __future__ import annotations

import random
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from imagereward_core.demo.scenes import draw, random_scene

XMP = (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Label="mine, NUMBER"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def make_folder(folder: Path, pictures: int, seed: int) -> Path:
    """Draws ``pictures`` scenes, and adds two files that are no pictures.

    Args:
        folder: To be made.
        pictures: How many.
        seed: Another one gives other pictures.
    """
    chance = random.Random(seed)
    for number in range(pictures):
        scene = random_scene(chance)
        image = draw(scene, chance, 96)
        where = folder / ("2024-05-01" if number % 3 else "")
        where.mkdir(parents=True, exist_ok=True)
        _save(image, scene.prompt, where / f"{number:05}", number)
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    (folder / "not a picture.jpg").write_text("words", encoding="utf-8")
    return folder


def _save(image: Image.Image, prompt: str, stem: Path, number: int) -> None:
    kind = number % 4
    settings = (
        f"{prompt}\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: {number}, Size: 96x96, Model: demo"
    )
    if kind < 2:
        info = PngInfo()
        info.add_text("parameters", settings)
        image.save(stem.with_suffix(".png"), pnginfo=info)
        if kind:
            stem.with_name(f"{stem.name}.png.xmp").write_text(
                XMP.replace("NUMBER", str(number)), encoding="utf-8"
            )
    else:
        # A prompt beside the picture, which has to travel with it to be found again.
        image.save(stem.with_suffix(".jpg" if kind == 2 else ".webp"))
        stem.with_suffix(".txt").write_text(settings, encoding="utf-8")
