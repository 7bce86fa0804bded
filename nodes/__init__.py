"""ComfyUI nodes, which join the host's graph to ``imagereward_core``. No scoring logic here."""
