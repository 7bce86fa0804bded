"""A node for tests alone: loads the tiny generator, of Stable Diffusion 1's layout in sizes that the host's own loader does not know.

All of it is the host's own code, told the sizes that follow from the checkpoint's shapes.
"""

import comfy.sd
import comfy.utils
import folder_paths
from comfy import supported_models

UNET, VAE = "model.diffusion_model.", "first_stage_model."
TEXT = "cond_stage_model.transformer.text_model."
TEXT_HEADS = 4  # no shape tells how many


def count(state, prefix):
    """How many numbers follow a prefix of names."""
    return len({name[len(prefix) :].partition(".")[0] for name in state if name.startswith(prefix)})


def of_text(state):
    layers = f"{TEXT}encoder.layers"
    return {
        "hidden_size": state[f"{layers}.0.mlp.fc1.weight"].shape[1],
        "intermediate_size": state[f"{layers}.0.mlp.fc1.weight"].shape[0],
        "num_hidden_layers": count(state, f"{layers}."),
        "num_attention_heads": TEXT_HEADS,
    }


def of_autoencoder(state):
    levels = count(state, f"{VAE}encoder.down.")
    widths = [state[f"{VAE}encoder.down.{level}.block.0.conv1.weight"].shape[0] for level in range(levels)]
    first = state[f"{VAE}encoder.conv_in.weight"].shape[0]
    return {
        "double_z": True,
        "z_channels": 4,
        "resolution": 256,
        "in_channels": 3,
        "out_ch": 3,
        "ch": first,
        "ch_mult": [width // first for width in widths],
        "num_res_blocks": count(state, f"{VAE}encoder.down.0.block."),
        "attn_resolutions": [],
        "dropout": 0.0,
    }


class LoadGenerator:
    """As the host's node Load Checkpoint."""

    CATEGORY = "tests"
    FUNCTION = "load"
    RETURN_TYPES = ("MODEL", "CLIP", "VAE")

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"name": (folder_paths.get_filename_list("checkpoints"),)}}

    def load(self, name):
        state = comfy.utils.load_torch_file(folder_paths.get_full_path_or_raise("checkpoints", name))
        text, stage = of_text(state), of_autoencoder(state)

        class Tiny(supported_models.SD15):
            unet_config = {
                **supported_models.SD15.unet_config,
                "context_dim": text["hidden_size"],
                "model_channels": state[f"{UNET}input_blocks.0.0.weight"].shape[0],
            }

        autoencoder = {name[len(VAE) :]: each for name, each in state.items() if name.startswith(VAE)}
        supported_models.models.insert(0, Tiny)
        try:
            model, clip, *_ = comfy.sd.load_state_dict_guess_config(
                state, output_vae=False, te_model_options={"clip_l_model_config": text}
            )
        finally:
            supported_models.models.remove(Tiny)
        config = {"params": {"ddconfig": stage, "embed_dim": 4}}
        return model, clip, comfy.sd.VAE(sd=autoencoder, config=config)


NODE_CLASS_MAPPINGS = {"CuratorTestLoadGenerator": LoadGenerator}
