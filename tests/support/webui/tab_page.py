"""The tab's handlers as the page drives them: values that widgets hold, and what a click does to them."""

from __future__ import annotations

import html
import json
import re
from contextlib import contextmanager
from pathlib import Path

from tests.support.webui.drawn import Loaded
from tests.support.webui.fake_webui import ours

SCORING = (
    *("folder", "scorer", "also", "recursive", "prompt_from", "typed", "raw", "unscored"),
    *("kept_folder", "rejected_folder"),
)
FILTERING = ("show", "sort", "low", "high", "percent", "top", "per", "unique", "keep_stars", "text")
ACTING = ("which", "how", "kept_folder", "rejected_folder", "resort", "write_scores", "xmp")
"""Widgets whose values the handlers are given, in their order, as in ``tab/page.py``."""


def tree(folder):
    """Every file of a folder with its content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }


class QuietLoaded(Loaded):
    """A scorer that notes when it works."""

    working = 0

    @contextmanager
    def at_work(self, pictures, interruptible=True):
        assert not interruptible, "what the host's Interrupt says is about a generation"
        QuietLoaded.working += pictures
        yield


class TabPage:
    """One open page.

    Args:
        host: An ``ApiHost``, whose queue counts turns.
        monkeypatch: Puts the scorer in.
        fresh: Whether nothing is at work yet.
    """

    def __init__(self, host, monkeypatch, fresh=True):
        monkeypatch.setattr(
            ours("scorer_cache"), "load", lambda request, interruptible=True: QuietLoaded(request)
        )
        if fresh:
            ours("tab.jobs").close()
        self.host, self.handlers = host, ours("tab.handlers")
        self.session = ours("tab.session").Session()
        self.wishes, self.properties, self.problem = 0, {}, ""
        self.values = {
            "folder": str(host.samples), "scorer": "demo", "also": [], "recursive": True,
            "prompt_from": "Text file, else metadata", "typed": "", "raw": False, "unscored": False,
            "kept_folder": "kept", "rejected_folder": "rejected", "show": "Kept and rejected", "sort": "Best first",
            "low": 0, "high": 1, "percent": 100, "top": 0, "per": "Overall", "unique": False, "keep_stars": 0, "text": "",
            "which": "Kept", "how": "Copy", "resort": False, "write_scores": False, "xmp": False,
        }  # fmt: skip

    def do(self, handler, *arguments, **set_first):
        """Presses something; afterwards the values are what the page shows."""
        self.values |= set_first
        return self._take(*getattr(self.handlers, handler)(self.session, *arguments))

    def wish(self, do, **what):
        """What the page's script asks for; gives the answer's chosen place."""
        self.wishes += 1
        text = json.dumps({"number": self.wishes, "do": do, **what})
        changed = self._take(*ours("tab.culling").command(self.session, text))
        found = dict(re.findall(r'data-(\w+)="([^"]*)"', self.values["answer"]))
        self.problem = html.unescape(found["problem"])
        assert int(found["answer"]) == self.wishes and (found["deck"] == "1") == ("deck" in changed)
        return int(found["picked"])

    def _take(self, session, changed):
        change = ours("tab.updates").Change
        self.session = session
        for name, value in changed.items():
            properties = value.properties if isinstance(value, change) else {"value": value}
            if "value" in properties:
                self.values[name] = properties["value"]
            self.properties.setdefault(name, {}).update(properties)
        return changed

    @property
    def deck(self):
        """The page of pictures as the script reads it."""
        text = re.search(r'data-deck="([^"]*)"', self.values["deck"])
        return json.loads(html.unescape(text[1]))

    def look_at(self, number):
        """Clicks the picture at a place of the page."""
        return self.wish("show", at=self.deck["start"] + number, id=self.deck["pictures"][number]["id"])

    def send(self, number):
        """Makes the picture at a place of the page ready for another tab; gives its file and parameters."""
        self.wish("send", id=self.deck["pictures"][number]["id"])
        return self.values["picture"], self.values["infotext"]

    def _named(self, *names):
        return [self.values[name] for name in names]

    def begin(self, **set_first):
        """Presses Score."""
        self.values |= set_first
        return self.do("score", *self._named(*SCORING))

    def score(self, **set_first):
        """Presses Score and waits; gives the line that is then on the page."""
        self.begin(**set_first)
        return self.finish()

    def filter(self, **set_first):
        self.values |= set_first
        return self.do("refilter", *self._named(*FILTERING))

    def preview(self, **set_first):
        self.values |= set_first
        return self.do("preview", *self._named(*ACTING))

    def finish(self):
        """Waits for the work and looks at it, as the page's script does."""
        job = ours("tab.jobs").current()
        if job is not None:
            assert job.wait(60)
        self.do("poll")
        return self.values.get("message", "")

    @property
    def shown(self):
        """Names of the pictures in the gallery."""
        rows = self.session.view.rows
        return [rows[place].path.name for place in self.session.visible(60)]
