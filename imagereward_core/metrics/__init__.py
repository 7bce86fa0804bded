"""Figures about scores; NumPy alone."""
