"""Cards of scorers, and finding, downloading, verifying, converting and loading their weights."""
