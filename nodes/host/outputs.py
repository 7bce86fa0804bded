"""Small conversions that every node needs for the host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from ...imagereward_core.plain import plain

Step = TypeVar("Step")


def unlike_any() -> float:
    """A fingerprint that equals no other, for nodes that act or look at what may have changed: they run on every queue.

    A new object each time. NaN equals nothing, but hosts keep fingerprints in tuples, which compare by identity first: with the one
    ``math.nan`` a run is taken for the one before, also for one long ago where the host keeps results of several prompts.
    """
    return float("nan")


def blocked(message: str | None = None) -> Any:
    """The value of an output that keeps nodes behind it from running: silently, or with a message in the host's dialog."""
    from comfy_execution.graph_utils import ExecutionBlocker

    return ExecutionBlocker(message)


def listed(values: list[Any]) -> Any:
    """A list output; an empty one would make the nodes behind it fail, so it blocks them."""
    return values if values else blocked()


def one(value: Any) -> Any:
    """The value of a widget in a node that gets all inputs as lists."""
    return value[0] if isinstance(value, list) and value else value


def watched(steps: Sequence[Step]) -> Iterator[Step]:
    """Goes through steps of work with a bar on the node; before each of them the host may interrupt."""
    from comfy.model_management import throw_exception_if_processing_interrupted
    from comfy.utils import ProgressBar

    bar = ProgressBar(max(1, len(steps)))
    for step in steps:
        throw_exception_if_processing_interrupted()
        yield step
        bar.update(1)


def tell_on_node(node_id: str | None, text: str) -> None:
    """Shows a text on a node while its graph runs, and logs it."""
    import logging

    logging.getLogger(__name__).warning("ImageReward Curator: %s", plain(text))
    try:
        from server import PromptServer

        if node_id is not None:
            PromptServer.instance.send_progress_text(text, node_id)
    except (ImportError, AttributeError):  # a host without a page
        return
