"""Records against dataclasses of the same fields: all they do is the same but for the words of an error."""

from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError, asdict, astuple, dataclass, field, fields, is_dataclass, replace
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagereward_core.records import record
from tests.support.command import ROOT


def both(**flags):
    """Two classes of the same name and fields: a record and a dataclass."""

    def make(decorator):
        class Point:
            """Has a docstring, as all of ours."""

            x: int
            y: int = 2
            seen: list = field(default_factory=list, repr=False)
            unlike: int = field(default=0, compare=False)
            alone: int = field(default=7, kw_only=True)
            made: int = field(default=3, init=False)

            def __post_init__(self):
                if self.x == 13:
                    raise ValueError("13")
                object.__setattr__(self, "made", self.x)

        return decorator(frozen=True, **flags)(Point)

    return make(record), make(dataclass)


VALUES = st.one_of(
    st.integers(11, 14), st.just(float("nan")), st.text(max_size=1), st.lists(st.integers(), max_size=1)
)
NAMES = st.sampled_from(["x", "y", "seen", "unlike", "alone", "made", "other"])


def outcome(do):
    try:
        return "value", do()
    except Exception as error:
        return "error", type(error)


@given(st.lists(VALUES, max_size=6), st.dictionaries(NAMES, VALUES, max_size=4), st.booleans())
def test_what_is_made_or_refused_is_the_same(places, names, kw_only):
    pair = [outcome(lambda kind=kind: kind(*places, **names)) for kind in both(kw_only=kw_only)]
    (said, mine), (expected, theirs) = pair
    assert said == expected
    if said == "error":
        assert mine is theirs
        return
    assert repr(mine) == repr(theirs) and mine.__dict__ == theirs.__dict__
    assert asdict(mine) == asdict(theirs) and astuple(mine) == astuple(theirs)
    assert outcome(lambda: hash(mine)) == outcome(lambda: hash(theirs))
    assert copy.deepcopy(mine).__dict__.keys() == theirs.__dict__.keys()


@given(
    st.lists(st.integers(0, 2), min_size=4, max_size=4),
    st.lists(st.integers(0, 2), min_size=4, max_size=4),
    st.booleans(),
)
def test_two_are_alike_as_dataclasses_are(first, second, eq):
    (mine, theirs) = both(eq=eq)
    same = [kind(*first) == kind(*second) for kind in (mine, theirs)]
    assert same[0] == same[1]
    assert mine(*first) != theirs(*first) and (mine(*first) != 1)
    changed = [replace(kind(*first), y=5, unlike=6) for kind in (mine, theirs)]
    assert asdict(changed[0]) == asdict(changed[1])


def test_nothing_is_assigned_or_deleted_afterwards():
    for kind in both():
        made = kind(1)
        for name in ("x", "new"):
            with pytest.raises(FrozenInstanceError):
                setattr(made, name, 2)
        with pytest.raises(FrozenInstanceError):
            del made.x
        assert is_dataclass(made) and made.x == 1
        match made:
            case kind(x, y):
                assert (x, y) == (1, 2)


def used():
    """Every record of the core."""
    for path in sorted((ROOT / "imagereward_core").rglob("*.py")):
        if "@record(" not in path.read_text(encoding="utf-8") or path.name == "records.py":
            continue
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        yield from (
            each
            for each in vars(module).values()
            if isinstance(each, type) and each.__module__ == module.__name__ and is_dataclass(each)
        )


def test_all_records_know_their_fields_and_can_be_copied():
    classes = list(used())
    assert len(classes) >= 15
    made = 0
    for each in classes:
        assert each.__doc__ and each.__match_args__ == tuple(
            one.name for one in fields(each) if one.init and not one.kw_only
        )
        try:
            value = each()
        except TypeError:
            continue  # has fields without a default
        made += 1
        again = copy.deepcopy(value)
        assert again == value and repr(again) == repr(value)
    assert made >= 4
