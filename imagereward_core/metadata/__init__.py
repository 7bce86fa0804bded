"""Reads prompts out of pictures, from their own metadata or a text file beside them, and writes scores into them."""
