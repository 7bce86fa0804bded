"""Scorers made ready for the graph, and the memory that keeps them from being made twice."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..imagereward_core.errors import CuratorError, ImageError
from .folders import MODELS, SUFFIXES, models_folders
from .scored import ScoredBatch, fingerprint

if TYPE_CHECKING:
    from torch import Tensor

    from ..imagereward_core.runtime import Precision
    from ..imagereward_core.scorers.panel import Panel
    from ..imagereward_core.weights.locate import FoundWeights, WeightSettings
    from .runtime import HostRuntime

log = logging.getLogger(__name__)

BLENDS_FILE = "blends.json"
"""The core's file of saved blends; asked for by name so that looking for it costs the host's start nothing."""

Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class LoadRequest:
    """What somebody chose in Load Scorer; equal requests get the same scorer.

    Attributes:
        name: A registered id, ``blend:NAME``, the text of a blend, or the path of a checkpoint.
        precision: See the core.
        device: ``auto`` or ``cpu``.
        whole_picture: Whether scorers are shown all of a picture that they would crop (off-reference).
        batch_size: Pictures per pass; 0 for automatic.
        allow_download: Whether missing weights may be fetched.
    """

    name: str
    precision: Precision = "auto"
    device: str = "auto"
    whole_picture: bool = False
    batch_size: int = 0
    allow_download: bool = True


class LoadedScorer:
    """A scorer, or a blend, with the runtime it works in.

    Args:
        request: What was asked for.
        panel: The scorer as the core's panel of one.
        runtime: The host's device.
        files: The files its weights came from.
    """

    def __init__(
        self, request: LoadRequest, panel: Panel, runtime: HostRuntime, files: Sequence[Path]
    ) -> None:
        self.request, self.panel, self.runtime = request, panel, runtime
        self.files = tuple(files)

    def score(self, pictures: Sequence[Tensor], prompts: str | Sequence[str]) -> ScoredBatch:
        """Scores pictures [H, W, C] of any sizes, on whatever device they lie.

        Raises:
            PromptError: The number of prompts does not fit.
            ImageError: None of the pictures can be scored.
        """
        self.runtime.plan(self.panel.scorers, self.request.batch_size, len(pictures))
        result = self.panel.judge(self.panel.score(list(pictures), prompts))
        failures = result.main.failures
        if len(failures) == len(pictures):
            first = failures[min(failures)]
            raise ImageError(f"none of the {len(pictures)} pictures could be scored. The first: {first}")
        return ScoredBatch(
            result.main, tuple(map(fingerprint, pictures)), self.panel.card, result.beside, result.basis
        )


_alive: weakref.WeakValueDictionary[tuple[LoadRequest, str], LoadedScorer] = weakref.WeakValueDictionary()
"""Scorers somebody still holds: the host's cache, or a graph at work. Freed with them."""
_seen: dict[LoadRequest, tuple[int, Stamp]] = {}
"""For every request how often its files changed under us, and what they were when last loaded."""


def settings(request: LoadRequest) -> WeightSettings:
    """Where the host keeps weights."""
    from ..imagereward_core.weights.locate import WeightSettings

    return WeightSettings(folders=models_folders(), allow_download=request.allow_download)


def own_checkpoints() -> list[str]:
    """Checkpoints with ImageReward's layout that lie in the models folder under names of their own, such as trained ones."""
    import folder_paths

    from ..imagereward_core.weights.cards import BACKBONES, CARDS

    known = {
        Path(form.name).stem.casefold()
        for card in (*CARDS.values(), *BACKBONES.values())
        for form in card.checkpoint
    }
    return [
        name
        for name in folder_paths.get_filename_list(MODELS)
        if Path(name).suffix.lower() in SUFFIXES and Path(name).stem.casefold() not in known
    ]


def saved_blends() -> list[str]:
    """Names of the blends saved in the models folder, as scorers; empty where the file cannot be read."""
    folders = models_folders()
    if not folders or not (folders[0] / BLENDS_FILE).is_file():
        return []
    from ..imagereward_core.scorers.blend_file import BlendFile

    try:
        return [f"blend:{name}" for name in BlendFile(folders[0]).load()[0]]
    except CuratorError as error:
        log.warning("saved blends are not listed: %s", error)
        return []


