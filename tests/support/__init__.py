"""What tests share: imitated hosts, tiny networks, makers of pictures and folders."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The repository."""
