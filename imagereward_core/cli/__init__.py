"""The command ``imagereward``: one file per command. The only room that reads environment variables and prints."""
