"""Simulated annotators of known reliability, to prove what is measured of real ones."""
