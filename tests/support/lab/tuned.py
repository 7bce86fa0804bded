"""Models and LoRAs for tests of methods; import after ``import_torchvision()``."""

import torch

from imagereward_lab.refl.methods.options import AlignPropOptions, DraftOptions, ReflOptions
from tests.support.lab.pipelines import write_pipeline

SIZE = {"height": 16, "width": 16}
OPTIONS = {
    "refl": ReflOptions(steps=4, first=2, last=3, **SIZE),
    "draft-k": DraftOptions(steps=4, k=2, **SIZE),
    "alignprop": AlignPropOptions(steps=4, mean=0.5, deviation=0.4, **SIZE),
}
_folders = {}


def folder_of(kind, tmp_path_factory):
    """The folder of a tiny model, written once in a process."""
    if kind not in _folders:
        _folders[kind] = tmp_path_factory.mktemp(kind)
        write_pipeline(kind, _folders[kind], tmp_path_factory.mktemp("tokens"))
    return _folders[kind]


def generators(number=2):
    return [torch.Generator().manual_seed(seed) for seed in range(number)]


def calm(base):
    """Images of greys, so that no pixel lies beyond the range."""
    with torch.no_grad():
        base.vae.decoder.conv_out.weight *= 0.2


def with_lora(base, spread=0.1):
    """Gives the denoiser peft's own LoRA, which changes something; returns its parameters."""
    from peft import LoraConfig

    torch.manual_seed(0)
    base.denoiser.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=base.targets()))
    learnt = [each for each in base.denoiser.parameters() if each.requires_grad]
    with torch.no_grad():
        for each in learnt:
            each += spread * torch.randn(each.shape)
    return learnt
