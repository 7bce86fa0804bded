"""Text to token ids, as each network was trained with."""
