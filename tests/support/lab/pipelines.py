"""Tiny random models of every kind that can be tuned, as diffusers' folders; import after ``import_torchvision()``."""

import json

import torch

PROMPTS = ("a red star on a gray background", "two blue circles")
_WORDS = sorted({word for prompt in PROMPTS for word in prompt.split()})


def shaken(network, seed=0):
    """A network in which no two numbers are equal, so that no layer can be left out unseen."""
    numbers = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for each in network.parameters():
            each += 0.05 * torch.randn(each.shape, generator=numbers)
    return network.eval()


def write_clip_tokenizer(folder, pad="<|endoftext|>"):
    """CLIP's tokenizer with letters alone for its vocabulary, in the form transformers reads; returns the number of tokens."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(byte) for byte in printable] + [
        chr(256 + number) for number in range(256 - len(printable))
    ]
    merges = ["s t</w>", "r e", "re d</w>"]
    words = [*letters, *(letter + "</w>" for letter in letters), *("".join(each.split()) for each in merges)]
    words += ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({word: at for at, word in enumerate(words)}), "utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]), "utf-8")
    names = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    told = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, **names, "pad_token": pad}
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    return len(words)


def write_t5_tokenizer(folder):
    """A tokenizer of whole words that ends prompts as T5's does."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    words = ["<pad>", "</s>", "<unk>", *_WORDS]
    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    made.add_special_tokens(["<pad>", "</s>", "<unk>"])
    folder.mkdir(parents=True, exist_ok=True)
    made.save(str(folder / "tokenizer.json"))
    names = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    told = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 64, **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    return len(words)


def _clip(words, width, heads, act="quick_gelu", layers=2, projected=False, seed=1):
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=words,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        projection_dim=width,
        hidden_act=act,
        bos_token_id=words - 2,
        eos_token_id=words - 1,
        pad_token_id=words - 1,
    )
    return shaken((CLIPTextModelWithProjection if projected else CLIPTextModel)(config), seed)


def _t5(words, width):
    from transformers import T5Config, T5EncoderModel

    config = T5Config(
        vocab_size=words,
        d_model=width,
        d_kv=8,
        d_ff=32,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        is_encoder_decoder=False,
        use_cache=False,
    )
    return shaken(T5EncoderModel(config), 3)


def _vae(channels=4, scale=0.18215, **more):
    from diffusers import AutoencoderKL

    return shaken(
        AutoencoderKL(
            latent_channels=channels,
            block_out_channels=[32, 64],
            down_block_types=["DownEncoderBlock2D"] * 2,
            up_block_types=["UpDecoderBlock2D"] * 2,
            scaling_factor=scale,
            sample_size=32,
            **more,
        ),
        4,
    )


def _unet(context, heads, linear, widths=(32, 64), **more):
    from diffusers import UNet2DConditionModel

    return shaken(
        UNet2DConditionModel(
            sample_size=8,
            block_out_channels=widths,
            layers_per_block=1,
            cross_attention_dim=context,
            attention_head_dim=heads,
            use_linear_projection=linear,
            **{
                "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
                "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
                **more,
            },
        ),
        5,
    )


_NOISE = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "set_alpha_to_one": True,
    "steps_offset": 1,
}


def _sd(folder, second):
    from diffusers import DDIMScheduler, StableDiffusionPipeline
    from transformers import CLIPTokenizer

    words = write_clip_tokenizer(folder, "!" if second else "<|endoftext|>")
    width = 128 if second else 64
    unet = _unet(width, [1, 2], True, (64, 128)) if second else _unet(width, 8, False)
    return StableDiffusionPipeline(
        unet=unet,
        vae=_vae(),
        text_encoder=_clip(words, width, width // 64, "gelu" if second else "quick_gelu"),
        tokenizer=CLIPTokenizer.from_pretrained(folder),
        scheduler=DDIMScheduler(**_NOISE, prediction_type="v_prediction" if second else "epsilon"),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _sdxl(folder):
    from diffusers import DDIMScheduler, StableDiffusionXLPipeline
    from transformers import CLIPTokenizer

    words = write_clip_tokenizer(folder / "first")
    write_clip_tokenizer(folder / "second", "!")
    levels = {
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
    }
    size = {
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 1536 + 128,
    }
    return StableDiffusionXLPipeline(
        unet=_unet(192, [1, 2], True, (64, 128), transformer_layers_per_block=[1, 2], **levels, **size),
        vae=_vae(scale=0.13025),
        text_encoder=_clip(words, 64, 1),
        text_encoder_2=_clip(words, 128, 2, "gelu", projected=True, seed=2),
        tokenizer=CLIPTokenizer.from_pretrained(folder / "first"),
        tokenizer_2=CLIPTokenizer.from_pretrained(folder / "second"),
        scheduler=DDIMScheduler(**_NOISE),
        force_zeros_for_empty_prompt=False,
    )


def _sd3(folder):
    from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel, StableDiffusion3Pipeline
    from transformers import CLIPTokenizer, PreTrainedTokenizerFast

    words = write_clip_tokenizer(folder / "clip")
    write_clip_tokenizer(folder / "second", "!")
    more = write_t5_tokenizer(folder / "t5")
    transformer = SD3Transformer2DModel(
        sample_size=16,
        patch_size=2,
        in_channels=8,
        num_layers=2,
        attention_head_dim=64,
        num_attention_heads=1,
        joint_attention_dim=160,
        caption_projection_dim=64,
        pooled_projection_dim=128,
        out_channels=8,
        pos_embed_max_size=16,
        qk_norm="rms_norm",
        dual_attention_layers=(0,),
    )
    return StableDiffusion3Pipeline(
        transformer=shaken(transformer, 5),
        vae=_vae(8, 1.5305, shift_factor=0.0609, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=_clip(words, 64, 1, projected=True),
        text_encoder_2=_clip(words, 64, 1, "gelu", projected=True, seed=2),
        text_encoder_3=_t5(more, 160),
        tokenizer=CLIPTokenizer.from_pretrained(folder / "clip"),
        tokenizer_2=CLIPTokenizer.from_pretrained(folder / "second"),
        tokenizer_3=PreTrainedTokenizerFast.from_pretrained(folder / "t5"),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    )


def _flux(folder):
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
    from transformers import CLIPTokenizer, PreTrainedTokenizerFast

    words = write_clip_tokenizer(folder / "clip")
    more = write_t5_tokenizer(folder / "t5")
    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=128,  # what no shape of a single file tells follows from it
        num_attention_heads=1,
        joint_attention_dim=32,
        pooled_projection_dim=64,
        axes_dims_rope=[16, 56, 56],
        guidance_embeds=True,
    )
    return FluxPipeline(
        transformer=shaken(transformer, 5),
        vae=_vae(4, 0.3611, shift_factor=0.1159, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=_clip(words, 64, 1),
        text_encoder_2=_t5(more, 32),
        tokenizer=CLIPTokenizer.from_pretrained(folder / "clip"),
        tokenizer_2=PreTrainedTokenizerFast.from_pretrained(folder / "t5"),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
    )


MAKERS = {
    "sd1": lambda folder: _sd(folder, False),
    "sd2": lambda folder: _sd(folder, True),
    "sdxl": _sdxl,
    "sd3": _sd3,
    "flux": _flux,
}


def write_pipeline(kind, folder, scratch):
    """Writes a model into a folder; returns diffusers' own pipeline with it. The same numbers every time."""
    torch.default_generator.manual_seed(0)
    pipeline = MAKERS[kind](scratch)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.save_pretrained(folder)
    return pipeline
