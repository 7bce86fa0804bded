"""Cards, and finding, downloading, verifying, converting and loading checkpoints."""
