"""Saving pictures and pasting them into grids."""

import math
import re
from pathlib import Path

from PIL import Image, ImageFont, PngImagePlugin

from modules import script_callbacks, shared

NOTHING_AND_SKIP_PREVIOUS_TEXT = object()
PIECE = re.compile(r"(.*?)(?:\[([^\[\]]+)\]|$)")
ARGUMENT = re.compile(r"(.*)<([^>]*)>$")


class FilenameGenerator:
    """Fills the patterns of file and folder names."""

    replacements = {
        "seed": lambda self: self.seed,
        "prompt": lambda self: self.prompt,
        "date": lambda self: "2026-01-01",
        "none": lambda self: "",
        "batch_number": lambda self: self.p.batch_index + 1,
        "generation_number": lambda self: self.p.iteration * self.p.batch_size + self.p.batch_index + 1,
    }

    def __init__(self, p, seed, prompt, image, zip=False, basename=""):
        self.p, self.seed, self.prompt, self.image, self.zip, self.basename = (
            p,
            seed,
            prompt,
            image,
            zip,
            basename,
        )

    def apply(self, pattern):
        result = ""
        for text, name in PIECE.findall(pattern):
            arguments = []
            while (found := ARGUMENT.match(name)) is not None:
                name, argument = found.groups()
                arguments.insert(0, argument)
            function = self.replacements.get(name.lower())
            value = function(self, *arguments) if function else None
            if value is NOTHING_AND_SKIP_PREVIOUS_TEXT:
                continue
            result += text + (str(value) if value is not None else f"[{name}]" if name else "")
        return result


def get_font(size):
    return ImageFont.load_default()


def _next_number(folder, basename):
    start = f"{basename}-" if basename else ""
    numbers = [
        int(found.group(1))
        for file in folder.iterdir()
        if (found := re.match(re.escape(start) + r"(\d+)", file.name))
    ]
    return max(numbers, default=-1) + 1


def save_image(
    image,
    path,
    basename,
    seed=None,
    prompt=None,
    extension="png",
    info=None,
    short_filename=False,
    no_prompt=False,
    grid=False,
    pnginfo_section_name="parameters",
    p=None,
    existing_info=None,
    forced_filename=None,
    suffix="",
    save_to_dirs=None,
):
    names = FilenameGenerator(p, seed, prompt, image, basename=basename)
    folder = Path(path)
    if save_to_dirs if save_to_dirs is not None else shared.opts.save_to_dirs:
        folder /= names.apply(shared.opts.directories_filename_pattern)
    folder.mkdir(parents=True, exist_ok=True)
    decoration = "" if short_filename or seed is None else names.apply(shared.opts.samples_filename_pattern)
    decoration += suffix
    if forced_filename is not None:
        stem = forced_filename
    elif shared.opts.save_images_add_number or not decoration:
        number = _next_number(folder, basename)
        stem = f"{basename}-{number:04}" if basename else f"{number:05}"
        stem += f"-{decoration}" if decoration else ""
    else:
        stem = decoration
    chunks = dict(existing_info or {})
    if info is not None:
        chunks[pnginfo_section_name] = info
    params = script_callbacks.ImageSaveParams(image, p, str(folder / f"{stem}.{extension}"), chunks)
    script_callbacks.call("before_image_saved", params)
    texts = PngImagePlugin.PngInfo()
    for name, text in params.pnginfo.items():
        texts.add_text(name, str(text))
    params.image.save(params.filename, pnginfo=texts if shared.opts.enable_pnginfo else None)
    image.already_saved_as = params.filename
    sidecar = None
    if shared.opts.save_txt and info is not None:
        sidecar = str(Path(params.filename).with_suffix(".txt"))
        Path(sidecar).write_text(params.pnginfo[pnginfo_section_name] + "\n", encoding="utf-8")
    script_callbacks.call("image_saved", params)
    return params.filename, sidecar


def read_info_from_image(image):
    info = dict(image.info)
    return info.pop("parameters", None), info


def image_grid(imgs, batch_size=1, rows=None):
    rows = min(rows or round(math.sqrt(len(imgs))), len(imgs))
    params = script_callbacks.ImageGridLoopParams(imgs, math.ceil(len(imgs) / rows), rows)
    script_callbacks.call("image_grid", params)
    width, height = map(max, zip(*(image.size for image in imgs)))
    grid = Image.new("RGB", (params.cols * width, params.rows * height))
    for at, image in enumerate(params.imgs):
        grid.paste(image, (at % params.cols * width, at // params.cols * height))
    return grid
