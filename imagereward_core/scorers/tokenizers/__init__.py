"""Tokenizers: text to token ids, as each network was trained with."""
