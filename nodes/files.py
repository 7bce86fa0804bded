"""Names, metadata and files of scored pictures."""

from __future__ import annotations

import io
import json
import math
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..imagereward_core.images.metadata.score_keys import METADATA_KEY
from ..imagereward_core.library.actions.files import discard, exists, rename_new, temporary_in
from ..imagereward_core.library.score_metadata import score_metadata
from .drawing import to_picture
from .errors import GraphError
from .folders import inside
from .scored import ChosenBatch, ScoredBatch
from .wording import number

if TYPE_CHECKING:
    from torch import Tensor

_MODEL, _MAKE, _EXIF_IFD, _USER_COMMENT = 0x0110, 0x010F, 0x8769, 0x9286
_UNSAFE = re.compile(r'[<>:"|?*\x00-\x1f]')
_MOST_LIKE_NAMES = 100_000


class Naming:
    """File names of a batch.

    Args:
        scored: The scores.
        prefix: Folders and name with tokens.
        choices: Kept and rejected, where somebody chose.
        kept_folder, rejected_folder: Folders for either, inside that of the prefix.

    Raises:
        GraphError: The prefix names no file.
    """

    def __init__(
        self,
        scored: ScoredBatch,
        prefix: str,
        choices: ChosenBatch | None,
        kept_folder: str,
        rejected_folder: str,
    ) -> None:
        self.scored = scored
        self.kept = choices.is_kept if choices is not None else [True] * len(scored)
        self.folders = (kept_folder, rejected_folder) if choices is not None else ("", "")
        self.chosen = choices is not None
        self.ranks, self.percentiles = scored.scores.ranks(), scored.scores.percentiles()
        self.digits = max(3, len(str(len(scored))))
        self.prefix = prefix.replace("\\", "/")
        self.now = time.localtime()
        if not self.prefix.rpartition("/")[2].strip(". "):
            raise GraphError(
                f"filename_prefix is {prefix!r}; expected a file name at its end, such as {'ImageReward/%rank%_%score%'!r}"
            )

    def of(self, index: int, picture: Tensor) -> str:
        """Folders and name of a picture, without counter and suffix."""
        percentile = float(self.percentiles[index])
        tokens = {
            "score": number(float(self.scored.scores.values[index])),
            "rank": str(int(self.ranks[index])).zfill(self.digits) if self.ranks[index] else "none",
            "scorer": self.scored.scores.scorer,
            "percentile": "none" if math.isnan(percentile) else f"{percentile:04.1f}",
            "index": str(index + 1).zfill(self.digits),
            "verdict": ("kept" if self.kept[index] else "rejected") if self.chosen else "scored",
            "width": str(picture.shape[1]),
            "height": str(picture.shape[0]),
            "year": str(self.now.tm_year),
            "month": f"{self.now.tm_mon:02}",
            "day": f"{self.now.tm_mday:02}",
            "hour": f"{self.now.tm_hour:02}",
            "minute": f"{self.now.tm_min:02}",
            "second": f"{self.now.tm_sec:02}",
        }
        name = self.prefix
        for token, text in tokens.items():
            name = name.replace(f"%{token}%", text.replace("/", "_").replace("\\", "_"))
        folder, _, last = name.rpartition("/")
        parts = [folder, self.folders[0 if self.kept[index] else 1].replace("\\", "/"), last]
        return _UNSAFE.sub("_", "/".join(part for part in parts if part))


def metadata_of(scored: ScoredBatch, index: int, choices: ChosenBatch | None) -> dict[str, str]:
    """What is added to a picture's metadata; see the core's ``score_metadata``."""
    scores = scored.scores
    kept = None if choices is None else bool(choices.is_kept[index])
    return score_metadata(
        (scores, *scored.members),
        index,
        float(scores.percentiles()[index]),
        int(scores.ranks()[index]),
        kept,
        "" if choices is None else choices.selection.reasons[index],
    )


