"""Tables of ComfyUI nodes by name: data only.

Nodes that are not here are followed by the names of their inputs.

Names were read from ComfyUI itself and from the packs Efficiency Nodes, Impact Pack, WAS Node Suite, Custom
Scripts, KJNodes, Easy Use, Comfyroll, rgthree, smZNodes, Prompt Control and Dynamic Prompts.
"""

from __future__ import annotations

import re
from typing import NamedTuple

REROUTE = "Reroute"

# The way from the saved picture back to the sampler.

IMAGE_INPUT = re.compile(r"images?([_\d]|$)|frames$|pixels$")
"""Inputs that make a node without consumers a node that saves or shows a picture."""

SAVER = re.compile(r"save|saver|videocombine|video_?write", re.IGNORECASE)
VIEWER = re.compile(r"preview|compare|show|display|view", re.IGNORECASE)

PREFIXES = ("filename_prefix", "save_prefix", "file_prefix", "prefix", "filename", "file_name")
"""Inputs of such nodes that hold the beginning of a file's name."""
COUNTED = frozenset("SaveImage PreviewImage SaveAnimatedWEBP SaveAnimatedPNG SaveVideo SaveWEBM".split())
"""Those of ComfyUI itself: a file's name always is the prefix and ``_00001_``."""
OUTPUT_FOLDER = "output"
"""What the folder is called into which ComfyUI saves."""

NOT_PICTURE = frozenset(
    "model clip vae positive negative conditioning control_net controlnet clip_vision style_model mask masks "
    "clip_vision_output segs upscale_model sampler sigmas noise guider seed noise_seed steps cfg denoise "
    "width height text prompt detailer_pipe bbox_detector sam_model_opt segm_detector_opt opt_model opt_clip "
    "lora_stack optional_vae reference_image ipadapter filename_prefix".split()
)
"""Inputs that carry no part of the picture itself: not followed while looking for the sampler."""

SAMPLER = re.compile(r"sampler|sampling|detailer|sdupscale", re.IGNORECASE)
SAMPLER_INPUTS = frozenset("sampler_name steps noise_seed sigmas latent_image denoise".split())
PICTURE_TAKEN = ("image", "images", "image_frames", "upscaled_image")
"""Samplers with one of these connected refine a finished picture (detailers, tiled upscalers)."""

SETTINGS = {
    "seed": "Seed",
    "noise_seed": "Seed",
    "steps": "Steps",
    "cfg": "CFG scale",
    "sampler_name": "Sampler",
    "scheduler": "Schedule type",
    "denoise": "Denoising strength",
}
"""Inputs of samplers and the WebUI's names for them."""

# The way from the sampler to the words.

GUIDES = ("guider", "conditioning", "positive", "negative", "cond", "cond1")
"""Inputs through which a sampler is told what to draw, besides the pipes below."""

PIPES = re.compile(r"(\w*_)?(pipe|ctx|context|sdxl_tuple|text_embeds)(_?\d+|_opt)?$")
"""Bundles that carry a positive and a negative conditioning among other things."""

ROLE_FIELDS = {
    role: re.compile(
        rf"({first})(_?\d+|_prompt|_text|_populated_text|_cond|_conditioning|_g|_l)?$"
        rf"|(text|prompt|base|optional|conditioning|cond|clip|opt)_({second})(_[gl]|_\d+)?$"
    )
    for role, first, second in (
        ("positive", "positive|pos", "positive|pos"),
        ("negative", "negative|neg|uncond", "negative|neg"),
    )
}
"""Inputs of nodes that carry both prompts."""

DISLIKED = re.compile(r"neg|nag_|uncond")
"""Inputs of any kind for what a picture should not show."""

