"""Loss and accuracy of a training as a picture, drawn by matplotlib."""

from __future__ import annotations

from pathlib import Path

from imagereward_core.files.whole import written_whole

from .record import Record

CURVES = "curves.svg"


def draw_curves(record: Record, path: Path, title: str) -> bool:
    """Writes both curves as SVG; returns False, and writes nothing, where matplotlib is not installed or there is nothing to draw."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    if not record.steps:
        return False
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    loss.plot(record.steps, record.training_loss, label="training", color="#8a8a8a")
    loss.plot(record.steps, record.validation_loss, label="validation", color="#1f5fa8")
    accuracy.plot(
        record.steps, [100 * each for each in record.validation_accuracy], color="#1f5fa8", label="validation"
    )
    for axes, name in ((loss, "loss"), (accuracy, "preference accuracy, %")):
        axes.set_xlabel("step")
        axes.set_ylabel(name)
        axes.grid(alpha=0.3)
        axes.axvline(record.best_step, color="#c23b22", linestyle=":", label=f"best, step {record.best_step}")
        axes.legend(frameon=False)
        axes.xaxis.get_major_locator().set_params(integer=True)
    low, high = accuracy.get_ylim()
    accuracy.set_ylim(max(0.0, low), min(100.0, high))
    figure.suptitle(title.replace("$", r"\$"))
    with written_whole(path) as temporary:
        figure.savefig(temporary, format="svg", metadata={"Date": None})
    return True
