"""The local server: one program whose pages are parts of their own, for browsers on this computer, or of people with a token.

::

    part = Part(name="open", router=router, files=(folder_with_scripts,), texts=(table,), pictures=pictures)
    serve(lambda listening: make_app([part], Access.open(), hosts=listening.hosts), host="127.0.0.1")

A part's routes lie below ``/NAME/``, its files below ``/static/NAME/``, its pictures at ``/NAME/pictures/small|large/ID``. Pages are made
with :func:`.shell.page`, which brings the theme, the language and ``/static/shared/page.js``. See ``part.py`` for all that a part may have.
"""
