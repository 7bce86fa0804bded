"""What a file of weights may end in. Alone, because it is asked where nothing else of this room is needed."""

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")
"""Of two files of one name the earlier counts."""
