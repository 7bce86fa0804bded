"""The gate before hires. fix: the first pass is scored, and only what passes is upscaled.

The host's second pass is called with the rows that passed; everything else, batching included, stays the host's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace
from typing import Any

from ..host import info
from . import filenames, infotext, rejects, scoring, selecting
from .arguments import NOT_SAVED, TO_FOLDER
from .failures import safely
from .patching import as_if
from .state import REJECTED, Picture, Run

_ROWS = ("seeds", "subseeds", "prompts", "negative_prompts", "hr_prompts", "hr_negative_prompts")
_WHOLE = (
    "all_prompts",
    "all_negative_prompts",
    "all_seeds",
    "all_subseeds",
    "all_hr_prompts",
    "all_hr_negative_prompts",
    "_all_prompts_c",
    "_all_negative_prompts_c",
)
_RAW = ("_all_prompts_c", "_all_negative_prompts_c")
"""Forge Neo's prompts with their comments, which it writes into infotexts by place in the job."""
_DETAILERS = ("ADetailer ",)
"""How the infotext's keys begin of extensions that work on finished pictures, and write what they will do before there is any."""


def wanted(run: Run) -> bool:
    """Whether this run has a second pass that can be spared."""
    p = run.p
    asked = run.settings.gate_hires and run.selects and getattr(p, "enable_hr", False)
    return bool(asked and getattr(p, "firstpass_image", None) is None and hasattr(p, "sample_hr_pass"))


@contextmanager
def watching(run: Run) -> Iterator[None]:
    """Stands between the two passes of a run."""
    if not safely(run, "hires. fix goes on as without the extension", wanted, run):
        yield
        return
    p, second_pass = run.p, run.p.sample_hr_pass

    def sample_hr_pass(
        samples: Any, decoded: Any, seeds: Any, subseeds: Any, strength: Any, prompts: Any
    ) -> Any:
        rows = safely(
            run, "the first pass is upscaled as without the extension", choose, run, samples, decoded
        )
        if rows is None or len(rows) == len(samples):
            return second_pass(samples, decoded, seeds, subseeds, strength, prompts)
        if run.placeholder:
            return _as_it_is(run, samples, decoded, rows)
        few = [
            None if every is None else [every[row] for row in rows] for every in (seeds, subseeds, prompts)
        ]
        with _only(p, rows):
            return second_pass(
                samples[rows], None if decoded is None else decoded[rows], few[0], few[1], strength, few[2]
            )

    p.sample_hr_pass = sample_hr_pass
    try:
        yield
    finally:
        p.__dict__.pop("sample_hr_pass", None)


def choose(run: Run, samples: Any, decoded: Any) -> list[int] | None:
    """Rows that go on; the others are put away. Where none passes, the best goes on as it is, since no batch may be empty.

    Raises:
        Exception: Whatever goes wrong while scoring.
    """
    from modules.shared import state

    if state.interrupted or state.skipped:
        return None
    pictures = [_to_picture(tensor) for tensor in _first_passes(run.p, samples, decoded)]
    found = scoring.evaluate(run.job, pictures, run.p.prompts)
    if found.main is None:
        return None
    rows = sorted({*found.main.failures, *selecting.passing(run.job, found.main)})
    if not rows:
        rows, run.placeholder = [int(found.main.order()[0])], True
    for row in range(len(pictures)):
        if row not in rows:
            _put_away(run, row, pictures[row], found.found[row])
    run.survivors = rows
    return rows


def _first_passes(p: Any, samples: Any, decoded: Any) -> Sequence[Any]:
    """The first passes in -1..1 as the host's decoder gives them: rows of [3, H, W], or of [1, 3, H, W] with models that know time."""
    if decoded is not None:
        return 2 * decoded - 1 if _is_unit(decoded) else decoded
    from modules import devices, processing

    return processing.decode_latent_batch(p.sd_model, samples, target_device=devices.cpu, check_for_nans=True)


def _is_unit(decoded: Any) -> bool:
    """Whether decoded first passes are in 0..1, as Forge Neo has had them since 2026; before, and elsewhere, they are in -1..1."""
    return info.host() == "neo" and bool((decoded >= 0).all())


def _to_picture(tensor: Any) -> Any:
    """A first pass as the host would save it: [3, H, W] or [1, 3, H, W] in -1..1, fractions cut off."""
    import numpy as np
    from PIL import Image

    tensor = tensor[0] if tensor.ndim == 4 and len(tensor) == 1 else tensor
    values = ((tensor.float() + 1.0) / 2.0).clamp(0.0, 1.0).cpu().numpy()
    return Image.fromarray((255.0 * np.moveaxis(values, 0, 2)).astype(np.uint8))


