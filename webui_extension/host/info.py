"""Facts about the host: which WebUI it is, its options and folders, and the extension's own folders."""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path
from typing import Any, Literal

Host = Literal["a1111", "forge", "neo", "reforge", "classic"]

TITLES: dict[Host, str] = {
    "a1111": "Automatic1111",
    "forge": "Forge",
    "neo": "Forge Neo",
    "reforge": "reForge",
    "classic": "Forge Classic",
}
_MARKS: tuple[tuple[Host, str], ...] = (
    ("forge", "backend.memory_management"),
    ("reforge", "ldm_patched.modules.model_management"),
)
"""The memory manager by which a host of this family is known, in the order to look: the first one found decides."""
_BRANCHES: dict[str, Host] = {"neo": "neo", "classic": "classic"}
"""Later members of the two, by the ``version`` in their ``modules_forge/forge_version.py``."""

OUTPUTS = (
    "outdir_samples",
    "outdir_txt2img_samples",
    "outdir_img2img_samples",
    "outdir_hires_samples",
    "outdir_extras_samples",
    "outdir_grids",
    "outdir_txt2img_grids",
    "outdir_img2img_grids",
    "outdir_save",
    "outdir_init_images",
)
"""The host's options for folders it writes pictures to."""

REJECTS = "rejects"
MODELS = "imagereward"
"""Our folder in the host's ``models``, as ComfyUI has it too."""


def host() -> Host:
    """Which family this WebUI belongs to, by its memory manager, loaded already or lying in its folder, and by its version.

    Asked for by file, not by import: an extension may have a package called ``backend`` too.
    """
    for name, module in _MARKS:
        if _has(module):
            return _BRANCHES.get(_version(), name)
    return "a1111"


def is_sdnext() -> bool:
    """Whether this is SD.Next, which takes extensions of this family but calls too few of their hooks."""
    return _has("modules.scripts_manager")


def _has(module: str) -> bool:
    """Whether the host has a module of that name, by its loaded modules and its files."""
    return module in sys.modules or _file(module).is_file()


def _file(module: str) -> Path:
    from modules import paths

    return Path(paths.script_path, *module.split(".")).with_suffix(".py")


def _version() -> str:
    """The name Forge's family gives its branch; empty where it does not say."""
    name = "modules_forge.forge_version"
    if name in sys.modules:
        return str(getattr(sys.modules[name], "version", ""))
    try:
        text = _file(name).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = re.search(r"^version\s*=\s*[\"']([^\"']*)", text, re.MULTILINE)
    return found.group(1) if found else ""


def chosen_script(p: Any) -> str:
    """The title of the script of the drop-down list that drives a run; empty where none is chosen."""
    values, runner = getattr(p, "script_args", None), getattr(p, "scripts", None)
    chosen = values[0] if values else 0
    known = getattr(runner, "selectable_scripts", None) or []
    if not isinstance(chosen, int) or not 0 < chosen <= len(known):
        return ""
    return str(known[chosen - 1].title())


def option(key: str, default: Any = None) -> Any:
    """The value of one of the host's options, ours included; ``default`` where it does not exist (yet)."""
    from modules import shared

    value = getattr(shared.opts, key, default)
    return default if value is None else value


def number(key: str, default: float, low: float = -math.inf, high: float = math.inf) -> float:
    """An option that is a number from ``low`` on, at most ``high``; one that is no such number counts as ``default``."""
    try:
        value = float(option(key, default))
    except (TypeError, ValueError, OverflowError):
        return default
    return min(value, high) if math.isfinite(value) and value >= low else default


def data_folder() -> Path:
    """Where the extension keeps what is its own, such as the store of the tab; it need not exist yet."""
    from modules import paths

    return Path(paths.data_path).absolute() / "imagereward"


def models_folders() -> tuple[Path, ...]:
    """Where weights are looked for, in order: the user's own folder, then ``models/imagereward``. Downloads go to the first."""
    from modules import paths

    own = str(option("imagereward_models_folder", "")).strip()
    folders = [Path(own).expanduser()] if own else []
    return (*folders, Path(paths.models_path).absolute() / MODELS)


def rejects_folder() -> str:
    """The name of the folder for rejected pictures; one that is no plain folder name counts as "rejects"."""
    from imagereward_core.errors import WeightsError
    from imagereward_core.weights.locate import inside

    name = str(option("imagereward_rejects_folder", REJECTS)).strip()
    try:
        return inside(Path(), name).name
    except WeightsError:
        return REJECTS


def output_folders() -> list[Path]:
    """The folders this host writes pictures to, absolute; those that are not set are left out."""
    # The host itself takes relative ones from the current folder.
    set_ones = [str(option(key, "")).strip() for key in OUTPUTS]
    return list(dict.fromkeys(Path(folder).absolute() for folder in set_ones if folder))


def allowed_folders() -> list[Path]:
    """Folders whose pictures a request over the network may name: those the host writes to, and those the user allowed in the settings."""
    lines = str(option("imagereward_extra_folders", "")).splitlines()
    extra = [Path(line.strip().strip('"')).expanduser() for line in lines if line.strip()]
    # A relative path would mean another folder with every way of starting the host.
    return list(dict.fromkeys([*output_folders(), *(folder for folder in extra if folder.is_absolute())]))
