"""ComfyUI's door: a clone of this repository in ``custom_nodes`` is a node pack. Everything else lives in ``nodes/``."""

from __future__ import annotations

from typing import Any

WEB_DIRECTORY = "./web"


async def comfy_entrypoint() -> Any:
    """The extension that ComfyUI asks for its nodes (V3)."""
    from .nodes.extension import make_extension

    return make_extension()