def _as_it_is(run: Run, samples: Any, decoded: Any, rows: list[int]) -> Any:
    """The first pass of these rows as the result of the batch."""
    from modules import processing
    from modules.shared import state

    state.nextjob()
    every = _first_passes(run.p, samples, decoded)
    return processing.DecodedSamples([every[row] for row in rows])


def _only(p: Any, rows: list[int]) -> AbstractContextManager[None]:
    """While the second pass works, p is a batch of these rows only."""
    start = p.iteration * p.batch_size
    every = {name: getattr(p, name, None) for name in (*_ROWS, *_WHOLE)}
    # Copies from before the second pass look their prompt and seed up by place in the job.
    few = {
        name: [values[row] for row in rows] if name in _ROWS else _moved_up(values, start, rows)
        for name, values in every.items()
        if isinstance(values, list)
    }
    p.hr_c = p.hr_uc = None  # made for the whole batch; the host makes them again for these prompts
    return as_if(p, few)


def align(run: Run, batch: Any) -> None:
    """After the second pass: the host's lists of the batch lose the rows that went no further; also after something else failed."""
    rows, p = run.survivors, run.p
    if rows is None or len(batch.images) != len(rows):
        return
    for name in ("prompts", "negative_prompts", "seeds", "subseeds"):
        values = getattr(p, name, None)
        if isinstance(values, list) and len(values) > max(rows):
            setattr(p, name, [values[row] for row in rows])
    start = p.iteration * p.batch_size
    for name in _RAW:
        values = getattr(p, name, None)
        if isinstance(values, list) and len(values) > start + max(rows):
            setattr(p, name, _moved_up(values, start, rows))


def _moved_up(values: list[Any], start: int, rows: list[int]) -> list[Any]:
    """A list of the whole job in which these rows of the batch at ``start`` stand first."""
    few = [values[start + row] for row in rows]
    return [*values[:start], *few, *values[start + len(few) :]]


def _put_away(run: Run, row: int, image: Any, numbers: dict[str, Any]) -> None:
    """Saves a first pass among the rejected ones, where the host saves at all."""
    p = run.p
    own = {
        name: values[row]
        for name, values in (("negative", p.negative_prompts), ("subseed", p.subseeds))
        if isinstance(values, list) and row < len(values)
    }
    picture = Picture(
        SimpleNamespace(image=image), p.prompts[row], seed=p.seeds[row], verdict=REJECTED, **own
    )
    scoring.take(picture, numbers)
    picture.reason, picture.first_pass = "first pass did not pass", True
    picture.fields[selecting.VERDICT] = REJECTED
    if p.save_samples() and run.settings.rejects != NOT_SAVED:
        _save(run, row, picture)
    # Not before: where it cannot be saved, its row goes on to the second pass.
    run.job.gated.append(picture)
    run.made.append(picture)
    picture.let_go()


def _save(run: Run, row: int, picture: Picture) -> None:
    p = run.p
    from modules import images, processing
    from modules.shared import opts

    with _undetailed(p):
        text = processing.create_infotext(
            p, p.all_prompts, p.all_seeds, p.all_subseeds, [], iteration=p.iteration, position_in_batch=row
        )
    folder, suffix = p.outpath_samples, rejects.FIRST_PASS
    if run.settings.rejects == TO_FOLDER:
        folder = rejects.folder_in(folder)
        run.job.folders.append(folder)
    else:
        suffix += rejects.SUFFIX
    p.batch_index = row
    picture.before, picture.text = text, infotext.with_fields(text, picture.fields, run.job)
    with filenames.saving(p, picture, run.job, replaces=False):
        saved = images.save_image(
            picture.image,
            folder,
            "",
            p.seeds[row],
            p.prompts[row],
            opts.samples_format,
            info=picture.text,
            p=p,
            suffix=suffix,
        )
    picture.files = [str(file) for file in saved or () if file]


def _undetailed(p: Any) -> AbstractContextManager[None]:
    """While an infotext is written: without what only happens to pictures that are finished."""
    parameters = getattr(p, "extra_generation_params", None) or {}
    kept = {key: value for key, value in parameters.items() if not str(key).startswith(_DETAILERS)}
    return as_if(p, {"extra_generation_params": kept, "restore_faces": False})


def reject_placeholder(run: Run, picture: Picture) -> None:
    """A first pass that only went on because a batch cannot be empty did not pass, whatever happened to it since."""
    if picture.first_pass and picture.scored:
        picture.verdict, picture.reason = REJECTED, "first pass did not pass"
        picture.fields[selecting.VERDICT] = REJECTED
