"""Troubles that a test asks for: the host's stop button in the middle of a bar, a scorer that fails, a node that fails."""

import sys
from pathlib import Path

seen = []
NONE = {"interrupt": None, "gone": [], "scorer": "", "node": ""}
waiting = dict(NONE)


def ask(nodes, **what):
    """Lets trouble happen from now on, or none; ``nodes`` are all of the host's by id."""
    waiting.update({**NONE, **what})
    seen.clear()
    watch_checks()
    for name, module in list(sys.modules.items()):
        if name.endswith(".imagereward_core.scorers.panel"):
            watch(module.Panel, "score", lambda: waiting["scorer"])
    if waiting["node"]:
        node = waiting["node"]
        watch(nodes[node], "execute", lambda: waiting["node"] == node and f"{node} failed")


def watch_checks():
    """Presses the stop button as soon as one of the files that somebody named is gone."""
    import comfy.model_management as management

    check = management.throw_exception_if_processing_interrupted
    if hasattr(check, "watched"):
        return

    def watched():
        if not all(Path(each).exists() for each in waiting["gone"]):
            waiting["gone"] = []
            management.interrupt_current_processing()
        check()

    watched.watched = True
    management.throw_exception_if_processing_interrupted = watched


def watch(cls, name, failure):
    """Lets a method fail with what ``failure`` says, as long as it says anything."""
    whole = cls.__dict__[name]
    call = getattr(whole, "__func__", whole)
    while hasattr(call, "watched"):
        if call.watched is waiting:
            return
        call = call.call  # watched for a host that was closed, from whom the class was taken over

    def watched(self, *given, **named):
        if failure():
            raise RuntimeError(failure())
        return call(self, *given, **named)

    watched.watched, watched.call = waiting, call
    setattr(cls, name, classmethod(watched) if isinstance(whole, classmethod) else watched)


def install(routes):
    """Watches the real host's bars, and takes orders over HTTP."""
    import comfy.model_management
    import comfy.utils
    from aiohttp import web

    update = comfy.utils.ProgressBar.update_absolute

    def noted(self, value, total=None, preview=None):
        seen.append([value, total or self.total])
        if seen[-1] == waiting["interrupt"]:
            waiting["interrupt"] = None
            comfy.model_management.interrupt_current_processing()
        return update(self, value, total, preview)

    comfy.utils.ProgressBar.update_absolute = noted

    @routes.get("/curator_probe/bars")
    async def bars(request):
        return web.json_response(seen)

    @routes.post("/curator_probe/trouble")
    async def trouble(request):
        import nodes

        ask(nodes.NODE_CLASS_MAPPINGS, **await request.json())
        return web.json_response(waiting)
