"""Packages that only some formats need."""

from __future__ import annotations

from typing import Any

from imagereward_core.errors import CuratorError


class MissingPackageError(CuratorError):
    """A package that an extra brings is not installed."""


def pyarrow_parquet() -> Any:
    """The module ``pyarrow.parquet``.

    Raises:
        MissingPackageError: It is not installed, or broken.
    """
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise MissingPackageError(
            f"Parquet files are read with the package pyarrow, which cannot be loaded ({error}). "
            "Install it with: pip install 'imagereward-curator[parquet]'"
        ) from error
    return parquet
