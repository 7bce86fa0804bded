"""What differs between the hosts of the WebUI family."""
