"""What the routes answer: the command's numbers and rows, one row per picture whatever is wrong with it."""

from __future__ import annotations

import json
import os
import struct
import sys
import zlib

import pytest
from api_client import PREFIX, ApiHost
from drawn import SETTINGS, encoded, png, save_scenes, scenes
from fake_webui import ours
from PIL import Image

from imagereward_core.cli.main import main

JSON = {"content-type": "application/json"}


@pytest.fixture
def api(monkeypatch, tmp_path):
    return ApiHost(monkeypatch, tmp_path)


def post(client, route, *pictures, expect=200, **fields):
    answer = client.post(f"{PREFIX}/{route}", json={"pictures": list(pictures), **fields})
    assert answer.status_code == expect, answer.text
    return answer.json()


def command(capsys, *arguments):
    capsys.readouterr()
    main([*map(str, arguments), "-s", "demo", "--device", "cpu", "-f", "json", "-q"])
    return json.loads(capsys.readouterr().out)


def test_paths_get_the_commands_rows_number_for_number(api, capsys):
    paths = save_scenes(api.samples)
    expected = command(capsys, "score", *paths)
    answer = post(api.start(), "score", *({"path": str(path)} for path in paths))
    assert {key: answer[key] for key in expected if key not in ("rows", "rule")} == {
        key: value for key, value in expected.items() if key not in ("rows", "rule")
    }
    for row, wanted in zip(answer["rows"], expected["rows"], strict=True):
        assert {key: row[key] for key in wanted} == wanted
    assert [row["index"] for row in answer["rows"]] == list(range(len(paths)))


def test_uploads_get_the_same_numbers_as_files(api):
    paths = save_scenes(api.samples)
    client = api.start()
    by_path = post(client, "score", *({"path": str(path)} for path in paths))
    uploads = [{"image": encoded(path.read_bytes())} for path in paths]
    uploads[1]["image"] = "data:image/png;base64," + uploads[1]["image"]
    uploaded = post(client, "score", *uploads)
    for one, other in zip(uploaded["rows"], by_path["rows"], strict=True):
        assert (one["score"], one["prompt"], one["prompt_source"]) == (
            other["score"],
            other["prompt"],
            other["prompt_source"],
        )


def test_rank_gives_the_commands_order_and_reasons(api, capsys):
    paths = save_scenes(api.samples)
    expected = command(capsys, "rank", *paths, "--top", 2, "--show", "all")
    answer = post(api.start(), "rank", *({"path": str(path)} for path in paths), top=2)
    assert [(row["file"], row["kept"], row["reason"]) for row in answer["rows"]] == [
        (row["file"], row["kept"], row["reason"]) for row in expected["rows"]
    ]
    assert answer["rule"] == expected["rule"] and answer["counts"]["kept"] == 2


def test_a_prompt_is_the_pictures_own_then_the_requests_then_the_files(api):
    (prompt, image), *_ = scenes()
    data = encoded(png(image, "a (blue:1.2) ring <lora:x:0.5>" + SETTINGS))
    client = api.start()
    rows = post(client, "score", {"image": data, "prompt": prompt}, {"image": data}, prompt="a red star")[
        "rows"
    ]
    assert [row["prompt"] for row in rows] == [prompt, "a red star"]
    row = post(client, "score", {"image": data})["rows"][0]
    assert row["prompt"] == "a blue ring" and row["prompt_written"].startswith("a (blue:1.2)")
    assert "<lora" in post(client, "score", {"image": data}, raw_prompt=True)["rows"][0]["prompt"]


