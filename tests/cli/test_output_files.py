"""Files of results never take the place of a picture, nor of anything else this program did not write."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import zlib
from pathlib import Path

import pytest

from imagereward_core.library.library import Library
from imagereward_core.report.output_files import OutputFileError
from imagereward_core.report.own_results import written_by_us
from imagereward_core.report.replace import replacing
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.factory import Maker
from imagereward_core.scorers.panel import Panel
from tests.support.command import SETTINGS, save_picture

pytest.importorskip("pyarrow")


@pytest.fixture
def batch(tmp_path):
    where = tmp_path / "batch"
    for number in range(3):
        save_picture(where / f"{number}.png", (40 * number, 120, 200), "a red star" + SETTINGS)
    return where


@pytest.fixture
def library(batch):
    with Library.open(batch / ".imagereward") as library:
        library.scan([batch], Panel(Maker(LocalRuntime("cpu", "fp32")).make("demo")))
    return batch


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


RANK = ("rank", "-s", "demo", "--top", "3")


@pytest.mark.parametrize("option", ["--html", "-o", "--output"])
@pytest.mark.parametrize("more", [(), ("--overwrite",)])
def test_a_forgotten_name_costs_no_picture(run, batch, option, more):
    before, shown = contents(batch), {"-o": "--output"}.get(option, option)
    done = run(*RANK, *more, option, *sorted(batch.glob("*.png")))
    assert done.code == 2 and "0.png is a picture" in done.err and f"{shown} " in done.err
    assert contents(batch) == before


@pytest.mark.parametrize("option", ["--html", "--csv", "--json", "--jsonl", "--parquet"])
def test_no_report_replaces_a_picture(run, library, option):
    before = contents(library)
    done = run("report", library, option, library / "0.png", "--overwrite")
    assert done.code == 2 and "is a picture" in done.err
    assert contents(library) == before


def test_no_page_of_a_curation_replaces_a_picture(run, library):
    before = contents(library)
    done = run("curate", library, "-s", "demo", "--top", "1", "-n", "--html", library / "0.png")
    assert done.code == 2 and contents(library) == before


def test_a_picture_is_known_by_what_it_holds(run, batch):
    (batch / "0.png").rename(batch / "page.html")
    before = contents(batch)
    assert run(*RANK, "--overwrite", "--html", batch / "page.html", batch).code == 2
    assert contents(batch) == before


@pytest.mark.parametrize(
    "text", ["my notes", "<!doctype html><title>mine</title>", "name,score\n", '{"a": 1}', "PAR1"]
)
def test_a_file_of_somebody_else_is_replaced_only_where_that_is_wanted(run, batch, tmp_path, text):
    notes = tmp_path / "notes"
    notes.write_text(text)
    refused = run(*RANK, batch, "-o", notes)
    assert refused.code == 2 and "--overwrite" in refused.err and notes.read_text() == text
    assert run(*RANK, batch, "-o", notes, "--overwrite").code == 0
    assert notes.read_text() != text


@pytest.mark.parametrize("form", ["html", "csv", "json", "jsonl", "parquet"])
def test_own_results_are_renewed_without_a_question(run, library, tmp_path, form):
    target = tmp_path / f"results.{form}"
    for _ in range(2):
        assert run("report", library, f"--{form}", target).code == 0
    assert written_by_us(target)


@pytest.mark.parametrize("form", ["table", "csv", "json", "jsonl"])
def test_own_rows_are_renewed_without_a_question(run, batch, tmp_path, form):
    for _ in range(2):
        assert run(*RANK, batch, "-f", form, "-o", tmp_path / "rows").code == 0


def test_an_empty_file_may_be_filled(run, batch, tmp_path):
    (tmp_path / "rows.csv").touch()
    assert run(*RANK, batch, "-o", tmp_path / "rows.csv").code == 0


def test_two_outputs_cannot_share_a_file(run, batch, tmp_path):
    done = run(*RANK, batch, "-o", tmp_path / "x", "--html", tmp_path / "x")
    assert done.code == 2 and "same file" in done.err


def test_nothing_is_scored_before_a_name_is_found_wrong(run, batch, monkeypatch):
    monkeypatch.setattr("imagereward_core.cli.score_run.load_panel", lambda *_: pytest.fail("scored first"))
    assert run(*RANK, "--html", *sorted(batch.glob("*.png"))).code == 2


@pytest.mark.skipif(os.name == "nt", reason="links and modes of a Unix system")
class TestOnUnix:
    def test_a_link_stays_and_what_it_leads_to_is_replaced(self, tmp_path):
        (tmp_path / "real").touch()
        (tmp_path / "link").symlink_to("real")
        with replacing(tmp_path / "link") as place:
            place.write_text("new")
        assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_text() == "new"

    def test_permissions_stay(self, tmp_path):
        (tmp_path / "file").touch()
        (tmp_path / "file").chmod(0o640)
        with replacing(tmp_path / "file") as place:
            place.write_text("new")
        assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640

    def test_a_read_only_file_is_refused(self, tmp_path):
        (tmp_path / "file").touch()
        (tmp_path / "file").chmod(0o444)
        with pytest.raises(OutputFileError, match="read-only"), replacing(tmp_path / "file", overwrite=True):
            pytest.fail("handed out")

    def test_a_pipe_is_written_to_and_stays(self, run, batch, tmp_path):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        read: list[str] = []
        reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
        reader.start()
        assert run(*RANK, batch, "-f", "csv", "-o", pipe).code == 0
        reader.join(20)
        assert read and read[0].startswith("file,score") and stat.S_ISFIFO(pipe.stat().st_mode)

    def test_a_device_is_written_to_and_stays(self, run, batch):
        assert run(*RANK, batch, "-o", "/dev/null", "--html", "/dev/null").code == 0
        assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)

    def test_an_error_names_the_file_and_leaves_nothing(self, tmp_path):
        import errno

        with pytest.raises(OSError, match="wanted") as caught, replacing(tmp_path / "wanted"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        assert caught.value.errno == errno.ENOSPC and [path.name for path in tmp_path.iterdir()] == ["home"]

    def test_a_picture_in_the_memory_of_the_system_is_no_device(self, run, batch):
        """/dev/shm holds files like any other folder."""
        folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
        try:
            for path in batch.glob("*.png"):
                shutil.copy(path, folder)
            before = contents(folder)
            assert run(*RANK, "--html", *sorted(folder.glob("*.png"))).code == 2
            assert contents(folder) == before
        finally:
            shutil.rmtree(folder)

    @pytest.mark.parametrize("form", ["csv", "parquet"])
    def test_standard_output_is_added_to_and_stays_the_file_it_is(self, library, tmp_path, form):
        """With ``>> log`` what stood there stays; a new file in its place would be lost to the shell."""
        log = tmp_path / "log"
        log.write_bytes(b"earlier\n")
        inode = log.stat().st_ino
        command = [sys.executable, "-m", "imagereward_core", "report", library, f"--{form}", "/dev/stdout"]
        with log.open("ab") as stream:
            subprocess.run(command, stdout=stream, stderr=subprocess.PIPE, check=True, timeout=120)
        assert log.stat().st_ino == inode
        head, _, rest = log.read_bytes().partition(b"\n")
        assert head == b"earlier" and rest.startswith(b"PAR1" if form == "parquet" else b"file,score")

    def test_a_full_device_is_told_by_its_name(self, run, batch):
        if not Path("/dev/full").exists():
            pytest.skip("no such device here")
        done = run(*RANK, batch, "-o", "/dev/full")
        assert done.code == 4 and "/dev/full" in done.err and "the disk is full" in done.err

    def test_a_folder_nothing_may_be_put_into_is_told_at_once(self, run, batch, tmp_path, monkeypatch):
        monkeypatch.setattr("imagereward_core.cli.options.os.access", lambda path, mode: False)
        done = run(*RANK, batch, "-o", tmp_path / "new.csv")
        assert done.code == 2 and "nothing may be put into" in done.err

    def test_the_demo_follows_no_link_out_of_its_folder(self, run, tmp_path):
        folder = tmp_path / "demo"
        folder.mkdir()
        (folder / "index.html").symlink_to(tmp_path / "victim")
        done = run("demo", "-o", folder, "--prompts", "1", "--pictures-per-prompt", "1", "--size", "32")
        assert done.code == 2 and not (tmp_path / "victim").exists()


@pytest.mark.parametrize("option", ["--html", "--output"])
def test_the_message_names_what_was_left_out(run, batch, option):
    done = run(*RANK, option, *sorted(batch.glob("*.png")))
    assert f"{option} took " in done.err
    assert f"Write {option} {'page.html' if option == '--html' else 'results.csv'}" in done.err


def test_a_picture_that_pillow_cannot_open_is_a_picture(run, batch, tmp_path):
    disguised = tmp_path / "page.html"
    disguised.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200))
    before = disguised.read_bytes()
    assert run(*RANK, batch, "--overwrite", "--html", disguised).code == 2
    assert disguised.read_bytes() == before


def test_a_data_set_about_imagereward_is_not_taken_for_ours(tmp_path):
    import pyarrow
    from pyarrow import parquet

    rows = {"model": ["imagereward"] * 3, "note": ['"schema_version" "percentiles_against"'] * 3}
    parquet.write_table(pyarrow.table(rows), tmp_path / "theirs.parquet", write_statistics=False)
    assert not written_by_us(tmp_path / "theirs.parquet")
    (tmp_path / "board.txt").write_text("Rank Score Player\n1 99 me\n")
    assert not written_by_us(tmp_path / "board.txt")


def test_blends_are_changed_with_the_same_word(run, tmp_path):
    place = ("--models-dir", tmp_path)
    assert run("blends", "save", "mine", "CLIP=1,BLIP=1", *place).code == 0
    assert run("blends", "save", "mine", "CLIP=2,BLIP=1", *place).code != 0
    assert run("blends", "save", "mine", "CLIP=2,BLIP=1", "--overwrite", *place).code == 0
    assert run("blends", "save", "mine", "CLIP=3,BLIP=1", "--replace", *place).code == 0
    assert "--replace" not in run("blends", "save", "--help").out


def test_a_page_of_ranks_holds_what_was_kept_and_says_how_to_get_all(run, batch, tmp_path):
    done = run("rank", "-s", "demo", "--top", "1", batch, "--html", tmp_path / "page.html")
    assert "--show all" in done.err and (tmp_path / "page.html").read_text().count('class="scoreline"') == 1
    done = run("rank", "-s", "demo", "--top", "1", batch, "--show", "all", "--html", tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text().count('class="scoreline"') == 3


def test_curating_without_a_rule_asks_for_one(run, batch):
    done = run("curate", batch, "-s", "demo", "--yes")
    assert done.code == 2 and "--top N" in done.err and not (batch / "kept").exists()


def test_models_alone_lists(run):
    assert "ImageReward-v1.0" in run("models").out


@pytest.mark.parametrize("overwrite", [(), ("--overwrite",)])
@pytest.mark.parametrize("name", ["0.txt", "0.PNG.json", "0.caption"])
def test_results_never_become_the_prompt_of_a_picture(run, batch, name, overwrite):
    before = contents(batch)
    done = run(*RANK, *overwrite, "--format", "csv", "-o", batch / name, batch)
    assert done.code == 2 and "would be read as the prompt of 0.png" in done.err
    assert contents(batch) == before


@pytest.mark.parametrize("option", ["-o", "--html"])
def test_a_dash_is_no_name_of_a_file(run, batch, monkeypatch, option):
    monkeypatch.chdir(batch)
    done = run(*RANK, option, "-", batch)
    assert done.code == 2 and "expected a file" in done.err
    assert not (batch / "-").exists()


def test_a_form_that_there_is_not_is_told_before_anything_is_scored(run, batch, monkeypatch):
    monkeypatch.setattr("imagereward_core.cli.score_run.load_panel", None, raising=False)
    done = run(*RANK, "-o", batch / "results.xlsx", batch)
    assert done.code == 2 and ".xlsx; expected .csv, .json" in done.err
    assert not (batch / "results.xlsx").exists()


@pytest.mark.skipif(os.name == "nt", reason="links of a Unix system")
@pytest.mark.parametrize("overwrite", [(), ("--overwrite",)])
class TestWhereLinksLead:
    """What is written to a link is read under the names it leads to."""

    @pytest.mark.parametrize("there", [False, True])
    def test_no_table_becomes_a_prompt_through_a_link(self, run, batch, tmp_path, overwrite, there):
        (tmp_path / "out.csv").symlink_to(batch / "0.txt")
        if there:
            (batch / "0.txt").touch()
        before = contents(batch)
        done = run(*RANK, *overwrite, "-o", tmp_path / "out.csv", batch)
        assert done.code == 2 and "0.txt, which would be read as the prompt of 0.png" in done.err
        assert contents(batch) == before

    def test_nor_through_two(self, run, batch, tmp_path, overwrite):
        (batch / "0.txt").symlink_to(tmp_path / "real.csv")
        (tmp_path / "out.csv").symlink_to(batch / "0.txt")
        assert run(*RANK, *overwrite, "-o", tmp_path / "out.csv", batch).code == 2
        assert not (tmp_path / "real.csv").exists()

    @pytest.mark.parametrize("there", [False, True])
    def test_no_table_becomes_a_picture_through_a_link(self, run, batch, tmp_path, overwrite, there):
        (tmp_path / "out.csv").symlink_to(batch / "new.png")
        if there:
            (batch / "new.png").touch()
        before = contents(batch)
        done = run(*RANK, *overwrite, "-o", tmp_path / "out.csv", *sorted(batch.glob("?.png")))
        assert done.code == 2 and "new.png, which is a picture" in done.err
        assert contents(batch) == before


def png_of(width: int, height: int) -> bytes:
    """The beginning of a PNG of any size; its pixels are not there."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("name", ["poster.dat", "poster.csv", "poster.html"])
def test_a_picture_too_large_to_be_opened_is_a_picture(run, batch, tmp_path, name):
    poster = tmp_path / name
    poster.write_bytes(png_of(30_000, 30_000))
    before = poster.read_bytes()
    done = run(*RANK, batch, "--overwrite", "--html", poster)
    assert done.code == 2 and "is a picture" in done.err and poster.read_bytes() == before
