"""Operations on the disk that several rooms share: whole writes, locks, SQLite, names as they are stored."""

STORE_FOLDER = ".imagereward"
"""Where a library lies by default; scans never look into it, as into nothing whose name begins with a dot."""
