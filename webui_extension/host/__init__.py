"""Differences between the hosts of the WebUI family."""
