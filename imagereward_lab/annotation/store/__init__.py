"""What is kept of a project: people, tasks, whose turn they are, answers, verdicts, and a trail of every change.

SQLite by default, PostgreSQL by URL. Every change is one transaction, so that a server that is killed at any instant loses none it has
confirmed and leaves none half done.
"""
