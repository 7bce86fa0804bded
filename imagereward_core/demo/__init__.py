"""The embedded demo model: the scenes it was trained on, its training command, and the batches the demo draws."""
