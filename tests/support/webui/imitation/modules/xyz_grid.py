"""The plot: one run per cell, of a copy of p, of which the first picture is shown."""

from collections import namedtuple
from copy import copy

from PIL import Image

from modules import images, scripts, shared
from modules import processing as host

AxisInfo = namedtuple("AxisInfo", ["axis", "values"])


class AxisOption:
    def __init__(
        self, label, type, apply, format_value=None, confirm=None, cost=0.0, choices=None, prepare=None
    ):
        self.label, self.type, self.apply, self.cost, self.choices = label, type, apply, cost, choices
        self.confirm, self.prepare, self.format_value = confirm, prepare, format_value


def _field(name):
    return lambda p, x, xs: setattr(p, name, x)


axis_options = [
    AxisOption("Nothing", str, lambda p, x, xs: None),
    AxisOption("Seed", int, _field("seed")),
    AxisOption("Steps", int, _field("steps")),
]


class Script(scripts.Script):
    args_from, args_to = 1, 5

    def title(self):
        return "X/Y/Z plot"

    def run(self, p, x_label, xs, y_label, ys):
        options = {option.label: option for option in axis_options}
        x_opt, y_opt = options[x_label], options[y_label]
        xs, ys = [x_opt.type(x) for x in xs], [y_opt.type(y) for y in ys]
        shared.state.xyz_plot_x, shared.state.xyz_plot_y = AxisInfo(x_opt, xs), AxisInfo(y_opt, ys)
        shared.state.xyz_plot_z = AxisInfo(axis_options[0], [0])
        total = len(xs) * len(ys)
        result = None
        for iy, y in enumerate(ys):
            for ix, x in enumerate(xs):
                at = ix + iy * len(xs)
                shared.state.job = f"{at + 1} out of {total}"
                cell = copy(p)
                cell.styles = cell.styles[:]
                x_opt.apply(cell, x, xs)
                y_opt.apply(cell, y, ys)
                try:
                    processed = host.process_images(cell)
                except Exception:
                    processed = host.Processed(p, [], p.seed, "")
                if result is None:
                    result = copy(processed)
                    result.images, result.infotexts = [None] * total, [None] * total
                found = processed.images[0] if processed.images else Image.new("RGB", (p.width, p.height))
                result.images[at] = found
                result.infotexts[at] = processed.infotexts[0] if processed.images else None
        grid = images.image_grid(result.images, rows=len(ys))
        result.images.insert(0, grid)
        result.infotexts.insert(0, result.infotexts[0])
        result.index_of_first_image = 1
        if shared.opts.grid_save:
            images.save_image(
                grid, p.outpath_grids, "xyz_grid", info=result.infotexts[0], prompt="", grid=True, p=result
            )
        return result
