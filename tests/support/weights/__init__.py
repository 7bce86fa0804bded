"""Files of weights, and a hub."""
