"""Generators compared by the pictures they made for the same prompts (arXiv 2304.05977, section 4 and Table 4)."""
