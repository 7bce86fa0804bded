"""Finds the files of a scorer on this machine, in a fixed order, without the network and without torch."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import WeightsError
from ..files.regular import nearest_existing
from .bundled import MODEL_FOLDER
from .card import WeightFile, WeightsCard
from .cards import backbone_of
from .formats import defect
from .manifest import sha256_of

logger = logging.getLogger(__name__)

_SMALL_BYTES = 16 * 1024 * 1024
"""Files up to this size are checked against a stated checksum whenever they are found."""

_BUNDLED = {"demo": MODEL_FOLDER}
_OTHER_HOMES = {
    "google-bert/bert-base-uncased": ("bert-base-uncased",),
    "THUDM/ImageReward": ("zai-org/ImageReward",),
}
"""Former and later names of repositories, under which a hub cache may hold their files too."""


@dataclass(frozen=True)
class WeightSettings:
    """Where weights are looked for and whether they may be fetched.

    Attributes:
        folders: Models folders in search order. Files lie in them directly or in a folder named after the scorer.
        use_hub_cache: Whether to look into the cache of huggingface_hub and into that of the reference implementation.
        allow_download: Whether a missing file may be fetched.
        download_folder: Models folder that receives downloads; None for the first of ``folders`` that can be
            written to, else the folder of this program in the user's cache.
        auto_convert: Whether a ``.pt`` file is rewritten once as ``.safetensors`` beside it.
        endpoint: Address of a mirror of the hub; None for what huggingface_hub itself is set to.
        to_allow: What a person does where this program runs to let missing files be fetched.
    """

    folders: tuple[Path, ...] = ()
    use_hub_cache: bool = True
    allow_download: bool = True
    download_folder: Path | None = None
    auto_convert: bool = True
    endpoint: str | None = None
    to_allow: str = "set allow_download"


@dataclass(frozen=True)
class FoundWeights:
    """The files of a scorer.

    Attributes:
        vocabulary: The tokenizer's vocabulary; None where the scorer reads no text or the file was not found.
        revision: Short label of the weights that goes into every score, the same for one set of weights
            wherever it lies and in whichever format; empty until :func:`~.store.resolve` has established it.
        backbone: The files of the picture encoder a head sits on; None where there is none or it was not found.
    """

    checkpoint: Path
    vocabulary: Path | None
    revision: str = ""
    backbone: FoundWeights | None = None


def inside(folder: Path, name: str) -> Path:
    """The path of ``name`` directly in ``folder``; WeightsError for anything but a plain file name on every system.

    That has no separator, drive or stream mark and no control character, is not ``..`` or empty, and does not end in a dot or space.
    """
    stays = name.strip(". ") and name[-1] not in ". " and not any(mark in name for mark in '/\\:*?"<>|')
    if not stays or any(ord(character) < 32 or ord(character) == 127 for character in name):
        why = "holds a control character" if stays else "is not a file name that stays in its folder"
        raise WeightsError(f"{name!r} {why}; expected a plain name such as ImageReward.pt")
    return folder / name


def bundled_folder(card: WeightsCard) -> Path | None:
    """The folder in this package that holds the scorer's files, for those that ship with it."""
    return _BUNDLED.get(card.folder)


def user_folder(card: WeightsCard) -> Path | None:
    """This program's own folder for the scorer in the user's cache; None where the user has no home."""
    return _in_home("imagereward-curator", card.folder)


def models_folders(card: WeightsCard, settings: WeightSettings) -> tuple[tuple[Path, Path], ...]:
    """The models folders in search order, each as a pair: the scorer's own folder in it, and itself."""
    roots = [*settings.folders, *([] if settings.download_folder is None else [settings.download_folder])]
    return tuple((inside(root, card.folder), root) for root in dict.fromkeys(Path(root) for root in roots))


def target_folder(card: WeightsCard, settings: WeightSettings) -> Path:
    """The folder a download of the scorer goes to, which need not exist yet; WeightsError where none is given and the user has no home."""
    if settings.download_folder is not None:
        return inside(Path(settings.download_folder), card.folder)
    for root in settings.folders:
        existing = nearest_existing(Path(root))
        if existing.is_dir() and os.access(existing, os.W_OK):
            return inside(Path(root), card.folder)
    own = user_folder(card)
    if own is None:
        raise WeightsError(
            f"there is no folder for {card.id}: name a models folder (the user has no home folder)"
        )
    return own


def searched(card: WeightsCard, settings: WeightSettings) -> tuple[str, ...]:
    """Where files of the scorer are looked for, in order, in words for a person."""
    places = [str(folder) for group in _groups(card, settings) for folder in group]
    reference = _in_home("ImageReward")
    if settings.use_hub_cache:
        places.append("the cache of huggingface_hub")
        places.extend([] if reference is None else [str(reference)])
    return tuple(dict.fromkeys(places))


