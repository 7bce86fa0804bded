"""Pictures as each generator saves them: the same names, containers and encodings, made here.

Used by ``fuzz_metadata`` and by the test suite.
"""

from __future__ import annotations

import gzip
import json
from urllib.parse import quote

from PIL import Image, PngImagePlugin

XMP = "XML:com.adobe.xmp"


def small_picture(mode="RGB"):
    return Image.linear_gradient("L").resize((24, 18)).convert(mode)


def png(path, international=(), **texts):
    """A PNG with these texts; what is no text is written as JSON, and ``__`` in a name stands for ``-``."""
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        text = text if isinstance(text, str) else json.dumps(text)
        info.add_itxt(name, text) if name in international else info.add_text(name.replace("__", "-"), text)
    small_picture().save(path, pnginfo=info)
    return path


def exif_picture(path, comment=None, tags=None):
    """A JPEG, WebP or AVIF whose user comment is UTF-16 behind its label, as piexif writes it."""
    exif = Image.Exif()
    for tag, value in (tags or {}).items():
        exif[tag] = value
    if comment is not None:
        text = comment if isinstance(comment, str) else json.dumps(comment)
        exif[0x8769] = {0x9286: b"UNICODE\0" + text.encode("utf-16-be")}
    small_picture().save(path, exif=exif.tobytes())
    return path


A1111 = (
    "a red fox <lora:fur:0.8>, (sharp:1.2)\nNegative prompt: blurry\n"
    "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 12345, Size: 512x768, Model hash: abc, "
    'Model: dream, Lora hashes: "fur: 12ab, style: 34cd", Version: {version}'
)

SWARM = {
    "sui_image_params": {
        "prompt": "a red fox <lora:fur>",
        "negativeprompt": "blurry",
        "model": "OfficialStableDiffusion/sd_xl_base_1.0",
        "seed": 12345,
        "steps": 20,
        "cfgscale": 7.0,
        "width": 1024,
        "height": 768,
        "loras": ["style/ink.safetensors"],
        "loraweights": ["0.6"],
        "swarm_version": "0.9.3.1",
    },
    "sui_extra_data": {"date": "2024-11-13"},
}

FOOOCUS = {
    "prompt": "a red fox",
    "negative_prompt": "blurry",
    "full_prompt": ["a red fox, highly detailed"],
    "base_model": "juggernautXL_v8",
    "lora_combined_1": "sd_xl_offset : 0.1",
    "loras": [["sd_xl_offset", 0.1, "4852686128"]],
    "seed": "12345",
    "steps": 30,
    "guidance_scale": 4,
    "resolution": "(1152, 896)",
    "metadata_scheme": "fooocus",
    "version": "Fooocus v2.5.5",
}

RUINED = {
    "Prompt": "a red fox",
    "Negative": "blurry",
    "steps": 30,
    "cfg": 8.5,
    "width": 1152,
    "height": 896,
    "seed": 12345,
    "sampler_name": "dpmpp_2m_sde_gpu",
    "scheduler": "karras",
    "base_model_name": "sd_xl_base_1.0_0.9vae.safetensors",
    "loras": [["4852686128", "0.1 - sub\\offset-lora.safetensors"]],
    "software": "RuinedFooocus",
}

INVOKE = {
    "generation_mode": "sdxl_txt2img",
    "positive_prompt": "a red fox",
    "negative_prompt": "blurry",
    "width": 1024,
    "height": 1024,
    "seed": 12345,
    "steps": 35,
    "cfg_scale": 8.0,
    "scheduler": "euler",
    "model": {"key": "0c2f", "hash": "blake3:aa", "name": "juggernautXL", "base": "sdxl", "type": "main"},
    "loras": [{"model": {"key": "1", "name": "ink", "type": "lora"}, "weight": 0.7}],
    "app_version": "4.2.0",
}
INVOKE_3 = {
    **INVOKE,
    "model": {"model_name": "juggernautXL", "base_model": "sdxl"},
    "loras": [{"lora": {"model_name": "ink"}, "weight": 1}],
}
INVOKE_2 = {
    "model": "stable diffusion",
    "model_weights": "sd-v1-5",
    "model_hash": "cc6c",
    "app_version": "2.3.0",
    "image": {
        "prompt": [{"prompt": "a red fox [blurry]", "weight": 1.0}],
        "steps": 50,
        "cfg_scale": 7.5,
        "seed": 12345,
        "sampler": "k_lms",
        "width": 512,
        "height": 512,
    },
}
DREAM = '"a red fox, "posing" [blurry]" -s 50 -S 12345 -W 512 -H 768 -C 7.5 -A k_lms'

NOVELAI = {
    "prompt": "a red fox",
    "steps": 28,
    "height": 1216,
    "width": 832,
    "scale": 5.0,
    "seed": 12345,
    "sampler": "k_euler_ancestral",
    "uc": "blurry",
    "request_type": "PromptGenerateRequest",
}
NOVELAI_4 = {
    **NOVELAI,
    "v4_prompt": {
        "caption": {
            "base_caption": "two foxes, snow, ",
            "char_captions": [
                {"char_caption": "red fox", "centers": [{"x": 0.3, "y": 0.5}]},
                {"char_caption": "white fox", "centers": [{"x": 0.7, "y": 0.5}]},
            ],
        },
        "use_coords": False,
        "use_order": True,
    },
    "v4_negative_prompt": {"caption": {"base_caption": "blurry", "char_captions": []}},
}

