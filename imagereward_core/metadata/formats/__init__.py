"""One file for each program that writes its settings into pictures."""
