"""Downloads are resumed, verified and named only when right; every failure says how to get the file by
hand."""

from __future__ import annotations

import builtins
import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from imagereward_core.errors import Cancelled, DownloadError
from imagereward_core.weights.card import WeightFile
from imagereward_core.weights.download import download, download_file
from imagereward_core.weights.locate import WeightSettings, find_weights
from imagereward_core.weights.manifest import manifest_path, read_manifest
from tests.support.weights.fakes import COMMIT, VOCABULARY, FakeHub, make_card, run_script

CARD = make_card()
PT = CARD.checkpoint[1]
CONTENT = bytes(range(256)) * 800


def serve(hub: FakeHub) -> None:
    hub.files = {"owner/reward/Reward.pt": CONTENT, "google-bert/bert-base-uncased/vocab.txt": VOCABULARY}


def where(tmp_path: Path, hub: FakeHub) -> WeightSettings:
    return WeightSettings(folders=(tmp_path / "Modelle für été",), endpoint=hub.endpoint, use_hub_cache=False)


def files_in(folder: Path) -> set[str]:
    """Visible files, that is without lock files."""
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_checkpoint_and_vocabulary_arrive_side_by_side_and_are_found_offline(
    tmp_path: Path, hub: FakeHub
) -> None:
    serve(hub)
    settings = where(tmp_path, hub)
    seen: list[tuple[str, int, int]] = []
    found = download(CARD, settings, lambda *step: seen.append(step))
    folder = settings.folders[0] / CARD.folder
    assert found.checkpoint == folder / "Reward.pt" and found.checkpoint.read_bytes() == CONTENT
    assert found.vocabulary == folder / "vocab.txt" and found.vocabulary.read_bytes() == VOCABULARY
    assert files_in(folder) == {"Reward.pt", "Reward.pt.json", "vocab.txt", "vocab.txt.json"}
    assert ("Reward.pt", len(CONTENT), len(CONTENT)) in seen
    lengths = [done for name, done, _ in seen if name == "Reward.pt"]
    assert lengths == sorted(lengths) and len(set(lengths)) > 5
    copied = shutil.copytree(folder, tmp_path / "other machine")
    assert find_weights(CARD, WeightSettings(folders=(Path(copied),), use_hub_cache=False)) is not None


