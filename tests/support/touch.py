"""Fingers on a page in a real Chromium: touches as the system sends them, of which the browser makes pointer events itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Point = tuple[float, float]


class Fingers:
    """Fingers on a page of playwright."""

    def __init__(self, page: Any) -> None:
        self.page, self.session = page, page.context.new_cdp_session(page)
        self.points: tuple[Point, ...] = ()

    def down(self, *points: Point) -> None:
        """Where all fingers are that are down from now on: those that were are moved, or lifted from the last one on."""
        while len(self.points) > len(points):
            *rest, last = self.points
            self._send("touchEnd", {len(rest): last})
            self.points = tuple(rest)
        kind = "touchStart" if len(points) > len(self.points) else "touchMove"
        if points and points != self.points:
            self._send(kind, dict(enumerate(points)))
        self.points = points

    def _send(self, kind: str, points: dict[int, Point]) -> None:
        given = [{"x": x, "y": y, "id": number} for number, (x, y) in points.items()]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": given})

    def move(self, begin: Sequence[Point], end: Sequence[Point], steps: int = 6) -> None:
        """Moves fingers that are down from some places to others, and waits until the page has seen the last of it."""
        for step in range(1, steps + 1):
            share = step / steps
            self.down(
                *(
                    (x + (to_x - x) * share, y + (to_y - y) * share)
                    for (x, y), (to_x, to_y) in zip(begin, end, strict=True)
                )
            )
        # Moves are handed to the page once for each frame that is drawn.
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def gesture(self, begin: Sequence[Point], end: Sequence[Point]) -> None:
        """Fingers go down one after another, move, and are lifted, the last one first."""
        for count in range(1, len(begin) + 1):
            self.down(*begin[:count])
        self.move(begin, end)
        self.down()
