"""The LoRA: layers beside a model's own that are trained, and the file of them that ComfyUI and the WebUIs load."""
