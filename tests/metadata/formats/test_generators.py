"""The prompt, the negative prompt and the facts out of every generator's own format, in every container it is saved in."""

from __future__ import annotations

import io
import json

import pytest

from benchmarks import generator_files as files
from benchmarks.generator_files import small_picture
from imagereward_core.metadata.generation import Facts, generated_facts, plain_name
from imagereward_core.metadata.picture_prompt import read_prompt
from imagereward_core.metadata.sidecar import sidecar_prompt
from tests.support.metadata.picture_files import HAS_AVIF

EXIF_SUFFIXES = [
    "jpg",
    "webp",
    pytest.param("avif", marks=pytest.mark.skipif(not HAS_AVIF, reason="this Pillow has no AVIF")),
]


def told(found):
    assert found is not None
    return found.prompt, found.negative, generated_facts(found)


CHUNKS = {
    "invokeai 4": ({"invokeai_metadata": files.INVOKE}, "invokeai", "juggernautXL", ("ink",)),
    "invokeai 3": ({"invokeai_metadata": files.INVOKE_3}, "invokeai", "juggernautXL", ("ink",)),
    "invokeai 2": ({"sd__metadata": files.INVOKE_2, "Dream": files.DREAM}, "invokeai", "sd-v1-5", ()),
    "invokeai graph": (
        {
            "invokeai_graph": {
                "id": "g",
                "nodes": {"core_metadata:a1": {**files.INVOKE, "type": "core_metadata"}, "noise": {}},
            }
        },
        "invokeai",
        "juggernautXL",
        ("ink",),
    ),
    "fooocus json": (
        {"parameters": files.FOOOCUS, "fooocus_scheme": "fooocus"},
        "fooocus",
        "juggernautXL_v8",
        ("sd_xl_offset",),
    ),
    "fooocus mre": (
        {
            "Comment": {
                "prompt": "a red fox",
                "negative_prompt": "blurry",
                "real_prompt": [],
                "seed": 12345,
                "cfg": 7,
                "base_model": "jug.safetensors",
            }
        },
        "fooocus",
        "jug",
        (),
    ),
    "ruinedfooocus": (
        {"parameters": files.RUINED},
        "ruinedfooocus",
        "sd_xl_base_1.0_0.9vae",
        ("offset-lora",),
    ),
    "ruinedfooocus old": (
        {"parameters": {**files.RUINED, "loras": "Loras:<a.safetensors:0.5>,<None:1>"}},
        "ruinedfooocus",
        "sd_xl_base_1.0_0.9vae",
        ("a",),
    ),
    "novelai": (
        {
            "Title": "AI generated image",
            "Description": "a red fox",
            "Software": "NovelAI",
            "Source": "Stable Diffusion F1022D28",
            "Comment": files.NOVELAI,
        },
        "novelai",
        "Stable Diffusion",
        (),
    ),
    "novelai 2022": (
        {
            "Description": "a red fox",
            "Software": "NovelAI",
            "Comment": {"steps": 28, "seed": 12345, "uc": "blurry"},
        },
        "novelai",
        "",
        (),
    ),
    "easy diffusion": (
        {key: str(value) for key, value in files.EASY.items()},
        "easydiffusion",
        "sd-v1-5",
        ("ink", "fur"),
    ),
    "easy diffusion text": (
        dict(line.split(": ", 1) for line in files.EASY_LINES.strip().split("\n")),
        "easydiffusion",
        "sd-v1-5",
        ("ink", "fur"),
    ),
}


@pytest.mark.parametrize("name", CHUNKS)
def test_text_chunks_of_every_program_are_read(tmp_path, name):
    texts, generator, model, loras = CHUNKS[name]
    found = read_prompt(files.png(tmp_path / "a.png", **texts))
    assert told(found) == ("a red fox", "blurry", Facts(generator, model, loras, "12345"))


@pytest.mark.parametrize("suffix", ["png", *EXIF_SUFFIXES])
@pytest.mark.parametrize(
    ("data", "generator", "model", "loras"),
    [
        (files.SWARM, "swarmui", "sd_xl_base_1.0", ("ink", "fur")),
        (files.EASY, "easydiffusion", "sd-v1-5", ("ink", "fur")),
        (files.DRAW_THINGS, "drawthings", "flux_1_schnell_q5p", ("detail",)),
        ({"Software": "NovelAI", "Comment": json.dumps(files.NOVELAI)}, "novelai", "", ()),
        (
            {
                "1": {},
                "extraMetadata": json.dumps(
                    {"prompt": "a red fox", "negativePrompt": "blurry", "cfgScale": 7, "seed": 12345}
                ),
            },
            "civitai",
            "",
            (),
        ),
    ],
)
def test_json_is_read_from_every_container(tmp_path, suffix, data, generator, model, loras):
    path = tmp_path / f"a.{suffix}"
    found = read_prompt(
        files.png(path, parameters=data) if suffix == "png" else files.exif_picture(path, data)
    )
    prompt, negative, facts = told(found)
    assert prompt.startswith("a red fox") and negative == "blurry"
    assert facts == Facts(generator, model, loras, "12345")


