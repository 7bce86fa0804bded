"""The scorers of the graph: the core's cache, which frees what neither the host's cache nor a graph at work holds."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...imagereward_core.errors import ImageError
from ...imagereward_core.scorers import cache, requests
from ...imagereward_core.scorers.requests import LoadRequest
from ..links import Clip, ScoredBatch, fingerprint
from .folders import MODELS, models_folders

if TYPE_CHECKING:
    from torch import Tensor

    from ...imagereward_core.clips import FrameRule
    from ...imagereward_core.metadata.missing import Prompt
    from ...imagereward_core.scores import Scores
    from ...imagereward_core.weights.locate import WeightSettings
    from .runtime import HostRuntime

log = logging.getLogger(__name__)


class LoadedScorer(cache.LoadedScorer):
    """See the core; here with what the graph hands on."""

    runtime: HostRuntime

    @contextmanager
    def at_work(self, pictures: int) -> Iterator[None]:
        """A context in which the panel scores so many pictures for a caller that shows progress itself."""
        with super().at_work(pictures):
            self.runtime.hide_bar()
            yield

    def score_batch(self, pictures: Sequence[Tensor], prompts: Sequence[Prompt]) -> ScoredBatch:
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
        """The scores of every single scorer, with the bar on the node."""
        with super().at_work(len(pictures)):
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


class _Comfy:
    """ComfyUI for the core's cache; see ``cache.WeightHost``."""

    def models_folders(self) -> tuple[Path, ...]:
        return models_folders()

    def weight_settings(self, request: LoadRequest) -> WeightSettings:
        from ...imagereward_core.weights.locate import WeightSettings

        # The host lists folders below the models folders as well; an own checkpoint there has its name in a blend like any other.
        below = dict.fromkeys(Path(_full_path(name)).parent for name in own_checkpoints())
        return WeightSettings(
            folders=(*models_folders(), *below),
            allow_download=request.allow_download,
            to_allow="switch on allow_download in Load Scorer",
        )

    def checkpoint_path(self, name: str) -> str:
        return _full_path(name)

    def make_runtime(self, request: LoadRequest) -> HostRuntime:
        from .runtime import HostRuntime

        return HostRuntime(request.device, request.precision)

    def report(self, runtime: Any, interruptible: bool) -> DownloadBar:
        return DownloadBar(runtime)


CACHE = cache.ScorerCache(_Comfy(), LoadedScorer, weak=True)
load, load_key = CACHE.load, CACHE.generation


def choices() -> list[str]:
    """Names of scorers to choose from, those of saved blends and of own checkpoints in the models folders among them."""
    return requests.choices(models_folders(), _files(), _full_path)


def own_checkpoints() -> list[str]:
    """Checkpoints with ImageReward's layout that lie in the models folder under names of their own, such as trained ones."""
    return requests.own_checkpoints(_files(), _full_path)


def _files() -> list[str]:
    import folder_paths

    return list(folder_paths.get_filename_list(MODELS))


def _full_path(name: str) -> str:
    """The path of a checkpoint listed by the host."""
    import folder_paths

    return str(folder_paths.get_full_path_or_raise(MODELS, name))


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
