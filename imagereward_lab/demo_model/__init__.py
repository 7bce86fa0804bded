"""How the embedded demo model is made."""
