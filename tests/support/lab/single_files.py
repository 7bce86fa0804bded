"""Checkpoints of one file out of diffusers' networks: the way back from what our readers do."""

import inspect

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


def _found_back(shapes, convert, network):
    """A network's tensors under the names of ``shapes``: numbers find their places by what a conversion makes of the places themselves."""
    places, first = {}, 0
    for name, shape in shapes.items():
        number = torch.Size(shape).numel()
        places[UNET + name] = torch.arange(first, first + number).view(shape)
        first += number
    numbers = torch.full((first,), float("nan"))
    own = network.state_dict()
    for name, place in convert(dict(places)).items():
        numbers[place.reshape(-1)] = own[name].reshape(-1)
    assert numbers.isfinite().all()
    return {name: numbers[place] for name, place in places.items()}


def _full(name):
    """With what transformers 5 leaves out."""
    return name if name.startswith(("text_model.", "text_projection")) else f"text_model.{name}"


def _encoders_state(**encoders):
    """Text encoders as files of flow models have them."""
    return {
        f"text_encoders.{name}.transformer.{_full(key) if 'clip' in name else key}": value.contiguous()
        for name, encoder in encoders.items()
        for key, value in encoder.state_dict().items()
        if key != "encoder.embed_tokens.weight"
    }


def sd3_state(pipeline):
    """A checkpoint of SD 3 with the three text encoders."""
    from diffusers.loaders.single_file_utils import convert_sd3_transformer_checkpoint_to_diffusers

    transformer = pipeline.transformer
    return {
        **_found_back(_sd3_shapes(transformer), convert_sd3_transformer_checkpoint_to_diffusers, transformer),
        **vae_state(pipeline.vae),
        **_encoders_state(
            clip_l=pipeline.text_encoder, clip_g=pipeline.text_encoder_2, t5xxl=pipeline.text_encoder_3
        ),
    }


def _flux_shapes(transformer):
    """Names and shapes of a transformer of Flux.1 as it was published."""
    config, width = transformer.config, transformer.inner_dim
    shapes = {
        **_linear("img_in", width, config.in_channels),
        **_linear("txt_in", width, config.joint_attention_dim),
        **_linear("vector_in.in_layer", width, config.pooled_projection_dim),
        **_linear("vector_in.out_layer", width, width),
        **_linear("final_layer.linear", config.in_channels, width),
        **_linear("final_layer.adaLN_modulation.1", 2 * width, width),
    }
    for name in ("time_in", "guidance_in") if config.guidance_embeds else ("time_in",):
        shapes |= _linear(f"{name}.in_layer", width, 256) | _linear(f"{name}.out_layer", width, width)
    norms = {f"norm.{each}_norm.scale": (config.attention_head_dim,) for each in ("query", "key")}
    for number in range(config.num_layers):
        for part in ("img", "txt"):
            at = f"double_blocks.{number}.{part}_"
            shapes |= _linear(f"{at}mod.lin", 6 * width, width)
            shapes |= _linear(f"{at}attn.qkv", 3 * width, width)
            shapes |= _linear(f"{at}attn.proj", width, width)
            shapes |= _linear(f"{at}mlp.0", 4 * width, width)
            shapes |= _linear(f"{at}mlp.2", width, 4 * width)
            shapes |= {f"{at}attn.{name}": shape for name, shape in norms.items()}
    for number in range(config.num_single_layers):
        at = f"single_blocks.{number}."
        shapes |= _linear(f"{at}modulation.lin", 3 * width, width)
        shapes |= _linear(f"{at}linear1", 7 * width, width)
        shapes |= _linear(f"{at}linear2", width, 5 * width)
        shapes |= {f"{at}{name}": shape for name, shape in norms.items()}
    return shapes


def _flux_conversion(width):
    """Diffusers' own, which takes the width of the published model for granted, for another one."""
    from diffusers.loaders import single_file_utils

    source = inspect.getsource(single_file_utils.convert_flux_transformer_checkpoint_to_diffusers)
    assert source.count("inner_dim = 3072") == 1
    names = dict(vars(single_file_utils))
    exec(source.replace("inner_dim = 3072", f"inner_dim = {width}"), names)  # noqa: S102 - the library's own words
    return names["convert_flux_transformer_checkpoint_to_diffusers"]


def flux_state(pipeline):
    """A checkpoint of Flux.1 with its two text encoders, as ComfyUI saves it."""
    transformer = pipeline.transformer
    return {
        **_found_back(_flux_shapes(transformer), _flux_conversion(transformer.inner_dim), transformer),
        **{f"vae.{name.removeprefix(VAE)}": value for name, value in vae_state(pipeline.vae).items()},
        **_encoders_state(clip_l=pipeline.text_encoder, t5xxl=pipeline.text_encoder_2),
    }
