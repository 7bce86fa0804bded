"""Blends as text: a line reads back as the same blend, and the file never loses what somebody kept in it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.scorers import blend_file
from imagereward_core.scorers.blend import METHODS, Blend, BlendError, BlendMember
from imagereward_core.scorers.blend_file import BlendFile, format_blend, parse_blend
from imagereward_core.scorers.saved_blends import SavedBlends

methods = st.sampled_from(sorted(METHODS))
PAIR = parse_blend("ImageReward-v1.0=0.7,PickScore=0.3@rank", "My mix")

members = st.lists(
    st.tuples(st.sampled_from(["ImageReward-v1.0", "CLIP", "MPS-0.3", "my scorer", "Ä"]), st.floats(0, 1e9)),
    min_size=1,
    max_size=5,
    unique_by=lambda member: member[0],
).filter(lambda listed: any(weight for _, weight in listed))


@given(members, methods)
@settings(deadline=None, max_examples=80)
def test_the_text_of_a_blend_reads_back_as_the_same_blend(listed, method):
    blend = Blend("mix", tuple(BlendMember(*member) for member in listed), method)
    assert parse_blend(format_blend(blend), "mix") == blend
    assert parse_blend(format_blend(blend)).members == blend.members


def test_a_line_of_text_is_a_blend():
    blend = parse_blend(" ImageReward-v1.0 = 0.7, PickScore=0.3 @ rank")
    assert blend.members == (BlendMember("ImageReward-v1.0", 0.7), BlendMember("PickScore", 0.3))
    assert blend.method == "rank" and blend.name == "0.7 ImageReward-v1.0 + 0.3 PickScore (rank)"
    assert format_blend(blend) == "ImageReward-v1.0=0.7,PickScore=0.3@rank"
    assert parse_blend("CLIP,BLIP") == parse_blend("CLIP=1,BLIP=1@standard")
    many = parse_blend(",".join(f"Scorer-{i}=0.123456" for i in range(9)))
    assert many.name == "Scorer-0 and 8 more (standard)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a scorer is missing"),
        ("a,,b", "a scorer is missing"),
        ("=0.5,a", "'=0.5' names no scorer"),
        ("a=x", "weight of a is 'x'"),
        ("a=", "weight of a is ''"),
        ("a=1=2", "weight of a is '1=2'"),
        ("a=0,7", "number 7 stands where a scorer.*point"),
        ("a=1@sum", "after '@' stands 'sum'"),
        ("a=1@", "after '@' stands ''"),
        ("a=nan", "weight of a is nan"),
        ("a,a", "twice"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_with_the_part_that_is_wrong(text, message):
    with pytest.raises(BlendError, match=message):
        parse_blend(text)


def content_of(folder):
    return json.loads((folder / "blends.json").read_text(encoding="utf-8"))


def files_in(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_a_saved_blend_is_found_again(tmp_path):
    file = BlendFile(tmp_path / "new" / "folder")
    assert file.load() == ({}, {})
    assert file.save(PAIR) is None
    other = Blend("Überblick", (BlendMember("CLIP", 1.0),), "standard")
    file.save(other)
    assert file.load() == ({"My mix": PAIR, "Überblick": other}, {})
    saved = SavedBlends([file.path.parent])
    assert saved.get("MY MIX") == PAIR and saved.get("u\u0308BERBLICK") == other
    assert files_in(file.path.parent) == ["blends.json"]


def test_another_blend_of_the_same_name_is_replaced_only_on_request_and_kept_in_a_copy(tmp_path):
    file = BlendFile(tmp_path)
    file.save(PAIR)
    before = file.path.read_bytes()
    other = Blend("MY MIX", (BlendMember("CLIP", 2.0),), "weighted")
    with pytest.raises(BlendError, match="another blend 'My mix'"):
        file.save(other)
    assert file.path.read_bytes() == before and file.save(PAIR) is None
    backup = file.save(other, replace=True)
    assert backup is not None and backup.read_bytes() == before
    assert file.load() == ({"MY MIX": other}, {})


def test_removing_keeps_every_former_file_in_a_copy_of_its_own(tmp_path):
    file = BlendFile(tmp_path)
    file.save(PAIR)
    before = file.path.read_bytes()
    (tmp_path / "blends.backup-1.json").write_text("mine", encoding="utf-8")
    backup = file.remove("my mix")
    assert backup.name == "blends.backup-2.json" and backup.read_bytes() == before
    assert (tmp_path / "blends.backup-1.json").read_text(encoding="utf-8") == "mine"
    assert file.path.is_file() and file.load() == ({}, {})
    with pytest.raises(BlendError, match="nothing was removed"):
        file.remove("my mix")
    with pytest.raises(BlendError, match="there is none"):
        SavedBlends([tmp_path]).get("my mix")


def test_fields_and_entries_this_version_does_not_know_are_kept(tmp_path):
    file = BlendFile(tmp_path)
    content = {
        "schema": 1,
        "made by": "somebody",
        "blends": {
            "strange": {"formula": "a * b"},
            "My mix": {
                "comment": "for cats",
                "members": [
                    {"scorer": "PickScore", "weight": 1, "colour": "red"},
                    {"scorer": "CLIP", "weight": 2},
                ],
                "method": "rank",
            },
        },
    }
    # A byte order mark, as some editors write it, and a character that is none.
    text = json.dumps(content).replace("for cats", "for \\ud800 cats")
    file.path.write_text(text, encoding="utf-8-sig")
    blends, problems = file.load()
    assert list(blends) == ["My mix"] and "'strange' cannot be read" in problems["strange"]
    file.save(PAIR, replace=True)
    after = content_of(tmp_path)
    assert after["made by"] == "somebody" and list(after["blends"]) == ["strange", "My mix"]
    assert after["blends"]["strange"] == {"formula": "a * b"}
    assert after["blends"]["My mix"] == {
        "comment": "for \ud800 cats",
        "members": [
            {"scorer": "ImageReward-v1.0", "weight": 0.7},
            {"scorer": "PickScore", "weight": 0.3, "colour": "red"},
        ],
        "method": "rank",
    }


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"schema": 1}',
        b'{"schema": 1, "blends": []}',
        b'{"schema": 2, "blends": {}}',
        b'{"blends": {}}',
        b'{"schema": 1, "blends": {"a": {}, "a": {}}}',
    ],
)
def test_a_file_that_cannot_be_understood_is_an_error_and_never_written(tmp_path, broken):
    file = BlendFile(tmp_path)
    file.path.write_bytes(broken)
    find = lambda: SavedBlends([tmp_path]).get("a")  # noqa: E731
    for attempt in (file.load, find, lambda: file.save(PAIR), lambda: file.remove("a")):
        with pytest.raises(
            BlendError, match=r"blends\.json cannot be understood.*left as it is|left as it is"
        ):
            attempt()
    assert file.path.read_bytes() == broken and files_in(tmp_path) == ["blends.json"]


@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        {"method": "rank"},
        {"members": [], "method": "rank"},
        {"members": ["a"], "method": "rank"},
        {"members": [{"scorer": "a"}], "method": "rank"},
        {"members": [{"scorer": "a", "weight": "1"}], "method": "rank"},
        {"members": [{"scorer": "a", "weight": True}], "method": "rank"},
        {"members": [{"scorer": "a", "weight": 10**400}], "method": "rank"},
        {"members": [{"scorer": 1, "weight": 1}], "method": "rank"},
        {"members": [{"scorer": "a", "weight": 1}], "method": ["rank"]},
        {"members": [{"scorer": "a", "weight": 1}]},
    ],
)
def test_a_broken_entry_hides_no_other(tmp_path, entry):
    file = BlendFile(tmp_path)
    file.save(PAIR)
    content = content_of(tmp_path)
    content["blends"]["bad"] = entry
    file.path.write_text(json.dumps(content), encoding="utf-8")
    blends, problems = file.load()
    assert list(blends) == ["My mix"] and list(problems) == ["bad"]
    with pytest.raises(BlendError):
        SavedBlends([tmp_path]).get("bad")


def test_a_file_that_cannot_be_read_at_all_is_not_taken_for_an_empty_one(tmp_path):
    file = BlendFile(tmp_path)
    file.path.mkdir()
    with pytest.raises(BlendError, match="cannot be read"):
        file.save(PAIR)
    assert file.path.is_dir()


def test_a_write_that_fails_leaves_the_former_file(tmp_path, monkeypatch):
    file = BlendFile(tmp_path)
    file.save(PAIR)
    before = file.path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(blend_file.os, "fsync", full)
    with pytest.raises(BlendError, match="No space left"):
        file.save(Blend("other", (BlendMember("CLIP"),)))
    assert file.path.read_bytes() == before and files_in(tmp_path) == ["blends.json"]


def test_a_linked_file_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "blends.json"
    try:
        link.symlink_to(tmp_path / "real" / "mine.json")
    except OSError:
        pytest.skip("this system makes no links")
    BlendFile(tmp_path).save(PAIR)
    assert link.is_symlink() and SavedBlends([tmp_path]).get("My mix") == PAIR


def save_some(folder, who):
    for number in range(5):
        BlendFile(folder).save(Blend(f"{who} {number}", (BlendMember("CLIP"),)))


def test_two_programs_that_save_at_once_lose_nothing(tmp_path):
    with ThreadPoolExecutor(2) as programs:
        list(programs.map(lambda who: save_some(tmp_path, who), "ab"))
    assert sorted(BlendFile(tmp_path).load()[0]) == sorted(f"{who} {n}" for who in "ab" for n in range(5))


def test_a_file_another_program_holds_is_left_alone_after_a_while(tmp_path, monkeypatch):
    from imagereward_core.files.locks import exclusive

    monkeypatch.setattr(blend_file, "_PATIENCE", 1)
    file = BlendFile(tmp_path)
    file.save(PAIR)
    with exclusive(file.path), pytest.raises(BlendError, match="another program is writing"):
        file.remove("My mix")
    assert SavedBlends([tmp_path]).get("My mix") == PAIR
