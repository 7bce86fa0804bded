"""Text-to-image models that can be tuned: one file for each kind, read from single files or diffusers' folders."""
