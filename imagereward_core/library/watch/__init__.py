"""A folder is curated while pictures arrive in it."""