def declaring(width, height):
    """The bytes of a PNG file that says it is so large."""
    data = bytearray(png(Image.new("RGB", (1, 1))))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def test_what_is_wrong_with_one_picture_is_its_row_and_nothing_more(api, tmp_path):
    (prompt, image), *_ = scenes()
    path = save_scenes(api.samples)[0]
    (tmp_path / "secret.png").write_bytes(png(image, prompt + SETTINGS))
    (api.samples / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    api.option("imagereward_api_most_megapixels", 0.02)
    large = Image.new("RGB", (200, 200))
    large.save(api.samples / "large.png")
    good = {"image": encoded(png(image)), "prompt": prompt}
    bad = [
        ({}, "neither"),
        ({"image": "eA==", "path": "x"}, "both"),
        ({"image": "!!!"}, "base64"),
        ({"image": encoded(b"no picture at all")}, "cannot be read as a picture"),
        (
            {"image": encoded(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")},
            "cannot be read as a picture",
        ),
        ({"image": encoded(png(image)[:200]), "prompt": prompt}, ""),
        ({"image": "https://example.org/a.png"}, "never fetched"),
        ({"path": str(tmp_path / "secret.png")}, "outside"),
        ({"path": "../../../etc/passwd"}, "outside"),
        ({"path": str(api.samples / "none.png"), "prompt": prompt}, "no such file"),
        ({"path": str(api.samples), "prompt": prompt}, "folder"),
        ({"path": str(api.samples / "broken.png"), "prompt": prompt}, ""),
        ({"path": str(api.samples / "large.png"), "prompt": prompt}, "at most 0.02 million"),
        ({"image": encoded(png(large)), "prompt": prompt}, "at most 0.02 million"),
        ({"image": encoded(declaring(60_000, 60_000)), "prompt": prompt}, "too many pixels"),
        ({"image": encoded(png(image))}, "no prompt"),
    ]
    rows = post(api.start(), "score", good, *(entry for entry, _ in bad), {"path": str(path)})["rows"]
    assert len(rows) == len(bad) + 2
    assert rows[0]["score"] is not None and rows[-1]["score"] is not None and rows[0]["rank"] in (1, 2)
    for row, (entry, words) in zip(rows[1:-1], bad, strict=True):
        assert row["score"] is None and row["reason"] and not row["kept"], entry
        assert words in row["reason"], (words, row["reason"])


def test_a_request_of_bad_pictures_alone_is_answered_too(api):
    answer = post(api.start(), "rank", {"image": "!!!"}, {"path": "/etc/passwd"}, top=1)
    assert answer["counts"] == {"pictures": 2, "scored": 0, "kept": 0}


def test_too_many_pictures_and_none_at_all_are_refused(api):
    api.option("imagereward_api_most_pictures", 2)
    client = api.start()
    assert "at most 2" in post(client, "score", {}, {}, {}, expect=413)["detail"]
    assert "no pictures" in post(client, "score", expect=422)["detail"]


@pytest.mark.parametrize(
    ("route", "fields", "words"),
    [
        ("score", {"scorer": "nobody"}, "there is no scorer 'nobody'"),
        ("score", {"scorer": "/etc/passwd"}, "there is no scorer"),
        ("score", {"scorer": "../../evil.pt"}, "there is no scorer"),
        ("score", {"scorer": "demo=1,/tmp/evil.pt=2"}, "/tmp/evil.pt"),
        ("score", {"scorer": "demo=1,evil.pt=2"}, "names 'evil.pt'"),
        ("score", {"scorer": "demo=1@nonsense"}, "nonsense"),
        ("score", {"also": ["evil.pt"]}, "there is no scorer"),
        ("score", {"prompt_from": "stars"}, "prompt_from"),
        ("score", {"precision": "fp8"}, "precision"),
        ("rank", {"within": "galaxy"}, "within"),
        ("rank", {"top_percent": 101}, ""),
        ("rank", {"top": "many"}, ""),
    ],
)
def test_what_is_not_offered_is_refused_in_words_before_anything_is_loaded(api, route, fields, words):
    (prompt, image), *_ = scenes()
    answer = post(api.start(), route, {"image": encoded(png(image)), "prompt": prompt}, expect=422, **fields)
    assert words in json.dumps(answer, ensure_ascii=False) and not api.requests


def test_more_pictures_than_there_are_may_be_asked_for(api):
    (prompt, image), *_ = scenes()
    picture = {"image": encoded(png(image)), "prompt": prompt}
    answer = post(api.start(), "rank", picture, top=10**18 - 1, keep_at_least=10**18 - 1)
    assert answer["counts"]["kept"] == 1


def test_wishes_reach_the_scorer(api):
    (prompt, image), *_ = scenes()
    picture = {"image": encoded(png(image)), "prompt": prompt}
    client = api.start()
    post(client, "score", picture, scorer="DEMO", precision="fp32", whole_picture=True)
    assert (
        api.requests[-1].name == "demo"
        and api.requests[-1].precision == "fp32"
        and api.requests[-1].whole_picture
    )
    post(client, "score", picture)
    assert api.requests[-1].name == "demo" and not api.requests[-1].whole_picture


def test_work_waits_for_the_hosts_queue_once_per_request(api):
    (prompt, image), *_ = scenes()
    client = api.start()
    post(client, "score", {"image": encoded(png(image)), "prompt": prompt})
    assert api.queue.turns == 1 and not api.queue.lock.locked()
    client.post(f"{PREFIX}/unload", json={})
    assert api.queue.turns == 2 and not api.queue.lock.locked()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("WeightsError", 503),
        ("DownloadError", 503),
        ("Cancelled", 409),
        ("BlendError", 422),
        ("RuntimeError", 500),
    ],
)
def test_a_scorer_that_cannot_work_is_an_answer_and_the_queue_goes_on(api, monkeypatch, error, code):
    from imagereward_core import errors
    from imagereward_core.scorers.blend import BlendError

    kinds = {"RuntimeError": RuntimeError, "BlendError": BlendError}

    def load(request, *_):
        raise (kinds.get(error) or getattr(errors, error))("said so")

    (prompt, image), *_ = scenes()
    client = api.start()
    monkeypatch.setattr(ours("loaded"), "load", load)
    answer = post(client, "score", {"image": encoded(png(image)), "prompt": prompt}, expect=code)
    assert "said so" in answer["detail"] and not api.queue.lock.locked()


def test_models_names_what_may_be_asked_for(api):
    answer = api.start().get(f"{PREFIX}/models").json()
    demo = next(entry for entry in answer["scorers"] if entry["id"] == "demo")
    assert answer["default"] == "demo" and demo["present"] and demo["needs_prompt"]
    assert {"ImageReward-v1.0", "PickScore"} <= {entry["id"] for entry in answer["scorers"]}


def test_a_scorer_whose_file_is_empty_or_whose_tower_is_missing_is_not_present(api):
    folder = ours("hosts").models_folders()[-1]
    for name in ("ImageReward.safetensors", "PickScore/model.safetensors"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    answer = api.start().get(f"{PREFIX}/models").json()
    assert {entry["id"] for entry in answer["scorers"] if entry["present"]} == {"demo"}


def test_version_and_schema_say_what_to_expect(api):
    client = api.start()
    version = client.get(f"{PREFIX}/version").json()
    assert version["host"] == "a1111" and version["schema_version"] == 1
    schema = client.get(f"{PREFIX}/schema").json()
    assert set(schema["RankRequest"]["properties"]) > {"pictures", "top", "within"}
    assert f"{PREFIX}/rank" in client.get("/openapi.json").json()["paths"]


def test_reading_a_request_changes_no_file(api):
    paths = save_scenes(api.samples)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}
    post(api.start(), "rank", *({"path": str(path)} for path in paths), top=1)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths} == before
    assert sorted(api.samples.iterdir()) == sorted(paths)


