"""What others publish is recognised by its content and read into rankings; a bad row has its reason and the rest goes on."""

from __future__ import annotations

import json

import pytest

from imagereward_lab.data.ranking import Ranking, RankingError
from imagereward_lab.data.readers import open_rankings
from tests.support.lab.datasets import (
    parquet,
    pick,
    png,
    records,
    shard_folder,
    shard_zip,
    write,
)


def opened(path, **more):
    found = open_rankings(path, **more)
    return found, [(each.prompt, each.images, each.ranks) for each in found.rankings]


def openable(found):
    """Every picture of a set can be opened."""
    return all(found.images.open(name).size for ranking in found.rankings for name in ranking.images)


def test_reference_json(tmp_path):
    item = {"id": "1-2", "prompt": "a", "generations": ["x/a.webp", "x/b.webp"], "ranking": [2, 2]}
    path = write(tmp_path / "test.json", [item, {**item, "ranking": [1]}, "nothing", {**item, "id": 5}])
    found, rankings = opened(path)
    assert (found.format, rankings[0]) == ("reference", ("a", ("x/a.webp", "x/b.webp"), (2, 2)))
    assert found.rankings[0].split == "test" and found.rankings[0].ties == [(0, 1)]
    assert found.rankings[1].id == "5"
    assert [str(note) for note in found.notes] == [
        "test.json, item 2: ranking: found 1; expected 2, one for each of generations",
        "test.json, item 3: the ranking: found 'nothing'; expected an object with the fields prompt and generations",
    ]
    (tmp_path / "images").mkdir()
    assert open_rankings(path).images.root == tmp_path / "images"


def test_ranks_of_the_reference_that_count_from_zero_are_ranks(tmp_path):
    """Its own programs compare them as numbers; in our form a 0 would be a picture that nobody ranked."""
    path = write(
        tmp_path / "train.json", [{"prompt": "a", "generations": ["x", "y", "z"], "ranking": [0, 2, 1]}]
    )
    assert open_rankings(path).rankings[0].ranks == (1, 3, 2)


@pytest.mark.parametrize(
    ("text", "good", "said"),
    [
        ('[{"prompt":"a","generations":["b"],"ranking":[NaN]},%s]', 1, "found NaN"),
        ("[%s, %s", 2, "cut off"),
        ("[%s, {nonsense}, %s]", 1, "the rest of the file cannot be read"),
        ("[%s, %s]\n\n", 2, ""),
        ("[12345, %s]", 1, "found 12345; expected an object"),
        ("[%s, " + "[" * 100_000, 1, "cannot be read"),
    ],
)
def test_a_damaged_array_gives_what_can_be_read(tmp_path, text, good, said, monkeypatch):
    item = json.dumps({"prompt": "a", "generations": ["b", "ä"], "ranking": [1, 2]}, ensure_ascii=False)
    for chunk in (1, 7, 2**20):
        monkeypatch.setattr("imagereward_lab.data.readers.json_items._CHUNK", chunk)
        path = write(tmp_path / "x.json", text.replace("%s", item))
        found = open_rankings(path, format="reference")
        assert len(found) == good
        assert all(said in note.reason for note in found.notes) and len(found.notes) == bool(said)