@pytest.mark.parametrize("suffix", ["png", *EXIF_SUFFIXES])
@pytest.mark.parametrize(
    ("version", "generator"),
    [
        ("v1.10.1", "a1111"),
        ("f2.0.1v1.10.1-previous-665-gae278f79", "forge"),
        ("f0.0.17v1.8.0rc-latest-277-g0af28699", "forge"),
        ("f1.0.0v2-v1.10.1RC-latest-2164-ge3f6b1f", "reforge"),
        ("neo", "forge"),
        ("cdb1a2c, App: SD.Next", "sdnext"),
        ("Fooocus v2.5.5", "fooocus"),
        ("ComfyUI", "comfyui"),
    ],
)
def test_infotexts_tell_which_program_wrote_them(tmp_path, suffix, version, generator):
    text = files.A1111.format(version=version)
    path = tmp_path / f"a.{suffix}"
    found = read_prompt(
        files.png(path, parameters=text) if suffix == "png" else files.exif_picture(path, text)
    )
    assert told(found) == (
        "a red fox <lora:fur:0.8>, (sharp:1.2)",
        "blurry",
        Facts(generator, "dream", ("fur", "style"), "12345"),
    )


@pytest.mark.parametrize("scheme", ["a1111", "fooocus"])
@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_fooocus_in_exif_is_read_in_both_schemes(tmp_path, scheme, suffix):
    text = json.dumps(files.FOOOCUS) if scheme == "fooocus" else files.A1111.format(version="Fooocus v2.5.5")
    tags = {0x9286: text, 0x0131: "Fooocus v2.5.5", 0x927C: scheme}
    prompt, negative, facts = told(read_prompt(files.exif_picture(tmp_path / f"a.{suffix}", tags=tags)))
    assert prompt.startswith("a red fox") and negative == "blurry"
    assert facts.generator == "fooocus" and facts.seed == "12345"


def test_swarmui_before_2024_kept_its_json_in_the_camera_model(tmp_path):
    found = read_prompt(files.exif_picture(tmp_path / "a.jpg", tags={0x0110: json.dumps(files.SWARM)}))
    assert told(found)[2].generator == "swarmui"


def test_the_words_of_novelai_4_are_those_for_the_picture_and_for_each_character(tmp_path):
    path = files.png(
        tmp_path / "a.png",
        Software="NovelAI",
        Source="NovelAI Diffusion V4.5 4BDE2A90",
        Comment=files.NOVELAI_4,
    )
    prompt, negative, facts = told(read_prompt(path))
    assert (prompt, negative) == ("two foxes, snow, red fox, white fox", "blurry")
    assert facts.model == "NovelAI Diffusion V4.5"


def test_the_command_line_of_the_first_invokeai_is_taken_apart(tmp_path):
    found = read_prompt(files.png(tmp_path / "a.png", Dream=files.DREAM))
    assert (found.prompt, found.negative) == ('a red fox, "posing"', "blurry")
    assert found.settings == {
        "Steps": "50",
        "Seed": "12345",
        "CFG scale": "7.5",
        "Sampler": "k_lms",
        "Size": "512x768",
    }


