"""Stable Diffusion WebUIs imitated and real."""
