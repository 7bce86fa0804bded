"""What one open page knows between two clicks. It stays in the program; the browser is never sent it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imagereward_core.library.curate import Curation

from .filtering import Choice, Filter, choose, number_of_pages, page_of
from .view import View


@dataclass(frozen=True, eq=False)
class Session:
    """One page.

    Attributes:
        view: The scored folder; None before the first.
        wanted: What to keep and to see of it.
        choice: What ``wanted`` makes of ``view``.
        page: Number of the page shown, from 0.
        picked: Place of the picture somebody clicked; None for none.
        job: Number of the work this page waits for; 0 for none.
        previewed: What "Carry out" would do; None unless it is what is on the page.
    """

    view: View | None = None
    wanted: Filter = field(default_factory=Filter)
    choice: Choice | None = None
    page: int = 0
    picked: int | None = None
    job: int = 0
    previewed: Curation | None = None

    def showing(self, view: View) -> Session:
        """The page with another folder, its first pictures in front."""
        return replace(self, view=view, choice=choose(view, self.wanted), page=0, picked=None, previewed=None)

    def filtered(self, wanted: Filter) -> Session:
        """The page with another filter."""
        if self.view is None:
            return replace(self, wanted=wanted)
        choice = choose(self.view, wanted)
        return replace(self, wanted=wanted, choice=choice, page=0, previewed=None)

    def turned(self, by: int, size: int) -> Session:
        """So many pages further, within what there is."""
        last = 0 if self.choice is None else number_of_pages(len(self.choice.shown), size) - 1
        return replace(self, page=min(max(0, self.page + by), last))

    def visible(self, size: int) -> tuple[int, ...]:
        """Places of the pictures on the page."""
        return () if self.choice is None else page_of(self.choice, self.page, size)

    def clicked(self, number: int, size: int) -> Session:
        """With the picture picked that stands at ``number`` on the page."""
        visible = self.visible(size)
        return replace(self, picked=visible[number] if 0 <= number < len(visible) else None)

    def moved(self, by: int, size: int) -> Session:
        """With the picture picked that stands so many places behind the picked one, on whatever page it is."""
        shown = list(self.choice.shown) if self.choice is not None else []
        if not shown:
            return replace(self, picked=None)
        here = shown.index(self.picked) + by if self.picked in shown else 0
        here = min(max(0, here), len(shown) - 1)
        return replace(self, picked=shown[here], page=here // max(1, size))
