"""The folder that the pages show: its pictures with their numbers, judged by the rule a page asks for, and what people say about them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagereward_core.errors import CuratorError
from imagereward_core.files.regular import is_regular
from imagereward_core.gallery.addresses import Addresses
from imagereward_core.gallery.cards import Cards, leaving
from imagereward_core.gallery.filter import Choice, Filter, choose
from imagereward_core.gallery.view import View, Wish, read_view
from imagereward_core.library.library import Library
from imagereward_core.library.scan.keys import key_of
from imagereward_core.library.scan.options import ScanOptions
from imagereward_core.library.store.records import Query, ScorerKey
from imagereward_core.library.stored_panel import NoNumbersError, StoredScorer, stored_panel
from imagereward_core.library.stored_scores import judge
from imagereward_core.scorers.panel import Panel
from imagereward_core.scorers.requests import DEFAULT_SCORER, LoadRequest

if TYPE_CHECKING:
    from imagereward_core.library.curate.options import CurationRule
    from imagereward_core.library.curate.rules import Verdicts
    from imagereward_core.library.store.records import Row
    from imagereward_core.scorers.saved_blends import SavedBlends
    from imagereward_core.weights.locate import WeightSettings

    from ..events import Events

_VIEWS, _CHOICES = 2, 8
"""How many are kept: of a large folder each takes tens of megabytes, and some."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What a filter shows of the folder: its pictures with their numbers, which of them are kept, and the facts a page is told."""

    scorer: str
    view: View
    choice: Choice
    cards: Cards


