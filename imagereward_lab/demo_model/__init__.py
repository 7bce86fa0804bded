"""The making of the embedded demo model: its data, stages of training, and measurement."""
