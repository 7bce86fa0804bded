"""Projects: a folder with what is asked, made out of pictures that are there; its pictures stay where they are."""
