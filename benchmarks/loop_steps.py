"""Steps of the loop: commands as a person types them, each done once, with what it printed and how long it took."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imagereward_core.files.whole import written_whole

SETTINGS, DONE = "loop.json", "steps"
_COMMAND = (sys.executable, "-m", "imagereward_core")
_ANSWER = (sys.executable, "-m", "imagereward_lab.people.answer")
_PATIENCE = 120.0
PEOPLE = "people"
"""The first word of what simulated people do; all else is a command of ``imagereward``."""


class Steps:
    """The steps of one loop, in its folder; what is done stands in ``steps/``.

    Args:
        folder: Made if it is not there.
        settings: Of the loop: one that was begun with others is not gone on with.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.folder = folder
        told = json.loads(json.dumps(settings))
        known = folder / SETTINGS
        if not known.is_file() and folder.is_dir() and any(folder.iterdir()):
            sys.exit(f"{folder} is there and holds no loop; name a new folder with --output")
        if known.is_file() and json.loads(known.read_text(encoding="utf-8")) != told:
            sys.exit(f"the loop in {folder} was begun with other settings; name another folder with --output")
        (folder / DONE).mkdir(parents=True, exist_ok=True)
        _write(known, told)

    def command(self, name: str, *words: str, fine: Sequence[int] = (0,), anew: Path | None = None) -> str:
        """What ``imagereward`` with these words prints, now or when it was done.

        Args:
            name: Of the step.
            words: Of the command line.
            fine: Exit codes after which it goes on.
            anew: A folder that the command makes: what an unfinished step left there is made anew.
        """
        return self._once(name, words, (*_COMMAND, *words), fine, anew)

    def blind(self, name: str, people: str, who: Sequence[str], task: str, table: str, seed: int) -> None:
        """Simulated people fill in the table of a blind task."""
        words = ["--people", people, "--task", task, "-o", table, "--seed", str(seed)]
        words += [word for each in who for word in ("--who", each)]
        self._once(name, (PEOPLE, *words), (*_ANSWER, *words), (0,), None)

    def person(self, project: str, name: str) -> None:
        """Somebody is added to a project, with a token; a new token where they are known already."""
        step = f"token {name}"
        if self._done(step, ("annotate", "people", project, "add", name)) is None:
            added = self._call((*_COMMAND, "annotate", "people", project, "add", name))
            if added.returncode:
                added = self._call((*_COMMAND, "annotate", "people", project, "token", name))
            self._check(step, added, (0,))
            self._finish(step, ("annotate", "people", project, "add", name), added.stdout, 0.0)

    def answered(self, project: str, people: str, who: Sequence[str], seed: int) -> None:
        """The project is served, and everybody answers all that they are asked."""
        words = ("annotate", project, "--no-browser")
        if self._done("answers", words) is not None:
            return
        begun, said = time.monotonic(), []
        with self.served(project) as address:
            for name in who:
                token = self._stored(f"token {name}")["printed"].strip()
                given = ("--people", people, "--who", name, "--seed", str(seed))
                done = self._call((*_ANSWER, *given, "--server", address, f"--token={token}"))
                self._check(f"answers of {name}", done, (0,))
                said.append(done.stdout)
        self._finish("answers", words, "".join(said), time.monotonic() - begun)

    @contextmanager
    def served(self, project: str) -> Iterator[str]:
        """The address of a project whose pages are served as long as this lasts."""
        line = (*_COMMAND, "annotate", project, "--no-browser")
        server = subprocess.Popen(line, cwd=self.folder, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            told = server.stdout.readline()
            address = next((word for word in told.split() if word.startswith("http")), "")
            if not address:
                sys.exit(f"the project is not served: {told!r}")
            yield address
        finally:
            server.terminate()
            try:
                server.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()

    def seconds(self) -> dict[str, int]:
        """How long each step took."""
        return {name: round(each["seconds"]) for name, each in self._all().items()}

    def lines(self) -> list[str]:
        """The commands as a person types them, with the names of files that lie elsewhere."""
        found = []
        for each in self._all().values():
            words = [Path(word).name if Path(word).is_absolute() else word for word in each["words"]]
            before = ["imagereward"] if words[0] != PEOPLE else ["python", "-m", _ANSWER[-1]]
            found.append(" ".join([*before, *words[words[0] == PEOPLE :]]))
        return found

    def _once(
        self, name: str, words: Sequence[str], line: Sequence[str], fine: Sequence[int], anew: Path | None
    ) -> str:
        known = self._done(name, words)
        if known is not None:
            return known
        if anew is not None and anew.is_dir():
            shutil.rmtree(anew)
        print(f"== {name}", flush=True)
        begun = time.monotonic()
        done = self._call(line)
        self._check(name, done, fine)
        self._finish(name, words, done.stdout, time.monotonic() - begun)
        return done.stdout

    def _call(self, line: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Runs a program in the folder; its messages are seen at once."""
        return subprocess.run(line, cwd=self.folder, stdout=subprocess.PIPE, text=True, check=False)

    def _check(self, name: str, done: subprocess.CompletedProcess[str], fine: Sequence[int]) -> None:
        if done.returncode not in fine:
            sys.exit(
                f"{name} ended with {done.returncode}; what it said stands above. The same call goes on from there"
            )

    def _done(self, name: str, words: Sequence[str]) -> str | None:
        if not self._path(name).is_file():
            return None
        known = self._stored(name)
        if known["words"] != list(words):
            sys.exit(f"{name} was done by another command; name another folder with --output")
        return str(known["printed"])

    def _finish(self, name: str, words: Sequence[str], printed: str, seconds: float) -> None:
        number = len(self._all())
        _write(
            self._path(name),
            {"name": name, "number": number, "words": list(words), "printed": printed, "seconds": seconds},
        )

    def _stored(self, name: str) -> dict[str, Any]:
        return json.loads(self._path(name).read_text(encoding="utf-8"))  # type: ignore[no-any-return]

    def _all(self) -> dict[str, dict[str, Any]]:
        """All that is done, in its order."""
        found = [json.loads(each.read_text(encoding="utf-8")) for each in (self.folder / DONE).glob("*.json")]
        return {each["name"]: each for each in sorted(found, key=lambda each: each["number"])}

    def _path(self, name: str) -> Path:
        return self.folder / DONE / f"{name.replace(' ', '-')}.json"


def _write(path: Path, told: Any) -> None:
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