def test_imagerewarddb_with_folders_and_their_json(tmp_path):
    shard_folder(
        tmp_path,
        "train_1",
        records("train_1", "p1", "a fox", [2, 1, 2]) + records("train_1", "p2", "b", [1, 2]),
    )
    shard_folder(tmp_path, "test_1", records("test_1", "p3", "c", [1, 2]))
    found, rankings = opened(tmp_path)
    assert found.format == "imagerewarddb" and len(rankings) == 3 and not found.notes
    first = found.rankings[0]
    assert (first.prompt, first.ranks, first.id, first.split, first.category) == (
        "a fox",
        (2, 1, 2),
        "p1",
        "train",
        "Animals",
    )
    assert first.ratings[1] == {"overall": 7.0, "alignment": 7.0, "fidelity": 1.0}
    assert [each.split for each in found.rankings] == ["train", "train", "test"]
    assert openable(found)
    one = open_rankings(tmp_path / "images" / "train" / "train_1" / "train_1.json")
    assert one.images.root == tmp_path and openable(one) and len(one) == 2


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("told", [False, True])
def test_imagerewarddb_as_downloaded_is_read_inside_its_archives(tmp_path, nested, told):
    here = records("train_1", "p1", "a fox", [2, 1])
    shard_zip(tmp_path, "train_1", here, nested=nested, told=told)
    if not told:
        pytest.importorskip("pyarrow")
        parquet(tmp_path / "metadata-train.parquet", here + records("train_9", "p9", "elsewhere", [1, 2]))
    found, rankings = opened(tmp_path)
    inside = "images/train/train_1.zip#" + ("train_1/" if nested else "")
    assert rankings == [("a fox", (f"{inside}p1-0.webp", f"{inside}p1-1.webp"), (2, 1))] and openable(found)
    left = [note.reason for note in found.notes]
    assert len(left) == (not told) and all(
        "images/train/train_9" in reason and "1 rankings" in reason for reason in left
    )


def test_a_record_of_imagerewarddb_cannot_name_a_file_elsewhere(tmp_path):
    root = tmp_path / "data"
    write(tmp_path / "secret.png", png())
    found = records("train_1", "p1", "a fox", [2, 1])
    shard_folder(root, "train_1", found)
    found[0]["image_path"] = "../../../../secret.png"
    write(root / "images" / "train" / "train_1" / "train_1.json", found)
    (ranking,) = open_rankings(root).rankings
    assert ranking.images[0] == "images/train/train_1/secret.png"


def test_imagerewarddb_saved_as_parquet_in_each_configuration(tmp_path):
    pytest.importorskip("pyarrow")
    image = {"bytes": png(), "path": "x.webp"}
    common = {"prompt_id": "p1", "prompt": "a fox", "classification": "Animals"}
    single = [{**common, "image": image, "rank": rank, "overall_rating": 5} for rank in (2, 1, 3)]
    group = [{**common, "image": [image] * 3, "rank": [2, 1, 3], "overall_rating": [5, 5, 5]}]
    for name, rows in (("single", single), ("group", group)):
        found, rankings = opened(parquet(tmp_path / name / "train-0.parquet", rows).parent)
        assert found.format == "imagerewarddb-parquet" and [each[2] for each in rankings] == [(2, 1, 3)]
        assert found.rankings[0].ratings[0] == {"overall": 5.0} and found.rankings[0].split == "train"
        assert openable(found)
    pair = [
        {"prompt": "a fox", "img_better": image, "img_worse": image},
        {"prompt": None, "img_better": image, "img_worse": image},
    ]
    found, rankings = opened(parquet(tmp_path / "pair" / "data" / "train-0.parquet", pair).parent.parent)
    assert [each[2] for each in rankings] == [(1, 2)] and found.left_out == 1 and openable(found)


def test_hpdv2(tmp_path):
    train = [
        {"prompt": "a", "file_path": ["1.jpg", "2.jpg"], "human_preference": [0, 1]},
        {"prompt": "b", "image_path": ["1.jpg", "2.jpg", "3.jpg"], "human_preference": [0, 1, 0]},
        {"prompt": "c", "image_path": ["1.jpg", "2.jpg"], "human_preference": [0, 2]},
    ]
    found, rankings = opened(write(tmp_path / "train.json", train))
    assert (found.format, found.left_out) == ("hpdv2", 1)
    assert [each[2] for each in rankings] == [(2, 1), (2, 1, 2)]
    assert not found.rankings[1].ties and found.rankings[0].split == "train"
    raw = [
        {"rank": [0, 1, 2], "user_hash": "u1"},
        {"rank": [1, 0, 2], "user_hash": "u2"},
        {"rank": [1], "user_hash": "u3"},
    ]
    test = [
        {"prompt": "a", "image_path": ["1.jpg", "2.jpg", "3.jpg"], "rank": [1, 2, 3], "raw_annotations": raw}
    ]
    write(tmp_path / "test" / "1.jpg", png())
    path = write(tmp_path / "test.json", test)
    assert opened(path)[1] == [("a", ("1.jpg", "2.jpg", "3.jpg"), (1, 2, 3))]
    each = open_rankings(path, format="hpdv2-annotators")
    assert [(one.annotator, one.ranks) for one in each.rankings] == [("u1", (1, 2, 3)), ("u2", (2, 1, 3))]
    assert each.left_out == 1 and each.images.open("1.jpg")