class Desk:
    """One folder, for any number of pages and threads.

    Args:
        library: Where its numbers are.
        folder: The folder, absolute.
        scan: Which files count.
        events: Pages are told here what has changed.
        scorer: Whose numbers are shown where a page asks for none; by default those that most pictures have.
        blends, weights: Where saved blends and own checkpoints lie.
        read_only: Whether nothing may be noted or moved.
    """

    def __init__(
        self,
        library: Library,
        folder: Path,
        scan: ScanOptions,
        events: Events,
        *,
        scorer: str = "",
        blends: SavedBlends | None = None,
        weights: WeightSettings | None = None,
        read_only: bool = False,
    ) -> None:
        self.library, self.folder, self.scan, self.events = library, folder, scan, events
        self.scorer, self.blends, self.weights, self.read_only = scorer, blends, weights, read_only
        self.addresses = Addresses(most=500_000)
        self.lasting = True
        self._lock = threading.RLock()
        self._views: OrderedDict[str, View] = OrderedDict()
        self._verdicts: OrderedDict[tuple[str, CurationRule], Verdicts] = OrderedDict()
        self._shown: OrderedDict[tuple[str, Filter], Shown] = OrderedDict()
        self._said_times = 0
        self.serial = 1
        self._before: Library | None = None

    # Pictures, as the server asks for them

    def folders(self) -> Sequence[Path]:
        """The folder alone."""
        return [self.folder]

    def find(self, picture: str) -> Path | None:
        """The file of an id, if it is still in the state that it was given out for."""
        row = self.addresses.row(picture)
        if row is None or not is_regular(row.path):
            return None
        try:
            state = row.path.stat()
        except OSError:
            return None
        return row.path if (state.st_mtime_ns, state.st_size) == (row.modified_ns, row.size) else None

    # What is shown

    def scorers(self) -> list[dict[str, Any]]:
        """Whose numbers can be shown, those with the most pictures first: id and number of pictures; saved blends of these behind them."""
        counts: dict[str, int] = {}
        keys = self.library.keys()
        for key in keys:
            number = self.library.count(Query(key=key, folder=self.folder, scored=True))
            counts[key.scorer] = max(counts.get(key.scorer, 0), number)
        found = [
            {"id": name, "count": number}
            for name, number in sorted(counts.items(), key=lambda item: -item[1])
            if number
        ]
        if self.blends is not None:
            for name in self.blends.names():
                with suppress(CuratorError):  # one that cannot be read is said by the command
                    members = [counts.get(member.scorer, 0) for member in self.blends.get(name).members]
                    if members and all(members):
                        found.append({"id": f"blend:{name}", "count": min(members)})
        return found

    def view(self, scorer: str = "") -> View:
        """The folder with a scorer's numbers, or a blend's.

        Raises:
            CuratorError: There are none.
        """
        name = scorer or self.scorer
        with self._lock:
            view = self._views.get(name)
            if view is None:
                wish = Wish(self.folder, LoadRequest(name or DEFAULT_SCORER), self.scan)
                view = read_view(self.library, self._panel(name, bool(scorer)), wish)
                self._views[name] = view
                while len(self._views) > _VIEWS:
                    self._views.popitem(last=False)
            self._views.move_to_end(name)
            return view

    def _panel(self, name: str, is_asked: bool) -> Panel:
        try:
            return stored_panel(
                self.library, name, folder=self.folder, blends=self.blends, weights=self.weights
            )
        except NoNumbersError:
            if is_asked:
                raise
            # The pictures can be seen before anything is scored.
            scorer: Any = StoredScorer(ScorerKey(name or DEFAULT_SCORER, ""))
            return Panel(scorer)

    def shown(self, wanted: Filter, scorer: str = "") -> Shown:
        """What a filter shows.

        Raises:
            CuratorError: There are no such numbers, or the rule cannot be applied to them.
        """
        with self._lock:
            view, rule = self.view(scorer), wanted.rule()
            key = (scorer, wanted)
            found = self._shown.get(key)
            if found is None:
                verdicts = self._verdicts.get((scorer, rule))
                try:
                    choice = choose(view, wanted, verdicts)
                except ValueError as error:
                    raise CuratorError(str(error)) from error
                self._verdicts[scorer, rule] = choice.verdicts
                found = self._shown[key] = Shown(scorer, view, choice, Cards(view, choice, self.addresses.of))
                for kept in (self._shown, self._verdicts):
                    while len(kept) > _CHOICES:
                        kept.popitem(last=False)
            self._shown.move_to_end(key)
            return found

    def deck(
        self,
        wanted: Filter,
        scorer: str,
        start: int,
        count: int,
        chosen: str = "",
        file: str = "",
        *,
        around: bool = False,
    ) -> dict[str, Any]:
        """Pictures from a place among all that are shown, as ``javascript/imagereward_deck.js`` takes them, with ``file`` and ``counts``.

        The chosen picture is that of the id ``chosen``, or ``file``, its path in the folder with slashes; with ``around`` the pictures are
        those around it.
        """
        is_plain = start == 0 and wanted == Filter() and not (chosen or file)
        unread = is_plain and (scorer or self.scorer) not in self._views
        if unread and (first := self._first(scorer, count)) is not None:
            return first
        with self._lock:
            shown = self.shown(wanted, scorer)
            places, serial = shown.choice.shown, self.serial
            picked = self._place(shown, chosen, file)
        if around and picked >= 0:
            start = picked - count // 2
        start = max(0, min(start, len(places) - count))
        failed, kept = len(shown.view.result.main.failures), len(shown.choice.kept)
        return {
            "serial": serial,
            "start": start,
            "total": len(places),
            "pages": 1,
            "size": count,
            "picked": picked,
            "leaving": leaving(wanted),
            "pictures": [self._card(shown, place) for place in places[start : start + count]],
            "counts": {
                "all": len(shown.view.rows),
                "kept": kept,
                "rejected": len(shown.view.rows) - kept - failed,
                "failed": failed,
            },
        }

    def _first(self, scorer: str, count: int) -> dict[str, Any] | None:
        """The best pictures, read alone while the whole folder is read; None where that cannot be. Pages ask again for serial 0.

        Copies of pictures stand among them until then, and nothing is said about reasons.
        """
        try:
            panel = self._panel(scorer or self.scorer, bool(scorer))
        except CuratorError:
            return None
        if len(panel.scorers) != 1:
            return None
        query = Query(key=key_of(panel.scorers[0]), folder=self.folder, scored=True)
        rows, result = judge(lambda _: self.library.page(query, count), panel)
        if not rows:
            return None
        wish = Wish(self.folder, LoadRequest(panel.card.id), self.scan)
        view = View(wish, tuple(rows), [str(row.path.parent) for row in rows], result, panel.card)
        shown = Shown(scorer, view, choice := choose(view, Filter()), Cards(view, choice, self.addresses.of))
        total = self.library.count(query)
        pictures = [{**self._card(shown, place), "reason": ""} for place in choice.shown]
        return {
            "serial": 0,
            "start": 0,
            "total": total,
            "pages": 1,
            "size": count,
            "picked": -1,
            "leaving": leaving(Filter()),
            "pictures": pictures,
            "counts": {"all": total, "kept": total, "rejected": 0, "failed": 0},
        }

    def _card(self, shown: Shown, place: int) -> dict[str, Any]:
        path = shown.view.rows[place].path
        inside = path.is_relative_to(self.folder)
        return {
            **shown.cards[place],
            "file": path.relative_to(self.folder).as_posix() if inside else path.name,
        }

    def _place(self, shown: Shown, picture: str, file: str = "") -> int:
        """Where a picture is among all that are shown; -1 where it is not."""
        row = self.addresses.row(picture)
        path = self.folder / file if file else None if row is None else row.path
        place = None if path is None else shown.view.places.get(path)
        try:
            return -1 if place is None else shown.choice.shown.index(place)
        except ValueError:
            return -1

    def row(self, view: View, picture: str) -> int:
        """The place of a picture among the rows of a view.

        Raises:
            CuratorError: It is not there any more.
        """
        row = self.addresses.row(picture)
        place = None if row is None else view.places.get(row.path)
        if row is None or place is None or view.rows[place].content != row.content:
            raise CuratorError("this picture is no longer in the folder, or has changed; choose another one")
        return place

    # What people say

    def rate(self, view: View, picture: str, stars: int | None) -> None:
        """Gives a picture stars, 0 to 5, or takes them away (None)."""
        row = self._noted(view, picture)
        self.library.set_stars(row.content, stars)
        self._said(row.content, stars=stars)

    def decide(self, view: View, picture: str, kept: bool | None) -> None:
        """Keeps or rejects a picture by hand, or leaves it to the rule again (None)."""
        row = self._noted(view, picture)
        if row.value is None:
            raise CuratorError(
                f"{row.path.name} has no score and stays where it is; give it a prompt and score it, then decide about it"
            )
        self.library.decide(row.content, kept)
        self._said(row.content, decision=kept)

    def _noted(self, view: View, picture: str) -> Row:
        self.may_write()
        row = view.rows[self.row(view, picture)]
        if not row.content:
            raise CuratorError(f"{row.path.name} could not be read, so that nothing can be noted about it")
        return row

    def may_write(self) -> None:
        """Raises CuratorError where nothing may be changed."""
        if self.read_only:
            raise CuratorError("this page is only for looking (--read-only); nothing was changed")

    def _said(self, content: str, **said: Any) -> None:
        with self._lock:
            self._said_times += 1
            for name, view in self._views.items():
                self._views[name] = view.with_said(content, **said)
            # Stars change no verdict but of rules that ask for them.
            lasts = [key for key in self._verdicts if "decision" not in said and key[1].keep_stars is None]
            self._changed(lasts)

    # What changes

    def refresh(self) -> None:
        """Reads the folder anew and tells the pages, which go on with what there was until then."""
        with self._lock:
            names = list(self._views)
        for name in names:
            wish = Wish(self.folder, LoadRequest(name or DEFAULT_SCORER), self.scan)
            while True:
                said = self._said_times
                view = read_view(self.library, self._panel(name, False), wish)
                with self._lock:
                    if self._said_times != said:  # a person said something meanwhile
                        continue
                    if name in self._views:
                        self._views[name] = view
                    break
        self._changed()

    def look_again(self) -> None:
        """Has a library that is only looked at seen as it is now; the one of before serves who still reads in it until the next time."""
        if self.library.database.read_only:
            again = self.library.looked_at_again()
            if self._before is not None:
                self._before.close()
            self._before, self.library = self.library, again

    def close(self) -> None:
        """Closes the library."""
        for library in filter(None, (self._before, self.library)):
            library.close()

    def forget(self) -> None:
        """Forgets what was read; who asks next waits for it, or gets the best ones first."""
        with self._lock:
            self._views.clear()
        self._changed()

    def _changed(self, lasts: Sequence[tuple[str, CurationRule]] = ()) -> None:
        """Forgets what was judged but for the verdicts that last, and tells the pages."""
        with self._lock:
            self._verdicts = OrderedDict((key, self._verdicts[key]) for key in lasts)
            self._shown.clear()
            self.serial += 1
            serial = self.serial
        self.events.tell("changed", {"serial": serial})
