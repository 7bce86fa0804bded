"""Folders."""

data_path = "."
models_path = "models"
script_path = "."
