"""A run from its first hook to its result: what happens when, and what happens when something fails."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from copy import copy
from typing import Any

from imagereward_core.plain import count_of

from .. import hosts
from ..door import guard
from . import gallery, gate, infotext, requests, saving, scoring, selecting, until, xyz
from .arguments import NOT_SAVED, Settings, read_arguments
from .guarding import fail, safely
from .records import Job, Picture, Run
from .wrapping import mark, original_of

VIDEO = "ImageReward Curator: this run makes a video, whose frames are not scored, sorted or rejected; it is left as it is."
DRIVEN = 'The script "{}" drives this run and finds pictures by their place: they are scored, but none is rejected, sorted or made besides.'
_FEWEST_FRAMES = 5
"""The host makes single pictures of batches below this, and 4n + 1 frames from it on."""
_waiting: list[Run] = []
"""The run that has begun but has not reached the host's loop."""


def settings_of(p: Any, values: tuple[Any, ...]) -> tuple[Settings, list[str]]:
    """The settings of a run: those of the page or the request, with what a plot's axes say instead."""
    settings, problems = read_arguments(values)
    problems += requests.remarks(values)
    return xyz.override(p, settings, problems)


def begin(p: Any, values: tuple[Any, ...]) -> None:
    """Before the run: decides whether it is ours, and sees to it that nothing gets lost on the way."""
    from modules.shared import state

    _waiting.clear()
    parent: Run | None = getattr(p, until.ROUND, None)
    if parent is None and is_inner(p):
        return
    settings, problems = (parent.settings, []) if parent is not None else settings_of(p, values)
    infotext.announce(p, settings if settings.enabled else None)
    if not settings.enabled:
        return
    run = Run(p, parent.job if parent is not None else Job(settings), is_round=parent is not None)
    if parent is not None:
        parent.rounds.append(run)
    for line in problems:
        run.job.note(line)
    run.is_upscale = bool(getattr(p, "txt2img_upscale", False))
    run.step = str(state.job)
    if parent is None:
        run.job.unsaved = _saves_by_hand(p, settings)
        _set_reader(run, p, values)
    if settings.until and parent is None and not run.is_bound:
        run.template = until.template_of(p)
        run.job.note(until.contradiction(settings))
    _waiting.append(run)
    _guard_loop(run)


def _set_reader(run: Run, p: Any, values: tuple[Any, ...]) -> None:
    """Finds out who will read the result, and so what may be done to it."""
    script, run.sorts = hosts.chosen_script(p), run.settings.sort_gallery
    if xyz.is_plot(script):
        run.reader, run.cell = "plot", xyz.cell_of(str(run.step))
    elif script:
        run.reader, run.driver = "script", script
        run.job.note(DRIVEN.format(script))
    elif getattr(p, "is_api", False):
        run.reader = "program" if requests.wants_images(values) else "files"
        run.sorts = run.sorts and requests.wants_order(values)


def _saves_by_hand(p: Any, settings: Settings) -> bool:
    """Whether a picture that the page does not show would be gone. Programs get what they asked for."""
    from modules.shared import opts

    saves = bool(getattr(opts, "samples_save", True)) and not getattr(p, "do_not_save_samples", False)
    return not saves and not getattr(p, "is_api", False) and settings.rejects != NOT_SAVED


def is_inner(p: Any) -> bool:
    """Whether this run happens inside another one, such as a detailer's: its pictures are no results of their own."""
    return saving.current() is not None or bool(getattr(p, "_ad_inner", False))


def is_video(p: Any) -> bool:
    """Whether this run makes one video, whose frames the host hands to every hook as if they were pictures (Forge Neo with Wan)."""
    if hosts.host() != "neo":
        return False
    from backend.args import dynamic_args
    from modules import shared

    known = bool(getattr(shared.sd_model, "is_wan", False)) and bool(getattr(dynamic_args, "wan", False))
    return known and int(p.batch_size) >= _FEWEST_FRAMES


def _guard_loop(run: Run) -> None:
    """Puts a guard around the host's loop for exactly this run: the hooks alone would not be told of an exception in it."""
    from modules import processing

    original = original_of(processing.process_images_inner) or processing.process_images_inner

    def process_images_inner(p: Any, *arguments: Any, **named: Any) -> Any:
        if processing.process_images_inner is process_images_inner:
            processing.process_images_inner = original
        if p is not run.p or run not in _waiting:
            return original(p, *arguments, **named)
        _waiting.remove(run)
        # Asked here and not before the run: the host loads its model in between.
        if guard(is_video, "asking for a video")(p):
            guard(_forget_settings, "leaving a video alone")(run)
            processed = original(p, *arguments, **named)
            guard(gallery.tell_notes, "telling about a video")(run, processed)
            return processed
        return _drive(run, lambda: original(p, *arguments, **named))

    processing.process_images_inner = mark(process_images_inner, original)


