"""ComfyUI's side: its memory, folders, outputs and errors."""
