"""Folders, libraries and journals for tests."""
