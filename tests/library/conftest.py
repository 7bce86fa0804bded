"""A library, drawn outputs and the demo scorer for every test that asks for them."""

from tests.support.library.fixtures import drawn, library, outputs, panel

__all__ = ["drawn", "library", "outputs", "panel"]
