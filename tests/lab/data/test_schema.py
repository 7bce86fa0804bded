"""The published schema and the reader say the same, but for what a schema cannot say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import imagereward_lab.data.schema as place
from imagereward_lab.data.form import _FIELDS, FieldError, object_of, ranking_of

jsonschema = pytest.importorskip("jsonschema")
SCHEMA = json.loads((Path(place.__file__).parent / "ranking.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

text = st.text(st.characters(codec="utf-8"), max_size=4)
odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.floats(allow_nan=False, allow_infinity=False, width=16),
    text,
)
names = st.lists(text.filter(bool), min_size=1, max_size=3)


@st.composite
def marked(draw, prompt):
    """Phrases beside one another, in any order, with or without what stands there."""
    edges = sorted(draw(st.sets(st.integers(0, len(prompt)), max_size=4)))
    found = []
    for start, end in zip(edges[::2], edges[1::2]):
        phrase = {"start": start, "end": end, "kind": draw(st.sampled_from(["content", "style", "function"]))}
        found.append(phrase | draw(st.sampled_from([{}, {"text": None}, {"text": prompt[start:end]}])))
    return draw(st.permutations(found))


@st.composite
def fitting(draw):
    """Objects in the form, their lengths fitting."""
    images = draw(names)
    count = len(images)

    def each(one):
        return st.none() | st.lists(one, min_size=count, max_size=count)

    best = draw(st.none() | st.integers(0, count - 1))
    worst = draw(st.none() | st.integers(0, count - 1).filter(lambda value: value != best))
    prompt = draw(text)
    optional = {
        "intent_unclear": st.none() | st.booleans(),
        "prompt_problems": st.none() | st.lists(text, max_size=2),
        "phrases": st.none() | marked(prompt),
        "seconds": st.none() | st.integers(0, 9) | st.floats(0, 1e6),
        "ranks": each(st.integers(0, 3) | st.just(2.0)),
        "ratings": each(st.none() | st.dictionaries(text, st.integers(1, 7) | st.floats(1, 7), max_size=2)),
        "problems": each(st.lists(text, max_size=2)),
        "sources": each(text),
        "partial": st.none() | st.booleans(),
        "coarse": st.none() | st.booleans(),
        **{name: st.none() | text for name in ("id", "annotator", "category", "split")},
        "unknown": odd,
    }
    some = {name: draw(values) for name, values in optional.items() if draw(st.booleans())}
    return {"prompt": prompt, "images": images, "best": best, "worst": worst, **some}


@st.composite
def damaged(draw):
    """Objects with one field replaced by anything, or gone."""
    data = draw(fitting())
    name = draw(st.sampled_from(sorted(_FIELDS)))
    phrase = st.fixed_dictionaries(
        {"start": odd, "end": odd, "kind": st.sampled_from(["style", "function", "other", None])},
        optional={"text": odd},
    )
    data[name] = draw(
        odd
        | st.lists(odd, max_size=3)
        | st.lists(phrase, max_size=3)
        | st.dictionaries(text, odd, max_size=2)
    )
    if draw(st.booleans()):
        data.pop(draw(st.sampled_from(sorted(data))))
    return data


def accepted(data) -> bool:
    try:
        ranking_of(data)
    except FieldError:
        return False
    return True


def fits(data) -> bool:
    """What only the reader checks: lengths, and the places of the best and the worst."""
    count = len(data["images"])
    chosen = [data.get(name) for name in ("best", "worst") if data.get(name) is not None]
    return (
        all(
            len(data[name]) == count for name in ("ranks", "ratings", "problems", "sources") if data.get(name)
        )
        and all(place < count for place in chosen)
        and len({int(place) for place in chosen}) == len(chosen)
        and phrases_fit(data["prompt"], data.get("phrases") or [])
    )


def phrases_fit(prompt, phrases) -> bool:
    taken = [place for each in phrases for place in range(int(each["start"]), int(each["end"]))]
    return len(set(taken)) == len(taken) and all(
        each["start"] < each["end"] <= len(prompt)
        and (each.get("text") or "") in ("", prompt[int(each["start"]) : int(each["end"])])
        for each in phrases
    )


def test_the_schema_is_one_and_names_every_field():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"].keys() == _FIELDS.keys()


@settings(max_examples=150, deadline=None)
@given(fitting())
def test_what_is_in_the_form_is_read_and_valid_and_comes_back_equal(data):
    assert VALIDATOR.is_valid(data)
    ranking = ranking_of(data)
    written = object_of(ranking)
    assert VALIDATOR.is_valid(written)
    again = ranking_of(json.loads(json.dumps(written)))
    assert again == ranking and again.extra == ranking.extra


@settings(max_examples=400, deadline=None)
@given(damaged())
def test_reader_and_schema_refuse_the_same(data):
    assert accepted(data) == (VALIDATOR.is_valid(data) and fits(data))


@settings(max_examples=200, deadline=None)
@given(fitting(), st.integers(0, 5), st.integers(0, 5), st.sampled_from([None, "x", "xy"]))
def test_a_phrase_is_taken_only_where_it_stands(data, start, end, said):
    data["phrases"] = [
        *(data.get("phrases") or []),
        {"start": start, "end": end, "kind": "style", "text": said},
    ]
    assert accepted(data) == fits(data)


def test_a_phrase_out_of_the_prompt_is_told_in_words():
    given = {"prompt": "a fox", "images": ["a.png"]}
    with pytest.raises(
        FieldError, match="characters 2 to 9; expected a start before its end, within the prompt's 5"
    ):
        ranking_of({**given, "phrases": [{"start": 2, "end": 9, "kind": "style"}]})
    with pytest.raises(FieldError, match="overlaps another one"):
        ranking_of({**given, "phrases": [{"start": n, "end": 5, "kind": "style"} for n in (0, 2)]})
    with pytest.raises(FieldError, match="'fix'; expected 'fox'.*not bytes"):
        ranking_of({**given, "phrases": [{"start": 2, "end": 5, "kind": "style", "text": "fix"}]})
