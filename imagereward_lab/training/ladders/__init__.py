"""Ladders: the same training again and again with one thing changed, over several seeds (arXiv 2304.05977, Table 3 and 3.1)."""
