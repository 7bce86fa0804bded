"""Phrases of prompts, and which of them ask for quality alone: by a list and rules, or by a network that was trained on marked ones."""