CONDITIONING = re.compile(r"(conditioning|cond)(_?\d+|_to|_from|_[a-z])?$")
EMPTY = frozenset({"ConditioningZeroOut"})
MIXED = {"ConditioningAverage": ("conditioning_to_strength", "conditioning_to", "conditioning_from")}
"""Mixers of two conditionings: the input with the first one's share, the first and the second."""
WEIGHTED = re.compile(r"ConditioningSet(Mask|Area)")
"""Nodes whose conditioning counts for nothing where their strength is 0."""
POSITIVE_ONLY = frozenset({"BasicGuider"})
"""Nodes with one conditioning that is the positive one: they hold no negative prompt."""

TEXT_FIELDS: dict[str, tuple[tuple[str, ...], ...]] = {
    # Alternatives, best first; the fields of one alternative belong together.
    "CLIPTextEncodeSDXL": (("text_g", "text_l"),),
    "smZ CLIPTextEncode": (("text",), ("text_g", "text_l")),
    "SDXL Power Prompt - Positive (rgthree)": (("prompt_g", "prompt_l"),),
    "SDXL Power Prompt - Simple / Negative (rgthree)": (("prompt_g", "prompt_l"),),
    "CLIPTextEncodeFlux": (("t5xxl",), ("clip_l",)),
    "CLIPTextEncodeSD3": (("t5xxl",), ("clip_g", "clip_l")),
    "CLIPTextEncodeHiDream": (("llama",), ("t5xxl",), ("clip_g", "clip_l")),
    "CLIPTextEncodeHunyuanDiT": (("mt5xl",), ("bert",)),
    "CLIPTextEncodeKandinsky5": (("qwen25_7b",), ("clip_l",)),
    "CLIPTextEncodeLumina2": (("user_prompt",),),
    "ImpactWildcardEncode": (("populated_text",), ("wildcard_text",)),
    "ImpactWildcardProcessor": (("populated_text",), ("wildcard_text",)),
    "PreviewAny": (("source",),),
    "WildcardPromptFromString": (("string",),),
}

TEXT_BY_SLOT = {"Text String": ("text", "text_b", "text_c", "text_d")}
"""Nodes that pass several texts through, one per output."""

GUESSED_TEXT = "text, as it seems"
"""Stands for the name of the input that holds the only words among a node's values, where nobody names them."""

SHOWN_TEXT = "text, as shown"
"""Stands for the name of an input that holds what a node showed when the picture was made."""
SHOWS = re.compile(
    r"(show|display|preview|view)[a-z]*[ _]?(the[ _])?(text|string|any|prompt)"
    r"|(text|string|prompt)[ _]?(show|display|preview|view)",
    re.IGNORECASE,
)
"""Nodes that show the text they are given and hand it on; most packs have one."""


class Lines(NamedTuple):
    """A node that hands on lines of a text, as a list; by the names of its inputs, empty where it has none.

    Attributes:
        start, most: The number of the first line taken, from 0, without which all are; and the most lines taken, else one.
        wraps: Whether numbers beyond the last line begin again, instead of standing for the last.
        without_blank: The switch that leaves blank lines out.
        blocks: The switch for which a line that begins with ``#`` starts a block of lines.
        only: The switch without which the text is not taken apart.
        around: What stands before and after each line, in the first output.
    """

    text: str
    start: str = ""
    most: str = ""
    wraps: bool = False
    without_blank: str = ""
    blocks: str = ""
    only: str = ""
    around: tuple[str, ...] = ()


LINES = {
    "easy promptLine": Lines("prompt", "start_index", "max_rows", without_blank="remove_empty_lines"),
    "easy wildcards": Lines("text", only="multiline_mode"),
    "CR Text List": Lines("multiline_text", "start_index", "max_rows"),
    "CR Prompt List": Lines(
        "multiline_text", "start_index", "max_rows", around=("prepend_text", "append_text")
    ),
    "ttN textCycleLine": Lines("text", "index"),
    "ImpactStringSelector": Lines("strings", "select", wraps=True, blocks="multiline"),
    "Text Random Line": Lines("text"),
}
LISTS = {"easy promptList": re.compile(r"prompt_\d+$|optional_prompt_list$")}
"""Nodes that hand on their texts one by one, as a list."""
LINE_INPUT = re.compile(r"(start|line|row|prompt|text)_?(index|number)$|index$|max_(rows|lines)$|(line|row)$")
"""Inputs that show that a node nobody has listed takes single lines out of its text."""

