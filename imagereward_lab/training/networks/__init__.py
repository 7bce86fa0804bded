"""Networks as the trainer sees them, and what of them trains."""
