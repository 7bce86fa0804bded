"""What the pages of this program have been shown: addresses of pictures, and small copies of them."""

from __future__ import annotations

from imagereward_core.gallery.addresses import Addresses
from imagereward_core.gallery.small_copies import SmallCopies

addresses = Addresses()
small_copies = SmallCopies(most=100 * 1024 * 1024)
"""In a folder that goes when the program ends."""
