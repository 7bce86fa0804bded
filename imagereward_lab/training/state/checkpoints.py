"""The checkpoints of a training in its folder: written whole or not at all, read without executing anything.

``checkpoint.safetensors`` has all that the next step depends on: trained parameters, Adam's moments, generators of random numbers,
and as text the position, the history and the settings. ``best-<step>.safetensors`` has the trained parameters of the best
validation; the checkpoint names the one that belongs to it. In both they are called ``model.<name>``, so that no host takes a part
of a network for a scorer.
"""

from __future__ import annotations

import errno
import json
import re
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from imagereward_core.errors import WeightsError
from imagereward_core.files.locks import exclusive
from imagereward_core.weights.checkpoint import write_state

from ..errors import TrainingError

CHECKPOINT = "checkpoint.safetensors"
_FORMAT = "imagereward-training-1"
_KEY = "training"
_BEST = re.compile(r"best-\d+\.safetensors")
_MODEL = "model."


@dataclass
class State:
    """All that the next step depends on.

    Attributes:
        step: Number of optimiser steps done.
        tensors: Trained parameters as ``model.<name>``, Adam's moments as ``adam.<name>.<moment>``, generators as ``random.<...>``.
        facts: Whatever else, fit for JSON.
        settings: What the training was begun with; it goes on with the same only.
        best: Step of the best validation; 0 before the first.
    """

    step: int
    tensors: dict[str, Tensor]
    facts: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    best: int = 0


def is_kept(name: str) -> bool:
    """Whether a file of this name is a training's own, in whatever case: a result cannot be called so.

    >>> is_kept("Best-20.safetensors"), is_kept("best-of-mine.safetensors")
    (True, False)
    """
    return name.casefold() == CHECKPOINT or _BEST.fullmatch(name.casefold()) is not None


class CheckpointFolder:
    """The folder of one training.

    Args:
        folder: Made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / CHECKPOINT
        self._opened = time.time()

    def held(self) -> AbstractContextManager[None]:
        """A context in which no other program trains in this folder.

        Raises:
            WeightsError: One does.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        return exclusive(self.path)

    def begun(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return self.path.is_file()

    def save(self, state: State, best: Mapping[str, Tensor] | None) -> None:
        """Writes a checkpoint in the place of the earlier one.

        Args:
            state: Where ``best`` is given, ``state.best`` is ``state.step``.
            best: Trained parameters, where this is the best state so far.

        Raises:
            TrainingError: It cannot be written, for instance since the disk is full; the earlier checkpoint stays.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._drop_remains()
            if best is not None:
                whose = {f"{_MODEL}{name}": each for name, each in best.items()}
                _write(self._best_path(state.best), whose, {"step": state.best})
            facts = {
                "step": state.step,
                "best": state.best,
                "facts": state.facts,
                "settings": state.settings,
            }
            _write(self.path, state.tensors, facts)
        except OSError as error:
            kept = (
                "the earlier checkpoint is whole and stays"
                if self.begun()
                else "there is no earlier checkpoint"
            )
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise TrainingError(
                f"the checkpoint of step {state.step} could not be written into {self.folder} "
                f"({'the disk is full' if full else error.strerror or error}); {kept}. "
                f"{'Make room' if full else 'Put that right'} and go on with --resume"
            ) from error
        for old in self._of_best():
            if old != self._best_path(state.best) and _is_ours(old):
                old.unlink(missing_ok=True)

    def strangers(self) -> list[Path]:
        """Files that lie where checkpoints would be written or removed and that no training wrote."""
        return [each for each in self._of_best() if not _is_ours(each)]

    def load(self) -> tuple[State, dict[str, Tensor] | None]:
        """The checkpoint, and the trained parameters of its best validation (None before the first).

        Raises:
            TrainingError: There is none, or it cannot be used.
        """
        tensors, facts = _read(self.path)
        try:
            state = State(facts["step"], tensors, facts["facts"], facts["settings"], facts["best"])
        except (KeyError, TypeError) as error:
            raise _damaged(self.path, f"it lacks {error}") from error
        if not state.best:
            return state, None
        if not self._best_path(state.best).is_file():
            raise _damaged(self.path, f"{self._best_path(state.best).name}, which belongs to it, is missing")
        best, _ = _read(self._best_path(state.best))
        return state, {name.removeprefix(_MODEL): each for name, each in best.items()}

    def _of_best(self) -> list[Path]:
        """Files that are called as those of the best validations; a copy under another name is somebody's own."""
        return [each for each in sorted(self.folder.glob("best-*.safetensors")) if _BEST.fullmatch(each.name)]

    def _best_path(self, step: int) -> Path:
        return self.folder / f"best-{step}.safetensors"

    def _drop_remains(self) -> None:
        """Removes what a kill has left half written, which may be gigabytes; never what somebody has written to since this began."""
        for remains in self.folder.glob(".imagereward-*.tmp"):
            with suppress(OSError):
                if remains.stat().st_mtime < self._opened:
                    remains.unlink()


def check_settings(found: Mapping[str, Any], expected: Mapping[str, Any], folder: Path) -> None:
    """Makes sure that a training goes on with what it was begun with.

    Raises:
        TrainingError: It would not; the text lists the differences.
    """
    names = [name for name in {**expected, **found} if found.get(name) != expected.get(name)]
    if names:
        shown = "; ".join(f"{name} was {found.get(name)!r}, now {expected.get(name)!r}" for name in names)
        raise TrainingError(
            f"the training in {folder} was begun with other settings ({shown}). Go on with those it was begun with, or begin anew in "
            "another --output"
        )


def _write(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    write_state(path, tensors, {"format": "pt", _KEY: json.dumps({"format": _FORMAT, **facts})})


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    if not path.is_file():
        raise TrainingError(f"there is no {path} to go on from; leave out --resume to begin anew")
    try:
        with safe_open(str(path), framework="pt", device="cpu") as handle:
            # Cloned, for the file may be replaced while its memory map is still read.
            tensors = {name: handle.get_tensor(name).clone() for name in list(handle.keys())}
            facts = json.loads((handle.metadata() or {}).get(_KEY, "{}"))
    except (SafetensorError, OSError, ValueError, WeightsError) as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(facts, dict) or facts.pop("format", None) != _FORMAT:
        raise _damaged(path, "it is no checkpoint of this program's trainer")
    return tensors, facts


def _is_ours(path: Path) -> bool:
    """Whether a training wrote a file, by what stands in it; its name alone could be anybody's."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return False
        with safe_open(str(path), framework="pt", device="cpu") as handle:
            facts = json.loads((handle.metadata() or {}).get(_KEY, "{}"))
    except (SafetensorError, OSError, ValueError):
        return False
    return isinstance(facts, dict) and facts.get("format") == _FORMAT


def _damaged(path: Path, why: str) -> TrainingError:
    return TrainingError(
        f"{path} cannot be gone on from ({why}); expected a checkpoint this program has written. Begin anew in another --output"
    )
