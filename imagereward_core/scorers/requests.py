"""Requests for a scorer: what was chosen, which files it needs, and the panel made from it. Shared by all hosts."""

from __future__ import annotations

import logging
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CuratorError
from ..records import record
from ..runtime import PRECISIONS, batch_size_of
from ..settings import setting
from ..weights.suffixes import SUFFIXES
from .blend_names import BLEND_PREFIX, BLENDS_FILE

if TYPE_CHECKING:
    from ..runtime import Precision, Runtime
    from ..weights.locate import FoundWeights, WeightSettings
    from ..weights.manifest import Progress
    from .factory import Maker
    from .panel import Panel
    from .saved_blends import SavedBlends

log = logging.getLogger(__name__)

DEFAULT_SCORER = "ImageReward-v1.0"
"""The scorer where nobody chose one."""

Stamp = tuple[tuple[str, int, int], ...]
"""Path, size and time of every file of a scorer."""


@record(frozen=True)
class LoadRequest:
    """The scorer somebody chose; equal requests get the same scorer, however its name is spelled.

    Attributes:
        name: A registered id, ``blend:NAME``, the text of a blend, or a checkpoint.
        also: Scorers whose numbers are shown beside, in order.
        batch_size: A whole number of at least 0, else NumberError.
        key: What all spellings of these names have in common; it stands for them where requests are compared.
    """

    name: str = setting(
        DEFAULT_SCORER, "A scorer, a blend of some, or a checkpoint of your own", compare=False
    )
    precision: Precision = setting(
        "auto",
        "auto: exact float32 on CPU and Apple devices, half precision on graphics cards, where scores differ in the second or third "
        "decimal. fp32 gives the published numbers exactly",
        choices=PRECISIONS,
    )
    device: str = setting("auto", "Where the scorer runs")
    whole_picture: bool = setting(
        False,
        "Show scorers the whole picture, not only the square in its middle; the numbers are then no longer comparable with published ones "
        "and have no percentile",
    )
    batch_size: int = setting(
        0,
        "Pictures at once; a number that does not fit is halved by itself",
        low=0,
        shown=(0, 256),
        unset=0,
        unset_means="chosen by free memory",
    )
    allow_download: bool = setting(
        True,
        "Whether missing weights may be downloaded. Off: a message tells where to get them and where to put them",
    )
    also: tuple[str, ...] = field(default=(), compare=False)
    key: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", tuple(map(spelling, (self.name, *self.also))))
        object.__setattr__(self, "batch_size", batch_size_of(self.batch_size, least=0))


def make_panel(
    request: LoadRequest,
    runtime: Runtime,
    where: WeightSettings,
    report: Progress | None = None,
    checkpoint_of: Callable[[str], str] = str,
    blends: SavedBlends | None = None,
) -> tuple[Panel, tuple[Path, ...]]:
    """The scorers of a request as a panel, and the files they came from; weights are fetched if need be.

    Weights are looked for in ``where``, and so are saved blends, without ``blends``. ``report`` is told the progress of a download, a
    checksum or a conversion; ``checkpoint_of`` says where the host keeps the checkpoint of a name for which :func:`is_weights` holds.

    Raises:
        UnknownScorerError, WeightsError, DownloadError, BlendError: See ``factory.Maker.make``.
    """
    import torch

    from .factory import Maker
    from .panel import Panel
    from .saved_blends import SavedBlends

    blends = blends or (SavedBlends(where.folders) if where.folders else None)
    maker = Maker(runtime, where, request.batch_size or None, request.whole_picture, blends)
    names = [checkpoint_of(name) if is_weights(name) else name for name in (request.name, *request.also)]
    files = _fetch(maker, names, where, report)
    # Hosts run their hooks in inference mode; weights made in it could never be loaded anew outside it.
    with torch.inference_mode(False):
        main, *others = maker.make_all(names)
    return Panel(main, others), tuple(files)


