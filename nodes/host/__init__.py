"""What the nodes ask of ComfyUI: memory, folders, outputs, errors."""
