"""What may be answered: keys of all questions, documents of answers, and one set of pure checks for page, server, importers and tests."""
