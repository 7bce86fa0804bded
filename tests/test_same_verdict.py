"""One folder, every door: the same pictures are kept, bucketed and left without a score, for the same reasons."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imagereward_core.cli.main import main
from imagereward_core.demo.batches import draw_batches
from imagereward_core.library.library import Library
from imagereward_core.weights.cards import CARDS
from tests.support.comfyui.fake_host import FakeHost as FakeComfyUI
from tests.support.comfyui.graphs import Graph, shown


@pytest.fixture(autouse=True)
def one_thread():
    """With several threads the demo's tiny network differs in the last digit by place in a batch, and ties stop being ties."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


BROKEN, BARE = "0_9.png", ("1_4.png", "1_5.png")


@pytest.fixture
def scenes(tmp_path, monkeypatch):
    """Drawn scenes with ties and near-duplicates, a picture without a prompt, one with syntax alone, and a damaged file."""
    monkeypatch.delenv("IMAGEREWARD_MODELS", raising=False)
    where = tmp_path / "output" / "scenes"
    where.mkdir(parents=True)
    for number, batch in enumerate(draw_batches(2, 4, seed=3, size=96)):
        for place, drawn in enumerate(batch.pictures):
            drawn.image.save(where / f"{number}_{place}.png")
            (where / f"{number}_{place}.txt").write_text(batch.prompt, encoding="utf-8")
    for name, source in (("0_4", "0_0"), ("1_4", "1_0"), ("1_5", "1_1")):  # ties with what they copy
        (where / f"{name}.png").write_bytes((where / f"{source}.png").read_bytes())
    (where / "0_4.txt").write_text((where / "0_0.txt").read_text(encoding="utf-8"), encoding="utf-8")
    (where / "1_5.txt").write_text("<lora:only:1>", encoding="utf-8")
    (where / BROKEN).write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    return where


class Doors:
    """The ways to ask, each with the names of what is kept and, where it tells, why the others have no score."""

    def __init__(self, scenes, capsys, tmp_path):
        self.scenes, self.capsys, self.tmp = scenes, capsys, tmp_path

    def command(self, *words):
        self.capsys.readouterr()
        code = main([*map(str, words), "--quiet"])
        assert code in (0, 1), self.capsys.readouterr().err
        return self.capsys.readouterr().out

    def files(self):
        return sorted(self.scenes.glob("*.png"))

    def rank(self, *rule):
        return self._rows(
            self.command("rank", "-s", "demo", "-f", "json", "--show", "all", *rule, *self.files())
        )

    def score(self):
        return self._rows(self.command("score", "-s", "demo", "-f", "json", *self.files()))

    def report(self, *rule):
        target = self.tmp / "report.json"
        self.command("report", self.scenes, "--json", target, *rule)
        found = target.read_text(encoding="utf-8")
        target.unlink()
        return self._rows(found)

    def curate(self, *rule):
        text = self.command("curate", self.scenes, "-s", "demo", "-n", "-f", "json", *rule)
        return json.loads(text)["pictures"]

    def _rows(self, text):
        return {Path(row["file"]).name: row for row in json.loads(text)["rows"]}


@pytest.fixture
def doors(scenes, capsys, tmp_path):
    return Doors(scenes, capsys, tmp_path)


def kept(rows):
    return {name for name, row in rows.items() if row["kept"]}


def unscored(rows):
    return {
        name: row["reason"].rpartition(f"{name}: ")[2] for name, row in rows.items() if row["score"] is None
    }


def by_api(scenes, monkeypatch, rule):
    """Rows of the WebUI's API."""
    import shutil

    from tests.support.webui.api_client import PREFIX, ApiHost

    host = ApiHost(monkeypatch, scenes.parents[1] / "webui")
    files = [Path(shutil.copy(path, host.samples)) for path in sorted(scenes.iterdir()) if path.is_file()]
    pictures = [{"path": str(path)} for path in files if path.suffix == ".png"]
    answer = host.start().post(f"{PREFIX}/rank", json={"pictures": pictures, **rule})
    assert answer.status_code == 200, answer.text
    return {Path(row["file"]).name: row for row in answer.json()["rows"]}


def node_curate(scenes, monkeypatch, **changes):
    host = FakeComfyUI(monkeypatch, scenes.parents[1])
    try:
        graph = Graph()
        node = graph.curate(**{"per": "all pictures", "top_k": 0, **changes})
        probe = graph.show(node, 0)
        return {Path(path).name for path in shown(host.run(graph), probe)}
    finally:
        host.close()


@pytest.mark.parametrize(
    ("rule", "inputs"),
    [
        (("--top", "1"), {"top_k": 1}),
        (("--top", "3"), {"top_k": 3}),
        (("--top-percent", "40"), {"top_percent": 40.0}),
        (("--min-score", "0"), {"min_score": 0.0}),
        (("--top", "2", "--keep-at-least", "3"), {"top_k": 2, "keep_at_least": 3}),
    ],
)
def test_every_door_keeps_the_same(doors, scenes, monkeypatch, rule, inputs):
    ranked = doors.rank(*rule)
    curated = doors.curate(*rule)
    names = {Path(each["file"]).name: each for each in curated}
    assert {name for name, each in names.items() if each["sorted_as"] == "kept"} == kept(ranked)
    reported = doors.report(*rule)
    assert kept(reported) == kept(ranked) == node_curate(scenes, monkeypatch, **inputs)
    assert {name: row["reason"] for name, row in reported.items() if row["rank"]} == {
        name: row["reason"] for name, row in ranked.items() if row["rank"]
    }