def test_pick_a_pic_is_read_in_place(tmp_path):
    pytest.importorskip("pyarrow")
    rows = [
        pick("a fox", (1.0, 0.0), ("red", "blue")),
        pick("a fox", (0.5, 0.5), ("blue", "lime")),
        pick("a fox", (0.0, 1.0), ("red", "lime"), has_label=False),
        pick("a fox", (float("nan"), 1.0), ("red", "lime")),
        pick("b", (0.0, 1.0), ("lime", "white"), user_id=8),
    ]
    parquet(tmp_path / "data" / "validation_unique-00000-of-00001-ab.parquet", rows[4:])
    parquet(tmp_path / "data" / "train-00000-of-00001-ab.parquet", rows[:4])
    found, rankings = opened(tmp_path)
    assert found.format == "pick-a-pic" and found.left_out == 2 and openable(found)
    assert [each[2] for each in rankings] == [(1, 2), (1, 1), (2, 1)]
    assert [each.split for each in found.rankings] == ["train", "train", "validation_unique"]
    first, second, third = found.rankings
    assert first.images[1] == second.images[0]  # one picture has one name
    assert found.images.open(third.images[1]).getpixel((0, 0)) == (255, 255, 255)
    assert (first.annotator, first.id, first.sources) == ("7", "11", ("sd15", "sdxl"))


def test_a_table(tmp_path):
    text = (
        "\ufeffPrompt;Image;rank;annotator;split;source;rating\r\n"
        'a "fox";a.png;1;x;train;sd;7\r\n"two\nlines";b.png;2;;;;\r\n'
        'a "fox";c.png;2;x;train;xl;1.5\r\na "fox";d.png;;x;;;\r\na "fox";e.png;first;x;;;\r\n'
        '"two\nlines";f.png;1.0;;;;\r\n;;;\r\na "fox";;3;x;;;\r\na "fox";g.png;0;x;;;\r\n'
    )
    found, rankings = opened(write(tmp_path / "table.txt", text))
    assert found.format == "csv"
    assert rankings == [
        ('a "fox"', ("a.png", "c.png", "d.png"), (1, 2, 0)),
        ("two\nlines", ("b.png", "f.png"), (2, 1)),
    ]
    first = found.rankings[0]
    assert (first.annotator, first.split, first.sources) == ("x", "train", ("sd", "xl", ""))
    assert first.ratings == ({"overall": 7.0}, {"overall": 1.5}, {})
    assert [note.where for note in found.notes] == [
        "table.txt, line 7",
        "table.txt, line 11",
        "table.txt, line 12",
    ]
    bad = write(tmp_path / "bad.csv", b"prompt,image,rank\n\xff,a.png,1\na,b.png,1e999\na,c.png,1\n")
    found, rankings = opened(bad)
    assert rankings == [("a", ("c.png",), (1,))] and found.left_out == 2


