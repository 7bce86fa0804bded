"""Scripted annotators over HTTP, as a browser works: what is not confirmed is sent again until it is."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from imagereward_lab.annotation.protocol.keys import CATEGORIES, SLOTS

PATIENCE = 120.0
"""Seconds that a server may be away."""
_BREAK = 0.05


class Lost(Exception):
    """The server was not there for longer than it may be."""


class Refusal(Exception):
    """The server's answer is that it cannot be done."""


class Line:
    """One person's connection: every request is sent until it is answered.

    Args:
        port: Of the server on this computer.
        token: The person's.
    """

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token
        self.again = 0
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The server's answer, which may take several tries.

        Raises:
            Refusal: It refused.
            Lost: It was away for too long.
        """
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                status, told = self._once(method, path, body)
            except (OSError, http.client.HTTPException, ValueError):
                self.again += 1
                self.close()
                time.sleep(_BREAK)
                continue
            if status == 200:
                return told
            raise Refusal(f"{method} {path}: {status} {told}")
        raise Lost(f"{method} {path}: no answer for {PATIENCE:.0f} s")

    def _once(self, method: str, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if method == "GET" else json.dumps(body or {})
        self._connection.request(method, f"/annotation/api/{path}", data, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if len(text) != int(answer.headers.get("Content-Length", len(text))):
            raise ValueError("cut off")
        return answer.status, json.loads(text)

    def close(self) -> None:
        """Hangs up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def document_of(task: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """An answer that fits the protocol: ratings by chance, and slots that agree with them."""
    ids = [image["id"] for image in task["images"]]
    overall = {image: rng.randint(1, 7) for image in ids}
    order = sorted(ids, key=lambda image: -overall[image])
    slots: list[list[str]] = [[] for _ in range(SLOTS)]
    for place, image in enumerate(order):
        slots[place * SLOTS // len(order)].append(image)
    ratings = {
        image: {
            "overall": overall[image],
            "alignment": rng.randint(1, 7),
            "fidelity": 4,
            "problems": [],
            "missing": [],
        }
        for image in ids
    }
    prompt = {"category": rng.choice(CATEGORIES), "intent_unclear": False, "problems": [], "phrases": []}
    return {"prompt": prompt, "images": ratings, "ranking": slots}


@dataclass
class Diary:
    """What one person was told by the server.

    Attributes:
        name: The person's.
        given: Tasks that were given, by number.
        confirmed: Answers that were confirmed, by task.
        drafts: Drafts that were confirmed and looked for after a reload.
        lost: What was confirmed and was not there later.
    """

    name: str
    given: set[int] = field(default_factory=set)
    confirmed: dict[int, Any] = field(default_factory=dict)
    drafts: int = 0
    lost: list[str] = field(default_factory=list)


def annotate(line: Line, diary: Diary, seed: int, told: Callable[[], None], stop: threading.Event) -> None:
    """Works until nothing is left: takes a task, saves half of it, reloads the page now and then, submits.

    Args:
        line: To the server.
        diary: Written on the way.
        seed: Of the person's answers.
        told: Called after each confirmed answer.
        stop: Ends the work.
    """
    rng = random.Random(seed)
    task, saved = None, None
    while not stop.is_set():
        if task is None:
            found = line.ask("GET", "next")
            task, saved = found["task"], None
            if task is None:
                if found["reason"] == "done":
                    return
                time.sleep(_BREAK)
                continue
            diary.given.add(task["id"])
        whole = document_of(task, rng)
        half = {"prompt": whole["prompt"], "images": {}, "ranking": None}
        line.ask("PUT", f"tasks/{task['id']}/draft", {"document": half})
        saved = half
        if rng.random() < 0.5:  # the page is loaded anew: what was saved is there
            found = line.ask("GET", "next")
            diary.drafts += 1
            if found["task"] is None or found["task"]["id"] != task["id"]:
                diary.lost.append(f"{diary.name}: task {task['id']} was theirs, and another one came")
            elif found["task"]["draft"] != saved:
                diary.lost.append(f"{diary.name}: the draft of task {task['id']} is another one")
        answer = line.ask("POST", f"tasks/{task['id']}/submit", {"document": whole, "seconds": 1.0})
        if answer["faults"]:
            diary.lost.append(
                f"{diary.name}: task {task['id']} was not taken: {answer['faults'][0]['message']}"
            )
            return
        diary.confirmed[task["id"]] = whole
        told()
        task = answer["task"]
        if task is not None:
            diary.given.add(task["id"])
