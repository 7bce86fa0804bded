"""ComfyUI imitated and real, and its node pack."""
