"""The key in the user's own data folder that vouches for what leads out: made once, never overwritten, and told where it is damaged."""

from __future__ import annotations

import threading

import pytest

from imagereward_core.library.journal.trust import KEY_FILE, Seal, key_problem


@pytest.fixture
def data(tmp_path):
    return tmp_path / "home" / "data"


def test_a_damaged_key_is_kept_under_another_name_and_a_new_one_made(data):
    data.mkdir(parents=True)
    assert key_problem(data) == ""
    (data / "journal.key.damaged").write_bytes(b"an earlier one")
    for damaged in (b"short", b"long" * 20, b""):
        (data / KEY_FILE).write_bytes(damaged)
        assert f"has {len(damaged)} bytes; expected 32" in key_problem(data)
        assert Seal(data).knows(b"x", ["x"]) is False and (data / KEY_FILE).read_bytes() == damaged
        assert Seal(data).knows(Seal(data).sign(["x"]), ["x"]) is True and key_problem(data) == ""
    kept = [(data / f"journal.key.damaged{end}").read_bytes() for end in ("", "-1", "-2", "-3")]
    assert kept == [b"an earlier one", b"short", b"long" * 20, b""]


def test_a_data_folder_that_cannot_be_used_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert "cannot be used" in key_problem(tmp_path / "file" / "data")
    assert key_problem(None) == "" == key_problem(tmp_path / "not yet" / "there")


def test_programs_that_make_the_key_at_once_agree(data):
    """Each thread has a seal of its own, as each process has."""
    gate, signed = threading.Barrier(8), []

    def work():
        gate.wait()
        signed.append(Seal(data).sign(["x", None, b"y", 1]))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(signed) == 8 and len(set(signed)) == 1
    # Some versions of the library for locks leave its empty file.
    assert {path.name for path in data.iterdir()} - {f".{KEY_FILE}.lock"} == {KEY_FILE}


def test_values_that_differ_only_in_where_one_ends_are_signed_differently(data):
    seal = Seal(data)
    assert (
        len(
            {
                seal.sign(parts)
                for parts in (["ab", "c"], ["a", "bc"], ["abc"], [b"ab", "c"], ["ab", None, "c"])
            }
        )
        == 5
    )
