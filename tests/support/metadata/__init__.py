"""Files with metadata as generators write them."""
