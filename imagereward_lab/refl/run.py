"""One tuning from a model and prompts to a LoRA: what ``imagereward refl`` does, without its words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from imagereward_core.plain import count_of

from ..training.errors import TrainingError
from ..training.progress.estimate import check_disk
from ..training.progress.tables import INSTALL
from ..training.state.checkpoints import CheckpointFolder
from ..training.state.processes import Processes
from .bases.base import Base
from .bases.load import DTYPES, load_base
from .guards.check import Check
from .guards.distance import check_distance
from .guards.watchdog import History
from .judges import Judges
from .lora.adapter import attach
from .lora.stored import objection
from .memory import TuningEstimate, answered, measure, settle
from .methods.options import MethodOptions
from .methods.table import METHODS
from .options import RunOptions
from .result import Found, model_digest, run_identity, write_result
from .tuning.examples import (
    Examples,
    drawn_examples,
    folder_examples,
    load_examples,
    most_examples,
    save_examples,
)
from .tuning.prompts import PromptSplits
from .tuning.tuner import Tuner
from .tuning.update import Update
from .watching.curves import CURVES, draw_tuning_curves
from .watching.logs import UPDATES, TuningLogs
from .watching.previews import Drawn, Previews
from .watching.sheets import write_previews

_TOO_MANY = "there are too many prompts to keep what the text encoders make of them; these stay on the device and read some in each update"
_PICTURE_ROOM = 60_000
"""Bytes of a picture on a sheet, roughly."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a tuning.

    Attributes:
        path: The LoRA.
        found: What was measured.
    """

    path: Path
    found: Found


class Run:
    """A tuning that is set up.

    Args:
        options: What and how.
        splits: The prompts.
        judges: The scorers.
        among: The processes that work together.
        say: Told what a person should know.

    Raises:
        TrainingError: It cannot begin.
    """

    def __init__(
        self,
        options: RunOptions,
        splits: PromptSplits,
        judges: Judges,
        among: Processes,
        say: Callable[[str], None],
    ) -> None:
        self.options, self.splits, self.judges, self.among, self.say = options, splits, judges, among, say
        config = options.config
        self.base: Base = load_base(
            options.model,
            among.device,
            DTYPES[config.precision],
            prediction=None if options.prediction == "auto" else options.prediction,  # type: ignore[arg-type]
            merges=options.merges,
        )
        check_distance(self.base, options.guards.distance)
        self.base.save_memory(config.checkpointing)
        self.model = model_digest(options.model)
        self.left_out: list[str] = []
        self.adapter = attach(
            self.base,
            self.base.targets(config.targets),  # type: ignore[arg-type]
            rank=config.rank,
            alpha=config.alpha,
            seed=config.seed,
        )
        self.drawing = MethodOptions(
            steps=config.preview_steps,
            guidance=config.preview_guidance,
            height=options.method_options.height,
            width=options.method_options.width,
        )
        self.previews = Previews(
            self.base, splits.checked, config.seeds, self.drawing, config.seed, judges.measures, among
        )
        self.folder = CheckpointFolder(options.output)
        self.tuner = Tuner(
            base=self.base,
            adapter=self.adapter,
            reward=judges.reward,
            method=METHODS[options.method],
            options=options.method_options,
            config=config,
            guards=options.guards,
            prompts=splits.tuned,
            examples=None,
            check=self.previews.check,
            among=among,
            folder=self.folder,
            settings=self._settings(),
            scale=judges.scale,
        )
        self._before: Drawn | None = None
        self._said_too_many = False
        self._tell()

    @property
    def begun(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return self.folder.begun()

    def _settings(self) -> dict[str, Any]:
        """What a resumed run must agree in, beside its course."""
        return {
            "model": self.model,
            "scorers": [
                f"{name} {self.judges.revisions.get(name, '')}".strip() for name in self.judges.measures
            ],
            "prompts": self.splits.digest,
            "checked": list(self.splits.checked),
            "prediction": self.base.prediction,
            # The name alone: settings stand in the LoRA, which people pass on.
            "pictures": "" if self.options.pictures is None else self.options.pictures.resolve().name,
        }

    def _tell(self) -> None:
        tuned = sum(each.numel() for each in self.tuner.parameters.values())
        self.say(
            f"a {self.base.kind} model ({self.base.prediction}) is tuned to {next(iter(self.judges.measures))} by {self.options.method} on "
            f"{count_of(len(self.splits.tuned), 'prompt')}; {tuned:,} numbers of a LoRA of rank {self.options.config.rank} are changed"
        )
        for remark in self.base.parts.remarks:
            self.say(remark)
        if self.splits.shared:
            self.say(
                f"checks draw {count_of(len(self.splits.checked), 'prompt')} that are tuned on too, since there are too few to set some "
                "aside; give others with --validation to see what happens to prompts that are not tuned on"
            )
        if len(self.judges.measures) == 1 and self.options.guards.watch != "off":
            self.say(
                "no other scorer watches (--also): a model that pleases this one alone is noticed only by its diversity and its prompts"
            )
        if self.options.guards.watch != "off":
            if len(self.splits.checked) < 2:
                self.say(
                    "checks draw one prompt, so it is not seen whether pictures go on to fit their own prompt best"
                )
            if self.options.config.seeds < 2:
                self.say(
                    "checks draw one picture of each prompt, so it is not seen whether pictures of a prompt go on to differ"
                )

    def _tell_too_many(self, kept: bool) -> None:
        if not kept and not self._said_too_many:
            self._said_too_many = True
            self.say(_TOO_MANY)

    def _tell_cut(self, prompts: Sequence[str], which: str) -> None:
        """Which ends of prompts no model will see; they have been read already."""
        cut = self.base.unread(prompts)
        if cut:
            self.say(
                f"{count_of(len(cut), 'prompt')} {which} are longer than the model reads; the end is left out, such as {cut[0][:60]!r}"
            )

    def estimate(self) -> TuningEstimate:
        """Memory and time, measured on a part of an update.

        Raises:
            TrainingError: It does not fit into memory, or what is written does not fit on the disk.
        """
        config, tuner = self.options.config, self.tuner
        pictures = self.options.pictures if config.denoising_weight else None
        to_come = 0 if pictures is None else most_examples(pictures)
        kept = settle(self.base, [*self.splits.tuned, *self.splits.checked], to_come)
        self._tell_too_many(kept)
        self._tell_cut(self.splits.checked, "of those that are checked")
        if kept:
            self._tell_cut(self.splits.tuned, "that it is tuned on")
        latents = self.base.noise([torch.Generator()], self.drawing.height, self.drawing.width).cpu()
        if config.denoising_weight:
            tuner.examples = Examples(latents=latents, prompts=tuple(tuner.prompts[:1]), origin="")
        with answered(config, tuner.options, self.among.device):
            found = measure(tuner, self.judges.networks, len(self.previews), self._disk(latents.nbytes))
        tuner.examples = None
        if self.among.first and not self.begun:
            check_disk(self.options.output, found.disk)
        return found

    def _disk(self, latents: int) -> int:
        """Bytes of all that is written."""
        config = self.options.config
        tuned = sum(each.nbytes for each in self.tuner.parameters.values())
        checks = 2 + config.updates // config.check_every
        # A checkpoint (weights, average, two moments) and the one it replaces, the best and the one it replaces, and the result.
        return (
            2 * 4 * tuned
            + 2 * tuned
            + tuned
            + latents * (config.denoising_pictures if self.options.pictures is None else 0)
            + checks * len(self.previews) * _PICTURE_ROOM
        )

    def prepare(self) -> None:
        """Makes or reads the pictures of the second loss, and goes back to the checkpoint where there is one.

        Raises:
            TrainingError: They cannot be made or read, or the checkpoint cannot be gone on from.
        """
        config, tuner = self.options.config, self.tuner
        if config.denoising_weight:
            tuner.examples = self._examples()
            tuner.settings["examples"] = tuner.examples.digest()
            with answered(config, tuner.options, self.among.device):
                kept = settle(self.base, [*self.splits.tuned, *self.splits.checked, *tuner.examples.prompts])
            self._tell_too_many(kept)
            self.say(f"the second loss has {tuner.examples.origin}")
        if self.begun:
            tuner.resume()
            self.say(f"goes on after update {tuner.update:,} of {config.updates:,}")
        if why := objection(self.options.path, run_identity(self.options.name, tuner)):
            raise TrainingError(why)

    def _examples(self) -> Examples:
        config, output = self.options.config, self.options.output
        if self.begun:
            return load_examples(output)
        with self.adapter.off(), answered(config, self.tuner.options, self.among.device):
            if self.options.pictures is not None:
                made = folder_examples(
                    self.base, self.options.pictures, self.drawing, config.seed, self.among, self._leave_out
                )
            else:
                self.say(
                    f"draws {count_of(config.denoising_pictures, 'picture')} with the model as it is, for the second loss ..."
                )
                made = drawn_examples(
                    self.base,
                    self.splits.tuned,
                    config.denoising_pictures,
                    self.drawing,
                    config.seed,
                    self.among,
                )
        if self.among.first:
            save_examples(made, output)
        return made

    def _leave_out(self, reason: str) -> None:
        self.left_out.append(reason)
        if len(self.left_out) <= 5:
            self.say(f"left out: {reason}")

    def run(self, progress: Callable[[int, int], None] | None = None, board: bool = True) -> Outcome | None:
        """Tunes, and writes the result, the sheet and the page; None in processes other than the first.

        Args:
            progress: Told of updates done and updates in all.
            board: Whether TensorBoard's files are written.

        Raises:
            TrainingError: See :meth:`.tuning.tuner.Tuner.run`, or memory was full.
            OSError: Something cannot be written.
        """
        tuner, config = self.tuner, self.options.config
        logs = None
        if self.among.first:
            logs = TuningLogs(self.options.output, tuner.update if tuner.history.checks else -1, board)
            if board and not logs.has_board:
                self.say(f"no logs for TensorBoard: the package tensorboard is not here; {INSTALL}")
            tuner.on_update, tuner.on_check = self._on_update(logs, progress), self._on_check(logs)
        with answered(config, tuner.options, self.among.device), logs or nullcontext():
            history = tuner.run()
            return self._finish(history)

    def _on_update(
        self, logs: TuningLogs, progress: Callable[[int, int], None] | None
    ) -> Callable[[Update], None]:
        def on_update(update: Update) -> None:
            logs.update(update)
            if progress is not None:
                progress(update.number, self.options.config.updates)

        return on_update

    def _on_check(self, logs: TuningLogs) -> Callable[[History], None]:
        output = self.options.output

        def on_check(history: History) -> None:
            check = history.checks[-1]
            logs.check(check)
            assert self.previews.last is not None
            if not check.update:
                self._before = self.previews.last
            write_previews(output, self.previews.last, check)
            drawn = draw_tuning_curves(history, output / UPDATES, output / CURVES, self.options.name)
            if not drawn and len(history.checks) == 1:
                self.say(f"no curves: the package matplotlib is not here; {INSTALL}")
            self.say(line_of(check, self.options.config.updates))

        return on_check

    def _finish(self, history: History) -> Outcome | None:
        """Draws before and after once more, where they are not at hand, and writes the result."""
        first = history.checks[0]
        last = next(each for each in reversed(history.checks) if each.update == history.good)
        newest = self.previews.last if history.checks[-1] is last else None
        after = newest or self.previews.draw()
        # Processes draw together, and only the first of them may have kept what was drawn before.
        before = self._before if self.among.number == 1 else None
        if before is None:
            with self.adapter.off():
                before = self.previews.draw()
        if not self.among.first:
            return None
        if history.stopped:
            self.say(f"stopped after update {self.tuner.update}: {history.stopped}")
        found = Found(
            history=history, first=first, last=last, before=before, after=after, left_out=self.left_out
        )
        path = write_result(self.options, self.splits, self.judges, self.tuner, self.model, found)
        return Outcome(path=path, found=found)


def line_of(check: Check, updates: int) -> str:
    """A check in a line."""
    scores = ", ".join(f"{name} {check.mean(name):.3f}" for name in check.scores)
    verdict = f"; not good: {'; '.join(check.faults)}" if check.faults else ""
    diverse = "" if math.isnan(check.diversity) else f", diversity {check.diversity:.3f}"
    return f"update {check.update}/{updates}: {scores}{diverse}{verdict}"