def _fetch(maker: Maker, names: Sequence[str], where: WeightSettings, report: Progress | None) -> list[Path]:
    """Finds or downloads the weights of all scorers that ``names`` need; returns their files."""
    from ..weights.own import card_path
    from ..weights.store import resolve_all, resolve_file

    needed, files = maker.needed(names), []
    for card, path in needed:
        if path is not None:
            resolve_file(path, card, where, report)  # the maker would do the same without a report
            files += [path, card_path(path)]  # a card may yet be written
    for found in resolve_all([card for card, path in needed if path is None], where, report):
        files += _files(found)
    return files


def _files(found: FoundWeights | None) -> list[Path]:
    if found is None:
        return []
    own = [path for path in (found.checkpoint, found.vocabulary) if path is not None]
    return own + _files(found.backbone)


def stamp_of(files: Iterable[Path]) -> Stamp:
    """Path, size and time of every file; size -1 for one that is gone."""
    stamps = []
    for path in files:
        try:
            status = path.stat()
            stamps.append((str(path), status.st_size, status.st_mtime_ns))
        except OSError:
            stamps.append((str(path), -1, 0))
    return tuple(stamps)


def has_changed(stamp: Stamp) -> bool:
    """Whether any of the files is no longer what it was."""
    return stamp_of(Path(name) for name, _, _ in stamp) != stamp


def saved_blends(folders: Sequence[Path]) -> list[str]:
    """Names of the blends saved in the models folders, as scorers; a file that cannot be read is passed over."""
    if not any((folder / BLENDS_FILE).is_file() for folder in folders):
        return []
    from .saved_blends import SavedBlends

    return [f"{BLEND_PREFIX}{name}" for name in SavedBlends(folders).names()]


def blend_text(name: str, folders: Sequence[Path]) -> str:
    """The text of a saved blend as it is now; empty for anything else."""
    if not name.lower().startswith(BLEND_PREFIX) or not folders:
        return ""
    from .blend_file import format_blend
    from .saved_blends import SavedBlends

    try:
        return format_blend(SavedBlends(folders).get(name.partition(":")[2]))
    except CuratorError:
        return ""


def choices(folders: Sequence[Path], files: Iterable[str], path_of: Callable[[str], str]) -> list[str]:
    """Names for a list to choose from: the registered scorers, the default first, then saved blends, then checkpoints of the user's own.

    ``files`` are names of files in the models ``folders``, and ``path_of`` says where one lies. What training made is listed by its id,
    unless another scorer has the same; anything else by the name of its file.
    """
    from ..weights.cards import CARDS

    own = {name: _trained_id(path_of(name)) for name in own_checkpoints(files, path_of)}
    taken = Counter(map(spelling, (*CARDS, *own.values())))
    listed = [each if each and taken[spelling(each)] == 1 else name for name, each in own.items()]
    return [*CARDS, *saved_blends(folders), *listed]


def _trained_id(path: str) -> str:
    from ..weights.own import trained_id

    return trained_id(Path(path))


def own_checkpoints(names: Iterable[str], path_of: Callable[[str], str]) -> list[str]:
    """Those of the files in a models folder that are checkpoints of the user's own, by their layout."""
    weights = [name for name in names if Path(name).suffix.lower() in SUFFIXES]
    if not weights:
        return []  # the start of a host need not load what looks into files
    from ..weights.own import is_reward_model, own_files

    return [name for name in own_files(weights) if is_reward_model(Path(path_of(name)))]


def spelling(name: str) -> str:
    """What all ways to write one scorer's name have in common; names of files stay as they are.

    >>> spelling("Demo") == spelling(" demo"), spelling("A=0.5, b=2@rank") == spelling("a=.5,B=2.0@rank")
    (True, True)
    """
    name = name.strip()
    if is_weights(name):
        return name
    if "=" in name:
        from .blend_file import format_blend, parse_blend

        try:
            name = format_blend(parse_blend(name))
        except CuratorError:
            pass  # whoever loads it says what is wrong with it
    return unicodedata.normalize("NFC", name).casefold()


def is_weights(name: str) -> bool:
    """Whether ``name`` names a file of weights, and not a scorer or the text of a blend."""
    return "=" not in name and Path(name).suffix.lower() in SUFFIXES
