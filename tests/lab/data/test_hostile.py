"""Whatever a stranger's file holds, readers give rankings and notes, or one error for people; nothing else escapes."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagereward_core.errors import CuratorError
from imagereward_lab.data.jsonl import line_of
from imagereward_lab.data.readers import FORMATS, open_rankings
from tests.support.lab.datasets import parquet, pick, png, records

GOOD = {
    "jsonl": {
        "prompt": "a",
        "images": ["x", "y"],
        "ranks": [1, 2],
        "best": 0,
        "ratings": [{"overall": 3}, {}],
    },
    "reference": {"id": "1", "prompt": "a", "generations": ["x", "y"], "ranking": [1, 2]},
    "imagerewarddb": records("train_1", "p", "a", [1, 2])[0],
    "hpdv2": {"prompt": "a", "image_path": ["x", "y"], "rank": [1, 2], "human_preference": [1, 0]},
    "hpdv2-annotators": {
        "prompt": "a",
        "image_path": ["x", "y"],
        "raw_annotations": [{"rank": [1, 2], "user_hash": "u"}],
    },
    "label-studio": {
        "id": 1,
        "data": {"prompt": "a", "items": [{"id": "x", "html": "<img src='a'>"}, {"id": "y"}]},
        "annotations": [
            {
                "completed_by": 1,
                "result": [{"type": "ranker", "from_name": "r", "value": {"ranker": {"r": ["x"]}}}],
            }
        ],
    },
}
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 10**20)
    | st.floats()
    | st.text(max_size=3)
    | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def spoiled(draw, value):
    """A value with something in it replaced by anything."""
    if draw(st.integers(0, 3)) == 0 or not isinstance(value, (dict, list)) or not value:
        return draw(anything)
    place = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
    changed = value.copy()
    changed[place] = draw(spoiled(value[place]))
    return changed


@pytest.mark.parametrize("name", GOOD)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_json_is_read_or_told(tmp_path, name, data):
    item = data.draw(spoiled(GOOD[name]))
    path = tmp_path / "train_1.json"
    good = json.dumps(GOOD[name])
    text = f"{json.dumps(item)}\n{good}\n" if name == "jsonl" else f"[{json.dumps(item)}, {good}]"
    path.write_text(text, encoding="utf-8")
    found = open_rankings(path, format=name)  # the good one is always there
    assert all(str(note) for note in found.notes)
    for ranking in found.rankings:
        assert isinstance(line_of(ranking), str) and isinstance(ranking.pairs, list)
    assert len(found.sha256()) == 64


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("stars", "curated")])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=40))
def test_any_bytes_are_told(tmp_path, name, data):
    for ending in ("json", "csv", "parquet"):
        path = tmp_path / f"train.{ending}"
        path.write_bytes(b"prompt,image,rank\n" * (ending == "csv") + data)
        try:
            open_rankings(path, format=name)
        except CuratorError as error:
            assert path.name in str(error) or "pyarrow" in str(error)


def test_a_parquet_file_of_other_types_is_told(tmp_path):
    pytest.importorskip("pyarrow")
    image = {"bytes": png(), "path": ""}
    strange = [
        [{**pick("a", (1.0, 0.0), ("red", "blue")), "label_0": "1", "caption": 3}],
        [{"prompt_id": 1, "prompt": ["a"], "image": image, "rank": 1}],
        [{"prompt_id": "p", "prompt": "a", "image": [image], "rank": [1, None]}],
        [{"prompt_id": "p", "prompt": "a", "image": image, "rank": "first", "overall_rating": "x"}],
        [{"prompt": 3.5, "img_better": image, "img_worse": None}],
    ]
    for number, rows in enumerate(strange):
        with pytest.raises(CuratorError, match="The first thing that was left out"):
            open_rankings(parquet(tmp_path / str(number) / "train.parquet", rows))
    damaged = tmp_path / "damaged.parquet"
    whole = parquet(
        tmp_path / "whole.parquet", [pick(f"p{n}", (1.0, 0.0), ("red", "blue")) for n in range(4)]
    ).read_bytes()
    damaged.write_bytes(whole[:4] + bytes(len(whole) // 2) + whole[4 + len(whole) // 2 :])
    with pytest.raises(CuratorError):
        open_rankings(damaged, format="pick-a-pic")
