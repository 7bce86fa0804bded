"""Shows Forge how large the tests' random checkpoint is; it tells models apart by their sizes. A test's extension, not ours to ship."""

from pathlib import Path

from modules import paths

try:
    from huggingface_guess import model_list
except ImportError:
    model_list = None

if model_list is not None:

    class TinySD15(model_list.SD15):
        unet_config = {**model_list.SD15.unet_config, "context_dim": 64, "model_channels": 32}
        huggingface_repo = str(Path(paths.models_path).absolute() / "Stable-diffusion" / "diffusers")

    model_list.models.insert(0, TinySD15)