TEXT_INPUTS = (
    "populated_text text prompt string value text_input input_text multiline_text user_prompt t5xxl text_g "
    "text_l clip_l wildcard_text strings text_list string_list caption tags content anything any input source"
).split() + [GUESSED_TEXT]
"""Inputs that hold or bring words on nodes that are not listed above, best first."""

PROMPT_FIELD = re.compile(
    r"(populated_|wildcard_|multiline_|user_|positive_|pos_|input_)?(text|prompt)(_(g|l|[ab1]|input|positive|pos))?$|t5xxl$|clip_[lg]$"
    r"|(string|value|positive)$"
)
"""Inputs whose text, where it is empty, says that there is no prompt."""
NO_WORDS = frozenset("model clip vae image images latent latent_image samples mask control_net".split())
"""Inputs behind which no words of the prompt are looked for."""

TEXT_FAMILY = re.compile(r"(text|string|str|prompt|part|input|any|value)(_[a-z]|_?\d+)$")
"""Numbered inputs (``text_a``, ``string2``, ``prompt_1``): concatenated, in order."""

DELIMITERS = ("delimiter", "separator", "join_with")
APPENDED = (("prefix", True), ("prepend_text", True), ("suffix", False), ("append_text", False))
"""Inputs whose words stand before (True) or after (False) the node's text."""

SWITCHES: dict[str, tuple[str, tuple[str, ...]]] = {
    # class: (input that selects, inputs selected by 0, 1, 2, ... or by false, true)
    "ComfySwitchNode": ("switch", ("on_false", "on_true")),
    "easy ifElse": ("boolean", ("on_false", "on_true")),
    "ImpactConditionalBranch": ("cond", ("ff_value", "tt_value")),
    "Text Input Switch": ("boolean", ("text_b", "text_a")),
}
SELECTORS = ("select", "Input", "index")
"""Inputs that say which of the numbered inputs of any other switch is taken."""
FIRST_OF = re.compile(r"any switch|context switch|conditioningswitch|coalesce", re.IGNORECASE)
"""Switches that take the first input that is connected."""

MODEL_ENDINGS = (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".sft", ".onnx")
FILE_ENDINGS = (*MODEL_ENDINGS, *".json .yaml .txt .csv .png .jpg .jpeg .webp .mp4 .gif".split())
TEXT_TYPES = ("CONDITIONING", "STRING")
TEXT_NODE = re.compile(r"text|prompt|string", re.IGNORECASE)
"""Outputs and classes by which a node in the editor's file is known to hold words."""

# Notes for the reader.

ENCODER = re.compile(
    r"text_?encode|power prompt|wildcardencode|textencode|prompttoconditioning", re.IGNORECASE
)
REWRITER = re.compile(
    r"ollama|llm|vlm|llama|llava|gpt|gemini|claude|deepseek|mistral|glm|smol|phi_?\d|moondream|florence|caption|interrogat"
    r"|superprompt|promptgen|promptenhanc|translat|qwen_?\d*_?vl|qwenimage2prompt|vqa|blip|tagger|chat"
    r"|image_?(to|2)_?(prompt|text)",
    re.IGNORECASE,
)
DETECTOR = re.compile(
    r"segment|clip_?seg|segs?\b|detect|dino|grounding|florence|yolo|owl_?v|moondream|matting|rembg|rmbg|LayerMask"
    r"|(?<![a-z])(evf|lang)?[ _-]?sam(?![a-z])|(?<![a-z])evf_?sam",
    re.IGNORECASE,
)
"""Nodes whose words say what to find in a picture."""
RESHAPER = re.compile(r"truncat|shuffle|sort|split|extract|slice|json|regex_?match", re.IGNORECASE)
"""Nodes that hand on something else than the text they are given."""
RANDOM = re.compile(r"DPRandom|DPCombin|wildcard|random", re.IGNORECASE)
STYLER = re.compile(r"styler|stylesselector", re.IGNORECASE)

