"""What more than one room needs of the disk: whole files, locks, SQLite, names as they are stored."""
