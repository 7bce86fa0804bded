"""Full and read-only disks, rejects on another disk, and what belongs to a rejected picture: nothing is lost, nothing left behind."""

import errno
import os
import tempfile
from pathlib import Path

import pytest

from tests.support.webui.fake_webui import curate, needs_a_model, ours, score_of, settings_of, with_script

rejects = ours("script.rejects")

TRUE_LOOP = True


def seeds(names):
    return sorted(int(name.split("-")[1].split(".")[0]) for name in names)


@pytest.fixture
def other_disk(monkeypatch):
    """Every folder called "rejects" is on another disk."""
    link = os.link

    def far(source, target, **named):
        if ("rejects" in Path(source).parts) != ("rejects" in Path(target).parts):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        link(source, target, **named)

    monkeypatch.setattr(os, "link", far)
    monkeypatch.setattr(os, "supports_follow_symlinks", {*os.supports_follow_symlinks, far})
    for name in ("rename", "replace"):
        monkeypatch.setattr(Path, name, _stays_on_its_disk(getattr(Path, name)))


def _stays_on_its_disk(move):
    def moved(source, target):
        if ("rejects" in source.parts) != ("rejects" in Path(target).parts):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return move(source, target)

    return moved


def test_rejects_on_another_disk_are_copied_and_then_gone_from_where_they_were(host, scorer, other_disk):
    host.shared.opts.save_txt = True
    result = curate(host, {"keep_best": 1, "keep_scope": "job"}, n_iter=4, seed=11)
    files = host.files(host.samples)
    rejected = [name for name in files if name.startswith("rejects/")]
    assert len(files) == 8 and len(rejected) == 6 and "stays where it is" not in result.comments
    assert not [path for path in host.samples.rglob("*") if path.name.startswith(".")]
    for path in host.samples.rglob("*.png"):
        assert settings_of(path)["Seed"] in path.name


def test_a_rejects_folder_that_leads_to_another_disk(one_host, scorer, tmp_path):
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second disk: /dev/shm")
    with tempfile.TemporaryDirectory(dir=memory) as far:
        one_host.samples.mkdir(parents=True)
        (one_host.samples / "rejects").symlink_to(far, target_is_directory=True)
        curate(one_host, {"keep_best": 1, "keep_scope": "job"}, n_iter=4, seed=11)
        assert len(list(Path(far).glob("*.png"))) == 3 and len(list(one_host.samples.glob("*.png"))) == 1
        for path in (*Path(far).iterdir(), *one_host.samples.glob("*.png")):
            assert settings_of(path)["Seed"] in path.name


def test_a_disk_that_gives_back_other_bytes_costs_no_picture(tmp_path, other_disk, monkeypatch):
    from imagereward_core.library.journal import Refused, files

    picture = tmp_path / "1.png"
    picture.write_bytes(b"picture")
    monkeypatch.setattr(files, "read_mark", lambda path: files.Mark(7, 0, "other"))
    with pytest.raises(Refused, match="gave back other bytes"):
        rejects.move([picture], tmp_path / "rejects" / "1.png")
    assert picture.read_bytes() == b"picture"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [picture]


def test_a_picture_still_being_written_is_not_moved_to_another_disk(tmp_path, other_disk, monkeypatch):
    from imagereward_core.library.journal import Refused, files

    picture = tmp_path / "1.png"
    picture.write_bytes(b"picture")
    rename_new = files.rename_new

    def written_to(source, target):
        rename_new(source, target)
        picture.write_bytes(b"picture and more")

    monkeypatch.setattr(files, "rename_new", written_to)
    monkeypatch.setattr("imagereward_core.library.journal.changes.files.rename_new", written_to)
    with pytest.raises(Refused, match="still writing"):
        rejects.move([picture], tmp_path / "rejects" / "1.png")
    assert [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()] == [b"picture and more"]


def disk_full(host, monkeypatch, *, but=()):
    """From now on the host can save nothing, but in folders of these names."""
    save = host.images.save_image

    def full(image, path, *arguments, **named):
        if not set(but) & set(Path(path).parts):
            raise OSError(errno.ENOSPC, "No space left on device")
        return save(image, path, *arguments, **named)

    monkeypatch.setattr(host.images, "save_image", full)


