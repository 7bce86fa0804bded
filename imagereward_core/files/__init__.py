"""Operations on the disk that several rooms share: whole writes, locks, SQLite, names as they are stored."""
