"""An image tower of timm in the place of BLIP's ViT: the paper's wish for stronger backbones (arXiv 2304.05977, section 6)."""

from __future__ import annotations

import re
from typing import Any

from torch import Tensor, nn

from ..errors import CuratorError
from .config import TimmConfig

_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)?")
_STACKS = ("blocks", "stages", "layers")


class TimmError(CuratorError):
    """A network of timm cannot be made: timm is missing, or does not know the name."""


def timm_library() -> Any:
    """timm, with a sentence where it is missing.

    Raises:
        TimmError: It is not installed, or cannot be imported.
    """
    try:
        import timm
    except Exception as error:  # a torchvision that does not fit torch raises RuntimeError
        missing = isinstance(error, ModuleNotFoundError) and error.name == "timm"
        raise TimmError(
            "this scorer's image tower is one of the package timm, which "
            + (
                "is not installed here"
                if missing
                else f"cannot be loaded here ({type(error).__name__}: {error})"
            )
            + "; install it into the environment that runs this program with: pip install timm"
        ) from error
    return timm


class TimmTower(nn.Module):
    """A network of timm without its classifier, as a sequence of image tokens.

    Raises:
        TimmError: timm is missing or does not know the network.
    """

    def __init__(self, config: TimmConfig) -> None:
        super().__init__()
        timm = timm_library()
        # A name with a prefix would make timm read a file or fetch one.
        known = _NAME.fullmatch(config.name) and timm.is_model(config.name.partition(".")[0])
        if not known:
            raise TimmError(
                f"timm {timm.__version__} has no network called {config.name[:80]!r}; expected a name such as "
                "vit_base_patch16_224, as timm.list_models() lists them"
            )
        options: dict[str, Any] = {"img_size": config.image_size} if config.sized else {}
        self.config = config
        self.model = timm.create_model(
            config.name, pretrained=False, num_classes=0, drop_path_rate=config.drop_path, **options
        )

    @property
    def layers(self) -> tuple[nn.Module, ...]:
        """Its layers in order, as training freezes them: blocks of a transformer, stages of a convolutional network."""
        for name in _STACKS:
            stack = getattr(self.model, name, None)
            if isinstance(stack, (nn.Sequential, nn.ModuleList)):
                return tuple(stack)
        return ()

    def forward(self, pixels: Tensor) -> Tensor:
        """Normalised [B, 3, S, S] to tokens [B, T, width] in the dtype of its weights; places of a feature map become tokens."""
        states: Tensor = self.model.forward_features(pixels.to(next(self.model.parameters()).dtype))
        if states.ndim == 4:
            channels_first = states.shape[1] == self.config.width
            states = states.flatten(2).transpose(1, 2) if channels_first else states.flatten(1, 2)
        return states


def timm_config(name: str, image_size: int = 0, drop_path: float = 0.1) -> TimmConfig:
    """The configuration of a network of timm by its name.

    Args:
        name: As ``timm.list_models()`` has it, with or without a tag of pretrained weights.
        image_size: Side of the picture in pixels; 0 for the network's own.
        drop_path: Stochastic depth; training only.

    Raises:
        TimmError: timm is missing or does not know the network.
    """
    timm = timm_library()
    if not _NAME.fullmatch(name) or not timm.is_model(name.partition(".")[0]):
        raise TimmError(
            f"timm {timm.__version__} has no network called {name[:80]!r}; timm.list_models('*vit*') lists names"
        )
    usual = timm.get_pretrained_cfg(name)
    size = image_size or (usual.input_size[-1] if usual is not None else 224)
    sized = bool(image_size) and (usual is None or usual.input_size[-1] != image_size)
    import torch

    with torch.device("meta"):
        try:
            model = timm.create_model(
                name, pretrained=False, num_classes=0, **({"img_size": size} if sized else {})
            )
        except TypeError:  # a convolutional network takes any size
            model, sized = timm.create_model(name, pretrained=False, num_classes=0), False
    mean, std = (usual.mean, usual.std) if usual is not None else ((0.5,) * 3, (0.5,) * 3)
    return TimmConfig(
        name=name,
        image_size=size,
        width=model.num_features,
        drop_path=drop_path,
        sized=sized,
        mean=tuple(mean),
        std=tuple(std),
    )