EASY = {
    "prompt": "a red fox",
    "seed": 12345,
    "used_random_seed": True,
    "negative_prompt": "blurry",
    "num_inference_steps": 25,
    "guidance_scale": 7.5,
    "width": 512,
    "height": 512,
    "use_stable_diffusion_model": "C:\\models\\sd-v1-5.ckpt",
    "sampler_name": "euler_a",
    "use_lora_model": ["ink", "fur"],
    "lora_alpha": [0.5, 0.5],
}
EASY_LINES = (
    "Prompt: a red fox\nNegative Prompt: blurry\nSeed: 12345\nStable Diffusion model: sd-v1-5\nSampler: euler_a\nWidth: 512\n"
    "Height: 512\nSteps: 25\nGuidance Scale: 7.5\nLoRA model: ink, fur\n"
)

DRAW_THINGS = {
    "c": "a red fox & <friends>",
    "uc": "blurry",
    "model": "flux_1_schnell_q5p.ckpt",
    "sampler": "UniPC Trailing",
    "scale": 4.5,
    "seed": 12345,
    "size": "960x1280",
    "steps": 8,
    "lora": [{"model": "detail.ckpt", "weight": 0.8}],
    "v2": {"loras": [{"file": "detail.ckpt", "weight": 0.8}]},
}


def draw_things_xmp(data=None):
    text = (
        json.dumps(DRAW_THINGS if data is None else data)
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
    )
    return f"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 6.0.0">
   <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
            xmlns:exif="http://ns.adobe.com/exif/1.0/">
         <dc:description><rdf:Alt><rdf:li xml:lang="x-default">a red fox&#xA;-blurry&#xA;Steps: 8</rdf:li></rdf:Alt></dc:description>
         <xmp:CreatorTool>Draw Things</xmp:CreatorTool>
         <exif:UserComment>
            <rdf:Alt><rdf:li xml:lang="x-default">{text}</rdf:li></rdf:Alt>
         </exif:UserComment>
      </rdf:Description>
   </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def fooocus_log(*names):
    """``log.html`` as Fooocus writes it since 2.1.8: a table, and a button that carries everything as JSON."""
    entries = ""
    for number, name in enumerate(names):
        told = {
            "Prompt": f"fox number {number}, it's red",
            "Negative Prompt": "blurry",
            "Base Model": "jug.safetensors",
            "Seed": str(number),
        }
        rows = "".join(
            f"<tr><td class='label'>{key}</td><td class='value'>{value}</td></tr>\n"
            for key, value in told.items()
        )
        copied = {
            "prompt": told["Prompt"],
            "negative_prompt": "blurry",
            "base_model": "jug.safetensors",
            "seed": number,
        }
        entries += (
            f'<div id="{name.replace(".", "_")}" class="image-container"><hr><table><tr>\n<td><a href="{name}" target="_blank">'
            f"<img src='{name}' onerror=\"this.closest('.image-container').style.display='none';\" loading='lazy'/></a>"
            f"<div>{name}</div></td><td><table class='metadata'>{rows}</table></br>"
            f"<button onclick=\"to_clipboard('{quote(json.dumps(copied, indent=0), safe='')}')\">Copy to Clipboard</button>"
            "</td></tr></table></div>\n\n"
        )
    return f"<!DOCTYPE html><html><body><!--fooocus-log-split-->\n\n{entries}\n<!--fooocus-log-split--></body></html>"


def old_fooocus_log(name):
    """The log before that: the table alone, values as they are."""
    told = {
        "Prompt": "fox & friends",
        "Negative Prompt": "blurry",
        "Base Model": "jug.safetensors",
        "Seed": "7",
    }
    rows = "".join(
        f"<tr><td class='key'>{key}</td><td class='value'>{value}</td></tr>\n" for key, value in told.items()
    )
    name = name.replace(".", "_")
    table = f"<table class='metadata'>{rows}</table>"
    return f'<html><body><div id="{name}" class="image-container">\n{table}</div></body></html>'


def with_stealth(picture, text, channels="alpha", packed=True):
    """Hide a text as sd-webui-stealth-pnginfo does: signature, length in bits, text; column by column."""
    signature = {
        ("alpha", True): "pngcomp",
        ("alpha", False): "pnginfo",
        ("rgb", True): "rgbcomp",
        ("rgb", False): "rgbinfo",
    }
    data = gzip.compress(text.encode(), mtime=0) if packed else text.encode()
    bits = "".join(format(byte, "08b") for byte in f"stealth_{signature[channels, packed]}".encode())
    body = "".join(format(byte, "08b") for byte in data)
    bits += format(len(body), "032b") + body
    picture = picture.convert("RGBA" if channels == "alpha" else "RGB")
    pixels = picture.load()
    used = (3,) if channels == "alpha" else (0, 1, 2)
    places = (
        (x, y, channel) for x in range(picture.width) for y in range(picture.height) for channel in used
    )
    for (x, y, channel), bit in zip(places, bits):
        values = list(pixels[x, y])
        values[channel] = values[channel] & ~1 | int(bit)
        pixels[x, y] = tuple(values)
    return picture
