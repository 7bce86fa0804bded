"""A scorer without weights: a picture's brightness, from -2 to 2. What a test expects can be read off the pictures."""

from __future__ import annotations

import math
import types
from dataclasses import replace

import numpy as np

from imagereward_core.scorers.base import objection
from imagereward_core.scorers.panel import PanelResult
from imagereward_core.scores import Scores
from imagereward_core.weights.cards import CARDS
from tests.support.webui.fake_webui import brightness


class FakeScorer:
    """Stands for ``scorer_cache.load(...)``; ``calls`` are the prompts of every call, ``requests`` what was asked for."""

    def __init__(self):
        self.card = CARDS["ImageReward-v1.0"]
        self.beside, self.distribution = (), self.card.distribution
        self.calls, self.requests, self.pictures = [], [], []
        self.error, self.unreadable = None, ()
        self.needs_prompt = True

    @classmethod
    def install(cls, monkeypatch, loaded):
        made = cls()
        monkeypatch.setattr(loaded, "load", made.load)
        monkeypatch.setattr(loaded, "choices", lambda: ["ImageReward-v1.0", "demo"])
        return made

    @property
    def panel(self):
        return types.SimpleNamespace(needs_prompt=self.needs_prompt, card=self.card)

    def load(self, request, *arguments):
        self.requests.append(request)
        if self.error is not None:
            raise self.error
        return self

    def score(self, pictures, prompts):
        """One number per picture; those whose place is in ``unreadable`` have none."""
        self.calls.append([str(prompt) for prompt in prompts])
        self.pictures += pictures
        values = [4 * brightness(picture) - 2 for picture in pictures]
        bad = {at: "cannot be read" for at in self.unreadable if at < len(values)}
        card = replace(self.card, needs_prompt=self.needs_prompt)
        bad |= {at: why for at, prompt in enumerate(prompts) if (why := objection(card, prompt))}
        values = [math.nan if at in bad else value for at, value in enumerate(values)]
        main = Scores(
            np.array(values),
            self.card.id,
            "test",
            tuple(map(str, prompts)),
            ("",) * len(values),
            bad,
            distribution=self.distribution,
        )
        beside = tuple(
            Scores(np.array(values) * 2, name, "test", main.prompts, main.cut, bad) for name in self.beside
        )
        return PanelResult(main, beside)