class Writer:
    """Writes pictures below a folder, never over an existing file.

    Args:
        root: The host's output folder.
        kind: png, webp (lossless) or webp.
        quality: 1..100, for webp that is not lossless.
    """

    def __init__(self, root: str, kind: str, quality: int) -> None:
        self.root, self.quality = root, quality
        self.lossless = kind != "webp"
        self.suffix = ".png" if kind == "png" else ".webp"
        self.saved = 0
        self._next: dict[Path, int] = {}

    def save(
        self, tensor: Tensor, name: str, hidden: tuple[Any, Any] | None, fields: Mapping[str, str]
    ) -> tuple[Path, str]:
        """Writes one picture; returns its path and its folder relative to the root.

        Args:
            tensor: The picture [H, W, C].
            name: Folders and name without counter and suffix.
            hidden: The host's prompt and other metadata; None where metadata is switched off.
            fields: Our metadata.

        Raises:
            GraphError: The name leads out of the folder, or nothing more can be written under it.
        """
        stem = inside(self.root, name)
        try:
            stem.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritten(stem.parent, error) from error
        picture = to_picture(tensor)
        how: dict[str, Any]
        if self.suffix == ".png":
            how = {"format": "PNG", "pnginfo": png_metadata(hidden, fields), "compress_level": 4}
        else:
            picture = picture.convert("RGBA" if picture.mode == "RGBA" else "RGB")
            how = {
                "format": "WEBP",
                "exif": webp_metadata(hidden, fields),
                "lossless": self.lossless,
                "quality": 80 if self.lossless else self.quality,
                # Without it, colours under full transparency are lost, and with them the exact score.
                "exact": True,
            }
        path = self._write(picture, stem, how)
        return path, path.parent.relative_to(Path(self.root).resolve()).as_posix().removeprefix(".")

    def _write(self, picture: Image.Image, stem: Path, how: dict[str, Any]) -> Path:
        for number_ in range(self._next.get(stem, 1), _MOST_LIKE_NAMES):
            path = stem.with_name(f"{stem.name}_{number_:05}_{self.suffix}")
            if exists(path):
                continue
            try:
                _save_new(picture, path, how)
            except FileExistsError:  # somebody took the name just now
                continue
            except OSError as error:
                raise self._unwritten(path, error) from error
            self._next[stem] = number_ + 1
            self.saved += 1
            return path
        raise GraphError(
            f"there are {_MOST_LIKE_NAMES - 1} files named {stem.name} already; choose another filename_prefix"
        )

    def _unwritten(self, path: Path, error: OSError) -> GraphError:
        return GraphError(
            f"{path} cannot be written ({error.strerror or error}); {self.saved} pictures of this batch were saved before it. "
            "Free the disk, or shorten filename_prefix, and queue again."
        )


def _save_new(picture: Image.Image, path: Path, how: Mapping[str, Any]) -> None:
    """Writes a picture under a hidden name and gives it its own when it is whole; on a full disk nothing remains."""
    encoded = io.BytesIO()  # written to a file itself, Pillow tells of a full disk as "encoder error -2"
    picture.save(encoded, **how)
    temporary = temporary_in(path.parent)
    try:
        with temporary.open("xb") as stream:
            stream.write(encoded.getvalue())
        rename_new(temporary, path)
    finally:
        discard(temporary)


def _host_metadata(hidden: tuple[Any, Any] | None) -> tuple[Any, Any]:
    """The host's prompt and other metadata, the prompt without the fingerprints that the host notes in it and that are no JSON."""
    prompt, extra = hidden or (None, None)
    if not isinstance(prompt, Mapping):
        return prompt, extra
    plain = {}
    for number_, node in prompt.items():
        mark = node.get("is_changed") if isinstance(node, Mapping) else None
        always = any(each != each for each in (mark if isinstance(mark, list) else [mark]))
        plain[number_] = (
            {key: value for key, value in node.items() if key != "is_changed"} if always else node
        )
    return plain, extra


def png_metadata(hidden: tuple[Any, Any] | None, fields: Mapping[str, str]) -> PngInfo:
    """Text chunks: the host's as SaveImage writes them, then ours."""
    info = PngInfo()
    prompt, extra = _host_metadata(hidden)
    if prompt is not None:
        info.add_text("prompt", json.dumps(prompt))
    for key, value in (extra or {}).items():
        info.add_text(key, json.dumps(value))
    for key, text in fields.items():
        if key not in ("prompt", *(extra or {})):
            info.add_text(key, text)
    return info


def webp_metadata(hidden: tuple[Any, Any] | None, fields: Mapping[str, str]) -> bytes:
    """EXIF: the host's tags as its own WebP savers write them, our block in the next, our fields as the user comment."""
    exif = Image.Exif()
    prompt, extra = _host_metadata(hidden)
    if prompt is not None:
        exif[_MODEL] = f"prompt:{json.dumps(prompt)}"
    tag = _MAKE
    for key, value in (extra or {}).items():
        exif[tag] = f"{key}:{json.dumps(value)}"
        tag -= 1
    if METADATA_KEY in fields:
        exif[tag] = f"{METADATA_KEY}:{fields[METADATA_KEY]}"
    plain = ", ".join(f"{key}: {text}" for key, text in fields.items() if key != METADATA_KEY)
    if plain:
        # As a whole: Pillow 9 forgets what is written into the dict it hands out.
        exif[_EXIF_IFD] = {_USER_COMMENT: b"UNICODE\0" + plain.encode("utf-16-be")}
    return exif.tobytes()
