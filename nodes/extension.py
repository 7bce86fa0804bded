"""Collects the nodes for the host. A family that cannot be loaded is logged and left out; the others work."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

log = logging.getLogger(__name__)

FAMILIES = (
    "load_scorer",
    "score_images",
    "sort_and_pick",
    "filter_by_score",
    "blend_scores",
    "score_to_text",
    "score_plot",
    "contact_sheet",
    "save_images",
    "prompts",
    "load_folder",
    "curate_folder",
)
"""Modules of this package; each names its node classes in ``NODES``."""


def load_nodes(families: tuple[str, ...] = FAMILIES) -> list[Any]:
    """All node classes whose family imports and whose schema this host accepts."""
    found = []
    for family in families:
        try:
            classes = import_module(f".{family}", __package__).NODES
        except Exception:
            log.exception(
                "ImageReward Curator: the nodes of %s.py are left out, because they cannot be loaded", family
            )
            continue
        for each in classes:
            try:
                each.GET_SCHEMA()
            except Exception:
                log.exception(
                    "ImageReward Curator: the node %s is left out; this host refuses it", each.__name__
                )
            else:
                found.append(each)
    return found


def make_extension() -> Any:
    """The object through which the host gets the nodes; also tells it where the models lie."""
    from comfy_api.latest import ComfyExtension

    from .host.errors import name_plainly
    from .host.folders import register_models_folder

    name_plainly()
    try:
        register_models_folder()
    except Exception:
        log.exception("ImageReward Curator: the models folder could not be registered with the host")

    class CuratorExtension(ComfyExtension):  # type: ignore[misc]
        """The nodes of this pack."""

        async def get_node_list(self) -> list[Any]:
            return load_nodes()

    return CuratorExtension()
