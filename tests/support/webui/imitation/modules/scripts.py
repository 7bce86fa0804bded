"""Scripts, and the runner that calls their hooks and swallows their errors."""

from modules import convention, errors

AlwaysVisible = object()
scripts_data = []
scripts_txt2img = scripts_img2img = None


class PostSampleArgs:
    def __init__(self, samples):
        self.samples = samples


class PostprocessImageArgs:
    """The index is one host's own."""

    def __init__(self, image, *index):
        self.image = image
        if index and convention.HOST in ("forge", "neo"):
            self.index = index[0]


class PostProcessMaskOverlayArgs:
    def __init__(self, index, mask_for_overlay, overlay_image):
        self.index, self.mask_for_overlay, self.overlay_image = index, mask_for_overlay, overlay_image


class PostprocessBatchListArgs:
    def __init__(self, images):
        self.images = images


class Script:
    """The base of every script."""

    name = filename = args_from = args_to = None
    alwayson = is_txt2img = is_img2img = False
    tabname = None
    infotext_fields = paste_field_names = None
    sorting_priority = 0

    def elem_id(self, item):
        return f"script_{self.tabname}_{self.title().lower().replace(' ', '_')}_{item}"


class ScriptRunner:
    """Calls the hooks of its scripts in their order."""

    def __init__(self, always=(), selectable=()):
        self.alwayson_scripts, self.selectable_scripts = list(always), list(selectable)
        self.scripts = self.alwayson_scripts + self.selectable_scripts

    def run(self, p, *args):
        index = args[0]
        if not index:
            return None
        script = self.selectable_scripts[index - 1]
        return script.run(p, *args[script.args_from : script.args_to])

    def setup_scrips(self, p, *, is_ui=True):
        self._call("setup", p)

    def _call(self, hook, p, *args, **kwargs):
        for script in self.alwayson_scripts:
            function = getattr(script, hook, None)
            if function is None:
                continue
            own = p.script_args[script.args_from : script.args_to]
            try:
                function(p, *args, *own, **kwargs)
            except Exception:
                errors.report(f"Error running {hook}: {script.filename}", exc_info=True)

    def __getattr__(self, hook):
        if hook.startswith("_"):
            raise AttributeError(hook)
        return lambda p, *args, **kwargs: self._call(hook, p, *args, **kwargs)
