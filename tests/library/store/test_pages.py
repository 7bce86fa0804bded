"""Pages of any query are what sorting all rows in memory gives, and cost no more in a large library than in a small one."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from imagereward_core.files.values import to_name
from imagereward_core.library.library import Library
from imagereward_core.library.store.records import Query, ScorerKey
from tests.support.library.stores import KEY, ROOT, Stored, store

FOLDERS = ("", "a", "a/b", "a/b c", "ab", "z/deep/er")
PROMPTS = ("a cat", "a Dog in 100%_rain", "ein Café", "")
VALUES = st.one_of(
    st.none(), st.just(math.nan), st.sampled_from([-1.5, 0.0, 0.25, 0.25, 2.0]), st.floats(-3, 3)
)


@st.composite
def libraries(draw):
    names = draw(
        st.lists(
            st.tuples(
                st.sampled_from(FOLDERS), st.sampled_from(["1.png", "10.png", "2.png", "Ü.png", "CAT.jpg"])
            ),
            unique=True,
            max_size=25,
        )
    )
    return [
        Stored(folder, name, draw(st.sampled_from(PROMPTS)), draw(st.integers(0, 4)) * 10**9, draw(VALUES))
        for folder, name in names
    ]


@st.composite
def queries(draw):
    ranged = draw(st.booleans())
    return Query(
        key=KEY,
        folder=draw(st.sampled_from([None, ROOT, ROOT / "a", ROOT / "a" / "b", ROOT / "unknown"])),
        minimum=draw(st.sampled_from([None, -1.0, 0.25])) if ranged else None,
        maximum=draw(st.sampled_from([None, 0.25, 1.0])) if ranged else None,
        prompt=draw(st.sampled_from([None, None, "a cat", "a Dog in 100%_rain", "never seen"])),
        text=draw(st.sampled_from(["", "", "", "cat", "0%_R", "CAFÉ", "ü", "1", "_"])),
        order=draw(st.sampled_from(["best", "worst", "name", "newest"])),
        scored=draw(st.sampled_from([None, None, True, False])),
    )


def expected(files: list[Stored], query: Query) -> list[Path]:
    """The same by the plainest means: all rows, filtered and sorted in memory."""
    number = {each.path: place for place, each in enumerate(files)}

    def fits(each: Stored) -> bool:
        value = None if each.value is None or math.isnan(each.value) else each.value
        if query.folder is not None and query.folder not in each.path.parents:
            return False
        if query.prompt is not None and each.prompt != query.prompt:
            return False
        if (
            query.text.casefold() not in each.name.casefold()
            and query.text.casefold() not in each.prompt.casefold()
        ):
            return False
        if query.scored is not None and (value is not None) != query.scored:
            return False
        if query.minimum is not None and (value is None or value < query.minimum):
            return False
        return query.maximum is None or (value is not None and value <= query.maximum)

    def place(each: Stored):
        if query.order == "name":
            return (to_name(each.path.parent), to_name(each.name))
        if query.order == "newest":
            return (-each.modified_ns, -number[each.path])
        if each.value is None:
            return (2, 0.0, number[each.path])
        if math.isnan(each.value):
            return (1, 0.0, number[each.path])
        if query.order == "worst":
            return (0, each.value, -number[each.path])
        return (0, -each.value, number[each.path])

    return [each.path for each in sorted(filter(fits, files), key=place)]


# not shrunk: a library for every attempt would take minutes
@settings(
    max_examples=60,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(libraries(), st.lists(queries(), min_size=4, max_size=10), st.integers(1, 7), st.integers(0, 30))
def test_pages_are_what_sorting_everything_gives(tmp_path_factory, files, asked, limit, offset):
    with Library.open(tmp_path_factory.mktemp("store")) as library:
        store(library, files)
        for query in asked:
            right = expected(files, query)
            assert [row.path for row in library.page(query, 1000)] == right
            assert library.count(query) == len(right)
            assert [row.path for row in library.page(query, limit, offset=offset)] == right[
                offset : offset + limit
            ]
            pages, after = [], None
            while page := library.page(query, limit, after):
                pages += [row.path for row in page]
                after = page[-1]
            assert pages == right
            if after is not None and offset:
                first = library.page(query, 1)[0]
                behind = [row.path for row in library.page(query, limit, first, offset)]
                assert behind == right[1 + offset : 1 + offset + limit]


def test_a_query_for_scores_must_name_a_scorer():
    with pytest.raises(ValueError, match="names no scorer"):
        Query(minimum=0.0)
    with pytest.raises(ValueError, match="expected 'best'"):
        Query(order="beste")


def test_an_unknown_scorer_has_scored_nothing(tmp_path):
    with Library.open(tmp_path) as library:
        store(library, [Stored("", "1.png", "a cat", 0, 1.0)])
        other = ScorerKey("other", "1")
        assert (
            library.page(Query(key=other, scored=True)) == library.page(Query(key=other, minimum=0.0)) == []
        )
        (row,) = library.page(Query(key=other))
        assert (row.value, row.problem) == (None, "")
        assert len(library.history(other)) == 0


def steps(library: Library, query: Query, **place) -> int:
    """How many hundred steps SQLite's machine takes for a page."""
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    with library.database.reading() as connection:
        connection.set_progress_handler(tick, 100)
    library.page(query, 10, **place)
    with library.database.reading() as connection:
        connection.set_progress_handler(None, 0)
    return count


