"""The tab alone in a real Gradio, without a WebUI: ``python tab_server.py FOLDER PORT``, with an interpreter that has Gradio.

Modules of the host are those of ``imitation/``. What a host does for an extension's files, ``page_of`` in ``test_browser_culling.py`` does.
"""

import sys
import threading
import time
import types
from pathlib import Path

from fake_webui import FakeHost, ours

HERE = Path(__file__).resolve().parent


class Lasting:
    """Puts modules and paths in place as pytest's monkeypatch does, and leaves them there."""

    def delitem(self, mapping, key, raising=True):
        mapping.pop(key, None)

    def setitem(self, mapping, key, value):
        mapping[key] = value

    def setattr(self, target, name, value, raising=True):
        setattr(target, name, value)

    def syspath_prepend(self, path):
        sys.path.insert(0, str(path))


def serve(folder, port):
    """Serves the tab until the process is ended."""
    sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]
    import gradio as gr
    from tab_page import QuietLoaded

    host = FakeHost(Lasting(), folder)
    waiting = types.ModuleType("modules.call_queue")
    waiting.queue_lock = threading.Lock()
    sys.modules["modules.call_queue"] = waiting
    sent = []
    host.infotext.ParamBinding = types.SimpleNamespace
    host.infotext.register_paste_params_button = lambda binding: sent.append(vars(binding))
    ours("loaded").load = lambda request, interruptible=True: QuietLoaded(request)
    host.shared.opts.imagereward_scorer, host.shared.opts.imagereward_tab_page = "demo", 10
    ours("tab.deck")._AROUND = 4  # with the few pictures of these tests some are to be far away
    tab = ours("tab")
    ((blocks, title, element),) = tab.on_ui_tabs()
    with gr.Blocks(title="tab", analytics_enabled=False) as demo:
        with gr.Tabs(elem_id="tabs"):
            with gr.TabItem(title, id=element, elem_id=f"tab_{element}"):
                blocks.render()
            with gr.TabItem("Elsewhere", id="elsewhere", elem_id="tab_elsewhere"):
                came = gr.Textbox(label="What came", elem_id="came", lines=4)
        for binding in sent:
            binding["paste_button"].click(
                lambda text, picture: f"{text} as {picture and picture.size}",
                [binding["source_text_component"], binding["source_image_component"]],
                came,
                queue=False,
            )
    app, _, _ = demo.launch(
        server_name="127.0.0.1", server_port=port, prevent_thread_lock=True, show_api=False, quiet=True
    )
    tab.on_app_started(demo, app)
    print("Startup time", gr.__version__, flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
