"""The tab's handlers as the page drives them: values that widgets hold, and what a click does to them."""

from __future__ import annotations

from contextlib import contextmanager

from drawn import Loaded
from fake_webui import ours

SCORING = (
    *("folder", "scorer", "also", "recursive", "prompt_from", "typed", "raw", "unscored"),
    *("kept_folder", "rejected_folder"),
)
FILTERING = ("show", "sort", "low", "high", "percent", "top", "per", "unique", "keep_stars", "text")
ACTING = ("which", "how", "kept_folder", "rejected_folder", "resort", "write_scores", "xmp")
"""Widgets whose values the handlers are given, in their order, as in ``tab/page.py``."""


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
        monkeypatch.setattr(ours("loaded"), "load", lambda request, interruptible=True: QuietLoaded(request))
        if fresh:
            ours("tab.jobs").close()
        self.host, self.handlers = host, ours("tab.handlers")
        self.session = ours("tab.session").Session()
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
        change = ours("tab.showing").Change
        self.session, changed = getattr(self.handlers, handler)(self.session, *arguments)
        for name, value in changed.items():
            properties = value.properties if isinstance(value, change) else {"value": value}
            if "value" in properties:
                self.values[name] = properties["value"]
        return changed

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
