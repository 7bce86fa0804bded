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


def _linear(name, outputs, inputs):
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _sd3_shapes(transformer):
    """Names and shapes of a transformer of SD 3 as it was published."""
    config, width = transformer.config, transformer.inner_dim
    shapes = {
        "pos_embed": tuple(transformer.pos_embed.pos_embed.shape),
        "x_embedder.proj.weight": (width, config.in_channels, 2, 2),
        "x_embedder.proj.bias": (width,),
        **_linear("t_embedder.mlp.0", width, 256),
        **_linear("t_embedder.mlp.2", width, width),
        **_linear("y_embedder.mlp.0", width, config.pooled_projection_dim),
        **_linear("y_embedder.mlp.2", width, width),
        **_linear("context_embedder", width, config.joint_attention_dim),
        **_linear("final_layer.linear", 4 * config.out_channels, width),
        **_linear("final_layer.adaLN_modulation.1", 2 * width, width),
    }
    for number in range(config.num_layers):
        last = number == config.num_layers - 1
        for part in ("x_block", "context_block"):
            at = f"joint_blocks.{number}.{part}"
            short = last and part == "context_block"
            double = part == "x_block" and number in config.dual_attention_layers
            shapes |= _linear(f"{at}.adaLN_modulation.1", width * (2 if short else 9 if double else 6), width)
            for attention in ("attn", "attn2") if double else ("attn",):
                shapes |= _linear(f"{at}.{attention}.qkv", 3 * width, width)
                shapes |= {
                    f"{at}.{attention}.ln_{each}.weight": (config.attention_head_dim,) for each in "qk"
                }
                if not short:
                    shapes |= _linear(f"{at}.{attention}.proj", width, width)
            if not short:
                shapes |= _linear(f"{at}.mlp.fc1", 4 * width, width)
                shapes |= _linear(f"{at}.mlp.fc2", width, 4 * width)
    return shapes


def sd3_state(pipeline):
    """A checkpoint of SD 3 with the three text encoders.

    The transformer's numbers find their places by what diffusers' conversion makes of the places themselves.
    """
    from diffusers.loaders.single_file_utils import convert_sd3_transformer_checkpoint_to_diffusers

    shapes = {UNET + name: shape for name, shape in _sd3_shapes(pipeline.transformer).items()}
    places, first = {}, 0
    for name, shape in shapes.items():
        number = torch.Size(shape).numel()
        places[name] = torch.arange(first, first + number).view(shape)
        first += number
    numbers = torch.full((first,), float("nan"))
    own = pipeline.transformer.state_dict()
    for name, place in convert_sd3_transformer_checkpoint_to_diffusers(dict(places)).items():
        numbers[place.reshape(-1)] = own[name].reshape(-1)
    assert numbers.isfinite().all()
    state = {name: numbers[place] for name, place in places.items()}
    state |= vae_state(pipeline.vae)
    encoders = (pipeline.text_encoder, pipeline.text_encoder_2, pipeline.text_encoder_3)
    for name, encoder in zip(("clip_l", "clip_g", "t5xxl"), encoders):
        for key, value in encoder.state_dict().items():
            if key != "encoder.embed_tokens.weight":
                state[f"text_encoders.{name}.transformer.{key}"] = value.contiguous()
    return state
