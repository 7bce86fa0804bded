"""Scorers: one file each, a registry, and what they share."""
