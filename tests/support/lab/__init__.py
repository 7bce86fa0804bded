"""What tests of the second package share."""
