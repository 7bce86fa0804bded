"""Pictures: decoding, and the exact pixels a scorer was published with. Modules that work on tensors load torch."""