@pytest.mark.parametrize("kind", ["png", "jpg", "webp"])
def test_draw_things_is_read_from_xmp(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    xmp = files.draw_things_xmp()
    if kind == "png":
        files.png(path, (files.XMP,), **{files.XMP: xmp})
    elif kind == "webp":
        small_picture().save(path, xmp=xmp.encode())
    else:
        small_picture().save(path)
        body = b"http://ns.adobe.com/xap/1.0/\0" + xmp.encode()
        data = path.read_bytes()
        path.write_bytes(data[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + data[2:])
    assert told(read_prompt(path)) == (
        "a red fox & <friends>",
        "blurry",
        Facts("drawthings", "flux_1_schnell_q5p", ("detail",), "12345"),
    )


def test_hostile_xmp_is_no_prompt_and_no_error(tmp_path):
    laughs = (
        '<!DOCTYPE x [<!ENTITY a "a red fox"><!ENTITY b "&a;&a;">]>'
        + files.draw_things_xmp().partition("?>")[2]
    )
    for number, xmp in enumerate((laughs, "<a>" * 10_000, "<x", "")):
        assert read_prompt(files.png(tmp_path / f"{number}.png", (files.XMP,), **{files.XMP: xmp})) is None


def test_fooocus_log_is_the_last_resort(tmp_path):
    names = ["2024-01-01_10-00-00_1.png", "2024-01-01_10-00-00_2.png"]
    (tmp_path / "log.html").write_text(files.fooocus_log(*names), encoding="utf-8")
    for number, name in enumerate(names):
        small_picture().save(tmp_path / name)
        found = read_prompt(tmp_path / name)
        assert told(found) == (
            f"fox number {number}, it's red",
            "blurry",
            Facts("fooocus", "jug", (), str(number)),
        )
        assert any("log.html" in note for note in found.notes)
    files.png(tmp_path / names[0], parameters=files.A1111.format(version="v1"))
    assert read_prompt(tmp_path / names[0]).prompt.startswith("a red fox")
    small_picture().save(tmp_path / "other.png")
    assert read_prompt(tmp_path / "other.png") is None
    stream = io.BytesIO((tmp_path / names[1]).read_bytes())
    assert read_prompt(stream, str(tmp_path / names[1])).prompt.startswith("fox number 1")


def test_the_log_of_older_versions_is_read_and_a_changed_log_again(tmp_path):
    small_picture().save(tmp_path / "a.png")
    log = tmp_path / "log.html"
    log.write_text(files.old_fooocus_log("a.png"), encoding="utf-8")
    assert told(read_prompt(tmp_path / "a.png")) == (
        "fox & friends",
        "blurry",
        Facts("fooocus", "jug", (), "7"),
    )
    log.write_text(files.old_fooocus_log("a.png").replace("friends", "company"), encoding="utf-8")
    assert read_prompt(tmp_path / "a.png").prompt == "fox & company"
    log.write_bytes(b"\xff\xfe<div id='a_png' class='image-container'>")
    assert read_prompt(tmp_path / "a.png") is None


@pytest.mark.parametrize("channels", ["alpha", "rgb"])
@pytest.mark.parametrize("packed", [True, False])
def test_hidden_text_is_read_only_when_asked_for(tmp_path, channels, packed):
    for text in (
        files.A1111.format(version="v1"),
        json.dumps({"Software": "NovelAI", "Comment": json.dumps(files.NOVELAI), "Source": "V3"}),
    ):
        path = tmp_path / "a.png"
        picture = files.with_stealth(small_picture().resize((120, 90)), text, channels, packed)
        picture.save(path)
        assert read_prompt(path) is None
        for source in (path, io.BytesIO(path.read_bytes()), picture):
            found = read_prompt(source, stealth=True)
            assert found is not None and found.prompt.startswith("a red fox") and found.negative == "blurry"


def test_pictures_that_hide_nothing_stay_without_a_prompt(tmp_path):
    for mode in ("RGB", "RGBA", "L", "P"):
        assert read_prompt(small_picture(mode), stealth=True) is None
    cut = files.with_stealth(small_picture().resize((120, 90)), "a cat").crop((0, 0, 2, 90))
    assert read_prompt(cut, stealth=True) is None


@pytest.mark.parametrize("name", ["a.txt", "a.png.txt"])
def test_the_list_of_easy_diffusion_beside_a_picture_is_read(tmp_path, name):
    (tmp_path / name).write_text(files.EASY_LINES.replace("a red fox", "a red fox\nin the snow"))
    assert told(sidecar_prompt(tmp_path / "a.png")) == (
        "a red fox\nin the snow",
        "blurry",
        Facts("easydiffusion", "sd-v1-5", ("ink", "fur"), "12345"),
    )


def test_json_beside_a_picture_is_read_if_it_is_known(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(files.EASY, indent=2))
    assert told(sidecar_prompt(tmp_path / "a.png"))[0] == "a red fox"
    (tmp_path / "a.txt").write_text("a caption")
    assert sidecar_prompt(tmp_path / "a.png").prompt == "a caption"
    (tmp_path / "b.json").write_text('{"tags": ["x"]}')
    assert sidecar_prompt(tmp_path / "b.png") is None
    assert generated_facts(sidecar_prompt(tmp_path / "a.png")) == Facts()


def test_a_stream_is_read_like_a_file(tmp_path):
    path = files.png(tmp_path / "a.png", parameters=files.A1111.format(version="v1"))
    stream = io.BytesIO(path.read_bytes())
    stream.seek(5)
    assert read_prompt(stream, "a.png") == read_prompt(path)


def test_lists_of_loras_in_infotexts_are_joined_each_once():
    from imagereward_core.metadata.formats.a1111 import parse_infotext

    text = (
        "a <lyco:one:0.5> <lora:sub/two.safetensors:1>\nSteps: 1, Sampler: x, Seed: 2, Model: d/m.ckpt, "
        'Lora weights: "two: 1, three: 0.5", Hashes: {"model": "aa", "lora:four": "bb"}, '
        'Civitai resources: [{"type":"lora","weight":1,"modelName":"Five"},{"type":"checkpoint","modelName":"No"}], Version: v1'
    )
    assert generated_facts(parse_infotext(text)) == Facts(
        "a1111", "m", ("one", "two", "three", "four", "Five"), "2"
    )


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("sub\\x.safetensors", "x"),
        ("a/b.CKPT", "b"),
        ("v1.5", "v1.5"),
        ("", ""),
        ("/", ""),
        ("folder/", "folder"),
        ("q.gguf", "q"),
    ],
)
def test_names_of_models_lose_folder_and_ending(written, plain):
    assert plain_name(written) == plain
