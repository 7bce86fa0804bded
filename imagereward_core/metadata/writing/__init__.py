"""Scores written into picture files as plans of byte splices, and ratings in XMP files beside them."""
