"""Save Scored Images: files named by score, the score in their metadata, kept and rejected apart. Nothing is ever overwritten."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from .carried import pictures_of
from .host.errors import GraphError, choice
from .host.outputs import listed, one, tell_on_node, watched
from .links import ChosenBatch, one_scored
from .schema import SCORES, SELECTION, changed_pictures, dropdown, entry, output, schema

FORMATS = ("png", "webp (lossless)", "webp")
APART, SKIP = "save apart", "do not save"
NO_TEXT, WITH_TEXT = "none", "prompt and score"
TEXTS = (NO_TEXT, WITH_TEXT)
NOT_CONNECTED = "not connected"
PREFIX = "ImageReward/%rank%_%score%_%scorer%"


class SaveScored(io.ComfyNode):
    """Saves pictures with their scores."""

    @classmethod
    def define_schema(cls) -> Any:
        """See the host's V3 schema."""
        return schema(
            "SaveScored",
            "Save Scored Images",
            "Saves pictures in ComfyUI's output folder with the score in the file name and in the metadata, beside the workflow. With a "
            "selection, kept and rejected pictures go to folders of their own. Existing files are never overwritten.",
            [
                entry(io.Image, "images", "The pictures that were scored."),
                entry(SCORES, "scores", "Their scores."),
                entry(
                    SELECTION,
                    "selection",
                    "From Filter by Score, together with all images and scores: saves kept and rejected pictures apart.",
                    optional=True,
                ),
                entry(
                    io.String,
                    "filename_prefix",
                    "Folders and file name inside the output folder. %rank% %score% %scorer% %percentile% %index% %frame% "
                    "%verdict% are filled in, and all that Save Image knows: %date:yyyy-MM-dd%, %width%, a widget of a node by its name "
                    "and a dot. Folders below take them as well.",
                    default=PREFIX,
                ),
                dropdown("format", FORMATS, "The format of the files."),
                entry(
                    io.Int,
                    "quality",
                    "Quality of webp files that are not lossless.",
                    default=90,
                    min=1,
                    max=100,
                    folded=True,
                ),
                entry(
                    io.String,
                    "kept_folder",
                    "With a selection: the folder for kept pictures, inside that of the prefix.",
                    default="kept",
                ),
                entry(
                    io.String,
                    "rejected_folder",
                    "With a selection: the folder for rejected pictures, inside that of the prefix.",
                    default="rejected",
                ),
                dropdown(
                    "rejected", [APART, SKIP], "With a selection: whether rejected pictures are saved at all."
                ),
                entry(
                    io.Boolean,
                    "score_metadata",
                    "Adds the scores to the metadata, under names that galleries read; prompt and workflow are written as always.",
                    default=True,
                ),
                changed_pictures(),
                dropdown(
                    "text_file",
                    TEXTS,
                    "none, or prompt and score: a text file beside each picture, with its prompt and, below it, its scores. Beside "
                    "a clip there is one, with its first frame.",
                    optional=True,
                ),
            ],
            [output(io.String, "files", "The saved files, relative to the output folder.", many=True)],
            ("save image with score", "export best", "save kept and rejected"),
            is_input_list=True,
            is_output_node=True,
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(
        cls,
        filename_prefix: Any = PREFIX,
        kept_folder: Any = "",
        rejected_folder: Any = "",
        selection: Any = NOT_CONNECTED,
    ) -> Any:
        """Refuses names with a token that nobody knows before anything is made; folders count with a selection alone."""
        from .tokens import known_words, unknown_tokens

        texts = {"filename_prefix": filename_prefix}
        if selection != NOT_CONNECTED:
            texts |= {"kept_folder": kept_folder, "rejected_folder": rejected_folder}
        unknown = [
            f"{token} in {field}"  # the page shows the message at every input that is looked at here
            for field, text in texts.items()
            for token in dict.fromkeys(unknown_tokens(str(one(text) or "")))
        ]
        if not unknown:
            return True
        verb = "is" if len(unknown) == 1 else "are"
        return f"{', '.join(unknown)} {verb} not known. These are filled in: {known_words()}."

    @classmethod
    def execute(
        cls,
        images: Any,
        scores: Any,
        selection: Any = None,
        filename_prefix: Any = PREFIX,
        format: Any = "png",
        quality: Any = 90,
        kept_folder: Any = "kept",
        rejected_folder: Any = "rejected",
        rejected: Any = APART,
        score_metadata: Any = True,
        changed_pictures: Any = False,
        text_file: Any = NO_TEXT,
    ) -> Any:
        """Saves."""
        import folder_paths
        from comfy.cli_args import args
        from comfy.model_management import throw_exception_if_processing_interrupted

        from .files import Naming, Writer, metadata_of, text_of
        from .tokens import HostTokens

        scored = one_scored(scores)
        shown = pictures_of(scored, images, bool(one(changed_pictures)))
        choices = one(selection)
        if choices is not None and not isinstance(choices, ChosenBatch):
            raise GraphError("selection is something else; connect the selection output of Filter by Score")
        skip = choice("rejected", one(rejected), (APART, SKIP)) == SKIP
        if choices is not None:
            choices.check(scored)
        host = HostTokens.of(cls.hidden)
        naming = Naming(scored, one(filename_prefix), choices, one(kept_folder), one(rejected_folder), host)
        if host.unfilled:
            tell_on_node(getattr(cls.hidden, "unique_id", None), " ".join(host.unfilled))
        texts = choice("text_file", one(text_file), TEXTS) != NO_TEXT
        writer = Writer(
            folder_paths.get_output_directory(), choice("format", one(format), FORMATS), int(one(quality))
        )
        extra = None if args.disable_metadata else (cls.hidden.prompt, cls.hidden.extra_pnginfo)
        saved = []
        order = scored.scores.order().tolist()
        for index in watched([each for each in order if naming.kept[each] or not skip]):
            fields = (
                metadata_of(scored, index, choices)
                if one(score_metadata) and not args.disable_metadata
                else {}
            )
            text = text_of(scored, index, choices) if texts else ""
            each = shown.singles[index]
            for frame, picture in enumerate(each if scored.clips else [each]):
                throw_exception_if_processing_interrupted()
                name = naming.of(index, picture, frame)
                saved.append(writer.save(picture, name, extra, fields, text if frame == 0 else ""))
        results = [ui.SavedResult(path.name, folder, io.FolderType.output) for path, folder in saved]
        names = [f"{folder}/{path.name}" if folder else path.name for path, folder in saved]
        return io.NodeOutput(listed(names), ui=ui.SavedImages(results))


NODES = [SaveScored]
