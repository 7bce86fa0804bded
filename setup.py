"""What pyproject.toml cannot say: scripts, style and texts that pages share with the WebUI, from where it finds them, go into the wheel."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
SHARED = ("javascript/imagereward_*.js", "style.css", "localizations/zh_CN.json")


class WithScripts(build_py):
    """Builds the packages, and puts these files beside imagereward_lab/server/scripts.py. A checkout needs no copies."""

    def run(self) -> None:
        """Builds."""
        super().run()
        if getattr(self, "editable_mode", False):
            return
        target = Path(self.build_lib) / "imagereward_lab" / "server" / "javascript"
        target.mkdir(parents=True, exist_ok=True)
        for pattern in SHARED:
            for path in sorted(ROOT.glob(pattern)):
                if path.name != "imagereward_tab.js":  # which joins them to Gradio
                    shutil.copyfile(path, target / path.name)


setup(cmdclass={"build_py": WithScripts})