def test_the_manifest_records_what_was_fetched(tmp_path: Path, hub: FakeHub) -> None:
    serve(hub)
    path = download_file(CARD, PT, where(tmp_path, hub))
    manifest = read_manifest(path)
    assert manifest is not None
    assert (manifest.repository, manifest.revision, manifest.commit) == ("owner/reward", "main", COMMIT)
    assert (manifest.sha256, manifest.size) == (hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


def test_a_second_call_asks_the_hub_nothing(tmp_path: Path, hub: FakeHub) -> None:
    serve(hub)
    first = download(CARD, where(tmp_path, hub))
    asked = len(hub.log)
    assert download(CARD, where(tmp_path, hub)) == first and len(hub.log) == asked


def test_the_bytes_are_those_of_the_commit_that_was_described(tmp_path: Path, hub: FakeHub) -> None:
    serve(hub)
    download_file(CARD, PT, where(tmp_path, hub))
    assert hub.log[0][:2] == ("HEAD", "/owner/reward/resolve/main/Reward.pt")
    assert all(f"/resolve/{COMMIT}/" in path for method, path, _ in hub.log if method == "GET")


@pytest.mark.parametrize("large", [True, False])
def test_a_download_stopped_by_the_host_goes_on_where_it_was(
    tmp_path: Path, hub: FakeHub, large: bool
) -> None:
    serve(hub)
    hub.large = large
    card = make_card(checkpoint=(WeightFile(name="Reward.pt", repository="owner/reward"),))
    settings = where(tmp_path, hub)

    def stop(name: str, done: int, total: int) -> None:
        if done >= 64 * 1024:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        download_file(card, card.checkpoint[0], settings, stop)
    folder = settings.folders[0] / CARD.folder
    (part,) = folder.glob("*.part")
    have = part.stat().st_size
    assert 64 * 1024 <= have < len(CONTENT) and not (folder / "Reward.pt").exists()
    path = download_file(card, card.checkpoint[0], settings)
    assert path.read_bytes() == CONTENT and not part.exists()
    assert hub.downloads()[-1] == f"bytes={have}-"


def test_a_broken_connection_is_resumed_at_once_or_by_the_next_call(tmp_path: Path, hub: FakeHub) -> None:
    serve(hub)
    hub.cuts, hub.cut_after = 1, 100_000
    try:
        path = download_file(CARD, PT, where(tmp_path, hub))
    except DownloadError as error:
        assert "what has arrived is kept for the next attempt" in str(error)
        path = download_file(CARD, PT, where(tmp_path, hub))
    assert path.read_bytes() == CONTENT
    assert hub.downloads()[0] is None and hub.downloads()[1] is not None


def test_a_server_that_cannot_resume_sends_all_of_it_again(tmp_path: Path, hub: FakeHub) -> None:
    serve(hub)
    settings = where(tmp_path, hub)

    def stop(name: str, done: int, total: int) -> None:
        if done >= 64 * 1024:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        download_file(CARD, PT, settings, stop)
    hub.ignores_offset = True
    assert download_file(CARD, PT, settings).read_bytes() == CONTENT


PAGE = b"\xef\xbb\xbf\n<!DOCTYPE html><title>Log in to the network</title>" + b" " * 5000


@pytest.mark.parametrize("large", [True, False])
def test_a_web_page_in_place_of_the_file_is_refused_at_once_and_not_kept(
    tmp_path: Path, hub: FakeHub, large: bool
) -> None:
    serve(hub)
    hub.large = large
    hub.sent = {"owner/reward/Reward.pt": PAGE}
    settings = where(tmp_path, hub)
    with pytest.raises(DownloadError, match=r"a web page came in place of the file.*by hand"):
        download_file(CARD, PT, settings)
    folder = settings.folders[0] / CARD.folder
    assert not any(path.stat().st_size for path in folder.iterdir() if path.suffix != ".lock")
    hub.sent = {}
    assert download_file(CARD, PT, settings).read_bytes() == CONTENT


def test_a_web_page_does_not_spoil_what_had_arrived(tmp_path: Path, hub: FakeHub) -> None:
    serve(hub)
    settings = where(tmp_path, hub)

    def stop(name: str, done: int, total: int) -> None:
        if done >= 64 * 1024:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        download_file(CARD, PT, settings, stop)
    (part,) = (settings.folders[0] / CARD.folder).glob("*.part")
    have = part.stat().st_size
    hub.sent = {"owner/reward/Reward.pt": PAGE * 20}
    hub.ignores_offset = True
    with pytest.raises(DownloadError, match="a web page"):
        download_file(CARD, PT, settings)
    assert part.stat().st_size in (have, 0)  # a newer hub begins anew where a server ignores the offset
    hub.sent, hub.ignores_offset = {}, False
    assert download_file(CARD, PT, settings).read_bytes() == CONTENT


def test_a_part_of_another_version_is_not_continued(tmp_path: Path, hub: FakeHub) -> None:
    serve(hub)
    settings = where(tmp_path, hub)

    def stop(name: str, done: int, total: int) -> None:
        if done >= 64 * 1024:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        download_file(CARD, PT, settings, stop)
    newer = bytes(reversed(CONTENT))
    hub.files["owner/reward/Reward.pt"] = newer
    assert download_file(CARD, PT, settings).read_bytes() == newer


@pytest.mark.parametrize("stated", [True, False])
def test_changed_bytes_are_set_aside_and_never_named(tmp_path: Path, hub: FakeHub, stated: bool) -> None:
    serve(hub)
    digest = hashlib.sha256(CONTENT).hexdigest()
    file = WeightFile(name="Reward.pt", repository="owner/reward", sha256=digest if stated else None)
    hub.sent["owner/reward/Reward.pt"] = CONTENT[:-1] + b"!"
    settings = where(tmp_path, hub)
    for expected in ("Reward.pt.bad", "Reward.pt.2.bad"):
        with pytest.raises(DownloadError, match=rf"expected {digest}, and was set aside as {expected}"):
            download_file(make_card(checkpoint=(file,)), file, settings)
        assert expected in files_in(settings.folders[0] / CARD.folder)
    assert not (settings.folders[0] / CARD.folder / "Reward.pt").exists()


def test_a_card_that_states_a_checksum_outweighs_the_hub(tmp_path: Path, hub: FakeHub) -> None:
    serve(hub)
    file = WeightFile(name="Reward.pt", repository="owner/reward", sha256="0" * 64)
    with pytest.raises(DownloadError, match="expected " + "0" * 64):
        download_file(make_card(checkpoint=(file,)), file, where(tmp_path, hub))


def test_another_file_of_that_name_is_never_written_over(tmp_path: Path, hub: FakeHub) -> None:
    serve(hub)
    settings = where(tmp_path, hub)
    own = settings.folders[0] / CARD.folder / "Reward.pt"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"my own training")
    with pytest.raises(DownloadError, match="left as it is"):
        download_file(CARD, PT, settings)
    assert own.read_bytes() == b"my own training"
    own.write_bytes(CONTENT)
    assert download_file(CARD, PT, settings) == own and hub.downloads() == []
    assert manifest_path(own).exists()


