"""Prompts worth asking people about, chosen out of many: as the paper chose 10,000 of 1.8 million (Appendix A)."""