# The order of widgets in the editor's files.

_KSAMPLER = ("seed", "steps", "cfg", "sampler_name", "scheduler", "denoise")
_EFFICIENT = tuple(
    "ckpt_name vae_name clip_skip lora_name lora_model_strength lora_clip_strength positive negative".split()
)
_SDXL_SIZES = ("width", "height", "crop_w", "crop_h", "target_width", "target_height")

WIDGETS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("KSampler", "KSampler (Efficient)"), _KSAMPLER),
    **dict.fromkeys(
        ("CLIPTextEncode", "Text Multiline", "CR Text", "ttN text", "JWStringMultiline"), ("text",)
    ),
    **dict.fromkeys(("CR Prompt Text", "Power Prompt (rgthree)"), ("prompt",)),
    **dict.fromkeys(("PrimitiveNode", "PrimitiveString", "PrimitiveStringMultiline"), ("value",)),
    **dict.fromkeys(("SetNode", "GetNode"), ("label",)),
    **dict.fromkeys(("StringTrim", "CaseConverter"), ("string", "mode")),
    **dict.fromkeys(
        ("ImpactWildcardEncode", "ImpactWildcardProcessor"), ("wildcard_text", "populated_text", "mode")
    ),
    "KSamplerAdvanced": ("add_noise", "noise_seed", "steps", "cfg", "sampler_name", "scheduler"),
    "SamplerCustom": ("add_noise", "noise_seed", "cfg"),
    "RandomNoise": ("noise_seed",),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "UNETLoader": ("unet_name", "weight_dtype"),
    "LoraLoader": ("lora_name", "strength_model", "strength_clip"),
    "LoraLoaderModelOnly": ("lora_name", "strength_model"),
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "CLIPTextEncodeSDXL": (*_SDXL_SIZES, "text_g", "text_l"),
    "CLIPTextEncodeSDXLRefiner": ("ascore", "width", "height", "text"),
    "CLIPTextEncodeFlux": ("clip_l", "t5xxl", "guidance"),
    "CLIPTextEncodeSD3": ("clip_l", "clip_g", "t5xxl", "empty_padding"),
    "BNK_CLIPTextEncodeAdvanced": ("text", "token_normalization", "weight_interpretation"),
    "Efficient Loader": _EFFICIENT,
    "WanVideoTextEncode": ("positive_prompt", "negative_prompt"),
    "StringConcatenate": ("string_a", "string_b", "delimiter"),
    "StringReplace": ("string", "find", "replace"),
    "StringSubstring": ("string", "start", "end"),
    "ConditioningAverage": ("conditioning_to_strength",),
    "easy promptLine": ("prompt", "start_index", "max_rows", "remove_empty_lines"),
    "easy promptList": ("prompt_1", "prompt_2", "prompt_3", "prompt_4", "prompt_5"),
    "CR Prompt List": ("prepend_text", "multiline_text", "append_text", "start_index", "max_rows"),
    "CR Text List": ("multiline_text", "start_index", "max_rows"),
    "ttN textCycleLine": ("text", "index", "index_control"),
    "ImpactStringSelector": ("strings", "multiline", "select"),
    "StringFunction|pysssss": ("action", "tidy_tags", "text_a", "text_b", "text_c"),
    "String Literal": ("string",),
    "Text String": ("text", "text_b", "text_c", "text_d"),
    "easy positive": ("positive",),
    "easy negative": ("negative",),
    "DPRandomGenerator": ("text", "seed", "autorefresh"),
    "Text Concatenate": ("delimiter", "clean_whitespace"),
    "Text Find and Replace": ("find", "replace"),
    "JoinStrings": ("delimiter",),
    "SDXLPromptStyler": ("text_positive", "text_negative", "style"),
    "SaveImage": ("filename_prefix",),
}
