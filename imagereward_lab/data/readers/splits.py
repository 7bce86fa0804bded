"""Names of splits as others write them."""

from __future__ import annotations

_SPLITS = {
    "train": "train",
    "training": "train",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


def split_in(name: str) -> str:
    """The split that a name of a file or folder says; empty where it says none.

    >>> split_in("train_12"), split_in("valid"), split_in("metadata-test"), split_in("rankings")
    ('train', 'validation', 'test', '')
    """
    for word in name.lower().replace("-", "_").replace(".", "_").split("_"):
        if word in _SPLITS:
            return _SPLITS[word]
    return ""
