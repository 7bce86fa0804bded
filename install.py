"""Run by hosts at install or start. Adds what the host lacks and touches nothing it has."""

from __future__ import annotations

from importlib.util import find_spec

NEEDED = ("ftfy", "huggingface_hub", "safetensors", "tqdm")


def missing() -> list[str]:
    """Names in ``requirements.txt`` that cannot be imported here."""
    return [name for name in NEEDED if find_spec(name) is None]


def main() -> None:
    """Installs missing packages through the host's own installer, or says what to install where there is none."""
    absent = missing()
    if not absent:
        return
    try:
        import launch  # the WebUI's own module, on the path while it runs this file
    except ImportError:
        print(f"ImageReward Curator needs: {', '.join(absent)}. Install them into this Python with pip.")
        return
    launch.run_pip(f"install {' '.join(absent)}", f"ImageReward Curator: {', '.join(absent)}")


if __name__ == "__main__":
    main()
