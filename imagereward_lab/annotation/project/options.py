"""Settings of a project, each with its default, range and help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from imagereward_core.settings import check, setting

from ..protocol.keys import BEST_WORST, LEAST_IMAGES, PROTOCOL, QUICK
from ..protocol.modes import MODES
from ..records import AnnotationError

MOST_TASKS = 10**6


@dataclass(frozen=True, kw_only=True)
class ProjectOptions:
    """How a project is made and how its people work."""

    mode: str = setting(PROTOCOL, "What is asked", choices=tuple(MODES))
    least: int | None = setting(
        None,
        "Prompts with fewer pictures are left out",
        low=2,
        high=64,
        unset=0,
        unset_means="4 with the protocol and best-worst, else 2",
    )
    most: int = setting(9, "Of prompts with more pictures so many are drawn by the seed", low=2, high=64)
    seed: int = setting(0, "Another number draws otherwise", low=0, high=2**31)
    prompts: int | None = setting(
        None,
        "Draw this many prompts by the seed",
        low=1,
        high=MOST_TASKS,
        unset=0,
        unset_means="all",
    )
    people: int = setting(1, "How many people are asked about each prompt", low=1, high=100)
    skips: int = setting(20, "How many tasks everybody may skip", low=0, high=MOST_TASKS)
    lease_minutes: float = setting(
        30.0,
        "After so many minutes without a sign of life a task is free for somebody else",
        low=0.01,
        high=7 * 24 * 60,
    )
    test: int = setting(
        0,
        "Prompts of the test before admission, drawn by the seed and asked of everybody",
        low=0,
        high=1000,
    )
    threshold: float = setting(
        60.0,
        "Agreement in the test that admits, with the researchers and with the other annotators",
        low=0,
        high=100,
        unit="percent",
    )
    least_pairs: int = setting(20, "An agreement counts from so many pairs of pictures on", low=1, high=10**6)
    top: int = setting(3, "With top-picks: the best of each scorer, for each prompt", low=1, high=32)
    side_by_side: int = setting(2, "In quick mode: pictures of one question", low=2, high=4)
    questions: float = setting(
        3.0, "In quick mode: questions for each picture, all people together", low=0.1, high=1000
    )
    across_prompts: bool = setting(
        False,
        "In quick mode: compare pictures of different prompts too, which mixes how good a picture is with how hard its prompt is",
    )

    def __post_init__(self) -> None:
        check(self)
        mode = MODES[self.mode]
        # A question of quick mode shows a few of a prompt's pictures, however many there are.
        if self.mode != QUICK and not mode.least <= self.fewest <= self.most <= mode.most:
            raise AnnotationError(
                "bad_number",
                f"found {self.fewest} to {self.most} pictures of a prompt; expected from {mode.least} to {mode.most} in mode {self.mode}, "
                "the least not above the most",
            )

    @property
    def fewest(self) -> int:
        """Pictures that a prompt needs."""
        if self.least is not None:
            return self.least
        return LEAST_IMAGES if self.mode in (PROTOCOL, BEST_WORST) else 2

    def plain(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> ProjectOptions:
        """What was kept; settings of a later version that this one does not know are passed over.

        Raises:
            AnnotationError: A value is not in its range: nobody's hand wrote it well.
        """
        known = {each.name for each in fields(cls)}
        try:
            return cls(**{name: value for name, value in kept.items() if name in known})
        except (TypeError, ValueError) as error:
            raise AnnotationError(
                "bad_settings", f"the settings of the project cannot be read ({error})"
            ) from error