@pytest.fixture(scope="module")
def small_and_large(tmp_path_factory):
    opened = []
    for number in (400, 4000):
        library = Library.open(tmp_path_factory.mktemp("store"))
        files = [
            Stored(f"{n % 8}", f"{n:06}.png", f"prompt {n % (number // 20)}", n, float(n * 7919 % number))
            for n in range(number)
        ]
        store(library, files)
        opened.append(library)
    yield opened
    for library in opened:
        library.close()


@pytest.mark.parametrize(
    "query",
    [
        Query(key=KEY),
        Query(key=KEY, order="worst"),
        Query(key=KEY, order="newest"),
        Query(key=KEY, order="name"),
        Query(key=KEY, folder=ROOT),
        Query(key=KEY, folder=ROOT, order="newest"),
        Query(key=KEY, folder=ROOT / "3"),
        Query(key=KEY, prompt="prompt 5"),
        Query(key=KEY, minimum=100.0, maximum=300.0),
    ],
    ids=str,
)
def test_a_page_costs_the_same_in_a_library_ten_times_as_large(small_and_large, query):
    small, large = small_and_large
    few, many = steps(small, query), steps(large, query)
    assert many <= 1.5 * few + 5
    middle = [library.page(query, 10)[-1] for library in (small, large)]
    few, many = steps(small, query, after=middle[0]), steps(large, query, after=middle[1])
    assert many <= 1.5 * few + 5


def test_files_of_equal_times_in_many_folders_are_all_met_page_by_page(tmp_path):
    files = [Stored(folder, f"{name}.png", "a cat", 5, None) for name in (1, 2) for folder in ("b", "a", "c")]
    with Library.open(tmp_path) as library:
        store(library, files)
        query = Query(key=KEY, folder=ROOT, order="newest")
        pages, after = [], None
        while page := library.page(query, 1, after):
            pages += [row.path for row in page]
            after = page[-1]
        assert pages == expected(files, query) and len(pages) == 6


def test_only_unscored_ones_of_a_range_of_scores_are_none(tmp_path):
    with Library.open(tmp_path) as library:
        store(library, [Stored("a", "1.png", "a cat", 5, None)])
        for order in ("best", "newest", "name"):
            for text in ("", "cat"):
                assert library.page(Query(key=KEY, minimum=0.0, scored=False, order=order, text=text)) == []
