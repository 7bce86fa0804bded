"""What the pages share that show pictures of a folder, in the WebUI and in the local server: small copies, formats of browsers."""
