"""The tables as queries see them. What makes them stands in :mod:`.migrations`; a test holds the two in step."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, ForeignKey, Integer, MetaData, Table, Text

METADATA = MetaData()

PROJECT = Table("project", METADATA, Column("key", Text, primary_key=True), Column("value", Text))
"""Settings of the project, as JSON, and the version of the tables."""

IMAGES = Table(
    "images",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text),
    Column("width", Integer),
    Column("height", Integer),
)
"""Pictures. An id is random, so that it tells nothing; a name is relative to the project's folder of pictures."""

TASKS = Table(
    "tasks",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("key", Text),
    Column("mode", Text),
    Column("prompt", Text),
    Column("translation", Text),
    Column("position", Integer),
    Column("people", Integer),
    Column("test", Boolean),
    Column("open", Boolean),
)
"""What is asked. ``people`` is how many are asked; the test before admission is asked of everybody. ``open`` until all have answered."""

TASK_IMAGES = Table(
    "task_images",
    METADATA,
    Column("task_id", Integer, ForeignKey("tasks.id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("image_id", Text, ForeignKey("images.id")),
    Column("source", Text),
)

PEOPLE = Table(
    "people",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text),
    Column("role", Text),
    Column("state", Text),
    Column("token_hash", Text),
    Column("created", Double),
)

ASSIGNMENTS = Table(
    "assignments",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("task_id", Integer, ForeignKey("tasks.id")),
    Column("person_id", Integer, ForeignKey("people.id")),
    Column("state", Text),
    Column("seat", Integer),
    Column("lease_ends", Double),
    Column("created", Double),
    Column("note", Text),
)
"""Who has which task. One row for each task and person; ``seat`` is one of as many as people are asked, and only one row may hold it.

States: ``open`` (at it, until the lease ends), ``lapsed`` (the lease ended and somebody else has the seat), ``done``, ``skipped``,
``invalid`` (an inspector said so). Seats are held by ``open`` and ``done``, and by none in the test.
"""

DRAFTS = Table(
    "drafts",
    METADATA,
    Column("assignment_id", Integer, ForeignKey("assignments.id"), primary_key=True),
    Column("document", Text),
    Column("saved", Double),
)

ANSWERS = Table(
    "answers",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("assignment_id", Integer, ForeignKey("assignments.id")),
    Column("version", Integer),
    Column("document", Text),
    Column("seconds", Double),
    Column("submitted", Double),
)
"""Answers, each version a row. Rows are only added."""

INSPECTIONS = Table(
    "inspections",
    METADATA,
    Column("answer_id", Integer, ForeignKey("answers.id"), primary_key=True),
    Column("inspector_id", Integer, ForeignKey("people.id")),
    Column("lease_ends", Double),
    Column("verdict", Text),
    Column("note", Text),
    Column("judged", Double),
)
"""Who looks at which answer, and the verdict; empty until there is one."""

QUESTIONS = Table(
    "questions",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("person_id", Integer, ForeignKey("people.id")),
    Column("task_id", Integer, ForeignKey("tasks.id"), nullable=True),
    Column("images", Text),
    Column("state", Text),
    Column("winner", Text),
    Column("seconds", Double),
    Column("asked", Double),
    Column("answered", Double),
)
"""Of quick mode. States: ``open``, ``answered`` (without a winner: a tie), ``passed``, ``undone``. Across prompts there is no task."""

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", Double),
    Column("person_id", Integer),
    Column("action", Text),
    Column("subject", Text),
    Column("detail", Text),
)
"""Every change, added by the transaction that makes it. The database itself refuses to change or delete a row."""