def test_the_pixels_of_a_request_are_limited_together(api):
    (prompt, image), *_ = scenes()
    api.option("imagereward_api_most_megapixels_together", 2.5 * image.width * image.height / 1e6)
    pictures = [{"image": encoded(png(image)), "prompt": prompt}] * 3
    reasons = [row["reason"] for row in post(api.start(), "score", *pictures)["rows"]]
    assert [bool(reason) for reason in reasons] == [False, False, True] and "another request" in reasons[2]


def test_a_text_that_leads_out_of_the_allowed_folders_is_not_read(api, tmp_path):
    (_, image), *_ = scenes()
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "a.txt").write_text("the words of a key")
    (secret / "a.json").write_text(json.dumps({"positive_prompt": "the words of a key"}))
    (secret / "log.html").write_text(
        "<div id='d_png' class='image-container'><table><tr><td class='label'>Prompt</td>"
        "<td class='value'>the words of a key</td></tr></table></div>"
    )
    (api.samples / "inside.md").write_text("a red star")
    for name, target in {
        "a.txt": secret / "a.txt",
        "b.png.caption": secret / "a.txt",
        "c.json": secret / "a.json",
        "log.html": secret / "log.html",
        "e.txt": api.samples / "inside.md",
    }.items():
        (api.samples / name).symlink_to(target)
    pictures = []
    for name in "abcde":
        (api.samples / f"{name}.png").write_bytes(png(image))
        pictures.append({"path": str(api.samples / f"{name}.png")})
    rows = post(api.start(), "score", *pictures)["rows"]
    assert "key" not in json.dumps(rows)
    assert ["no prompt" in row["reason"] for row in rows] == [True] * 4 + [False]
    assert rows[4]["prompt"] == "a red star"


