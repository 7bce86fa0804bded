"""Quick mode: which of a few pictures is better, one key each, and ranks with how sure they are."""
