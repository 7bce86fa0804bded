"""Score to Text and Number, plot, sheet, prompts and names: what is shown and said."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from tests.support.comfyui.graphs import PROMPTS, Graph, shown
from tests.support.comfyui.made_scores import scored


def test_one_value_of_choice(fake):
    given = [1.0, -1.0, 2.0, 0.5]
    batch = scored(fake, given)
    for which, place, value in (
        ("best", 1, 2.0),
        ("worst", 1, -1.0),
        ("mean", 1, 0.625),
        ("median", 1, 0.75),
        ("by rank", 2, 1.0),
        ("by position", 1, 1.0),
    ):
        found = fake.module("nodes.score_to_text").ScoreToText.execute(batch, which, place, 2).args
        assert found[0] == value and found[1] == f"{value:.2f}" and found[2] and found[5] == given, which
        facts = json.loads(found[4])
        assert [each["rank"] for each in facts["pictures"]] == [2, 4, 1, 3], which


def test_a_place_that_is_not_there_is_refused(fake):
    batch = scored(fake, [1.0, float("nan")], failures={1: "torn"})
    telling = fake.module("nodes.score_to_text").ScoreToText
    with pytest.raises(fake.module("nodes.host.errors").GraphError, match="number is 2, but 1 picture has"):
        telling.execute(batch, "by rank", 2)
    value, text, meaning, *_ = telling.execute(batch, "by position", 2).args
    assert value != value and text == "none" and meaning == "No score: torn"


def test_the_table_warns_of_what_a_person_should_know(fake):
    wording = fake.module("nodes.text")
    batch = scored(
        fake, [1.0, float("nan"), -0.00001], prompts=["a", "b", "a"], failures={1: "the picture holds NaN"}
    )
    text = wording.table(batch)
    assert text.index("picture 1") < text.index("picture 3") < text.index("picture 2")
    assert "the picture holds NaN" in text and "-0.0000" not in text


def test_why_there_is_no_score_is_told_once(fake):
    """Where a verdict says it, the table and the text file beside a picture do not say it again; without a verdict they do."""
    batch = scored(fake, [1.0, float("nan")], failures={1: "the picture holds NaN"})
    filtering, files = fake.module("nodes.filter_by_score"), fake.module("nodes.files")
    chosen = filtering.decide(batch, filtering.rule_of(top_k=1), filtering.BLOCK)
    choices = fake.module("nodes.links").ChosenBatch(chosen, batch.pictures)
    texts = [
        fake.module("nodes.text").table(batch, chosen.reasons),
        fake.module("nodes.text").table(batch),
        files.text_of(batch, 1, choices),
        files.text_of(batch, 1, None),
    ]
    assert [text.count("the picture holds NaN") for text in texts] == [1, 1, 1, 1]


def test_equal_scores_have_one_rank_in_the_column_and_in_the_reason(fake):
    batch = scored(fake, [2.0, 3.0, 3.0, 1.0])
    filtering = fake.module("nodes.filter_by_score")
    chosen = filtering.decide(batch, filtering.rule_of(top_k=3), filtering.BLOCK)
    lines = fake.module("nodes.text").table(batch, chosen.reasons).splitlines()[1:]
    found = [(int(line.split(".")[0]), int(line.partition(" rank ")[2].split()[0])) for line in lines]
    assert found == [(1, 1), (1, 1), (3, 3), (4, 4)]


def test_what_a_scorer_sees_of_a_prompt(host):
    graph = Graph()
    asked = graph.add(
        "PromptForScoring",
        prompt="<lora:x:1> (a red star:1.2) on a gray background",
        scorer=[graph.load(), 0],
    )
    long = graph.add("PromptForScoring", prompt="a red star " * 60, scorer=[graph.load(), 0])
    out = [graph.show(asked, slot) for slot in range(4)] + [graph.show(long, 2)]
    ran = host.run(graph)
    clean, removed, cut, report, long_cut = (shown(ran, each)[0] for each in out)
    assert clean == "a red star on a gray background" and "<lora:x:1>" in removed and cut == ""
    assert report.startswith("The scorer sees: a red star")
    assert long_cut and ("a red star " * 60).strip().endswith(long_cut.strip())


def test_plot_and_sheet_are_pictures_of_the_size_asked_for(host):
    graph = Graph()
    _, scores = graph.scored_folder()
    chosen = graph.filter(scores, top_k=3)
    plot = graph.plot(scores, selection=[chosen, 14], width=512, height=320)
    sheet = graph.sheet(scores, [scores, 1], selection=[chosen, 14], columns=4, cell=64)
    sizes = [graph.show(plot, 0), graph.show(sheet, 0)]
    ran = host.run(graph)
    assert shown(ran, sizes[0])[0]["shape"] == [1, 320, 512, 3]
    _, height, width, _ = shown(ran, sizes[1])[0]["shape"]
    assert width == 4 * 68 + 4 and height > 2 * 68
    for node in (plot, sheet):
        (shown_file,) = ran.outputs[node]["images"]
        with Image.open(host.base / "temp" / shown_file["filename"]) as picture:
            assert picture.size == ((512, 320) if node == plot else (width, height))


@pytest.mark.parametrize("kind", ["plot", "sheet"])
def test_drawing_shows_progress_and_stops_where_somebody_interrupts(host, kind):
    graph = Graph()
    _, scores = graph.scored_folder()
    best = graph.pick(scores, images=[scores, 1], number=5)
    drawn = graph.plot(scores) if kind == "plot" else graph.sheet(scores, [best, 0])
    graph[drawn]["inputs"]["scores"] = [best, 4]
    host.trouble()
    assert drawn in host.run(graph).outputs
    assert [bar for bar in host.bars() if bar[1] == 5] == [(number, 5) for number in range(1, 6)]
    graph[drawn]["inputs"]["theme"] = "light"
    host.trouble(interrupt=[2, 5])
    ran = host.run(graph)
    assert ran.kind == "InterruptProcessingException" and host.bars()[-1] == (2, 5)
    assert drawn in host.run(graph).outputs


def labels_of(fake, monkeypatch, values, show):
    """What is written on a plot."""
    plotting, drawing = fake.module("nodes.score_plot"), fake.module("nodes.drawing")
    written = []
    monkeypatch.setattr(plotting, "write", lambda draw, at, text, *rest: written.append(text))
    plotting.draw_plot(scored(fake, values), None, show, (1024, 640), drawing.theme_of("dark"))
    return [text for text in written[2:] if "." in text]


@pytest.mark.parametrize("show", ["histogram", "ranked bars"])
def test_labels_have_the_decimals_that_tell_them_apart(fake, monkeypatch, show):
    for values in (
        [-0.05, -0.0482, -0.0463, -0.0431, -0.04],
        [20.0000012, 20.0000055, 20.000009],
        [1200.5, 1300.25],
        [0.0, 1.0, 0.5],
    ):
        labels = labels_of(fake, monkeypatch, values, show)
        assert len(set(labels)) == len(labels), values
        assert len({len(text.partition(".")[2]) for text in labels}) <= 1, values
        if show == "ranked bars":
            spread = max(values) - min(values)
            assert [float(text) for text in labels] == pytest.approx(sorted(values)[::-1], abs=spread / 50)


def test_badges_of_a_narrow_blend_differ(fake, monkeypatch):
    import torch

    sheet, drawing = fake.module("nodes.contact_sheet"), fake.module("nodes.drawing")
    written = []
    monkeypatch.setattr(sheet, "_badge", lambda draw, at, text, *rest: written.append(text))
    values = [-0.05, -0.0499, -0.0498]
    pictures = [torch.zeros(8, 8, 3)] * 3
    sheet.draw_sheet(
        scored(fake, values), pictures, [2, 1, 0], None, "score", 3, 64, drawing.theme_of("dark")
    )
    assert len(set(written)) == 3


@pytest.mark.parametrize("size", [11, 18])
def test_a_minus_is_seen_where_the_drawing_is_shown_smaller(fake, size):
    """At 80 % the sign keeps three quarters of the contrast of its digits; a hyphen in a name is a hyphen."""
    drawing = fake.module("nodes.drawing")
    if not isinstance(drawing.font(size), drawing.ImageFont.FreeTypeFont):
        pytest.skip("this Pillow has letters of one size only, with a hyphen as bright as the digits")

    def drawn(text):
        picture = Image.new("L", (120, 40))
        drawing.write(drawing.ImageDraw.Draw(picture), (4, 4), text, size, 255)
        return picture

    with_sign, without = drawn("-1"), drawn("1")
    sign = drawing.text_size("-1", size)[0] - drawing.text_size("1", size)[0]
    small = with_sign.resize((96, 32), Image.Resampling.BILINEAR)
    edge = int((4 + sign) * 0.8)
    brightest, digit = (
        small.crop((0, 0, edge, 32)).getextrema()[1],
        small.crop((edge, 0, 96, 32)).getextrema()[1],
    )
    assert brightest >= 0.75 * digit
    assert np.asarray(without)[:, 4:60].tolist() == np.asarray(with_sign)[:, 4 + sign : 60 + sign].tolist()
    assert np.asarray(drawn("v-1")).tolist() == np.asarray(plain_text("v-1", drawing, size)).tolist()


def plain_text(text, drawing, size):
    picture = Image.new("L", (120, 40))
    drawing.ImageDraw.Draw(picture).text((4, 4), text, font=drawing.font(size), fill=255)
    return picture


@pytest.mark.parametrize("show", ["histogram and ranked bars", "histogram", "ranked bars"])
def test_any_scores_can_be_drawn(fake, show):
    plotting, drawing = fake.module("nodes.score_plot"), fake.module("nodes.drawing")
    theme = drawing.theme_of("light")
    many = [float(value) for value in range(-150, 150)]
    for values in ([1.0], [0.0, 0.0], [-3.0, -2.0], [20.1, 20.2, 20.3], [1e-12] * 300, many):
        picture = plotting.draw_plot(scored(fake, values), None, show, (256, 200), theme)
        colours = {colour for _, colour in picture.getcolors(100_000)}
        assert picture.size == (256, 200) and theme.plain in colours, values[:4]


def test_kept_and_rejected_are_told_apart_by_colour(fake):
    plotting, drawing = fake.module("nodes.score_plot"), fake.module("nodes.drawing")
    theme = drawing.theme_of("dark")
    picture = plotting.draw_plot(scored(fake, [2.0, 1.0]), [True, False], "ranked bars", (400, 300), theme)
    colours = {colour for _, colour in picture.getcolors(100_000)}
    assert {theme.kept, theme.rejected} <= colours and theme.plain not in colours


def test_the_sheet_puts_the_best_picture_first(fake):
    import torch

    sheet, drawing = fake.module("nodes.contact_sheet"), fake.module("nodes.drawing")
    red, blue = torch.tensor([1.0, 0, 0]).expand(20, 40, 3), torch.tensor([0, 0, 1.0]).expand(40, 20, 3)
    drawn = sheet.draw_sheet(
        scored(fake, [0.0, 5.0]), [red, blue], [1, 0], None, "none", 2, 64, drawing.theme_of("dark")
    )
    middle = drawn.height - 4 - 32
    assert drawn.getpixel((4 + 32, middle)) == (0, 0, 255) and drawn.getpixel((4 + 64 + 4 + 32, middle)) == (
        255,
        0,
        0,
    )


def test_letters_are_drawn_without_freetype_too(fake, monkeypatch):
    drawing = fake.module("nodes.drawing")
    bitmap = getattr(drawing.ImageFont, "load_default_imagefont", drawing.ImageFont.load_default)()

    def one_size_only():
        return bitmap

    monkeypatch.setattr(drawing.ImageFont, "load_default", one_size_only)
    drawing.font.cache_clear()
    picture = Image.new("RGB", (200, 40))
    drawing.write(drawing.ImageDraw.Draw(picture), (2, 2), "ImageReward 1.5 \u4e00", 20, (255, 255, 255))
    drawing.font.cache_clear()
    assert picture.getextrema()[0][1] > 200


def test_tokens_in_names_are_filled_in_and_stay_plain_names(fake):
    import torch

    files = fake.module("nodes.files")
    batch = scored(fake, [1.5, -0.25])
    host = fake.module("nodes.tokens").HostTokens({}, {})
    text = "a/%verdict%_%rank%_%score%_%scorer%_%index%_%percentile%_%width%x%height%"
    naming = files.Naming(batch, text, None, "k", "r", host)
    assert naming.of(1, torch.zeros(20, 30, 3)) == "a/scored_002_-0.2500_demo_002_none_30x20"
    blended, _, _ = (
        fake.module("nodes.blend_scores").BlendScores.execute(batch, method="weighted", name="mine").args
    )
    assert files.Naming(blended, "%scorer%", None, "k", "r", host).of(0, torch.zeros(2, 2, 3)) == "blend_mine"


def test_metadata_of_a_blend_names_every_scorer_by_keys_others_read(fake):
    files, blending = fake.module("nodes.files"), fake.module("nodes.blend_scores")
    parts = [scored(fake, [5.5, 6.25], scorer=name) for name in ("PickScore", "Aesthetic", "HPSv2.1")]
    blended, _, _ = blending.BlendScores.execute(
        parts[0], scores_2=parts[1], scores_3=parts[2], method="weighted"
    ).args
    fields = files.metadata_of(blended, 1, None)
    assert next(iter(fields)) == "aesthetic_score" and fields["aesthetic_score"] == "6.2500"
    assert fields["PickAPic"] == "6.2500" and fields["HPSv21"] == "6.2500" and "blend_blend" in fields
    assert len(json.loads(fields["imagereward"])["scores"]) == 4


def test_a_picture_goes_through_the_host_without_losing_a_level(fake, tmp_path):
    import torch

    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    Image.fromarray(levels).save(tmp_path / "levels.png")
    tensor = fake.module("nodes.load_folder").load_picture(tmp_path / "levels.png")
    assert isinstance(tensor, torch.Tensor) and tensor.shape == (1, 16, 16, 3)
    assert np.array_equal(np.asarray(fake.module("nodes.drawing").to_picture(tensor[0])), levels)


def test_what_a_library_keeps_is_no_folder_of_pictures(host):
    store = host.base / "input" / ".imagereward" / "thumbs"
    store.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(store / "seen.png")
    offered = host.choices("ImageRewardCuratorLoadFolder", "folder")
    assert "scenes" in offered and not [name for name in offered if ".imagereward" in name]
    graph = Graph()
    names = graph.show(
        graph.add("LoadFolder", folder=".", subfolders=True, start=0, most=100),
        2,
    )
    assert "seen" not in shown(host.run(graph), names)


def test_prompts_come_from_files_as_the_command_finds_them(fake):
    folder = fake.module("nodes.load_folder")
    assert folder.prompt_of(fake.base / "input" / "scenes" / "0_0.png") == PROMPTS[0]
    with pytest.raises(fake.module("nodes.host.errors").GraphError, match="leads out"):
        folder._find("../models", False)
