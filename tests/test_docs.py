"""Pages say what cards and records say: a card or a record that changes changes ``docs/scorers.md`` with it."""

from __future__ import annotations

import json
import re
import runpy
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from benchmarks import table
from imagereward_core.errors import WeightsError
from imagereward_core.scorers.blend import METHODS
from imagereward_core.weights.card import ScorerCard, WeightsCard
from imagereward_core.weights.cards import CARDS, backbone_of
from imagereward_core.weights.own import own_card
from imagereward_core.weights.trained import TRAINED_FIELDS
from tests.support.tiny import install_own

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "scorers.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def size(card: WeightsCard) -> str:
    """The size of a set of weights as people say it."""
    number = card.download_size
    if not number:
        return "size not published"
    return f"{number / 1e9:.1f} GB" if number >= 5e7 else f"{number / 1e6:.1f} MB"


def weights(card: ScorerCard) -> str:
    """Where the weights come from, and how large they are."""
    forms = [form for form in card.checkpoint if form.repository or form.address]
    source = next((form for form in forms if form.repository), forms[0])
    words = f"`{source.repository}`" if source.repository else f"by hand from <{source.address}>"
    under = backbone_of(card)
    on = f"; sits on {under.id} ({size(under)})" if under else ""
    return f"{words} ({size(card)}){on}"


def section(card: ScorerCard) -> str:
    """What ``docs/scorers.md`` says about a scorer."""
    low, high = card.typical_range
    facts = [
        f"Paper: {card.paper}",
        f"licence: {card.licence}",
        f"weights: {weights(card)}",
        f"typical scores: {low:g} to {high:g}",
        f"tokens: {card.token_limit or 'no text is read'}",
    ]
    notes = "\n".join(f"- {note}" for note in card.notes)
    return f"### {card.id}\n\n{card.summary}\n\n{'; '.join(facts)}.\n\n{notes}\n"


OWN = PAGE.partition("## A checkpoint of your own\n")[2].partition("\n## ")[0]


