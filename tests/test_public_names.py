"""Public names exist, mean one thing, and their examples are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import imagereward_core
import imagereward_core.library
import imagereward_core.metrics
import imagereward_core.ranking
import imagereward_core.scorers
import imagereward_lab

EXPORTING = (
    imagereward_core,
    imagereward_core.library,
    imagereward_core.scorers,
    imagereward_core.metrics,
    imagereward_core.ranking,
)
FIRST = {
    "RewardModel",
    "load",
    "LocalRuntime",
    "create_scorer",
    "Scores",
    "Rule",
    "Selection",
    "select",
    "WeightSettings",
}
"""What the first version exported, beside ``available_models``."""


OF_EXTRAS = {"diffusers", "fastapi", "sqlalchemy", "starlette", "transformers", "uvicorn"}
"""What the extras of the second package bring; environments with a host's libraries lack them."""


def every_module():
    """All modules of both packages, but for those of the second that need an extra which is not there."""
    for package in (imagereward_core, imagereward_lab):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.endswith("__main__"):
                continue
            try:
                yield importlib.import_module(found.name)
            except ModuleNotFoundError as error:
                if package is imagereward_core or (error.name or "").partition(".")[0] not in OF_EXTRAS:
                    raise


def test_examples_in_docstrings_are_true():
    results = {module.__name__: doctest.testmod(module) for module in every_module()}
    assert not {name: result for name, result in results.items() if result.failed}
    assert sum(result.attempted for result in results.values()) > 30


@pytest.mark.parametrize("package", EXPORTING, ids=lambda package: package.__name__)
def test_every_exported_name_is_there_whatever_was_imported_before(package):
    list(every_module())  # a module of the same name would hide what is exported
    for name in set(package.__all__) - {"__version__"}:
        value = getattr(package, name)
        assert callable(value) and getattr(value, "__name__", name) == name
        assert name in dir(package)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        package.nothing


def test_what_the_first_version_exported_is_still_there():
    assert FIRST | {"available_models", "__version__"} <= set(imagereward_core.__all__)


@pytest.mark.parametrize(
    "name", ["list_scorers", "Library", "percentiles", "preference_accuracy", "kendall_tau_b", "spearman"]
)
def test_a_newer_public_name_has_an_example(name):
    assert ">>>" in getattr(imagereward_core, name).__doc__
