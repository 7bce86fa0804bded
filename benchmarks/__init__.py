"""Measured comparisons with the published reference. Run as ``python -m benchmarks.<name>`` from the root of the repository.

Nothing here is part of the installed package. ``results/`` holds what was measured, as JSON; ``table`` makes its README.
"""
