"""The host's nodes that draw the examples' pictures, as far as the examples use them, for runs without a host."""

import torch
from comfy_api.latest import ComfyExtension, io
from torch.nn.functional import conv2d, interpolate, pad


def _node(name, inputs, outputs, execute, is_output=False):
    """A node class from a function."""
    schema = io.Schema(node_id=name, inputs=inputs, outputs=outputs, is_output_node=is_output)
    return type(
        name,
        (io.ComfyNode,),
        {
            "define_schema": classmethod(lambda cls: schema),
            "execute": classmethod(lambda cls, **given: execute(**given)),
        },
    )


def _empty(width, height, batch_size, color):
    levels = [(color >> shift & 255) / 255 for shift in (16, 8, 0)]
    return io.NodeOutput(torch.tensor(levels).expand(batch_size, height, width, 3).clone())


def _paste(destination, source, x, y, resize_source):
    picture = destination.clone()
    picture[:, y : y + source.shape[1], x : x + source.shape[2]] = source
    return io.NodeOutput(picture)


def _scale(image, upscale_method, width, height, crop):
    channels = image.movedim(-1, 1)
    return io.NodeOutput(interpolate(channels, (height, width), mode=upscale_method).movedim(1, -1))


def _blur(image, blur_radius, sigma):
    at = torch.linspace(-1, 1, 2 * blur_radius + 1)  # as the host: sigma is relative to the radius
    line = torch.exp(-(at**2) / (2 * sigma**2))
    kernel = torch.outer(line, line)
    channels = pad(image.movedim(-1, 1), [blur_radius] * 4, mode="reflect")
    weights = (kernel / kernel.sum()).expand(3, 1, -1, -1)
    return io.NodeOutput(conv2d(channels, weights, groups=3).movedim(1, -1))


def _numbers(*names):
    return [io.Int.Input(name) for name in names]


IMAGE = io.Image.Output("picture")
NODES = [
    _node("EmptyImage", _numbers("width", "height", "batch_size", "color"), [IMAGE], _empty),
    _node(
        "ImageCompositeMasked",
        [
            io.Image.Input("destination"),
            io.Image.Input("source"),
            *_numbers("x", "y"),
            io.Boolean.Input("resize_source"),
        ],
        [IMAGE],
        _paste,
    ),
    _node("ImageInvert", [io.Image.Input("image")], [IMAGE], lambda image: io.NodeOutput(1 - image)),
    _node(
        "ImageScale",
        [
            io.Image.Input("image"),
            io.Combo.Input("upscale_method", options=["area", "nearest-exact"]),
            *_numbers("width", "height"),
            io.Combo.Input("crop", options=["disabled"]),
        ],
        [IMAGE],
        _scale,
    ),
    _node(
        "ImageBlur",
        [io.Image.Input("image"), *_numbers("blur_radius"), io.Float.Input("sigma")],
        [IMAGE],
        _blur,
    ),
    _node(
        "ImageBatch",
        [io.Image.Input("image1"), io.Image.Input("image2")],
        [IMAGE],
        lambda image1, image2: io.NodeOutput(torch.cat([image1, image2])),
    ),
    _node(
        "PreviewAny",
        [io.AnyType.Input("source")],
        [],
        lambda source: io.NodeOutput(ui={"text": [str(source)]}),
        is_output=True,
    ),
]


class Drawing(ComfyExtension):
    async def get_node_list(self):
        return NODES


def comfy_entrypoint():
    return Drawing()
