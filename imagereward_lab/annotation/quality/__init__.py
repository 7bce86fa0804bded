"""The quality of answers: who agrees with whom, and who is admitted."""
