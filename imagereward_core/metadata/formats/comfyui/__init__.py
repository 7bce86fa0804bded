"""Prompts out of ComfyUI's graphs."""
