"""What keeps a tuned model from pleasing the scorer alone: distance to the frozen model, other scorers, diversity, the last good state."""
