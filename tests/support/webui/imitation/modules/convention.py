"""Which host is imitated, and what the test's "model" paints."""

HOST = "a1111"
KNOWS_TIME = False
"""Whether the model is one whose latents have a fifth dimension, [B, C, 1, H, W]."""


def level(seed):
    """Brightness in 0..1 of the flat picture painted for a seed."""
    return (seed * 37 % 101) / 100


def hires_level(seed):
    """Brightness after the second pass."""
    return level(seed)
