"""Results for people and programs: the page in one file, tables, rows."""
