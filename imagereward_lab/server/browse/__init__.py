"""``imagereward open FOLDER``: a page to look through a folder's pictures, to give stars, and to curate it."""
