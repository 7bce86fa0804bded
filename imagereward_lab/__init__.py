"""For people with data and time: training and evaluating reward models. No host ever loads it."""
