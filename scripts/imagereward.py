"""The WebUI's door: a clone of this repository in ``extensions`` is an extension. Everything else lives in ``webui_extension/``."""

import importlib.util
import logging
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = {"imagereward_core": "imagereward_core", "imagereward_webui": "webui_extension"}


def _stamp() -> list[tuple[str, int]]:
    """What the files of the extension are: changes when an update is put in place."""
    files = [path for folder in PACKAGES.values() for path in sorted((ROOT / folder).rglob("*.py"))]
    return [(str(path), path.stat().st_mtime_ns) for path in files]


def _register() -> None:
    """Makes the packages importable from anywhere, under names no other extension has.

    The WebUI puts an extension's folder on ``sys.path`` only while its script is being loaded, and reloads scripts but not the
    packages they import; so an update is taken in here, with "Reload UI".
    """
    stamp = _stamp()
    door = sys.modules.get("imagereward_webui")
    if door is not None and getattr(door, "_stamp", None) == stamp:
        return
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        del sys.modules[name]
    for name, folder in PACKAGES.items():
        home = ROOT / folder
        spec = importlib.util.spec_from_file_location(
            name, home / "__init__.py", submodule_search_locations=[str(home)]
        )
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    vars(sys.modules["imagereward_webui"])["_stamp"] = stamp


try:
    _register()
    from imagereward_webui.door import connect

    # The WebUI takes every script class it finds among the values of this module, each as often as it finds it.
    globals().update({each.__name__: each for each in connect(ROOT)})
except Exception as error:
    # Pictures are generated as without the extension; the first line says why it is missing.
    logging.getLogger("imagereward").exception(
        "ImageReward Curator is switched off: %s: %s", type(error).__name__, error
    )
