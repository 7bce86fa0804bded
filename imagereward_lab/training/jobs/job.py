"""One training from rankings to a scorer: what ``imagereward train`` does, without its words."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imagereward_core.files.whole import written_whole
from imagereward_core.metrics.preference import agreeing_pairs
from imagereward_core.metrics.uncertainty import FEW_PROMPTS, ratio_interval
from imagereward_core.plain import count_of

from ..batches.examples import Examples, examples_of
from ..batches.frozen_cache import FrozenCache
from ..batches.pictures import PictureReader
from ..batches.rankings import RankingBatches
from ..export import Made, check_change, export
from ..losses import make_objective, tie_share_of
from ..networks.freezing import freeze, recounted
from ..networks.starts import Start, open_start
from ..networks.tuning import tune
from ..progress.curves import CURVES, draw_curves
from ..progress.estimate import Estimate, check_disk, measure, size_in_words
from ..progress.logs import Logs
from ..progress.record import Record
from ..progress.tables import INSTALL
from ..state.checkpoints import CheckpointFolder
from ..state.processes import Processes
from ..trainer import Step, Trainer, line_of
from ..validation import rankings_of
from .identity import identity
from .options import JobOptions
from .splits import Splits

FACTS = "run.json"
"""Facts about a finished training, in its folder."""


@dataclass(frozen=True)
class Outcome:
    """What came of a training.

    Attributes:
        path: The checkpoint; its card lies beside it.
        record: The history.
        accuracy: On the validation rankings, with the ends of its 95 % interval.
        left_out: Pictures that could not be read, with their reasons.
    """

    path: Path
    record: Record
    accuracy: tuple[float, float, float]
    left_out: dict[str, str]


class Job:
    """A training that is set up.

    Args:
        options: What and how.
        splits: What is learnt from and judged by.
        among: The processes that work together.
        say: Told what a person should know.
        keep: Whether what frozen layers make of pictures is kept; not where nothing will be trained.

    Raises:
        TrainingError: It cannot begin.
    """

    def __init__(
        self,
        options: JobOptions,
        splits: Splits,
        among: Processes,
        say: Callable[[str], None],
        keep: bool = True,
    ) -> None:
        self.options, self.splits, self.among, self.say = options, splits, among, say
        config = options.config
        self.start = _open(options)
        if options.tuning != "full":
            check_change(self.start)
        trainee = self.start.trainee
        trainee.network.to(among.device)
        # Where the head alone trains, all that both towers make of a picture can be kept.
        alone = options.tuning == "head"
        frozen = freeze(trainee, 1.0 if alone else config.freeze, "layers" if alone else config.freezing)
        self.lora_scale = 1.0
        if options.tuning != "full":
            self.lora_scale = tune(trainee, options.tuning, options.lora_rank, options.lora_rank)
            trainee.network.to(among.device)
            frozen = recounted(frozen, trainee)
        soft = config.loss == "soft"
        plain = make_objective()
        counted = examples_of(splits.train, plain)
        share = tie_share_of(counted.ties, counted.pairs)
        self.objective = make_objective(config.loss, config.mean, share)
        self.examples = examples_of(splits.train, self.objective, joined=soft)
        self.judged = examples_of(splits.validation, self.objective)
        self._tell(frozen.describe())
        cache = None
        if options.cache is not None:
            cache = FrozenCache(options.cache, trainee, frozen, among.device, config.precision, keep)
            pictures = len({*self.examples.images, *self.judged.images})
            needed = cache.check_room(pictures)
            say(
                f"keeps what the frozen layers make of {pictures:,} pictures: up to {size_in_words(needed)} in {cache.folder}"
            )
        self.readers = [
            PictureReader(images, trainee.spec, options.workers, cache, say if among.first else None)
            for images in (splits.images, splits.validation_images)
        ]
        self.batches, self.validation = (
            RankingBatches(
                examples,
                reader,
                trainee,
                batch_pairs=config.batch_pairs,
                accumulate=config.accumulate,
                among=among,
                seed=config.seed,
                cache=cache,
            )
            for examples, reader in zip((self.examples, self.judged), self.readers)
        )
        self.folder = CheckpointFolder(options.output)
        self.trainer = Trainer(
            trainee=trainee,
            training=self.batches,
            validation=self.validation,
            config=config,
            objective=self.objective,
            frozen=frozen,
            among=among,
            folder=self.folder,
            settings={
                "name": options.name,
                "start": self.start.revision,
                "data": splits.sha256,
                "fresh_head": options.fresh_head,
                "tuning": [options.tuning, options.lora_rank],
                "vision": [options.vision, options.vision_size, options.vision_random],
                "validation_share": options.validation,
            },
            depth=cache.depth if cache else 0,
            notes={"train": self.readers[0].left_out, "validation": self.readers[1].left_out},
        )

    def _tell(self, frozen: str) -> None:
        for what, found in (("learns from", self.examples), ("validates on", self.judged)):
            self.say(f"{what} {_counts(found)}")
        prompts = len({each.prompt for each in self.judged.kept})
        if prompts < FEW_PROMPTS:
            self.say(
                f"validates on {count_of(prompts, 'prompt')} alone; with fewer than {FEW_PROMPTS} the best state, the accuracy and the "
                "scale of the scores are rough. Add rankings, or give a larger --validation-share"
            )
        self.say(frozen)

    def estimate(self) -> Estimate:
        """Memory and time, measured on the largest batch.

        Raises:
            TrainingError: It does not fit into memory, or what is written does not fit on the disk.
        """
        began = time.perf_counter()
        group = self.batches.largest()
        found = measure(
            self.trainer, group, time.perf_counter() - began, sum(self.judged.sizes) // self.among.number
        )
        if self.among.first and not self.folder.begun():
            check_disk(self.options.output, found.checkpoint)
        return found

    def run(self, progress: Callable[[int, int], None] | None = None, board: bool = True) -> Outcome | None:
        """Trains, and writes the result and its facts; None in processes other than the first.

        Args:
            progress: Told of steps done and steps in all.
            board: Whether TensorBoard's files are written.

        Raises:
            TrainingError: See :meth:`.trainer.Trainer.run`.
        """
        trainer, output = self.trainer, self.options.output
        if self.among.first:
            logs = Logs(output, trainer.step, board)
            if board and not logs.has_board:
                self.say(f"no logs for TensorBoard: the package tensorboard is not here; {INSTALL}")

            def on_step(step: Step) -> None:
                logs.step(step)
                if progress is not None:
                    progress(step.number, trainer.steps)

            def on_validation(record: Record) -> None:
                logs.validation(record)
                drawn = draw_curves(record, output / CURVES, self.options.name)
                if not drawn and len(record.steps) == 1:
                    self.say(f"no curves: the package matplotlib is not here; {INSTALL}")
                self.say(line_of(record, trainer.steps))

            trainer.on_step, trainer.on_validation = on_step, on_validation
            try:
                record = trainer.run()
            finally:
                logs.close()
        else:
            record = trainer.run()
        self._share_left_out()
        if not self.among.first:
            return None
        if record.stopped:
            self.say(f"stopped after step {trainer.step}: {record.stopped}")
        return self._finish(record)

    def _share_left_out(self) -> None:
        """Tells the first process which pictures the others could not read."""
        for text in self.among.gather_texts(json.dumps([reader.left_out for reader in self.readers])):
            for reader, found in zip(self.readers, json.loads(text)):
                for name, reason in found.items():
                    if name not in reader.left_out:
                        reader.left_out[name] = reason
                        self.say(f"left out: {reason}")

    def _finish(self, record: Record) -> Outcome:
        """Judges the best state once more, for the scale and the interval, and writes the result."""
        options = self.options
        whole = RankingBatches(
            self.judged,
            self.readers[1],
            self.start.trainee,
            batch_pairs=options.config.batch_pairs,
            cache=self.validation.cache,
        )
        rewards: list[float] = []
        right: list[int] = []
        pairs: list[int] = []
        for batch, found in rankings_of(
            self.start.trainee, whole, self.among.device, options.config.precision, self.trainer.depth
        ):
            rewards += found[batch.ranks > 0].tolist()
            for row, ranks in zip(found.tolist(), batch.ranks.tolist()):
                agreeing, of = agreeing_pairs(row, ranks)
                right.append(agreeing)
                pairs.append(of)
        accuracy = self._accuracy(whole, right, pairs)
        left_out = {**self.readers[0].left_out, **self.readers[1].left_out}
        facts = {
            "settings": options.config.facts(),
            "trained": self.trainer.frozen.counts,
            "best_step": record.best_step,
            "steps": self.trainer.step,
            "seconds": round(record.seconds),
        }
        made = Made(
            name=options.name,
            rewards=rewards,
            title=options.title,
            licence=options.licence,
            data=_short(self.splits.sha256),
            splits={"train": len(self.splits.train), "validation": len(self.splits.validation)},
            accuracy=accuracy if all(map(math.isfinite, accuracy)) else None,
            facts=facts,
            tuning=options.tuning,
            lora_scale=self.lora_scale,
        )
        path = export(self.start, made, options.output, half=options.half, overwrite=True)
        told = {
            **facts,
            "result": path.name,
            "accuracy": [each if math.isfinite(each) else None for each in accuracy],
            "pairs": sum(pairs),
            "learnt_from": {
                "rankings": len(self.examples.kept),
                "pairs": sum(self.examples.sizes),
                "pictures": len(self.examples.images),
            },
            "frozen_layers": {
                name: [depth, self.trainer.frozen.layers[name]]
                for name, depth in self.trainer.frozen.depths.items()
            },
            "made_with": identity(options, self.splits),
            "history": record.to_dict(),
            "left_out": dict(sorted(left_out.items())[:1000]),
        }
        with written_whole(options.output / FACTS) as temporary:
            temporary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        return Outcome(path, record, accuracy, left_out)

    def _accuracy(
        self, whole: RankingBatches, right: list[int], pairs: list[int]
    ) -> tuple[float, float, float]:
        """Preference accuracy with its interval by prompt; NaN ends where there is one prompt alone."""
        places: dict[str, int] = {}
        rows = [places.setdefault(self.judged.kept[number].prompt, len(places)) for number in whole.order()]
        agreeing, of = (np.zeros(len(places)) for _ in range(2))
        np.add.at(agreeing, rows, right)
        np.add.at(of, rows, pairs)
        low, high = ratio_interval(agreeing, of)
        return float(agreeing.sum() / max(1.0, of.sum())), low, high


def _open(options: JobOptions) -> Start:
    return open_start(
        options.start,
        options.weights,
        vision=options.vision,
        vision_size=options.vision_size,
        vision_random=options.vision_random,
        seed=options.config.seed,
        fresh_head=options.fresh_head,
    )


def _counts(found: Examples) -> str:
    text = f"{len(found.kept):,} rankings with {sum(found.sizes):,} pairs of {len(found.images):,} pictures"
    return (
        f"{text}; {found.left_out:,} say nothing (one picture, or all equal) and are left out"
        if found.left_out
        else text
    )


def _short(text: str) -> str:
    return text if len(text) <= 64 else hashlib.sha256(text.encode()).hexdigest()