HALVES = {
    "score": ["prompt", "prompt_from", "scorer", "precision", "unknown"],
    "rank": ["prompt", "within", "top", "min_score"],
}


@pytest.mark.parametrize(("route", "field"), [(route, field) for route in HALVES for field in HALVES[route]])
def test_a_half_character_in_a_request_is_an_answer_and_no_failure(api, route, field):
    (_, image), *_ = scenes()
    body = {"pictures": [{"image": encoded(png(image)), "prompt": "a star"}], field: "a \ud800 star"}
    if field == "prompt":
        del body["pictures"][0]["prompt"]
    answer = api.start().post(f"{PREFIX}/{route}", content=json.dumps(body), headers=JSON)
    assert answer.status_code == (200 if field in ("prompt", "unknown") else 422), answer.text
    if field == "prompt":
        assert answer.json()["rows"][0]["prompt"] == "a ? star"


def test_half_characters_in_pictures_and_in_odd_bodies_are_answered(api):
    (prompt, image), *_ = scenes()
    data = encoded(png(image))
    pictures = [
        {"image": data, "prompt": "\ud800 star"},
        {"image": data, "prompt": prompt, "name": "\udfff"},
        {"image": "\ud800", "prompt": prompt},
        {"path": "\ud800.png"},
        {"path": f"{api.samples}/a\udcff.png"},
        {"image": data},
    ]
    client = api.start()
    rows = client.post(f"{PREFIX}/score", content=json.dumps({"pictures": pictures}), headers=JSON).json()[
        "rows"
    ]
    assert [bool(row["reason"]) for row in rows] == [False, False, True, True, True, True]
    assert rows[1]["file"] == "?"
    for body in ({"pictures": "\ud800"}, {"pictures": ["\ud800"]}, {"\ud800": 1}, ["\ud800"], "\ud800"):
        assert client.post(f"{PREFIX}/rank", content=json.dumps(body), headers=JSON).status_code == 422


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs file names of any bytes")
def test_undecodable_names_of_this_machine_are_written_out(api, monkeypatch):
    (prompt, image), *_ = scenes()
    folder = api.samples / os.fsdecode(b"f\xff")
    folder.mkdir()
    (folder / os.fsdecode(b"a\xff.png")).write_bytes(png(image, prompt + SETTINGS))
    (api.samples / "link.png").symlink_to(folder / os.fsdecode(b"a\xff.png"))
    (api.samples / "bad.png").symlink_to(folder / os.fsdecode(b"gone\xff.png"))
    monkeypatch.setattr(ours("hosts"), "allowed_folders", lambda: [api.samples, folder])
    entries = [{"path": str(api.samples / name)} for name in ("link.png", "bad.png")] + [
        {"path": "/etc/passwd"}
    ]
    rows = post(api.start(), "score", *entries)["rows"]
    assert [bool(row["reason"]) for row in rows] == [False, True, True]
    assert "\\udcff" in rows[2]["reason"] or "\\xff" in rows[2]["reason"]


def test_a_path_to_a_pipe_is_a_reason_and_no_wait(api):
    import os
    import threading

    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no pipes here")
    os.mkfifo(api.samples / "pipe.png")
    came = []
    client = api.start()
    entry = {"path": str(api.samples / "pipe.png"), "prompt": "a"}
    thread = threading.Thread(target=lambda: came.append(post(client, "score", entry)), daemon=True)
    thread.start()
    thread.join(30)
    assert came and "a pipe" in came[0]["rows"][0]["reason"]
