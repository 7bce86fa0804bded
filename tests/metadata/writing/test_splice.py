"""Plans of splices: applied, undone, refused."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagereward_core.errors import ImageError
from imagereward_core.metadata.writing.splice import Splice, apply, copy_applied, reversed_splices


@st.composite
def data_and_plan(draw):
    """Pieces of a file, every other one replaced; a piece may be empty, so insertions and removals come up."""
    pieces = draw(
        st.lists(st.tuples(st.binary(max_size=6), st.booleans(), st.binary(max_size=6)), max_size=8)
    )
    plan, offset = [], 0
    for old, changed, new in pieces:
        if changed:
            plan.append(Splice(offset, old, new))
        offset += len(old)
    expected = b"".join(new if changed else old for old, changed, new in pieces)
    return b"".join(old for old, _, _ in pieces), plan, expected


@given(data_and_plan())
def test_a_plan_replaces_its_pieces_and_nothing_else_and_can_be_undone(case):
    data, plan, expected = case
    result = apply(data, plan)
    assert result == expected
    assert apply(result, reversed_splices(plan)) == data
    assert tuple(reversed_splices(reversed_splices(plan))) == tuple(plan)


@given(data_and_plan())
def test_a_stream_is_changed_as_bytes_are(case):
    data, plan, expected = case
    target = io.BytesIO()
    copy_applied(io.BytesIO(data), target, plan)
    assert target.getvalue() == expected


@pytest.mark.parametrize(
    "plan",
    [
        [Splice(1, b"xx", b"")],
        [Splice(5, b"f", b"")],
        [Splice(6, b"", b"new")],
        [Splice(2, b"cd", b""), Splice(3, b"de", b"")],
        [Splice(-1, b"", b"new")],
    ],
)
def test_other_data_and_overlapping_splices_are_refused(plan):
    with pytest.raises(ImageError):
        apply(b"abcde", plan)
    with pytest.raises(ImageError):
        copy_applied(io.BytesIO(b"abcde"), io.BytesIO(), plan)
