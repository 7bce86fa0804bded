"""A folder of pictures: prompts, scores and stars in a library, curation, and a journal of what was done to files.

    with Library.open(Path("outputs/.imagereward"), root=Path("outputs")) as library:
        library.scan([Path("outputs")], Panel(create_scorer("ImageReward-v1.0")))
        rows = library.rows(Query(folder=Path("outputs")))

Rooms: ``store`` keeps what is known of every picture, ``scan`` finds and scores them, ``curate`` decides what is kept and carries it out,
``journal`` writes down every step before it happens and takes it back, ``watch`` does all that while pictures arrive.
``answers`` has what was answered to quick questions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .answers import AnswerStore as AnswerStore
    from .curate.carry_out import carry_out as carry_out
    from .curate.carry_out import take_back as take_back
    from .curate.options import CurateOptions as CurateOptions
    from .curate.options import CurationRule as CurationRule
    from .curate.plan import Curation as Curation
    from .curate.plan import plan_curation as plan_curation
    from .journal import Journal as Journal
    from .journal import open_journal as open_journal
    from .library import Library as Library
    from .scan.options import ScanOptions as ScanOptions
    from .store.records import Query as Query
    from .store.records import Row as Row
    from .watch.watcher import Watcher as Watcher

_HOMES = {
    "AnswerStore": "answers",
    "CurateOptions": "curate.options",
    "Curation": "curate.plan",
    "CurationRule": "curate.options",
    "Journal": "journal",
    "Library": "library",
    "Query": "store.records",
    "Row": "store.records",
    "ScanOptions": "scan.options",
    "Watcher": "watch.watcher",
    "carry_out": "curate.carry_out",
    "open_journal": "journal",
    "plan_curation": "curate.plan",
    "take_back": "curate.carry_out",
}
__all__ = sorted(_HOMES)


__getattr__, __dir__ = lazy(__name__, _HOMES)
