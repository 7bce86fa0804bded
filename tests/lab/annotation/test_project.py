"""Projects made of folders, libraries and tables by the command: what is drawn, what is left out and why, and who works in them."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from imagereward_core.cli.main import main
from imagereward_core.files import STORE_FOLDER
from imagereward_core.library.library import Library
from imagereward_core.library.store.records import ScorerKey
from imagereward_core.library.store.scores import rank_file, scorer_number, write_scores
from imagereward_core.scores import Scores
from imagereward_lab.annotation.pages import serve as pages
from imagereward_lab.annotation.project.folder import Project, ProjectFile
from imagereward_lab.annotation.service import Service
from imagereward_lab.annotation.store.tasks import all_tasks
from imagereward_lab.server.hosts import Hosts
from imagereward_lab.server.start import Listening
from tests.support.full_disk import read_only, small_disk
from tests.support.lab.annotation import add, answer_to
from tests.support.lab.server import BASE, Client


def picture(path, colour=0, prompt=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (6 + colour % 3, 5), (colour, 10, 10)).save(path)
    if prompt is not None:
        path.with_suffix(".txt").write_text(prompt, encoding="utf-8")


def pictures(root, counts):
    number = 0
    for prompt, count in counts.items():
        for place in range(count):
            picture(root / f"{prompt.replace(' ', '_')}_{place}.png", number, prompt)
            number += 1


def tasks_of(folder):
    project = Project(folder)
    try:
        return project.database.read(all_tasks)
    finally:
        project.close()


def test_a_folder_is_grouped_by_prompt_drawn_by_seed_and_counted(tmp_path, capsys):
    root = tmp_path / "pictures"
    pictures(root, {"a red fox": 12, "a blue car": 4, "a tree": 3})
    picture(root / "nothing.png", 99)
    (root / "broken.png").write_bytes(b"no picture")
    made = {}
    for name, seed in (("one", "0"), ("two", "0"), ("three", "1")):
        assert main(["annotate", "new", str(tmp_path / name), "--from", str(root), "--seed", seed]) == 0
        made[name] = {task.prompt: task for task in tasks_of(tmp_path / name)}
    said = capsys.readouterr().err
    assert (
        "3 × pictures beyond the 9 drawn of a prompt" in said
        and "3 × pictures of prompts with fewer than 4" in said
    )
    assert "1 × no prompt" in said and "1 × cannot be read" in said
    assert made["one"].keys() == {"a red fox", "a blue car"}
    fox = {name: made[name]["a red fox"] for name in made}
    assert len(fox["one"].names) == 9 and fox["one"].names == fox["two"].names != fox["three"].names
    assert fox["one"].key == fox["three"].key and fox["one"].images != fox["two"].images  # ids tell nothing
    assert fox["one"].images[0].width in (6, 7, 8)
    assert main(["annotate", "new", str(tmp_path / "one"), "--from", str(root)]) == 2
    assert "there is a project already" in capsys.readouterr().err


def test_a_table_names_pictures_generators_and_a_file_names_prompts_and_translations(tmp_path, capsys):
    root = tmp_path / "pictures"
    rows = []
    for source in ("SD", "XL", "other"):
        for prompt in ("a red fox", "a blue car"):
            for place in range(2):
                name = f"{source}/{prompt[2:]} {place}.png"
                picture(root / name, len(rows))
                rows.append({"file": name, "caption": prompt, "model": source})
    rows += [
        {"file": "../outside.png", "caption": "a red fox", "model": "SD"},
        {"file": "", "caption": "x", "model": "SD"},
    ]
    with (root / "table.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["file", "caption", "model"])
        writer.writeheader()
        writer.writerows(rows)
    wanted = tmp_path / "prompts.csv"
    wanted.write_text("prompt,translation\nA red  fox,一只红狐狸\na dragon,龙\n", encoding="utf-8")
    made = tmp_path / "made"
    words = ["annotate", "new", str(made), "--from", str(root / "table.csv"), "--mode", "per-generator"]
    assert main([*words, "--prompts", str(wanted)]) == 0
    said = capsys.readouterr().err
    assert "1 × prompts of --prompts without pictures (such as a dragon)" in said
    assert (
        "6 × a prompt that --prompts does not name" in said
        and "1 × not inside the folder of pictures" in said
    )
    (task,) = tasks_of(made)
    assert (task.translation, task.sources) == ("一只红狐狸", ("SD", "XL", "other"))
    service = Service(made)
    ann, _ = add(service, "ann")
    assert "SD" not in repr(service.next(ann)) and service.next(ann).task.translation == "一只红狐狸"
    service.close()


def test_top_picks_of_several_scorers_are_pooled_and_whose_they_are_is_hidden(tmp_path, capsys):
    root = tmp_path / "pictures"
    pictures(root, {"a red star": 6})
    words = [
        "annotate",
        "new",
        str(tmp_path / "made"),
        "--from",
        str(root),
        "--mode",
        "top-picks",
        "--top",
        "2",
    ]
    assert main(words) == 2
    assert "has no library" in capsys.readouterr().err
    scores = {"one": (5, 4, 3, 2, 1, 0), "two": (0, 9, 2, 3, 4, 8)}
    with Library.open(root / STORE_FOLDER, root=root) as library:
        library.scan([root], None)
        store_scores(library, {"one": scores["one"]})
    for more in ([], ["--scorers", "one,one"]):
        assert main([*words, *more]) == 2
        assert "found scores by one; expected" in capsys.readouterr().err
    with Library.open(root / STORE_FOLDER, root=root) as library:
        store_scores(library, {"two": scores["two"]})
    assert main(words) == 0
    (task,) = tasks_of(tmp_path / "made")
    picked = {name[-5]: source for name, source in zip(task.names, task.sources)}
    assert picked == {"0": "one", "1": "one | two", "5": "two"}


@dataclass(frozen=True)
class Voice:
    number: int
    reads_prompt: bool = True


def store_scores(library, scores):
    """Writes what scorers said of the pictures, in the order of their names."""
    with library.database.writing() as connection:
        rows = connection.execute("SELECT id, picture, prompt FROM files ORDER BY name").fetchall()
        for scorer, values in scores.items():
            voice = Voice(scorer_number(connection, ScorerKey(scorer, "1"), True))
            for (file, picture, prompt), value in zip(rows, values, strict=True):
                said = Scores(np.array([float(value)]), scorer, "1", ("a red star",), ("",), {})
                write_scores(connection, voice, [picture], [prompt], said)
                rank_file(connection, file, [voice.number])


def test_people_are_added_with_tokens_of_which_only_hashes_are_kept(tmp_path, capsys):
    root, made = tmp_path / "pictures", tmp_path / "made"
    pictures(root, {"a red fox": 4, "a blue car": 4, "a tree": 4})
    main(["annotate", "new", str(made), "--from", str(root), "--test", "1"])
    assert main(["annotate", "people", str(made), "add", "ann"]) == 0
    token = capsys.readouterr().out.strip()
    assert token.isalnum()  # no command takes it for an option
    assert token.encode() not in b"".join(path.read_bytes() for path in made.iterdir())
    service = Service(made)
    assert service.me(token).state == "candidate"
    main(["annotate", "people", str(made), "token", "ann"])
    other = capsys.readouterr().out.strip()
    assert service.me(token) is None and service.me(other).name == "ann"
    assert main(["annotate", "people", str(made), "add", "ann"]) == 2
    assert main(["annotate", "people", str(made), "admit", "ann"]) == 0
    assert service.me(other).state == "active"
    main(["annotate", "people", str(made), "remove", "ann"])
    assert service.me(other) is None
    assert main(["annotate", "people", str(made), "remove", "bob"]) == 2
    said = capsys.readouterr()
    assert "found nobody named 'bob'; the project has ann" in said.err
    main(["annotate", "people", str(made)])
    assert "removed" in capsys.readouterr().out
    service.close()


def test_answers_go_out_and_come_in_by_the_command(tmp_path, capsys):
    root, made = tmp_path / "pictures", tmp_path / "made"
    pictures(root, {"a red fox": 4, "a blue car": 5})
    main(["annotate", "new", str(made), "--from", str(root)])
    out = tmp_path / "rankings.jsonl"
    assert main(["annotate", "export", str(made), "-o", str(out)]) == 2
    assert "nobody has answered anything yet" in capsys.readouterr().err
    service = Service(made)
    ann, _ = add(service, "ann")
    while (task := service.next(ann).task) is not None:
        service.submit(ann, task.id, answer_to(task))
    service.close()
    assert main(["annotate", "export", str(made), "-o", str(out)]) == 0
    assert main(["rankings", "check", str(out)]) == 0  # the pictures are found from where the file lies
    assert main(["annotate", "status", str(made)]) == 0
    assert "answers: 2 of 2" in capsys.readouterr().out
    other = tmp_path / "other"
    main(["annotate", "new", str(other), "--from", str(root), "--seed", "3"])
    assert main(["annotate", "import", str(other), str(out)]) == 0
    again = tmp_path / "again.jsonl"
    assert main(["annotate", "export", str(other), "-o", str(again)]) == 0
    lines = [
        sorted(json.loads(line)["ranks"] for line in path.read_text().splitlines()) for path in (out, again)
    ]
    assert lines[0] == lines[1]
    assert main(["annotate", "export", str(made), "-o", str(out)]) == 2  # nothing is replaced unasked


def test_a_stranger_s_project_file_is_told_in_a_sentence(tmp_path, capsys):
    folder = tmp_path / "made"
    folder.mkdir()
    for content, words in (
        ("{}", "expected a file of a project"),
        ("[", "cannot be read"),
        (json.dumps({"kind": "imagereward annotation project", "schema_version": 2}), "Update this program"),
        (
            json.dumps({"kind": "imagereward annotation project", "schema_version": 1, "images": 3}),
            "have to be texts",
        ),
    ):
        (folder / "project.json").write_text(content)
        assert main(["annotate", "status", str(folder)]) == 2
        assert words in capsys.readouterr().err
    ProjectFile("pictures").write(folder)
    (folder / "annotations.sqlite3").write_bytes(b"no database" * 200)
    assert main(["annotate", "status", str(folder)]) == 4
    assert "annotations.sqlite3" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words, said",
    [
        (["--mode", "protocol", "--most", "12"], "found 4 to 12 pictures of a prompt"),
        (["--test", "9"], "there are 1 prompts in all"),
        (["--scorers", "CLIP"], "has no library"),
        (["--database", "mysql://x/y"], "found a URL of 'mysql'; expected one such as postgresql://"),
    ],
)
def test_what_does_not_go_together_is_said(tmp_path, capsys, words, said):
    pictures(tmp_path / "pictures", {"a red fox": 4})
    made = tmp_path / "made"
    assert main(["annotate", "new", str(made), "--from", str(tmp_path / "pictures"), *words]) in (2, 4)
    assert said in capsys.readouterr().err
    assert not (made / "project.json").exists()


def test_a_folder_begins_with_its_first_question_says_its_address_and_gives_its_answers_out(
    tmp_path, capsys, monkeypatch
):
    root = tmp_path / "pictures"
    pictures(root, {"a red fox": 3})
    told = []

    def serve(make, *, say, path, **_):
        say(f"Open {BASE}/{path}")
        client = Client(make(Listening(f"{BASE}/", Hosts.of("127.0.0.1"))))
        client.post("/enter", json={"token": path.partition("=")[2]})
        told.append(client.get("/annotation").text)
        assert client.get("/annotation/api/me").json()["facts"]["title"] == "pictures"
        (question, *_) = client.get("/annotation/api/questions").json()["questions"]
        sent = {"winner": question["images"][0]["id"]}
        assert client.post(f"/annotation/api/questions/{question['id']}/answer", json=sent).status_code == 200

    monkeypatch.setattr(pages, "serve", serve)
    assert main(["annotate", str(root), "--quiet"]) == 0
    assert capsys.readouterr().out.startswith("Open http") and '"first": "quick"' in told[0]
    out = tmp_path / "ranks.csv"
    assert main(["annotate", "export", str(root), "--form", "ranks-csv", "-o", str(out)]) == 0
    assert len(out.read_text("utf-8").splitlines()) == 4
    assert main(["annotate", "status", str(root)]) == 0
    assert main(["annotate", "export", str(root / STORE_FOLDER), "-o", str(out)]) == 2


def test_a_project_whose_making_failed_is_made_once_there_is_room(tmp_path, capsys):
    root = tmp_path / "pictures"
    pictures(root, {"a red fox": 4})
    with small_disk(tmp_path / "disk", 2**20) as disk:
        filler = disk / "filler"
        filler.write_bytes(bytes(2**20 - 6 * 4096))
        assert main(["annotate", "new", str(disk / "made"), "--from", str(root)]) == 4
        assert "expected room on the disk" in capsys.readouterr().err
        filler.unlink()
        assert main(["annotate", "new", str(disk / "made"), "--from", str(root)]) == 0
        assert len(tasks_of(disk / "made")) == 1


def test_a_folders_quick_mode_whose_making_was_broken_off_goes_on(tmp_path, capsys, monkeypatch):
    root = tmp_path / "pictures"
    pictures(root, {"a red fox": 3})
    monkeypatch.setattr(pages, "serve", lambda make, **_: None)
    assert main(["annotate", str(root)]) == 0
    folder = root / STORE_FOLDER / "quick"
    (folder / "project.json").unlink()  # as a kill before its last step leaves it
    picture(root / "new.png", 9, "a red fox")
    assert main(["annotate", str(root)]) == 0
    (task,) = tasks_of(folder)
    assert len(task.names) == 4
    (folder / "project.json").unlink()
    capsys.readouterr()
    assert main(["annotate", "new", str(folder), "--from", str(root)]) == 2
    assert "broken off; give the new one another name" in capsys.readouterr().err


def test_a_project_that_can_only_be_read_is_to_be_copied(tmp_path, capsys):
    root, made = tmp_path / "pictures", tmp_path / "made"
    pictures(root, {"a red fox": 4})
    assert main(["annotate", "new", str(made), "--from", str(root)]) == 0
    with read_only(made):
        assert main(["annotate", "status", str(made)]) == 4
    assert "can only be read. Copy the project" in capsys.readouterr().err


def test_a_translation_that_no_database_keeps_does_not_end_the_making(tmp_path):
    root, table = tmp_path / "pictures", tmp_path / "prompts.json"
    pictures(root, {"a red fox": 4})
    table.write_text(json.dumps([{"prompt": "a red fox", "translation": "half \ud800 and\0 end"}]))
    assert (
        main(["annotate", "new", str(tmp_path / "made"), "--from", str(root), "--prompts", str(table)]) == 0
    )
    assert tasks_of(tmp_path / "made")[0].translation == "half \\ud800 and end"
