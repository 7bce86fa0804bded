"""The embedded demo model, the drawn scenes it was trained on, and the batches the command ``demo`` draws."""
