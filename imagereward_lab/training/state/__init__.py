"""What a training is made of besides its network: processes that work together, and checkpoints to go on from."""