def load(request: LoadRequest) -> LoadedScorer:
    """The scorer of a request: one that is still alive, or a new one, its weights fetched if need be.

    Raises:
        UnknownScorerError, WeightsError, DownloadError, BlendError: See the core.
    """
    generation = load_key(request)
    found = _alive.get((request, generation))
    if found is None:
        found = _make(request)
        _alive[request, generation] = found
        count = _seen.get(request, (0, ()))[0]
        _seen[request] = (count, _stamp(found.files))
    return found


def load_key(request: LoadRequest) -> str:
    """A text that stays the same while the weights of a request do, also across their first download."""
    count, stamp = _seen.get(request, (0, ()))
    if stamp and _stamp(tuple(Path(name) for name, _, _ in stamp)) != stamp:
        count, stamp = count + 1, ()
        _seen[request] = (count, stamp)
    return f"{request.name} {_blend_text(request.name)} {count}"


def _blend_text(name: str) -> str:
    """What a saved blend consists of right now; empty for anything else."""
    if not name.lower().startswith("blend:"):
        return ""
    from ..imagereward_core.scorers.blend_file import BlendFile, format_blend

    try:
        return format_blend(BlendFile(models_folders()[0]).get(name.partition(":")[2]))
    except (CuratorError, IndexError):
        return ""


def _stamp(files: Sequence[Path]) -> Stamp:
    """Path, size and time of every file; size -1 for one that is gone."""
    stamps = []
    for path in files:
        try:
            status = path.stat()
            stamps.append((str(path), status.st_size, status.st_mtime_ns))
        except OSError:
            stamps.append((str(path), -1, 0))
    return tuple(stamps)


def _make(request: LoadRequest) -> LoadedScorer:
    import torch

    from ..imagereward_core.scorers.blend_file import BlendFile
    from ..imagereward_core.scorers.making import Maker
    from ..imagereward_core.scorers.panel import Panel
    from .runtime import HostRuntime

    runtime = HostRuntime(request.device, request.precision)
    where = settings(request)
    folders = models_folders()
    maker = Maker(
        runtime,
        where,
        whole_picture=request.whole_picture,
        blends=BlendFile(folders[0]) if folders else None,
    )
    name = _full_path(request.name)
    files = _fetch(maker, name, where, runtime)
    # The host runs nodes in inference mode; weights made in it could never be loaded anew outside it.
    with torch.inference_mode(False):
        scorer = maker.make_all([name])[0]
    return LoadedScorer(request, Panel(scorer), runtime, files)


def _full_path(name: str) -> str:
    """The path of a checkpoint listed by the host; any other name as it is."""
    import folder_paths

    if Path(name).suffix.lower() not in SUFFIXES or "=" in name:
        return name
    return str(folder_paths.get_full_path_or_raise(MODELS, name))


def _fetch(maker: Any, name: str, where: WeightSettings, runtime: HostRuntime) -> list[Path]:
    """Finds or downloads the weights of all scorers that ``name`` needs, with a bar on the node; returns their files."""
    from ..imagereward_core.weights.store import resolve

    report = DownloadBar(runtime)
    files = [Path(name)] if Path(name).is_file() else []
    for card in maker.cards([name]):
        files.extend(_files(resolve(card, where, report)))
    return files


def _files(found: FoundWeights | None) -> list[Path]:
    if found is None:
        return []
    own = [path for path in (found.checkpoint, found.vocabulary) if path is not None]
    return own + _files(found.backbone)


class DownloadBar:
    """Shows a download, a checksum or a conversion on the node, and stops it when the host is interrupted."""

    def __init__(self, runtime: HostRuntime) -> None:
        self.runtime = runtime
        self.name = ""
        self.bar: Any = None

    def __call__(self, name: str, done: int, total: int) -> None:
        """Told the file's name, the bytes done and in total (0 where unknown)."""
        from comfy.utils import ProgressBar

        self.runtime.check_cancelled()
        if name != self.name or self.bar is None:
            self.name, self.bar = name, ProgressBar(100)
            log.info("ImageReward Curator: %s, %.0f MB", name, total / 1e6)
        if total:
            self.bar.update_absolute(min(100, 100 * done // total), 100)
