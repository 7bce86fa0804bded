"""The session of one open page. It stays in the program; the browser is never sent it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imagereward_core.library.curate.plan import Curation

from imagereward_core.gallery.filter import Choice, Filter, choose, number_of_pages, page_of
from imagereward_core.gallery.view import View


@dataclass(frozen=True)
class Asked:
    """What quick ranking in a page is about: a prompt, or pictures of all of them, and how many are shown side by side."""

    prompt: str | None
    size: int


@dataclass(frozen=True, eq=False)
class Session:
    """One page.

    Attributes:
        choice: What ``wanted`` makes of ``view``.
        page: Number of the page shown, from 0.
        picked: Place of the picture somebody clicked; None for none.
        job: Number of the work this page waits for; 0 for none.
        previewed: What "Carry out" would do; None unless it is what is on the page.
        quick: What quick ranking asks about; None where it has not begun.
    """

    view: View | None = None
    wanted: Filter = field(default_factory=Filter)
    choice: Choice | None = None
    page: int = 0
    picked: int | None = None
    job: int = 0
    previewed: Curation | None = None
    quick: Asked | None = None

    def showing(self, view: View) -> Session:
        """The page with another folder, its first pictures in front."""
        return replace(
            self, view=view, choice=choose(view, self.wanted), page=0, picked=None, previewed=None, quick=None
        )

    def filtered(self, wanted: Filter) -> Session:
        """The page with another filter. A chosen picture that is no longer shown is no longer chosen."""
        if self.view is None:
            return replace(self, wanted=wanted)
        choice = choose(self.view, wanted)
        picked = self.picked if self.picked in choice.shown else None
        return replace(self, wanted=wanted, choice=choice, page=0, picked=picked, previewed=None)

    def judged_anew(self, view: View, size: int) -> Session:
        """The page after a person changed something about a picture: the same one stays chosen, or what took its place if it went."""
        before = self.shown.index(self.picked) if self.picked in self.shown else None
        after = replace(self, view=view).filtered(self.wanted)
        if before is not None and after.picked is None and after.shown:
            after = after.at(min(before, len(after.shown) - 1), size)
        elif after.picked is not None:
            after = after.at(after.shown.index(after.picked), size)
        return after if before is not None else after.turned(self.page, size)

    @property
    def shown(self) -> Sequence[int]:
        """Places of all pictures that are shown, on whatever page."""
        return () if self.choice is None else self.choice.shown

    def turned(self, by: int, size: int) -> Session:
        """So many pages further, within what there is."""
        last = 0 if self.choice is None else number_of_pages(len(self.choice.shown), size) - 1
        return replace(self, page=min(max(0, self.page + by), last))

    def visible(self, size: int) -> tuple[int, ...]:
        """Places of the pictures on the page."""
        return () if self.choice is None else page_of(self.choice, self.page, size)

    def at(self, index: int, size: int) -> Session:
        """With the picture picked that is the ``index``-th of all that are shown, from 0, and the page it is on; the nearest there is."""
        if not self.shown:
            return replace(self, picked=None)
        index = min(max(0, index), len(self.shown) - 1)
        return replace(self, picked=self.shown[index], page=index // max(1, size))
