"""The X/Y/Z plot: axes for our settings, scores on cells, a table beside the grid."""

import csv
import types

import pytest
from PIL import ImageChops

from tests.support.webui.fake_webui import ours, score_of, with_script

xyz = ours("script.xyz")


@pytest.fixture
def plot(host, scorer, monkeypatch):
    """Runs a plot: plot(x label, x values, y label, y values, settings, options of p)."""
    import importlib

    module = importlib.import_module("modules.xyz_grid")
    monkeypatch.setitem(__import__("sys").modules, "modules.xyz_grid", module)
    host.scripts.scripts_data.append(types.SimpleNamespace(path="scripts/xyz_grid.py", module=module))
    script = with_script(host)
    host.callbacks.call("before_ui")
    host.add(module.Script(), selectable=True)

    def run(x, xs, y="Nothing", ys=("",), settings=None, **options):
        options = {"prompt": "a cat", "seed": 5, **options}
        arguments = {"enabled": True, **(settings or {})} if settings is not None else {}
        runner_arguments = (x, list(xs), y, list(ys))
        p = host.make(script=script, plot=runner_arguments, **options)
        shift = len(runner_arguments) + 1
        script.args_from, script.args_to = shift, shift + 1
        p.script_args = (1, *runner_arguments, arguments)
        p.scripts.selectable_scripts[0].args_from, p.scripts.selectable_scripts[0].args_to = 1, shift
        return host.run(p)

    run.module, run.host, run.scorer = module, host, scorer
    return run