def block(language: str) -> str:
    """The one block of code in a language on how to use a checkpoint of one's own."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", OWN, re.DOTALL)
    return str(found)


def record(name: str) -> dict[str, Any]:
    """A recorded measurement."""
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))


def rows() -> dict[str, str]:
    """The rows of the table of comparisons, by scorer, as the records have them."""
    figures = record("parity")
    made = {
        "ImageReward-v1.0": f"| ImageReward-v1.0 | score of image-reward {figures['versions']['image-reward']} | all | "
        f"{len(figures['pictures'])} x {len(figures['prompts'])} | {figures['against_reference']['fp32']['max_abs']:.1e} | "
        f"{figures['reference_scores']['std']:.2g} |"
    }
    for name, row in record("scorer_parity")["scorers"].items():
        package, version = next(iter(row["versions"].items()))
        made[name] = (
            f"| {name} | {row['what']} ({package} {version}) | {row['layers']} | {row['pictures']} x {row['prompts']} | "
            f"{row['fp32']['max_abs']:.1e} | {row['reference_scores']['std']:.2g} |"
        )
    return made


TOLD = [card for card in CARDS.values() if card.id != "demo"]  # the demo's facts change with every training


def test_the_page_tells_of_every_scorer_what_its_card_tells() -> None:
    assert [text for text in map(section, TOLD) if text not in PAGE] == []


def test_every_scorer_is_in_the_tables_and_has_a_section() -> None:
    headings = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)
    assert [name for name in CARDS if name not in headings] == []
    assert {name: PAGE.count(f"| `{name}` |") for name in CARDS} == dict.fromkeys(CARDS, 1)
    assert {name: README.count(f"| `{name}` |") for name in CARDS} == dict.fromkeys(CARDS, 1)


def test_every_difference_in_the_page_is_the_recorded_one() -> None:
    assert [row for name, row in rows().items() if name in CARDS and row not in PAGE] == []
    told = {name: len(re.findall(rf"^\| {re.escape(name)} \|", PAGE, re.MULTILINE)) for name in CARDS}
    assert told == dict.fromkeys(CARDS, 1)


SLOW = ("MPS", "Aesthetic-v2.5")
"""Their programs take minutes for a picture; the page says on how few they were run."""


def test_no_record_is_worse_than_its_own_limit() -> None:
    for name, row in record("scorer_parity")["scorers"].items():
        assert row["fp32"]["max_abs"] <= row["limit"], name
        assert row["pictures"] >= (3 if name in SLOW else 20)
        assert row["reference_scores"]["std"] > 1000 * row["fp32"]["max_abs"], name


def test_the_page_tells_how_near_the_tests_hold_the_scorers() -> None:
    source = (ROOT / "tests" / "scorers" / "test_references.py").read_text(encoding="utf-8")
    (tolerance,) = re.findall(r"^TOLERANCE = (\S+)$", source, re.MULTILINE)
    assert f"at most {tolerance}" in PAGE


def test_every_method_of_blending_is_explained() -> None:
    assert [name for name in METHODS if not re.search(rf"^\| `{name}`", PAGE, re.MULTILINE)] == []


def test_every_record_stands_in_the_page_of_records() -> None:
    recorded = {path.stem for path in table.RESULTS.glob("*.json")}
    told = table.PARTS.keys() | table.PLAIN_PARTS.keys()
    assert {name for name in recorded if not name.startswith("speed")} <= told
    made = table.page()  # by: python -m benchmarks.table
    assert (table.RESULTS / "README.md").read_text(encoding="utf-8") == made


def test_what_pages_say_about_the_local_server_is_recorded() -> None:
    opened = record("open_page")
    first, again = (
        each["rows"] / 1000 for each in opened["milliseconds_to_rows_and_to_all_seen_pictures"].values()
    )
    frames = opened["frames_while_scrolling_2500_pixels_a_second"]
    said = " ".join((ROOT / "docs" / "open.md").read_text(encoding="utf-8").split())
    assert f"the page over {opened['pictures']:,} pictures" in said
    assert f"there after {first:.1f} seconds, after {again:.1f} the second time" in said
    assert f"half of the frames took {frames['median_ms']:.0f} milliseconds" in said
    assert f"19 of 20 at most {frames['95_percent_ms']:.0f}." in said

    said = " ".join((ROOT / "docs" / "annotation.md").read_text(encoding="utf-8").split())
    for run in record("annotation_kills")["runs"]:
        assert (run["kills"], run["annotators"], run["wrong"]) == (50, 20, [])
        assert f"of {run['answers_confirmed']:,} confirmed answers on each none was lost" in said
        assert run["database"] in said


def test_no_link_leads_nowhere() -> None:
    for page in (README, PAGE):
        folder = ROOT if page is README else ROOT / "docs"
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page):
            assert target.startswith("https://") or (folder / target).exists(), target
        headings = {
            re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE)
        }
        for anchor in re.findall(r"\]\(#([^)]+)\)", page):
            assert anchor in headings, anchor


def named_paths(page: str) -> set[str]:
    """Files and folders that a page names: in the tree at its beginning, in backquotes, and behind links."""
    before, tree, after = page.split("```", 2)
    found, rooms = set(), {-4: ""}
    for line in tree.strip("\n").splitlines():
        indent = len(line) - len(line.lstrip())
        above = rooms[indent - 4]
        names = [above + name for name in re.split(r" {2,}", line.strip())[0].split()]
        found.update(names)
        rooms[indent] = names[-1]
    text = before + after
    quoted = re.findall(r"`([^`\s]+)`", text)
    found.update(name for name in quoted if re.search(r"\w/|\.(py|json|md|ini)$|^\.\w+$", name))
    return found | set(re.findall(r"\]\(([^)#\s:]+)", text))


def test_every_path_in_the_architecture_exists() -> None:
    """From the root, or from the core, whose rooms are also named without it."""
    paths = named_paths((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    assert len(paths) > 100
    assert {
        "imagereward_core/metadata/formats/",
        "tests/frozen_names.json",
        "nodes/host/",
        ".comfyignore",
    } <= paths
    of_hosts = {"custom_nodes/", "extensions/"}
    places = (ROOT, ROOT / "imagereward_core")
    assert [
        path for path in sorted(paths - of_hosts) if not any((place / path).exists() for place in places)
    ] == []


def test_the_card_of_an_own_checkpoint_is_written_as_the_page_shows(tmp_path: Path) -> None:
    (tmp_path / "kitchen.card.json").write_text(block("json"), encoding="utf-8")
    card, shown = own_card(tmp_path / "kitchen.safetensors"), json.loads(block("json"))
    assert [getattr(card, name) for name in ("id", "title", "summary", "paper", "licence")] == list(
        shown.values()
    )[:5]
    assert card.typical_range == tuple(shown["typical_range"]) and card.notes[-1:] == tuple(shown["notes"])
    assert card.distribution is not None and card.distribution.source == shown["distribution"]["source"]
    listed = {
        name for row in re.findall(r"^\| (`.*?) \|", OWN, re.MULTILINE) for name in re.findall(r"\w+", row)
    }
    assert listed == {*shown, *TRAINED_FIELDS}
    for name in listed:  # each is looked at: what is of no use there is an error
        (tmp_path / "kitchen.card.json").write_text(json.dumps({**shown, name: [7]}), encoding="utf-8")
        with pytest.raises(WeightsError, match="cannot be used"):
            own_card(tmp_path / "kitchen.safetensors")


def test_mean_and_standard_deviation_are_measured_as_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = install_own(
        tmp_path / "models", monkeypatch, lambda name: import_module(f"imagereward_core.{name}")
    )
    made.rename(made.with_name("kitchen.safetensors"))
    made.with_name("kitchen.card.json").write_text(block("json"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names = {
        "files": [Image.new("RGB", (40, 30), (60 * number, 9, 9)) for number in range(3)],
        "prompts": "a kitchen",
    }
    (tmp_path / "measure.py").write_text(block("python"), encoding="utf-8")
    values = runpy.run_path(str(tmp_path / "measure.py"), names)["values"]
    assert values.shape == (3,) and values.std() > 0
