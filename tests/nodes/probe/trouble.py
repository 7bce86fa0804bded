"""Troubles that a test asks of the real host: its stop button in the middle of a bar, and a scorer that fails."""

import sys

seen = []
waiting = {"interrupt": None, "scorer": ""}


def install(routes):
    """Watches the host's bars, and takes orders over HTTP."""
    import comfy.model_management
    import comfy.utils
    from aiohttp import web

    update = comfy.utils.ProgressBar.update_absolute

    def watched(self, value, total=None, preview=None):
        seen.append([value, total or self.total])
        if seen[-1] == waiting["interrupt"]:
            waiting["interrupt"] = None
            comfy.model_management.interrupt_current_processing()
        return update(self, value, total, preview)

    comfy.utils.ProgressBar.update_absolute = watched

    @routes.get("/curator_probe/bars")
    async def bars(request):
        return web.json_response(seen)

    @routes.post("/curator_probe/trouble")
    async def trouble(request):
        waiting.update(await request.json())
        seen.clear()
        break_scorers()
        return web.json_response(waiting)


def break_scorers():
    """Lets every scorer fail with the words somebody asked for, as long as there are any."""
    for name, module in list(sys.modules.items()):
        if name.endswith("imagereward_core.scorers.panel") and not hasattr(module, "whole"):
            module.whole = whole = module.Panel.score

            def score(self, *given, **named):
                if waiting["scorer"]:
                    raise RuntimeError(waiting["scorer"])
                return whole(self, *given, **named)

            module.Panel.score = score
