"""The graph of nearest neighbours, and the choice of points by their votes in it."""
