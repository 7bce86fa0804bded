"""Networks that can be trained: what each starts from, its layers, and which of them are frozen."""