def table(host):
    (path,) = (host.outputs / "grids").glob("xyz_grid*.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file)), path


def test_every_setting_has_an_axis_once(plot):
    plot.host.callbacks.call("before_ui")
    names = [option.label for option in plot.module.axis_options if option.label.startswith("[ImageReward]")]
    assert len(names) == len(set(names)) == len(ours("script.arguments").SETTINGS) - 1


def test_best_picture_of_a_cell_stands_for_it_and_not_its_grid(plot):
    result = plot("Seed", [5, 9], settings={}, batch_size=3)
    cells = result.images[1:]
    assert [image.size for image in cells] == [(64, 64)] * 2
    best = [max(range(seed, seed + 3), key=plot.host.convention.level) for seed in (5, 9)]
    assert [score_of(image) for image in cells] == pytest.approx(
        [4 * plot.host.convention.level(seed) - 2 for seed in best], abs=0.02
    )


def test_cells_are_labelled_in_the_grid_alone(plot):
    result = plot("Seed", [5, 9], settings={}, width=256, height=256)
    grid, *cells = result.images
    for at, cell in enumerate(cells):
        shown = grid.crop((256 * at, 0, 256 * (at + 1), 256))
        changed = ImageChops.difference(shown, cell.convert("RGB")).getbbox()
        assert changed is not None and changed[1] > 128, "the label is at the bottom"
        assert len(cell.getcolors()) == 1, "the picture itself has none"


def test_table_has_mean_and_spread_of_every_axis_value(plot):
    plot("Seed", [5, 20, 40], "Steps", [10, 30], settings={}, batch_size=2)
    rows, path = table(plot.host)
    assert path.with_suffix(".png").exists()
    assert [(row["axis"], row["setting"], row["value"], row["pictures"]) for row in rows] == [
        ("x", "Seed", "5", "4"),
        ("x", "Seed", "20", "4"),
        ("x", "Seed", "40", "4"),
        ("y", "Steps", "10", "6"),
        ("y", "Steps", "30", "6"),
    ]
    levels = [4 * plot.host.convention.level(seed) - 2 for seed in (5, 6)]
    assert float(rows[0]["mean"]) == pytest.approx(sum(levels) / 2, abs=0.02)
    assert float(rows[0]["best"]) == pytest.approx(max(levels), abs=0.02)
    assert float(rows[0]["spread"]) > 0


def test_two_plots_have_two_tables(plot):
    plot("Seed", [5, 9], settings={})
    plot("Seed", [50, 60, 70], settings={})
    assert len(list((plot.host.outputs / "grids").glob("xyz_grid*.csv"))) == 2


def test_table_is_found_whatever_the_pattern_calls_the_grid(plot):
    plot.host.shared.opts.save_images_add_number = False
    plot.host.shared.opts.samples_filename_pattern = "plot"
    folder = plot.host.outputs / "grids"
    folder.mkdir(parents=True)
    (folder / "00000.csv").write_text("the user's")
    plot("Seed", [5, 9], settings={}, do_not_save_samples=True)
    assert (folder / "00000.csv").read_text() == "the user's"
    assert [path.name for path in folder.glob("*.csv")] != ["00000.csv"]


def test_table_grows_with_every_further_grid_of_a_plot(plot):
    plot("Seed", [5, 9], settings={})
    _, path = table(plot.host)
    processed = types.SimpleNamespace(images=["grid"])
    axes = (
        plot.host.shared.state.xyz_plot_x,
        plot.host.shared.state.xyz_plot_y,
        plot.host.shared.state.xyz_plot_z,
    )
    assert xyz._table[-1].axes == axes
    xyz._table[-1].cells[1].append(1.0)
    plot.host.callbacks.call(
        "image_saved",
        plot.host.callbacks.ImageSaveParams(
            "grid", processed, str(path.with_name("xyz_grid_2-0000.png")), {}
        ),
    )
    again, same = table(plot.host)
    assert same == path and [row["pictures"] for row in again] == ["1", "2"]


def test_a_later_plot_without_scores_leaves_the_table_alone(plot):
    plot("Seed", [5, 9], settings={})
    _, path = table(plot.host)
    path.write_text("changed by its owner")
    plot("Seed", [50, 60])
    assert path.read_text() == "changed by its owner"
    assert len(list(path.parent.glob("*.csv"))) == 1


def test_axis_of_ours_switches_the_script_on_and_cells_do_not_leak(plot):
    result = plot("[ImageReward] Keep the best", [1, 2], settings={}, batch_size=3, do_not_save_grid=True)
    texts = result.infotexts[1:]
    assert "{'keep_best': 1}" in texts[0] and "{'keep_best': 2}" in texts[1]
    off = plot("Seed", [5], settings=None, batch_size=1)
    assert "ImageReward" not in off.infotexts[0]


def test_two_axes_of_ours_hold_together(plot):
    result = plot(
        "[ImageReward] Keep the best",
        [1, 2],
        "[ImageReward] Minimum score",
        ["-1", "0.5"],
        batch_size=2,
        settings={},
    )
    told = [text.partition("ImageReward Curator: ")[2].partition("}")[0] for text in result.infotexts[1:]]
    assert told == [
        f"\"{{'keep_best': {number}, 'min_score': '{score}'" for score in ("-1", "0.5") for number in (1, 2)
    ]


def test_toggle_axis_takes_the_words_of_the_plot(plot):
    result = plot("[ImageReward] Show percentiles beside scores", ["True", "False"], settings={})
    assert ["percentile" in text.replace("show_percentile", "") for text in result.infotexts[1:]] == [
        True,
        False,
    ]


def test_axis_value_that_means_nothing_is_refused_before_the_plot(plot):
    option = next(
        each for each in plot.module.axis_options if each.label == "[ImageReward] Minimum percentile"
    )
    option.confirm(None, [0.0, 100.0])
    with pytest.raises(RuntimeError, match="expected a number from 0 to 100"):
        option.confirm(None, [50.0, 500.0])


def test_cell_of_which_nothing_passes_still_has_its_best(plot):
    result = plot("Seed", [5, 9], settings={"min_score": "9"}, batch_size=2)
    assert all(image is not None and image.size == (64, 64) for image in result.images[1:])


def test_failing_cell_leaves_the_others_and_the_table(plot):
    plot.scorer.error = RuntimeError("lost")
    result = plot("Seed", [5, 9], settings={})
    assert len(result.images) == 3 and not list((plot.host.outputs / "grids").glob("*.csv"))


def test_ordinary_grid_has_no_labels(host, scorer):
    from tests.support.webui.fake_webui import curate

    result = curate(host, {}, batch_size=2, width=256, height=256)
    assert len(result.images[0].getcolors()) == 2


def test_copies_of_a_cell_keep_the_label_and_files_do_not(tmp_path):
    from PIL import Image

    image = Image.new("RGB", (64, 64))
    xyz.label(image, "0.5")
    copy = image.copy()
    assert xyz.labelled([copy])[0] is not copy
    assert not any(isinstance(value, str) for value in image.info.values()), "hosts write texts into files"


def test_label_fits_every_size_and_mode():
    from PIL import Image

    for mode, size in (("RGB", (64, 64)), ("RGBA", (32, 8)), ("L", (700, 300)), ("P", (16, 300))):
        image = Image.new(mode, size)
        xyz.label(image, "-0.1234")
        drawn = xyz.labelled([image])[0]
        assert drawn.size == size and drawn is not image and image.mode == mode
