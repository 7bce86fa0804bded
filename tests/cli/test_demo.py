from __future__ import annotations

import pytest
from PIL import Image

from tests.support.command import python

SMALL = ("--prompts", "2", "--pictures-per-prompt", "3", "--size", "64")


def test_the_demo_runs_as_a_program_and_its_pictures_carry_their_prompts(tmp_path):
    done = python("-m", "imagereward_core", "demo", *SMALL, cwd=tmp_path)
    where = tmp_path / "imagereward-demo-2x3-seed1"
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert (
        len(done.stdout.strip().splitlines()) == 1 + 6 + 1
    )  # heading, pictures, the line between two prompts
    assert (where / "index.html").is_file() and len(list(where.glob("*.png"))) == 6
    assert str(where / "index.html") in done.stderr
    picture = next(where.glob("02-*.png"))
    with Image.open(picture) as image:
        assert "<lora:" in image.info["parameters"] and "Steps: 1" in image.info["parameters"]


def test_the_demo_pictures_can_be_scored_like_any_others(run, tmp_path):
    assert run("demo", *SMALL, "-o", tmp_path / "d").code == 0
    done = run("score", tmp_path / "d", "-s", "demo", "-f", "json")
    assert done.code == 0 and len(done.rows) == 6
    assert len({row["prompt"] for row in done.rows}) == 2
    assert not any("lora" in row["prompt"] or ":" in row["prompt"] for row in done.rows)
    assert any("lora" in row["prompt_written"] for row in done.rows)


def test_the_same_seed_draws_the_same_pictures(run, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run("demo", *SMALL, "--seed", seed, "-o", tmp_path / name)
    bytes_of = {
        name: {path.name: path.read_bytes() for path in (tmp_path / name).glob("*.png")} for name in "abc"
    }
    assert bytes_of["a"] == bytes_of["b"] != bytes_of["c"]


def test_the_demo_never_replaces_a_file_that_is_not_its_own(run, tmp_path):
    page = tmp_path / "index.html"
    page.write_text("my homepage", encoding="utf-8")
    done = run("demo", *SMALL, "-o", tmp_path)
    assert done.code == 2 and page.read_text(encoding="utf-8") == "my homepage"
    assert not list(tmp_path.glob("*.png"))


def test_the_demo_can_be_run_again_in_its_own_folder(run, tmp_path):
    assert [run("demo", *SMALL, "-o", tmp_path / "d").code for _ in range(2)] == [0, 0]


@pytest.mark.parametrize("pictures", [1, 2, 7])
def test_batches_hold_good_flawed_and_wrong_pictures(pictures):
    from imagereward_core.demo.batches import draw_batches

    batches = list(draw_batches(3, pictures, seed=5, size=32))
    assert len({batch.prompt for batch in batches}) == 3
    for batch in batches:
        truths = [picture.truth for picture in batch.pictures]
        assert len(truths) == pictures and "as asked" in truths
        assert all(picture.image.size == (32, 32) for picture in batch.pictures)
        if pictures == 7:
            assert any(truth.startswith("wrong") for truth in truths) and any(
                "spoilt" in truth for truth in truths
            )
