"""Callbacks of extensions by kind."""

from modules import errors

registered = {}


class ImageSaveParams:
    """What ``on_before_image_saved`` may change."""

    def __init__(self, image, p, filename, pnginfo):
        self.image, self.p, self.filename, self.pnginfo = image, p, filename, pnginfo


class ImageGridLoopParams:
    """What ``on_image_grid`` may change."""

    def __init__(self, imgs, cols, rows):
        self.imgs, self.cols, self.rows = imgs, cols, rows


def call(kind, *args):
    for callback in list(registered.get(kind, [])):
        try:
            callback(*args)
        except Exception:
            errors.report(f"Error executing callback {kind}", exc_info=True)


def _registering(kind):
    def register(callback, *, name=None):
        registered.setdefault(kind, []).append(callback)

    return register


on_before_image_saved = _registering("before_image_saved")
on_image_saved = _registering("image_saved")
on_image_grid = _registering("image_grid")
on_before_ui = _registering("before_ui")
on_ui_settings = _registering("ui_settings")
on_ui_tabs = _registering("ui_tabs")
on_app_started = _registering("app_started")
on_infotext_pasted = _registering("infotext_pasted")
on_script_unloaded = _registering("script_unloaded")


def remove_current_script_callbacks():
    registered.clear()


def remove_callbacks_for_function(function):
    for callbacks in registered.values():
        callbacks[:] = [each for each in callbacks if each is not function]
