"""ComfyUI nodes: thin glue between the host's graph and ``imagereward_core``. No scoring logic here."""
