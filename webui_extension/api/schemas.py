"""What requests and answers look like. Pydantic 1.10 and 2 both read this file.

Annotations here are never postponed: FastAPI has to resolve them, and the oldest it runs with on our hosts cannot do that for
names which live in a module a WebUI loads by path. Nothing is used that the two versions of pydantic spell differently.
"""

from typing import Any, get_args

from pydantic import BaseModel, Field

SCHEMA_VERSION = 1
"""Grows when a field is removed or changes its meaning; new fields leave it as it is."""

MOST_DIGITS = 18
"""Whole numbers of a request have at most so many digits."""
_MOST = 10**MOST_DIGITS - 1
# One version of pydantic makes a whole number of 1e30, and both of a text of thirty digits.


class PictureIn(BaseModel):
    """One picture to score: its bytes, or where it lies."""

    image: str | None = Field(
        None, description="The picture file in base64, with or without 'data:image/...;base64,' in front"
    )
    path: str | None = Field(
        None, description="A file in the output folders of this WebUI or in a folder allowed in its settings"
    )
    prompt: str | None = Field(
        None, description="The prompt of this picture; without it that of the request, else its own metadata"
    )
    name: str | None = Field(None, description="What to call it in the answer")


class ScoreRequest(BaseModel):
    """Pictures to score, and how."""

    pictures: list[PictureIn] = Field(..., description="At least one")
    prompt: str | None = Field(None, description="The prompt of all pictures that bring none themselves")
    prompt_from: str = Field(
        "auto", description="Where other prompts are read: auto, sidecar (a text file beside it) or metadata"
    )
    raw_prompt: bool = Field(
        False, description="Leave LoRA tags, weights and the like in what the scorer reads"
    )
    scorer: str = Field(
        "", description="A scorer of /models, or the text of a blend; empty for the one in the settings"
    )
    also: list[str] = Field(default_factory=list, description="Scorers to show beside it")
    precision: str = Field("", description="auto, fp32, bf16 or fp16; empty for the one in the settings")
    whole_picture: bool | None = Field(
        None, description="Show scorers all of the picture instead of its middle (off-reference)"
    )


class UnloadRequest(BaseModel):
    """Nothing has to be said; the body is ``{}``."""


class RankRequest(ScoreRequest):
    """The same, with what to keep; every condition that is set must hold."""

    top: int | None = Field(None, description="Keep at most this many", ge=0, le=_MOST)
    top_percent: float | None = Field(None, description="Keep at most the best so many percent", ge=0, le=100)
    min_score: float | None = Field(None, description="Keep scores of at least this")
    min_percentile: float | None = Field(None, description="Keep percentiles of at least this", ge=0, le=100)
    keep_at_least: int = Field(
        0, description="Keep the best so many whatever the other conditions say", ge=0, le=_MOST
    )
    within: str = Field(
        "all", description="Whether numbers and shares count over all pictures or within each prompt"
    )


NUMBERS = frozenset(
    name for name, kind in RankRequest.__annotations__.items() if {int, float} & {kind, *get_args(kind)}
)
"""Fields that are numbers. Both versions of pydantic would take true for 1 and false for 0."""


class RowOut(BaseModel):
    """One picture of the answer; the fields of the command's rows, and ``index``, its place in the request."""

    index: int
    file: str
    score: float | None = None
    percentile: float | None = None
    rank: int = 0
    rank_in_prompt: int = 0
    scored_in_prompt: int = 0
    kept: bool = False
    reason: str = ""
    prompt: str = ""
    prompt_cut: str = ""
    prompt_written: str = ""
    prompt_source: str = ""
    notes: str = ""
    disputed: str = ""
    beside: dict[str, float | None] = Field(default_factory=dict)
    beside_reason: str = ""


class ScoreAnswer(BaseModel):
    """Rows in the order asked for, and what has to be known to read them."""

    schema_version: int = SCHEMA_VERSION
    scorer: str
    revision: str
    on_reference: bool
    card: dict[str, Any]
    rule: dict[str, Any] | None = None
    counts: dict[str, int]
    remarks: list[str] = Field(
        default_factory=list,
        description="What has to be known to read the numbers, and how far scorers agree",
    )
    rows: list[RowOut]


class ScorerOut(BaseModel):
    """One scorer of /models."""

    id: str
    title: str = ""
    summary: str = ""
    paper: str = ""
    licence: str = ""
    token_limit: int | None = None
    needs_prompt: bool = True
    typical_range: list[float] = Field(default_factory=list)
    present: bool = Field(description="Whether its weights are on this machine, all of them and whole")
    download_size: int = Field(0, description="Bytes to fetch where they are not; 0 where unknown")
    own: bool = Field(False, description="Whether it is a checkpoint of the user's own")
    remarks: list[str] = Field(default_factory=list, description="What has to be known to read its numbers")


class ModelsAnswer(BaseModel):
    """What may be asked for as ``scorer``."""

    schema_version: int = SCHEMA_VERSION
    default: str
    scorers: list[ScorerOut]


class UnloadAnswer(BaseModel):
    """What was freed."""

    message: str


class VersionAnswer(BaseModel):
    """Who answers here."""

    name: str = "ImageReward Curator"
    version: str
    api: str = "v1"
    schema_version: int = SCHEMA_VERSION
    host: str
