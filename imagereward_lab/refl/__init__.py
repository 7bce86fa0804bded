"""Tuning of a text-to-image model to a reward, and the LoRA that comes of it."""
