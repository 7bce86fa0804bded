"""The server of annotation killed while people work, on both databases: a short case of ``benchmarks/annotation_kills.py``."""

from __future__ import annotations

import os

import pytest

from benchmarks.annotation_kills import Plan, run
from tests.support.lab.postgres import database, postgres  # noqa: F401


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes as Unix does")
def test_a_server_that_is_killed_loses_no_confirmed_answer_and_gives_no_task_twice(tmp_path, database):  # noqa: F811
    figures = run(tmp_path, Plan(annotators=6, tasks=12, kills=2), database)
    assert figures["wrong"] == []
    assert figures["kills"] == 2 and figures["answers_confirmed"] == 36 and figures["requests_sent_again"] > 0
