"""Folders of the host: where weights lie, where pictures may be read and written."""

from __future__ import annotations

from pathlib import Path

from ...imagereward_core.weights.suffixes import SUFFIXES
from .errors import GraphError

MODELS = "imagereward"
"""The host's name of our models folder: ``models/imagereward``, and the key in ``extra_model_paths.yaml``."""


def register_models_folder() -> None:
    """Adds ``models/imagereward`` behind the folders a user has set for it, and lists weights only."""
    import folder_paths

    folder_paths.add_model_folder_path(MODELS, str(Path(folder_paths.models_dir) / MODELS))
    paths, _ = folder_paths.folder_names_and_paths[MODELS]
    folder_paths.folder_names_and_paths[MODELS] = (paths, set(SUFFIXES))


def models_folders() -> tuple[Path, ...]:
    """Where weights are looked for, in order; downloads go to the first that can be written to."""
    import folder_paths

    return tuple(Path(folder) for folder in folder_paths.get_folder_paths(MODELS))


def inside(root: str | Path, *parts: str) -> Path:
    """A path below ``root``, links followed.

    Raises:
        GraphError: It would lie elsewhere, or among what a library keeps there, where nobody finds pictures again.
    """
    from ...imagereward_core.files import STORE_FOLDER

    base = Path(root).resolve()
    try:
        path = base.joinpath(*parts).resolve()
    except (OSError, ValueError) as error:
        raise GraphError(
            f"{'/'.join(parts)!r} is no usable path ({error}); expected plain folder and file names"
        ) from error
    if path != base and base not in path.parents:
        raise GraphError(
            f"{'/'.join(parts)!r} leads out of {base}; expected a folder inside it. Remove '..' and leading slashes or drive letters."
        )
    if STORE_FOLDER in path.relative_to(base).parts:
        raise GraphError(
            f"{'/'.join(parts)!r} lies in {STORE_FOLDER}, where scores and the journal are kept; expected another folder. Nothing in it is "
            "taken for a picture."
        )
    return path
