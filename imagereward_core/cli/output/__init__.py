"""Output of commands: rows, tables, files."""