def test_what_cannot_be_saved_is_shown_and_the_search_for_more_ends(host, scorer, monkeypatch):
    disk_full(host, monkeypatch, but=("grids",))
    settings = {"keep_best": 1, "until": 20, "until_pictures": 100}
    result = curate(host, settings, batch_size=3, seed=5)
    assert len(result.all_seeds) == 3 and host.files(host.samples) == []
    assert "No space left" in result.comments and "a picture could not be saved" in result.comments
    values = [score_of(image) for image in result.images[1:]]
    assert values[1:] == sorted(values[1:], reverse=True) and values[0] == max(values)


def test_a_search_ends_and_shows_what_a_disk_that_fills_up_could_not_take(host, scorer, monkeypatch):
    with_script(host)
    save, saved = host.images.save_image, []

    def fills_up(image, path, *arguments, **named):
        if not named.get("grid"):
            saved.append(image)
            if len(saved) > 4:
                raise OSError(errno.ENOSPC, "No space left on device")
        return save(image, path, *arguments, **named)

    monkeypatch.setattr(host.images, "save_image", fills_up)
    settings = {"min_score": "9", "until": 5, "until_pictures": 100}
    result = curate(host, settings, batch_size=2, seed=5)
    on_disk = {int(settings_of(path)["Seed"]) for path in host.samples.rglob("*.png")}
    assert on_disk | set(result.all_seeds) == {5, 6, 7, 8, 9, 10} and {9, 10} <= set(result.all_seeds)


def test_a_rejects_folder_that_cannot_be_written_costs_no_picture(host, scorer, monkeypatch):
    host.samples.mkdir(parents=True)
    (host.samples / "rejects").write_text("a file in the way")
    result = curate(host, {"keep_best": 1}, batch_size=3, seed=5)
    assert seeds(name for name in host.files(host.samples) if name != "rejects") == [5, 6, 7]
    assert "saved as without the extension" in result.comments
    assert "The others are in" not in result.comments


class Previews:
    """A script that saves pictures beside the host's, as ADetailer does."""

    def __init__(self, host):
        class Made(host.scripts.Script):
            def title(self):
                return "Previews"

            def postprocess_image(self, p, pp):
                seed, prompt = p.seeds[p.batch_index], p.prompts[p.batch_index]
                host.images.save_image(
                    pp.image,
                    p.outpath_samples,
                    "",
                    seed,
                    prompt,
                    "png",
                    info="a preview",
                    p=p,
                    suffix="-preview",
                )

        host.add(Made())


@pytest.mark.parametrize("scope", ["batch", "job"])
@pytest.mark.parametrize("wanted", [True, False])
def test_what_belongs_to_a_rejected_picture_goes_with_it_by_choice(host, scorer, wanted, scope):
    from PIL import Image

    host.shared.opts.save_mask = host.shared.opts.save_txt = True
    Previews(host)
    settings = {"keep_best": 1, "keep_scope": scope, "companions": wanted}
    mask = Image.new("L", (64, 64), 255)
    result = curate(host, settings, batch_size=2, n_iter=2, mask_for_overlay=mask, seed=11)
    kept, names = set(result.all_seeds), host.files(host.samples)
    assert len(names) == 3 * 4 * 2 and len(kept) == (2 if scope == "batch" else 1)
    for name in names:
        seed = int(name.rpartition("/")[2].split("-")[1].split(".")[0])
        is_picture = not any(suffix in name for suffix in ("-mask", "-preview"))
        assert name.startswith("rejects/") == (seed not in kept and (is_picture or wanted)), name


def test_a_first_pass_goes_with_the_picture_that_was_made_from_it(host, scorer):
    needs_a_model(host)
    host.shared.opts.save_images_before_highres_fix = True
    settings = {"keep_best": 2, "gate_hires": True}
    host.convention.hires_level = lambda seed: 0.9 if seed == 5 else 0.1
    result = curate(host, {**settings, "min_score": "0"}, batch_size=4, seed=5, enable_hr=True)
    assert result.all_seeds == [5]
    copies = [name for name in host.files(host.samples) if "before-highres" in name]
    assert len(copies) == 2
    assert {name.startswith("rejects/") for name in copies if "-5-" in name} == {False}
    assert {name.startswith("rejects/") for name in copies if "-5-" not in name} == {True}
