"""What people think of generators: a blind task, its key, its answers, and how near scorers come to their order."""
