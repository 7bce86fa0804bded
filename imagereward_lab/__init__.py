"""Training and evaluation of reward models, for people with data and time. No host ever loads it."""