def test_label_studio(tmp_path):
    items = [
        {"id": "x", "html": '<img width=3 src="/data/local-files/?d=sub/a%20b.png">'},
        {"id": 2, "image": "/data/upload/3/c.png"},
        {"id": "d.png", "title": "no picture"},
    ]

    def task(result, **more):
        done = {
            "id": 1,
            "completed_by": {"email": "ann@example.org"},
            "result": [{"type": "choices"}, result],
            **more,
        }
        return {"id": 9, "data": {"prompt": "a fox", "items": items}, "annotations": [done]}

    def ranked(value):
        return {"type": "ranker", "from_name": "rank", "to_name": "items", "value": {"ranker": value}}

    tasks = [
        task(ranked({"rank": ["d.png", "x", "2"]}), lead_time=12.5),
        task(ranked({"bad 3": ["x"], "good 1": ["2"], "_": ["d.png"]}), lead_time=-1),
        task(ranked({"rank": {"good": ["2", "d.png"], "bad": ["x"]}})),
        task(ranked({"rank": ["unknown"]})),
        task(ranked({"rank": ["x"]}), was_cancelled=True),
        task(ranked(3)),
    ]
    found, rankings = opened(write(tmp_path / "export.json", tasks))
    assert found.format == "label-studio"
    assert [each[2] for each in rankings] == [(2, 3, 1), (2, 1, 0), (2, 1, 1)]
    assert rankings[0][1] == ("sub/a b.png", "upload/3/c.png", "d.png")
    assert (found.rankings[0].annotator, found.rankings[0].id) == ("ann@example.org", "9")
    assert [each.seconds for each in found.rankings] == [12.5, None, None]
    assert [note.where for note in found.notes] == [
        "export.json, item 4, annotation 1",
        "export.json, item 6, annotation 1",
    ]


def test_a_curated_folder(tmp_path):
    for name, prompt in (
        ("kept/a", "fox"),
        ("rejected/b", "fox"),
        ("rejected/sub/c", "fox"),
        ("kept/d", "only kept"),
        ("kept/e", ""),
    ):
        write(tmp_path / f"{name}.png", png())
        if prompt:
            write(tmp_path / f"{name}.txt", prompt)
    write(tmp_path / "kept" / ".hidden" / "h.png", png())
    found, rankings = opened(tmp_path)
    assert found.format == "curated"
    assert rankings == [("fox", ("kept/a.png", "rejected/b.png", "rejected/sub/c.png"), (1, 2, 2))]
    assert found.rankings[0].pairs == [(0, 1), (0, 2)] and not found.rankings[0].ties
    assert [note.where for note in found.notes] == ["kept/e.png", "kept/d.png"] and openable(found)


def test_stars_of_a_library(tmp_path):
    from imagereward_core.library.library import Library

    with Library.open(tmp_path / ".imagereward", root=tmp_path) as library:
        for place, (name, prompt, stars) in enumerate(
            (
                ("a", "fox", 3),
                ("b", "fox", 5),
                ("c", "fox", 0),
                ("d", "fox", None),
                ("e", "owl", 5),
                ("sub/f", "fox", 3),
            )
        ):
            write(tmp_path / f"{name}.png", png((place, 0, 0)))
            write(tmp_path / f"{name}.txt", prompt)
        library.scan([tmp_path], None)
        for name, stars in (("a", 3), ("b", 5), ("c", 0), ("e", 5), ("sub/f", 3)):
            library.set_stars(tmp_path / f"{name}.png", stars)
    found, rankings = opened(tmp_path)
    assert found.format == "stars" and found.images.root == tmp_path and openable(found)
    assert rankings == [("fox", ("a.png", "b.png", "c.png", "sub/f.png"), (3, 1, 6, 3))]
    assert not found.rankings[0].ties and len(found.rankings[0].pairs) == 5
    assert [note.where for note in found.notes] == ["e.png"]


def test_what_is_unknown_says_what_is_known(tmp_path):
    for path in (write(tmp_path / "x.bin", bytes(range(256))), write(tmp_path / "empty.json", ""), tmp_path):
        with pytest.raises(RankingError, match=r"jsonl .*imagerewarddb .*--from"):
            open_rankings(path)
    with pytest.raises(RankingError, match="no such file"):
        open_rankings(tmp_path / "none")
    with pytest.raises(RankingError, match="no such folder"):
        open_rankings(
            write(tmp_path / "a.jsonl", '{"prompt": "a", "images": ["b"]}'), images=tmp_path / "none"
        )


def test_choices_of_the_best_and_worst_alone_have_pairs_and_no_ties():
    ranking = Ranking("a", ("x", "y", "z", "w"), best=1, worst=3)
    assert ranking.pairs == [(1, 0), (0, 3), (2, 3), (1, 2), (1, 3)] or set(ranking.pairs) == {
        (1, 0),
        (1, 2),
        (1, 3),
        (0, 3),
        (2, 3),
    }
    assert ranking.ties == []
