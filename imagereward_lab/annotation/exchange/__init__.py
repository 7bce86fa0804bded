"""Answers out to other programs and in from them, all by way of rankings in the documented form (docs/rankings.md)."""
