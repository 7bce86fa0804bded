"""Curates a folder while pictures arrive in it."""
