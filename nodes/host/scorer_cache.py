"""Scorers made ready for the graph, and the memory that keeps them from being made twice."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...imagereward_core.errors import ImageError
from ...imagereward_core.scorers import requests
from ...imagereward_core.scorers.requests import LoadRequest, Stamp
from ..links import Clip, ScoredBatch, fingerprint
from .folders import MODELS, models_folders

if TYPE_CHECKING:
    from torch import Tensor

    from ...imagereward_core.clips import FrameRule
    from ...imagereward_core.metadata.missing import Prompt
    from ...imagereward_core.scorers.panel import Panel
    from ...imagereward_core.scores import Scores
    from ...imagereward_core.weights.locate import WeightSettings
    from .runtime import HostRuntime

log = logging.getLogger(__name__)

__all__ = ["LoadRequest", "LoadedScorer", "load", "load_key", "own_checkpoints", "saved_blends"]


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

    @contextmanager
    def at_work(self, pictures: int) -> Iterator[None]:
        """A context in which the panel scores so many pictures for a caller that shows progress itself."""
        self.runtime.plan(self.panel.scorers, self.request.batch_size, pictures)
        self.runtime.hide_bar()
        yield

    def score(self, pictures: Sequence[Tensor], prompts: Sequence[Prompt]) -> ScoredBatch:
        """Scores pictures [H, W, C] of any sizes, on whatever device they lie, each with its own prompt.

        Raises:
            PromptError: The number of prompts does not fit.
            ImageError: None of the pictures can be scored.
        """
        return self._judged(pictures, self._scores(pictures, prompts))

    def score_clips(self, clips: Sequence[Tensor], prompts: Sequence[Prompt], rule: FrameRule) -> ScoredBatch:
        """Scores clips [F, H, W, C], each with its own prompt, by the frames that ``rule`` names.

        Raises:
            PromptError: The number of prompts does not fit.
            ImageError: None of the clips can be scored.
        """
        seen = [rule.of(len(clip)) for clip in clips]
        frames = [clip[frame] for clip, places in zip(clips, seen) for frame in places]
        words = [prompt for prompt, places in zip(prompts, seen) for _ in places]
        pooled = [rule.pool(scores, seen) for scores in self._scores(frames, words)]
        facts = tuple(Clip(len(clip), places) for clip, places in zip(clips, seen))
        return self._judged(clips, pooled, rule.words(), facts)

    def _scores(self, pictures: Sequence[Tensor], prompts: Sequence[Prompt]) -> list[Scores]:
        """The scores of every single scorer."""
        self.runtime.plan(self.panel.scorers, self.request.batch_size, len(pictures))
        return self.panel.score(list(pictures), prompts)

    def _judged(
        self, given: Sequence[Tensor], scores: list[Scores], how: str = "", clips: tuple[Clip, ...] = ()
    ) -> ScoredBatch:
        result = self.panel.judge(scores)
        basis = " ".join(filter(None, (how, result.remark)))
        batch = ScoredBatch(
            result.main, tuple(map(fingerprint, given)), self.panel.card, result.beside, basis, clips
        )
        failures = result.main.failures
        if len(failures) == len(given):
            raise ImageError(
                f"none of the {batch.counted(len(given))} could be scored. The first: {failures[min(failures)]}"
            )
        return batch


_alive: weakref.WeakValueDictionary[tuple[LoadRequest, str], LoadedScorer] = weakref.WeakValueDictionary()
"""Scorers somebody still holds: the host's cache, or a graph at work. Freed with them."""
_seen: dict[LoadRequest, tuple[int, Stamp]] = {}
"""For every request how often its files changed under us, and what they were when last loaded."""


def settings(request: LoadRequest) -> WeightSettings:
    """Where the host keeps weights."""
    from ...imagereward_core.weights.locate import WeightSettings

    # The host lists folders below the models folders as well; an own checkpoint there has its name in a blend like any other.
    below = dict.fromkeys(Path(_full_path(name)).parent for name in own_checkpoints())
    return WeightSettings(
        folders=(*models_folders(), *below),
        allow_download=request.allow_download,
        to_allow="switch on allow_download in Load Scorer",
    )


def own_checkpoints() -> list[str]:
    """Checkpoints with ImageReward's layout that lie in the models folder under names of their own, such as trained ones."""
    import folder_paths

    return requests.own_checkpoints(folder_paths.get_filename_list(MODELS), _full_path)


def saved_blends() -> list[str]:
    """Names of the blends saved in the models folders, as scorers; a file that cannot be read is passed over."""
    return requests.saved_blends(models_folders())


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
        _seen[request] = (count, requests.stamp_of(found.files))
    return found


def load_key(request: LoadRequest) -> str:
    """A text that stays the same while the weights of a request do, also across their first download."""
    count, stamp = _seen.get(request, (0, ()))
    if requests.has_changed(stamp):
        count, stamp = count + 1, ()
        _seen[request] = (count, stamp)
    return f"{' '.join(request.key)} {requests.blend_text(request.name, models_folders())} {count}"


def _make(request: LoadRequest) -> LoadedScorer:
    from .runtime import HostRuntime

    runtime = HostRuntime(request.device, request.precision)
    panel, files = requests.make_panel(request, runtime, settings(request), DownloadBar(runtime), _full_path)
    return LoadedScorer(request, panel, runtime, files)


def _full_path(name: str) -> str:
    """The path of a checkpoint listed by the host; any other name as it is."""
    import folder_paths

    return str(folder_paths.get_full_path_or_raise(MODELS, name)) if requests.is_weights(name) else name


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
