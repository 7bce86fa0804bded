"""The page about the script says what the dataclass says."""

import dataclasses
import json
import re

from tests.support.webui.fake_webui import ROOT, ours

arguments = ours("script.arguments")
report = ours("script.report")
PAGE = (ROOT / "docs" / "webui-script.md").read_text(encoding="utf-8")


def test_every_argument_stands_in_its_place_with_its_default_and_label():
    labels = [control.label for control in arguments.SETTINGS.values()]
    expected = [
        f"| {place} | `{field.name}` | `{json.dumps(field.default)}` | {label} |"
        for place, (field, label) in enumerate(zip(dataclasses.fields(arguments.Settings), labels))
    ]
    assert [line for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)] == expected


def test_every_choice_is_explained():
    for control in arguments.SETTINGS.values():
        for choice in control.choices:
            assert f"`{choice}`" in PAGE


def test_every_name_of_the_answer_is_explained():
    records = ours("script.state")
    job = records.Job(arguments.Settings())
    told = report.data(job, [(0, records.Picture(None, "a cat"))])
    for name in (*told, *told["pictures"][0]):
        assert f"`{name}`" in PAGE


def test_example_of_a_request_is_understood():
    request = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL).group(1))
    settings, problems = arguments.read_arguments(request["alwayson_scripts"][arguments.TITLE]["args"])
    assert settings.enabled and settings.keep_best == 1 and problems == []
