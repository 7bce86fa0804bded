"""The published JSON Schema of a ranking, for other programs."""
