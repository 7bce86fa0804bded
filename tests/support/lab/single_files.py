"""Checkpoints of one file out of diffusers' networks: the way back from what our readers do."""

import torch

from imagereward_lab.generator.layout import UNET, VAE, unet_name, vae_name

_ADDED = {"add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2"}
_LAYER = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}


def unet_state(unet):
    """Under the names of the published networks."""
    state = {}
    for name, value in unet.state_dict().items():
        stem, _, kind = name.rpartition(".")
        stored = f"{_ADDED[stem]}.{kind}" if stem in _ADDED else unet_name(name, unet.config.layers_per_block)
        state[UNET + stored] = value.contiguous()
    return state


def vae_state(vae):
    """The same of an autoencoder; its attention is made of convolutions."""
    state = {}
    for name, value in vae.state_dict().items():
        stored = vae_name(name, len(vae.config.block_out_channels))
        square = ".attn_1." in stored and value.ndim == 2
        state[VAE + stored] = (value[:, :, None, None] if square else value).contiguous()
    return state


def clip_state(encoder, prefix):
    """CLIP's text encoder under the names of transformers."""
    return {
        f"{prefix}text_model.{name.removeprefix('text_model.')}": value.contiguous()
        for name, value in encoder.state_dict().items()
    }


def open_clip_state(encoder, prefix, further_layer=False):
    """The same under the names of open_clip, with a last layer that is not read if ``further_layer``."""
    own = {name.removeprefix("text_model."): value for name, value in encoder.state_dict().items()}
    state = {
        f"{prefix}positional_embedding": own["embeddings.position_embedding.weight"],
        f"{prefix}token_embedding.weight": own["embeddings.token_embedding.weight"],
        f"{prefix}ln_final.weight": own["final_layer_norm.weight"],
        f"{prefix}ln_final.bias": own["final_layer_norm.bias"],
        f"{prefix}logit_scale": torch.tensor(4.6),
        f"{prefix}text_projection": own.get("text_projection.weight", torch.eye(4)).T.contiguous(),
    }
    layers = encoder.config.num_hidden_layers
    for number in range(layers + further_layer):
        at, to = f"encoder.layers.{min(number, layers - 1)}.", f"{prefix}transformer.resblocks.{number}."
        for kind in ("weight", "bias"):
            for name, other in _LAYER.items():
                state[f"{to}{other}.{kind}"] = own[f"{at}{name}.{kind}"].clone()
            parts = [own[f"{at}self_attn.{part}_proj.{kind}"] for part in "qkv"]
            state[f"{to}attn.in_proj_{kind}"] = torch.cat(parts)
    return state


def single_state(kind, pipeline):
    """A checkpoint of what a pipeline has."""
    state = {**unet_state(pipeline.unet), **vae_state(pipeline.vae)}
    if kind == "sd1":
        state |= clip_state(pipeline.text_encoder, "cond_stage_model.transformer.")
        state["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
        state["alphas_cumprod"] = torch.ones(1000)
    elif kind == "sd2":
        state |= open_clip_state(pipeline.text_encoder, "cond_stage_model.model.", further_layer=True)
    else:
        state |= clip_state(pipeline.text_encoder, "conditioner.embedders.0.transformer.")
        state |= open_clip_state(pipeline.text_encoder_2, "conditioner.embedders.1.model.")
    return state
