"""A scorer's card, scores and a reader of pages, for the tests of reports."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import numpy as np

from imagereward_core.images.spec import ImageSpec
from imagereward_core.scores import Scores
from imagereward_core.weights.card import Distribution, ScorerCard, WeightFile

NORMAL = Distribution(source="a normal distribution", mean=0.0, std=1.0)
CARD = ScorerCard(
    family="imagereward",
    id="fake",
    title="Fake scorer",
    summary="It judges nothing.",
    paper="",
    licence="none",
    checkpoint=(WeightFile(name="fake.safetensors"),),
    tokenizer=None,
    image=ImageSpec(),
    token_limit=35,
    needs_prompt=True,
    typical_range=(-2.0, 2.0),
    distribution=NORMAL,
    notes=("It knows & says <nothing>.",),
)


def make_scores(
    values: list[float],
    prompts: list[str] | None = None,
    cut: list[str] | None = None,
    on_reference: bool = True,
) -> Scores:
    """Scores with the reason ``broken`` wherever a value is NaN."""
    return Scores(
        values=np.array(values, dtype=np.float64),
        scorer="fake",
        revision="0123456789ab",
        prompts=tuple(prompts or ["a cat"] * len(values)),
        cut=tuple(cut or [""] * len(values)),
        failures={index: "broken" for index, value in enumerate(values) if math.isnan(value)},
        distribution=NORMAL if on_reference else None,
        on_reference=on_reference,
    )


@dataclass
class Page(HTMLParser):
    """A parsed page.

    Attributes:
        tags: Every opening tag with its attributes, in order.
        words: All text between tags, outside scripts and styles.
        scripts: Content of the script elements.
    """

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    words: str = ""
    scripts: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            (self.scripts if tag == "script" else self.styles).append("")
        if tag not in ("meta", "img", "br", "input", "link"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open.pop() == tag, f"</{tag}> closes nothing"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script":
            self.scripts[-1] += data
        elif self._open and self._open[-1] == "style":
            self.styles[-1] += data
        else:
            self.words += data

    @property
    def data(self) -> Any:
        """The JSON the page's script works on."""
        return json.loads(self.scripts[-2])

    def having(self, tag: str, name: str = "", value: str = "") -> list[dict[str, str | None]]:
        """Attributes of the elements ``tag``, only of those whose attribute ``name`` holds the word ``value`` if given."""
        return [
            attrs
            for kind, attrs in self.tags
            if kind == tag and (not name or value in (attrs.get(name) or "").split())
        ]

    @classmethod
    def read(cls, text: str) -> Page:
        page = cls()
        page.feed(text)
        page.close()
        assert page._open == [], f"never closed: {page._open}"
        return page
