"""As much of Gradio as the accordion needs: components that remember what they were made with."""

import sys
import types


class Component:
    def __init__(self, value=None, label=None, elem_id=None, info=None, choices=None, **options):
        self.value, self.label, self.elem_id, self.info, self.choices = value, label, elem_id, info, choices
        self.options = options


class Row:
    def __init__(self, *arguments, **options):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None


def install(monkeypatch):
    module = types.ModuleType("gradio")
    for name in ("Checkbox", "Dropdown", "Textbox", "Slider"):
        setattr(module, name, type(name, (Component,), {}))
    module.Row = module.Accordion = Row
    monkeypatch.setitem(sys.modules, "gradio", module)
    for name in [name for name in sys.modules if name == "modules.ui_components"]:
        monkeypatch.delitem(sys.modules, name)
    return module
