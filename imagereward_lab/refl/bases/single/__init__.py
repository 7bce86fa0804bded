"""Checkpoints of one file, as people have them: what kind they are and their sizes follow from names and shapes of their tensors."""
