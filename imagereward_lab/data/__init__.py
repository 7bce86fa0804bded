"""Rankings of pictures: one documented form, readers into it from what others publish, checks and splits."""
