"""Names, metadata and files of scored pictures."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..imagereward_core.library.journal.files import discard, exists, rename_new, temporary_in
from ..imagereward_core.metadata.score_keys import METADATA_KEY
from ..imagereward_core.metadata.sidecar import text_with_scores
from ..imagereward_core.report.score_block import score_metadata
from .drawing import to_picture
from .host.errors import GraphError
from .host.folders import inside
from .links import ChosenBatch, ScoredBatch
from .text import number
from .tokens import HostTokens, Part

if TYPE_CHECKING:
    from torch import Tensor

_MODEL, _MAKE, _EXIF_IFD, _USER_COMMENT = 0x0110, 0x010F, 0x8769, 0x9286
_UNSAFE = re.compile(r'[<>:"|?*\x00-\x1f]')
_SEPARATORS = re.compile(r"[/\\]")
_MOST_LIKE_NAMES = 100_000


class Naming:
    """File names of a batch: ``prefix`` and the folders for kept and rejected inside it, with tokens; ``choices`` where somebody chose.

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
        host: HostTokens,
    ) -> None:
        self.scored = scored
        self.kept = choices.is_kept if choices is not None else [True] * len(scored)
        self.chosen = choices is not None
        self.ranks, self.percentiles = scored.scores.ranks(), scored.scores.percentiles()
        self.digits = max(3, len(str(len(scored))))
        prefix = prefix.replace("\\", "/")
        if not prefix.rpartition("/")[2].strip(". "):
            raise GraphError(
                f"filename_prefix is {prefix!r}; expected a file name at its end, such as {'ImageReward/%rank%_%score%'!r}"
            )
        self.prefix = host.parts("filename_prefix", prefix)
        self.folders: list[list[Part]] = [[], []]
        if choices is not None:
            self.folders = [
                host.parts("kept_folder", kept_folder.replace("\\", "/")),
                host.parts("rejected_folder", rejected_folder.replace("\\", "/")),
            ]

    def of(self, index: int, picture: Tensor, frame: int = 0) -> str:
        """Folders and name of a picture, or of a frame of a clip, without counter and suffix."""
        percentile = float(self.percentiles[index])
        tokens = {
            "score": number(float(self.scored.scores.values[index])),
            "rank": str(int(self.ranks[index])).zfill(self.digits) if self.ranks[index] else "none",
            "scorer": self.scored.scores.scorer,
            "percentile": "none" if math.isnan(percentile) else f"{percentile:04.1f}",
            "index": str(index + 1).zfill(self.digits),
            "frame": str(frame + 1).zfill(3),
            "batch_num": str(index),
            "verdict": ("kept" if self.kept[index] else "rejected") if self.chosen else "scored",
            "width": str(picture.shape[1]),
            "height": str(picture.shape[0]),
        }

        def filled(parts: list[Part]) -> str:
            return "".join(
                part if isinstance(part, str) else _SEPARATORS.sub("_", tokens[part.name]) for part in parts
            )

        folder, _, last = filled(self.prefix).rpartition("/")
        # What fills a name may be empty, or dots alone, which are no name.
        parts = [
            folder,
            filled(self.folders[0 if self.kept[index] else 1]),
            last if last.strip(". ") else "picture",
        ]
        return _UNSAFE.sub("_", "/".join(part for part in parts if part))


def metadata_of(scored: ScoredBatch, index: int, choices: ChosenBatch | None) -> dict[str, str]:
    """The texts added to a picture's metadata; see the core's ``score_metadata``."""
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


def text_of(scored: ScoredBatch, index: int, choices: ChosenBatch | None) -> str:
    """The text file beside a picture: the prompt, then every score with rank and percentile, and what was decided."""
    scores = scored.scores
    rank, percentile = int(scores.ranks()[index]), float(scores.percentiles()[index])
    told = "" if choices is None else choices.selection.reasons[index]
    why = scores.failures.get(index, "")
    parts = [f"rank {rank} of {scores.scored}"] if rank else [why] if why not in told else []
    parts += [] if math.isnan(percentile) else [f"percentile {percentile:.1f}"]
    about = f" ({', '.join(parts)})" if parts else ""
    lines = [f"{scores.scorer}: {number(float(scores.values[index]))}{about}"]
    lines += [f"{member.scorer}: {number(float(member.values[index]))}" for member in scored.members]
    if told:
        lines.append(told)
    return text_with_scores(scores.prompts[index], [" ".join(line.split()) for line in lines])


class Writer:
    """Writes pictures below a folder, never over an existing file: as png, webp (lossless) or webp, this one with a quality of 1 to 100."""

    def __init__(self, root: str, kind: str, quality: int) -> None:
        self.root, self.quality = root, quality
        self.lossless = kind != "webp"
        self.suffix = ".png" if kind == "png" else ".webp"
        self.saved = 0
        self._next: dict[Path, int] = {}

    def save(
        self,
        tensor: Tensor,
        name: str,
        hidden: tuple[Any, Any] | None,
        fields: Mapping[str, str],
        text: str = "",
    ) -> tuple[Path, str]:
        """Writes one picture [H, W, C]; returns its path and its folder relative to the root.

        ``name`` is folders and name without counter and suffix, ``hidden`` the host's prompt and other metadata (None where metadata is
        switched off), ``fields`` are ours, and ``text`` is what a text file beside it holds; empty for none.

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
        encoded = io.BytesIO()  # written to a file itself, Pillow reports a full disk as "encoder error -2"
        picture.save(encoded, **how)
        path = self._write(encoded.getvalue(), stem, text.encode("utf-8"))
        folder = path.parent.relative_to(Path(self.root).resolve())
        return path, "" if folder == Path() else folder.as_posix()

    def _write(self, picture: bytes, stem: Path, text: bytes) -> Path:
        for number_ in range(self._next.get(stem, 1), _MOST_LIKE_NAMES):
            path = stem.with_name(f"{stem.name}_{number_:05}_{self.suffix}")
            beside = path.with_name(f"{path.stem}.txt")
            if exists(path) or (text and exists(beside)):
                continue
            try:
                _save_new(picture, path)
            except FileExistsError:  # somebody took the name just now
                continue
            except OSError as error:
                raise self._unwritten(path, error) from error
            self.saved += 1
            self._next[stem] = number_ + 1
            if text:
                try:
                    _save_new(text, beside)
                except (
                    OSError
                ) as error:  # also where the name was taken just now: the picture is not saved again for it
                    raise self._unwritten(beside, error) from error
            return path
        raise GraphError(
            f"there are {_MOST_LIKE_NAMES - 1} files named {stem.name} already; choose another filename_prefix"
        )

    def _unwritten(self, path: Path, error: OSError) -> GraphError:
        saved = (
            "1 picture of this batch was" if self.saved == 1 else f"{self.saved} pictures of this batch were"
        )
        return GraphError(
            f"{path} cannot be written ({error.strerror or error}); {saved} saved before it. "
            "Free the disk, or shorten filename_prefix, and queue again."
        )


def _save_new(content: bytes, path: Path) -> None:
    """Writes a file under a hidden name and gives it its own when it is whole; on a full disk nothing remains."""
    temporary = temporary_in(path.parent)
    try:
        with temporary.open("xb") as stream:
            stream.write(content)
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
