"""Load Scorer: downloads with progress, interruption, files that change, and scorers made once."""

from __future__ import annotations

import pytest

from tests.support.comfyui.fake_modules import ProgressBar
from tests.support.comfyui.graphs import Graph, shown
from tests.support.tiny import write_own_checkpoint


def request_for(fake, name="demo", **changes):
    loaded = fake.module("nodes.host.scorer_cache")
    return loaded, loaded.LoadRequest(name, **changes)


def test_a_download_moves_the_bar_and_stops_when_the_host_is_interrupted(fake):
    loaded, _ = request_for(fake)
    runtime = fake.module("nodes.host.runtime").HostRuntime()
    bar = loaded.DownloadBar(runtime)
    bar("a.pt", 0, 1000)
    bar("a.pt", 500, 1000)
    bar("vocab.txt", 0, 0)
    bar("vocab.txt", 10, 10)
    assert ProgressBar.seen == [(0, 100), (50, 100), (100, 100)]
    fake.host.management.interrupted = True
    with pytest.raises(fake.host.management.InterruptProcessingException):
        bar("vocab.txt", 10, 10)


def test_an_interrupted_download_reaches_the_host_as_its_own_exception(fake, monkeypatch):
    loaded, request = request_for(fake, "PickScore")
    hub = fake.module("imagereward_core.weights.download")
    management = fake.host.management

    def begins(*arguments, **named):
        management.interrupted = True
        report = next(each for each in (*arguments, *named.values()) if isinstance(each, loaded.DownloadBar))
        report("model.safetensors", 1, 10)

    monkeypatch.setattr(hub, "download_file", begins)
    monkeypatch.setattr(fake.module("imagereward_core.weights.store"), "download_file", begins)
    with pytest.raises(management.InterruptProcessingException):
        loaded.load(request)


def test_a_download_that_breaks_off_says_what_to_do(fake, monkeypatch):
    loaded, request = request_for(fake, "PickScore")
    errors = fake.module("imagereward_core.errors")

    def breaks(*arguments, **named):
        raise errors.DownloadError("the download broke off; what has arrived is kept for the next attempt")

    monkeypatch.setattr(fake.module("imagereward_core.weights.store"), "download_file", breaks)
    with pytest.raises(errors.DownloadError, match="could not be fetched: the download broke off"):
        loaded.load(request)


def test_the_key_stays_while_files_stay_and_changes_when_they_change(fake, tmp_path, monkeypatch):
    loaded, request = request_for(fake)
    before = loaded.load_key(request)
    scorer = loaded.load(request)
    assert loaded.load_key(request) == before
    copy = tmp_path / "weights.safetensors"
    copy.write_bytes(b"1")
    monkeypatch.setitem(loaded.CACHE._seen, request, (0, loaded.requests.stamp_of([copy])))
    assert loaded.load_key(request) == before and loaded.load(request) is scorer
    copy.write_bytes(b"22")
    changed = loaded.load_key(request)
    assert changed != before and loaded.load(request) is not scorer and loaded.load_key(request) == changed


def test_requests_that_differ_get_scorers_of_their_own(fake):
    loaded, request = request_for(fake)
    _, padded = request_for(fake, whole_picture=True)
    one, other = loaded.load(request), loaded.load(padded)
    assert one is not other and one is loaded.load(request)


def test_a_blend_as_text_is_used_instead_of_the_scorer(host):
    graph = Graph()
    pictures = graph.pictures("batch")
    loader = graph.load(scorer="demo", blend=" demo=2@weighted ")
    blended = graph.score([pictures, 0], scorer=loader)
    plain = graph.score([pictures, 0])
    about, table = graph.show(loader, 1), graph.show(blended, 3)
    values, single = graph.show(blended, 2), graph.show(plain, 2)
    ran = host.run(graph)
    assert shown(ran, values) == pytest.approx([2 * value for value in shown(ran, single)], abs=1e-6)
    assert "blend" in shown(ran, about)[0] and "Raw scores: demo" in shown(ran, table)[0]


def test_a_saved_blend_is_found_and_a_change_of_it_is_noticed(fake, tmp_path):
    blend_file = fake.module("imagereward_core.scorers.blend_file")
    folder = tmp_path / "models" / "imagereward"
    folder.mkdir()
    saved = blend_file.BlendFile(folder)
    saved.save(blend_file.parse_blend("demo=1@weighted", "mine"))
    loaded, request = request_for(fake, "blend:mine")
    before = loaded.load_key(request)
    assert loaded.load(request).panel.main.card.id == "blend:mine"
    saved.save(blend_file.parse_blend("demo=3@weighted", "mine"), replace=True)
    assert loaded.load_key(request) != before


def test_an_own_checkpoint_in_the_models_folder_is_a_scorer(fake, tmp_path):
    loaded, request = request_for(fake, "sub/trained.safetensors", allow_download=False)
    path = write_own_checkpoint(tmp_path / "models" / "imagereward" / "sub" / "trained.safetensors")
    path.with_name("other.safetensors").write_bytes(b"no checkpoint")
    assert loaded.own_checkpoints() == ["sub/trained.safetensors"] and loaded._full_path(request.name) == str(
        path
    )
    with pytest.raises(
        fake.module("imagereward_core.errors").WeightsError, match="vocab.txt of trained was not found"
    ):
        loaded.load(request)


def test_scores_do_not_depend_on_how_pictures_are_handed_over(host):
    graph = Graph()
    folder, scores = graph.scored_folder()
    again = graph.score([folder, 0], prompt=[folder, 1], scorer=graph.load(batch_size=1))
    one, other = graph.show(scores, 2), graph.show(again, 2)
    ran = host.run(graph)
    assert shown(ran, one) == pytest.approx(shown(ran, other), abs=2e-6)


@pytest.mark.parametrize("number", [-4, 2.5])
def test_a_linked_number_of_pictures_at_once_that_is_none_is_refused_in_words(fake, number):
    """The host checks what is typed into the widget, not what another node hands over."""
    node = fake.module("nodes.load_scorer").LoadScorer
    with pytest.raises(fake.module("imagereward_core.errors").CuratorError, match="at once.*whole number"):
        node.execute(scorer="demo", batch_size=number)


def test_a_scorer_is_loaded_once_however_it_is_spelled(fake):
    loaded, request = request_for(fake, "demo=1@rank")
    first = loaded.load(request)
    assert loaded.load(loaded.LoadRequest("Demo=1.0@rank")) is first
    assert loaded.load(loaded.LoadRequest("demo=1@standard")) is not first
