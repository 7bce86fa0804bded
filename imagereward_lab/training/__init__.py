"""Training on ranked pictures: batches of rankings, the pairwise loss, and the trainer."""