def find_file(card: WeightsCard, weight_file: WeightFile, settings: WeightSettings) -> Path | None:
    """Where ``weight_file`` lies, or None.

    Order: files of this package, the models folders (in each first the scorer's own folder, then the folder
    itself), this program's folder in the user's cache, the hub's cache, the cache of the reference
    implementation. A small file with a stated checksum counts only where it has that checksum.
    """
    return next(filter(None, (look(weight_file) for look in _places(card, settings))), None)


def find_weights(card: WeightsCard, settings: WeightSettings) -> FoundWeights | None:
    """The scorer's files, or None: in the first place with any form of its checkpoint, and of those the earliest in ``card.checkpoint``."""
    found = (look(form) for look in _places(card, settings) for form in card.checkpoint)
    path = next(filter(None, found), None)
    if path is None:
        return None
    under = backbone_of(card)
    backbone = None if under is None else find_weights(under, settings)
    return FoundWeights(path, find_vocabulary(card, settings), backbone=backbone)


def is_ready(card: WeightsCard, settings: WeightSettings) -> bool:
    """Whether every file that the scorer needs is on this machine and looks whole, so that nothing has to be fetched."""
    found = find_weights(card, settings)
    if found is None or defect(found.checkpoint):
        return False
    if card.tokenizer is not None and found.vocabulary is None:
        return False
    under = backbone_of(card)
    return under is None or is_ready(under, settings)


def find_vocabulary(card: WeightsCard, settings: WeightSettings) -> Path | None:
    """The tokenizer's vocabulary on this machine; None where there is none or the scorer reads no text."""
    return None if card.tokenizer is None else find_file(card, card.tokenizer, settings)


def accept(path: Path, weight_file: WeightFile) -> bool:
    """Whether ``path`` is a file and, if it is small and a checksum is stated, has that checksum."""
    try:
        if not path.is_file():
            return False
        if weight_file.sha256 is None or path.stat().st_size > _SMALL_BYTES:
            return True
        if sha256_of(path) == weight_file.sha256:
            return True
    except OSError as error:
        logger.debug("%s cannot be read: %s", path, error)
        return False
    logger.warning(
        "%s is passed over: it is not the %s this scorer was published with", path, weight_file.name
    )
    return False


def _groups(card: WeightsCard, settings: WeightSettings) -> Iterator[tuple[Path, ...]]:
    """Plain folders in search order; those of one group are one place."""
    for folder in (bundled_folder(card), *models_folders(card, settings), user_folder(card)):
        if folder is not None:
            yield folder if isinstance(folder, tuple) else (folder,)


def _places(card: WeightsCard, settings: WeightSettings) -> Iterator[Callable[[WeightFile], Path | None]]:
    """One search function per place, in order."""
    for group in _groups(card, settings):
        yield partial(_in_folders, group)
    if settings.use_hub_cache:
        yield _in_hub_cache
        reference = _in_home("ImageReward")
        if reference is not None:
            yield partial(_in_folders, (reference,))


def _in_folders(folders: tuple[Path, ...], form: WeightFile) -> Path | None:
    paths = (inside(folder, form.name) for folder in folders)
    return next((path for path in paths if accept(path, form)), None)


def _in_hub_cache(form: WeightFile) -> Path | None:
    """The file in the hub's cache: at the pinned revision, or at any where its checksum proves it."""
    if not form.repository:
        return None
    try:
        from huggingface_hub import constants, try_to_load_from_cache
    except ImportError:
        return None
    # Without a checksum also the newest, which an earlier version of this program, or another, fetched.
    revisions = (form.revision, None) if form.pinned == "revision" else (form.revision,)
    cache, name = Path(constants.HF_HUB_CACHE), form.path_in_repository
    for repository in (form.repository, *_OTHER_HOMES.get(form.repository, ())):
        for revision in revisions:
            hit = try_to_load_from_cache(repository, name, cache_dir=cache, revision=revision)
            if isinstance(hit, str) and accept(Path(hit), form):
                return Path(hit)
        if form.sha256 is not None:
            snapshots = cache / f"models--{repository.replace('/', '--')}" / "snapshots"
            for path in sorted(snapshots.glob(f"*/{name}")):
                # A large file is accepted unread, but the cache names it by its checksum.
                if accept(path, form) and (
                    path.stat().st_size <= _SMALL_BYTES or path.resolve().name == form.sha256
                ):
                    return path
    return None


def _in_home(*parts: str) -> Path | None:
    try:
        folder = Path.home() / ".cache"
    except RuntimeError:
        return None
    for part in parts:
        folder = inside(folder, part)
    return folder
