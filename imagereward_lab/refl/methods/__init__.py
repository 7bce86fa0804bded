"""Ways from a reward back into the denoiser: which steps of drawing carry gradients, and what is made of the reward."""
