"""The same picture with the same prompt has the same score from the command, in ComfyUI and in a WebUI: one set of files, three readers."""

from __future__ import annotations

import json
import os

import pytest
from PIL.PngImagePlugin import PngInfo

from imagereward_core.cli.main import main
from imagereward_core.demo.batches import draw_batches
from tests.support.comfyui.fake_host import FakeHost as FakeComfyUI
from tests.support.comfyui.graphs import Graph, shown
from tests.support.webui import fake_memory, fake_webui

EXACT = 2e-5
"""Scores of one picture alone and of its batch differ by rounding of float32: 4e-7 of a standard deviation was measured."""
SETTINGS = (
    "\nNegative prompt: blurry\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 96x96, Model: tiny"
)
SIZES = ((96, 96), (128, 72), (64, 150), (333, 96))


def draw(folder):
    """Scenes of several shapes as a WebUI saves them, with what people write into prompts; (file, prompt as written)."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number, batch in enumerate(draw_batches(2, 4, seed=3, size=96)):
        written = f"({batch.prompt}:1.2) <lora:paper style:0.8> BREAK masterpiece"
        for place, drawn in enumerate(batch.pictures):
            path = folder / f"{number}_{place}.png"
            text = PngInfo()
            text.add_itxt("parameters", written + SETTINGS)
            drawn.image.resize(SIZES[place % len(SIZES)]).save(path, pnginfo=text)
            files.append((path, written))
    return files


@pytest.fixture
def by_command(tmp_path, capsys, monkeypatch):
    """The files, and what the command says about them."""
    monkeypatch.delenv("IMAGEREWARD_MODELS", raising=False)
    files = draw(tmp_path / "input" / "scenes")
    capsys.readouterr()
    assert (
        main(["score", "-s", "demo", "-f", "json", "--device", "cpu", *(str(path) for path, _ in files)]) == 0
    )
    rows = json.loads(capsys.readouterr().out)["rows"]
    numbers = [row["score"] for row in rows]
    assert len(set(numbers)) == len(files) and "lora" not in rows[0]["prompt"]
    return files, numbers


def test_comfyui(by_command, monkeypatch, tmp_path):
    _, numbers = by_command
    host = FakeComfyUI(monkeypatch, tmp_path)
    try:
        graph = Graph()
        _, scores = graph.scored_folder()
        values = graph.show(scores, 2)
        assert shown(host.run(graph), values) == pytest.approx(numbers, abs=EXACT)
    finally:
        host.close()


@pytest.mark.parametrize("name", fake_webui.HOSTS)
def test_webui(by_command, monkeypatch, tmp_path, name):
    from PIL import Image

    files, numbers = by_command
    host = fake_webui.FakeHost(monkeypatch, tmp_path, name)
    fake_memory.install(monkeypatch, host)
    records, arguments = fake_webui.ours("script.state"), fake_webui.ours("script.arguments")
    job = records.Job(arguments.Settings(enabled=True, scorer="demo"))
    pictures, prompts = [Image.open(path) for path, _ in files], [written for _, written in files]
    try:
        scored = fake_webui.ours("script.scoring").evaluate(job, pictures, prompts)
        assert scored.main.values.tolist() == pytest.approx(numbers, abs=EXACT)
    finally:
        fake_webui.ours("scorer_cache").free()
        fake_webui.ours("scorer_cache").close()


@pytest.mark.skipif(
    not (os.environ.get("WEBUI_PATH") and os.environ.get("WEBUI_PYTHON")),
    reason="needs a real WebUI: set WEBUI_PATH to its folder and WEBUI_PYTHON to its interpreter",
)
def test_a_real_webui(by_command, tmp_path):
    import base64

    from tests.support.webui.real_webui import RealWebUI

    files, numbers = by_command
    host = RealWebUI(os.environ["WEBUI_PATH"], os.environ["WEBUI_PYTHON"], tmp_path / "webui", ["--nowebui"])
    try:
        pictures = [{"image": base64.b64encode(path.read_bytes()).decode()} for path, _ in files]
        status, answer = host.call("/imagereward/v1/score", {"scorer": "demo", "pictures": pictures})
        assert status == 200, answer
        assert [row["score"] for row in answer["rows"]] == pytest.approx(numbers, abs=EXACT)
    finally:
        host.close()