def by_hand(error: BaseException, tmp_path: Path) -> bool:
    """Whether the text tells the file, where it lies, its size and where to put it."""
    folder = tmp_path / "Modelle für été" / CARD.folder
    return all(
        word in str(error) for word in ("Reward.pt", "huggingface.co/owner/reward", "1,786.9 MB", str(folder))
    )


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"owner/reward/other": b"x"}, "the repository has no such file"),
        ({}, r"does not know the repository, or refuses access"),
    ],
)
def test_what_the_hub_does_not_have_is_said_in_words(
    tmp_path: Path, hub: FakeHub, files: dict[str, bytes], says: str
) -> None:
    hub.files = files
    with pytest.raises(DownloadError, match=says) as caught:
        download_file(CARD, PT, where(tmp_path, hub))
    assert by_hand(caught.value, tmp_path)


def test_a_server_that_is_no_hub_is_said_in_words(tmp_path: Path, hub: FakeHub) -> None:
    serve(hub)
    hub.large = hub.describes = False
    with pytest.raises(DownloadError, match="does not describe the file as a hub does") as caught:
        download_file(CARD, PT, where(tmp_path, hub))
    assert by_hand(caught.value, tmp_path)


def test_no_network_is_said_in_words(tmp_path: Path, hub: FakeHub) -> None:
    settings = where(tmp_path, hub)
    closed = WeightSettings(folders=settings.folders, endpoint="http://127.0.0.1:9")
    with pytest.raises(DownloadError, match="broke off or could not begin") as caught:
        download_file(CARD, PT, closed)
    assert by_hand(caught.value, tmp_path)


def test_a_full_disk_is_noticed_before_a_byte_is_fetched(
    tmp_path: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(hub)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=1000))
    with pytest.raises(DownloadError, match="disk is full") as caught:
        download_file(CARD, PT, where(tmp_path, hub))
    assert by_hand(caught.value, tmp_path) and hub.downloads() == []


def test_a_folder_that_cannot_be_made_is_said_in_words(tmp_path: Path, hub: FakeHub) -> None:
    serve(hub)
    (tmp_path / "file").write_bytes(b"")
    settings = WeightSettings(download_folder=tmp_path / "file", endpoint=hub.endpoint)
    with pytest.raises(DownloadError, match="To get all 2 files by hand"):
        download_file(CARD, PT, settings)


def test_downloads_switched_off_ask_nobody(tmp_path: Path, hub: FakeHub) -> None:
    serve(hub)
    with pytest.raises(DownloadError, match="switched off"):
        download(CARD, WeightSettings(folders=(tmp_path,), endpoint=hub.endpoint, allow_download=False))
    assert hub.log == []


def test_a_missing_hub_library_is_said_in_words(
    tmp_path: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = builtins.__import__

    def without_hub(name: str, *rest: Any, **named: Any) -> Any:
        if name.startswith("huggingface_hub"):
            raise ModuleNotFoundError(f"No module named {name!r}")
        return original(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_hub)
    with pytest.raises(DownloadError, match="pip install huggingface_hub") as caught:
        download_file(CARD, PT, where(tmp_path, hub))
    assert by_hand(caught.value, tmp_path)


def test_a_hub_library_without_http_get_still_downloads(
    tmp_path: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(hub)
    original = builtins.__import__

    def without_http_get(
        name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        if fromlist and "http_get" in fromlist and "imagereward" in (globals or {}).get("__name__", ""):
            raise ImportError("cannot import name 'http_get'")
        return original(name, globals, locals, fromlist, level)

    monkeypatch.setattr(builtins, "__import__", without_http_get)
    assert download_file(CARD, PT, where(tmp_path, hub)).read_bytes() == CONTENT


SCRIPT = """
import sys
from pathlib import Path
from tests.support.weights.fakes import make_card
from imagereward_core.errors import DownloadError
from imagereward_core.weights.download import download
from imagereward_core.weights.locate import WeightSettings
try:
    print(download(make_card(), WeightSettings(folders=(Path(sys.argv[1]),))).checkpoint.stat().st_size)
except DownloadError as error:
    print(error)
"""


@pytest.mark.parametrize("offline", [False, True])
def test_the_environment_of_the_hub_library_is_honoured(tmp_path: Path, hub: FakeHub, offline: bool) -> None:
    serve(hub)
    run = run_script(SCRIPT, tmp_path, HF_ENDPOINT=hub.endpoint, HF_HUB_OFFLINE="1" if offline else "0")
    assert run.returncode == 0, run.stderr
    if offline:
        assert "offline mode" in run.stdout and "To get all 2 files by hand" in run.stdout and hub.log == []
    else:
        assert run.stdout.strip() == str(len(CONTENT))
