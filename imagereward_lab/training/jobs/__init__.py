"""Trainings as people ask for them: from rankings to a scorer, one or a grid of them."""
