"""From rankings and pictures to batches: whole rankings packed to a number of pairs, every picture of a batch read and encoded once."""
