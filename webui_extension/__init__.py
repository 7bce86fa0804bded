"""The WebUI extension, loaded by ``scripts/imagereward.py`` under the name ``imagereward_webui``. Importing it registers nothing."""
