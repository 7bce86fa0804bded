"""What a person sees of a training: its history, logs, curves, and estimates before it begins."""
