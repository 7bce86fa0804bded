"""How well scores agree with people, by the paper's own protocols (arXiv 2304.05977, sections 3 and 4)."""
