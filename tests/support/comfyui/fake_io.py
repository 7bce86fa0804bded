"""What the nodes use of ``comfy_api.latest``, with the strictness of either host: the old one refuses what it does not know."""

from __future__ import annotations

import enum
import inspect
import types
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path

from PIL import Image as PillowImage


class FolderType(str, enum.Enum):
    input = "input"
    output = "output"
    temp = "temp"


class Hidden(str, enum.Enum):
    unique_id = "UNIQUE_ID"
    prompt = "PROMPT"
    extra_pnginfo = "EXTRA_PNGINFO"


class NodeOutput:
    def __init__(self, *args, ui=None, expand=None, block_execution=None):
        self.args, self.ui, self.expand, self.block_execution = args, ui, expand, block_execution

    @property
    def result(self):
        return self.args or None


def _input_class(io_type, widgets, recent):
    """An Input class that takes exactly the arguments the host's takes."""
    allowed = ["display_name", "optional", "tooltip", "lazy", *widgets, *(["advanced"] if recent else [])]

    class Input:
        def __init__(self, id, **given):
            unknown = set(given) - set(allowed)
            if unknown:
                raise TypeError(
                    f"{io_type}.Input.__init__() got an unexpected keyword argument {sorted(unknown)[0]!r}"
                )
            self.id, self.io_type, self.given = id, io_type, given
            self.optional = bool(given.get("optional"))

    parameters = [inspect.Parameter("id", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    parameters += [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in allowed]
    Input.__signature__ = inspect.Signature(parameters)
    return Input


class Output:
    def __init__(self, id=None, display_name=None, tooltip=None, is_output_list=False):
        self.id, self.display_name, self.tooltip, self.is_output_list = (
            id,
            display_name,
            tooltip,
            is_output_list,
        )


def _type(io_type, widgets=(), recent=False):
    output = type("Output", (Output,), {"io_type": io_type})
    return types.SimpleNamespace(Input=_input_class(io_type, widgets, recent), Output=output, io_type=io_type)


WIDGET = ["default", "socketless"]
NUMBER = [*WIDGET, "force_input", "min", "max", "step", "display_mode"]


def _check(schema, recent):
    inputs = [each.id for each in schema.inputs or []]
    outputs = [each.id for each in schema.outputs or [] if each.id is not None]
    if len(set(inputs)) != len(inputs) or len(set(outputs)) != len(outputs):
        raise ValueError(f"{schema.node_id}: ids must be unique")
    if not recent and set(inputs) & set(outputs):
        raise ValueError(
            f"Ids must be unique between inputs and outputs, but {set(inputs) & set(outputs)} are not."
        )


def make_io(recent):
    """The module ``io`` of a recent or an old host."""
    flags = [
        "is_input_list",
        "is_output_node",
        "is_deprecated",
        "is_experimental",
        "is_api_node",
        "not_idempotent",
    ]
    fields = [("node_id", str)]
    fields += [
        (name, object, field(default=None))
        for name in ("display_name", "category", "inputs", "outputs", "hidden")
    ]
    fields += [("description", str, field(default=""))] + [
        (name, bool, field(default=False)) for name in flags
    ]
    if recent:
        fields.append(("search_aliases", list, field(default_factory=list)))
    Schema = make_dataclass("Schema", fields)

    class ComfyNode:
        hidden = None

        @classmethod
        def GET_SCHEMA(cls):
            schema = cls.define_schema()
            _check(schema, recent)
            return schema

        @classmethod
        def PREPARE_CLASS_CLONE(cls, hidden):
            return type(cls.__name__, (cls,), {"hidden": hidden, "__setattr__": None})

    io = types.ModuleType("comfy_api.latest.io")
    io.Schema, io.ComfyNode, io.NodeOutput, io.FolderType = Schema, ComfyNode, NodeOutput, FolderType
    io.Hidden = Hidden
    io.Custom = lambda io_type: _type(io_type, recent=recent)
    for name, io_type, widgets in (
        ("Image", "IMAGE", []),
        ("Mask", "MASK", []),
        ("Latent", "LATENT", []),
        ("AnyType", "*", []),
        ("Int", "INT", [*NUMBER, "control_after_generate"]),
        ("Float", "FLOAT", [*NUMBER, "round"]),
        ("String", "STRING", [*WIDGET, "force_input", "multiline", "placeholder", "dynamic_prompts"]),
        ("Boolean", "BOOLEAN", [*WIDGET, "force_input", "label_on", "label_off"]),
        (
            "Combo",
            "COMBO",
            [*WIDGET, "options", "control_after_generate", "upload", "image_folder", "remote"],
        ),
    ):
        setattr(io, name, _type(io_type, widgets, recent))
    return io


class SavedResult(dict):
    def __init__(self, filename, subfolder, type):
        super().__init__(filename=filename, subfolder=subfolder, type=type.value)


@dataclass
class SavedImages:
    results: list

    def as_dict(self):
        return {"images": self.results}


class PreviewImage:
    """Saves into the host's folder for temporary files, as the real one does."""

    number = 0

    def __init__(self, image, cls=None):
        import folder_paths

        self.values = []
        for picture in image:
            PreviewImage.number += 1
            name = f"ComfyUI_temp_{PreviewImage.number:05}_.png"
            levels = (picture.cpu().numpy() * 255.0).clip(0, 255).astype("uint8")
            PillowImage.fromarray(levels).save(Path(folder_paths.get_temp_directory()) / name)
            self.values.append(SavedResult(name, "", FolderType.temp))

    def as_dict(self):
        return {"images": self.values, "animated": (False,)}


class ComfyExtension:
    async def get_node_list(self):
        raise NotImplementedError
