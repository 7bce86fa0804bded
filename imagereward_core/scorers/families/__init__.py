"""One file for each kind of scorer."""
