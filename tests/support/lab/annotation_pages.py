"""Projects with drawn pictures, their pages asked directly or served for a browser."""

from __future__ import annotations

import threading
from contextlib import contextmanager

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from imagereward_lab.annotation.pages.part import annotation_access, annotation_part
from imagereward_lab.annotation.pages.serve import serve_project
from imagereward_lab.server.app import make_app
from imagereward_lab.server.hosts import Hosts
from tests.support.lab.annotation import make_project, new_tasks
from tests.support.lab.server import Client

OWN = "the-token-of-the-server"
SECRET = "SecretDiffusion-XL"
"""What made the pictures, as their files tell it."""


def draw(path, number, size=(96, 72)):
    """A plain picture of a colour of its own, whose file says what made it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = PngInfo()
    told.add_text("parameters", f"a red star\nSteps: 20, Model: {SECRET}")
    Image.new("RGB", size, ((67 * number) % 256, (131 * number) % 256, (29 * number) % 256)).save(
        path, pnginfo=told
    )


def drawn_project(folder, *, tasks=3, images=4, mode="protocol", prompt="", **options):
    """A project whose pictures are there."""
    asked = new_tasks(tasks, images, mode=mode, people=options.get("people", 1), sources=True)
    if prompt:
        asked = [type(each)(**{**vars(each), "prompt": prompt}) for each in asked]
    for index in range(tasks):
        for place in range(images):
            draw(folder / "pictures" / str(index) / f"{place}.png", index * images + place + 1)
    return make_project(folder, asked, mode=mode, **options)


class Visitor(Client):
    """Somebody with a token; ``json`` says what the server answered, and fails where it refused."""

    def __init__(self, app, token):
        super().__init__(app)
        self.token = token

    def ask(self, method, path, **given):
        headers = {"authorization": f"Bearer {self.token}", **given.pop("headers", {})}
        if method != "GET" and not {"json", "content"} & given.keys():
            given["json"] = {}
        return super().ask(method, path, headers=headers, **given)

    def json(self, method, path, body=None):
        answer = self.ask(method, f"/annotation/api/{path}", **({} if body is None else {"json": body}))
        assert answer.status_code == 200, answer.text
        return answer.json()


def app_of(service):
    """The application as it is served on this computer."""
    return make_app([annotation_part(service)], annotation_access(service, OWN), Hosts.of("127.0.0.1"))


@contextmanager
def served(project):
    """The link of a project that is served by a thread."""
    said, ready, stop = [], threading.Event(), threading.Event()
    thread = threading.Thread(
        target=serve_project,
        args=(project,),
        kwargs={"browser": False, "say": said.append, "ready": lambda _: ready.set(), "stop": stop},
    )
    thread.start()
    try:
        assert ready.wait(60)
        yield said[0].split()[1]
    finally:
        stop.set()
        thread.join(30)