def test_the_api_of_the_webui_keeps_the_same(doors, scenes, monkeypatch):
    ranked, asked = doors.rank("--top", "3"), by_api(scenes, monkeypatch, {"top": 3})
    assert kept(asked) == kept(ranked)
    assert {name: row["reason"] for name, row in asked.items() if row["rank"]} == {
        name: row["reason"] for name, row in ranked.items() if row["rank"]
    }
    assert set(unscored(asked)) == set(unscored(ranked))
    assert all(
        asked[name]["reason"].partition(":")[0] == ranked[name]["reason"].partition(":")[0]
        for name in BARE[:1]
    )


def test_every_door_says_the_same_about_what_has_no_score(doors):
    doors.curate("--top", "1")
    scored, ranked, reported = doors.score(), doors.rank("--top", "1"), doors.report("--top", "1")
    assert set(unscored(scored)) == {BROKEN, *BARE} == set(unscored(ranked)) == set(unscored(reported))
    assert "no prompt" in unscored(scored)[BARE[0]] and "no words" in unscored(scored)[BARE[1]]
    for name in BARE:
        # the command adds what can be done about it
        assert unscored(scored)[name] == unscored(ranked)[name]
        assert unscored(scored)[name].startswith(unscored(reported)[name])
    assert unscored(scored)[BROKEN] == unscored(reported)[BROKEN]


@pytest.mark.parametrize("rule", [("--top", "1"), ("--top", "4")])
def test_report_and_curate_fill_the_same_buckets(doors, rule):
    buckets = ("--buckets", "great=60,good=20")
    if CARDS["demo"].distribution is None:
        pytest.skip("the demo scorer has no percentiles")
    curated = {Path(each["file"]).name: each["sorted_as"] for each in doors.curate(*rule, *buckets)}
    reported = doors.report(*rule, *buckets)
    scored = {name: row for name, row in reported.items() if row["rank"]}
    assert {name: row["bucket"] for name, row in scored.items()} == {name: curated[name] for name in scored}
    assert kept(reported) == {name for name, bucket in curated.items() if bucket in ("great", "good")}


@pytest.mark.parametrize("action", ["--move", "--copy", "--link"])
def test_without_a_filter_report_tells_what_curate_decided(doors, scenes, action):
    doors.command("curate", scenes, "-s", "demo", "--top", "3", action, "--yes")
    reported = doors.report()
    sorted_in = {path.name for path in (scenes / "kept").glob("*.png")}
    assert len(sorted_in) == 3 and kept(reported) == sorted_in and len(reported) == 12
    assert all(reported[name]["reason"] == "it was sorted into kept" for name in sorted_in)
    with_rule = doors.report("--top", "1")
    assert len(kept(with_rule)) == 1 and len(with_rule) == 12


def test_a_report_knows_folders_of_other_names(doors, scenes):
    doors.command("curate", scenes, "-s", "demo", "--top", "3", "--move", "--yes", "--kept", scenes / "best")
    assert kept(doors.report("--kept", scenes / "best")) == {
        path.name for path in (scenes / "best").glob("*.png")
    }


def test_near_duplicates_count_once_in_every_door_that_knows_them(doors, scenes, monkeypatch):
    curated = doors.curate("--top", "3", "--unique")
    found = {Path(each["file"]).name for each in curated if each["sorted_as"] == "kept"}
    assert len(found) == 3 and not {"0_0.png", "0_4.png"} <= found
    assert found == node_curate(scenes, monkeypatch, top_k=3, unique=True)


def test_the_pages_and_the_library_keep_the_same(doors, scenes):
    from imagereward_core.gallery import filter as filtering
    from imagereward_core.library.curate.options import CurateOptions
    from imagereward_core.library.curate.plan import plan_curation
    from imagereward_core.library.stored_panel import stored_panel

    curated = doors.curate("--top", "3", "--unique")
    wanted = filtering.Filter(top=3, unique=True)
    with Library.open(scenes / ".imagereward") as library:
        plan = plan_curation(library, stored_panel(library), scenes, CurateOptions(wanted.rule()))
    names = {row.path.name for row, name in zip(plan.rows, plan.verdicts.names) if name == "kept"}
    assert names == {Path(each["file"]).name for each in curated if each["sorted_as"] == "kept"}


def test_in_a_graph_a_missing_prompt_costs_that_picture_alone_and_names_its_file(scenes, monkeypatch):
    scenes.rename(scenes.parents[1] / "input")
    base = scenes.parents[1]
    (base / "input").rename(base / "moved")
    (base / "input").mkdir()
    (base / "moved").rename(base / "input" / "scenes")
    host = FakeComfyUI(monkeypatch, base)
    try:
        graph = Graph()
        folder, scores = graph.scored_folder()
        values, table = graph.show(scores, 2), graph.show(scores, 3)
        names = graph.show(folder, 2)
        ran = host.run(graph)
        found = dict(zip(shown(ran, names), shown(ran, values)))
        assert {name for name, value in found.items() if value != value} == {Path(name).stem for name in BARE}
        assert "1_4.png: it has no prompt" in shown(ran, table)[0]
    finally:
        host.close()
