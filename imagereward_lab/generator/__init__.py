"""The making of a tiny text-to-image model that draws the demo's scenes, in the layout of a Stable Diffusion 1 checkpoint."""