def _forget_settings(run: Run) -> None:
    """The frames of a video go their way as without the extension, but for a note."""
    run.job.note(VIDEO)
    run.p.comment(VIDEO)
    infotext.announce(run.p, None)


def restore() -> None:
    """Takes everything of ours off the host's functions, should a run have ended in a way nobody foresaw."""
    from modules import images, processing

    _waiting.clear()
    saving.restore(images)
    original = original_of(processing.process_images_inner)
    if original is not None:
        processing.process_images_inner = original


def _drive(run: Run, loop: Callable[[], Any]) -> Any:
    with contextlib.ExitStack() as around:
        try:
            run.finish = _finish_early
            around.enter_context(saving.watching(run))
            around.enter_context(gate.watching(run))
        except Exception as error:
            fail(run, "starting a run", error)
        if not run.is_round:
            _make_ready(run)
        processed = loop()
        run.complete = True
        safely(run, "finishing the last batch", finish_batch, run)
    if run.is_round:
        safely(run, "reading a further run", gallery.note_texts, run, processed)
        return processed
    untouched, more = copy(processed), []
    try:
        gallery.note_texts(run, processed)
        more = until.go_on(run) if run.template is not None else []
        gallery.finish(run, processed, more)
        xyz.remember(run, processed)
    except Exception as error:
        fail(run, "the result is left as it was", error)
        processed.__dict__.update(untouched.__dict__)
        gallery.leave(run, processed, more or until.pictures_of(run))
    guard(gallery.tell_first, "telling about a file of a folder")(run, processed)
    return processed


def _make_ready(run: Run) -> None:
    """Loads the scorer before anything is generated: who lacks its weights is told so now, and not when the pictures are there."""
    from modules.shared import state

    safely(run, "the scorer cannot be used", scoring.load, run.settings)
    if run.job.failure:
        state.textinfo = run.job.failure  # the page shows it beside its progress


def start_batch(run: Run) -> None:
    """Before a batch is made: the one before it is complete."""
    finish_batch(run)
    run.prompts, run.batch, run.survivors, run.placeholder = [], None, None, False
    run.companions, run.copies = {}, {}


def list_batch(run: Run, batch: Any) -> None:
    """When a batch is decoded: its prompts are written down, since one host writes into its list later."""
    run.prompts, run.batch = list(run.p.prompts), batch


def collect(run: Run, holder: Any) -> None:
    """When a picture is finished, before it is saved."""
    from modules.shared import state

    p, row = run.p, int(getattr(run.p, "batch_index", len(run.pending)))
    prompts = run.prompts if len(run.prompts) == len(p.prompts) else p.prompts
    picture = Picture(
        holder,
        prompts[row],
        _at(p.negative_prompts, row, ""),
        _at(p.seeds, row, None),
        _at(p.subseeds, row, None),
        unfinished=bool(state.interrupted or state.skipped),
        first_pass=run.placeholder,
        companions=run.companions.setdefault(row, []),
        of_round=run.is_round,
    )
    run.pending.append(picture)
    run.pictures.append(picture)
    run.made.append(picture)
    run.job.pictures.append(picture)


def _finish_early(run: Run) -> None:
    safely(run, "finishing a batch", finish_batch, run)


def end(run: Run, processed: Any) -> None:
    """After the last batch, before scripts that come later look at the result."""
    finish_batch(run)
    if run.job.gated:  # the host's lists have the rows that were not upscaled too
        gallery.put_lists(processed, run.pictures)


def _at(values: Any, row: int, otherwise: Any) -> Any:
    return values[row] if values is not None and row < len(values) else otherwise


def finish_batch(run: Run) -> None:
    """Scores the pictures of a batch in one call, decides, and makes the saves that were held."""
    if not run.pending:
        return
    from modules.shared import state

    told = state.textinfo
    state.textinfo = f"Scoring {count_of(len(run.pending), 'picture')}"
    try:
        scored = scoring.score(run.job, run.pending)
        for picture in run.pending:
            if picture.failure:
                run.job.note(f"A picture has no score: {picture.failure}")
        demoted = selecting.decide(run.job, scored) if run.selects else []
        for picture in run.pending:
            gate.reject_placeholder(run, picture)
            saving.save(run, picture)
        for picture in demoted:
            saving.demote(run, picture)
    finally:
        state.textinfo = told
    run.pending = []
