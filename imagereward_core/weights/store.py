"""Makes the files of a card ready: finds or fetches them, converts them once, and names the weights."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import DownloadError, WeightsError
from .card import WeightFile, WeightsCard
from .cards import backbone_of
from .download import download_file
from .lacking import Lacking, by_hand, in_words, lacking
from .ledger import is_sha256, kind_of_tensors, remembered
from .locate import (
    FoundWeights,
    WeightSettings,
    accept,
    bundled_folder,
    find_vocabulary,
    find_weights,
    inside,
    models_folders,
    searched,
    target_folder,
    user_folder,
)
from .manifest import Progress, safetensors_metadata, sha256_of

logger = logging.getLogger(__name__)

_LABEL_DIGITS = 12
_ON_NO_HUB = "it is on no hub that this program fetches from"


def resolve(card: WeightsCard, settings: WeightSettings, progress: Progress | None = None) -> FoundWeights:
    """The files of a scorer, fetched if they are not on this machine and the settings allow it.

    A ``.pt`` file in a models folder is rewritten once as ``.safetensors`` beside it, with the names the
    network has, where the settings allow it, the folder can be written to and there is room; otherwise it is
    used as it is. A head comes with the weights it sits on, and both are in its label.

    Raises:
        WeightsError: A file is nowhere and may not be fetched (the text names it, every place searched and
            where to get it), or a ``.pt`` file found is no safe checkpoint or that of another scorer.
        DownloadError: A file had to be fetched and could not be.
    """
    return resolve_all((card,), settings, progress)[0]


def resolve_all(
    cards: Sequence[WeightsCard], settings: WeightSettings, progress: Progress | None = None
) -> list[FoundWeights]:
    """Like :func:`resolve` for the scorers of one run, in order; an error names the missing files of all of them."""
    if not settings.allow_download:
        _refuse(lacking(cards, settings), settings)
    found = []
    for place, card in enumerate(cards, 1):
        try:
            found.append(_resolve(card, settings, progress))
        except WeightsError as error:
            others = lacking(cards[place:], settings)
            if not isinstance(error, DownloadError):  # the hub could be reached, and has the rest
                others = [each for each in others if each.file.by_hand]
            if not others:
                raise
            raise type(error)(
                f"{error}. Other scorers of this run lack files too. {in_words(others)}"
            ) from error
    return found


def _refuse(missing: Sequence[Lacking], settings: WeightSettings) -> None:
    """Raises WeightsError where there are files that are missing and may not be fetched; it says how to get them."""
    if not missing:
        return
    cards = list({each.card.id: each.card for each in missing}.values())
    names = "; ".join(
        f"{', '.join(each.file.name for each in missing if each.card.id == card.id)} of {card.id}"
        for card in cards
    )
    places = "; ".join(dict.fromkeys(place for card in cards for place in searched(card, settings)))
    never = [f"{each.file.name} of {each.card.id}" for each in missing if each.file.by_hand]
    why = f"downloads are switched off: {settings.to_allow}, or fetch by hand"
    if len(never) == len(missing):
        why = _ON_NO_HUB
    elif never:
        why += f" ({', '.join(never)} in any case, for {_ON_NO_HUB})"
    raise WeightsError(
        f"{names} {'was' if len(missing) == 1 else 'were'} not found, and {why}. {in_words(missing)}. Searched: {places}"
    )


def _resolve(card: WeightsCard, settings: WeightSettings, progress: Progress | None) -> FoundWeights:
    found = find_weights(card, settings)
    if found is None:
        form = card.preferred or card.checkpoint[0]
        found = FoundWeights(_obtain(card, form, settings, progress), find_vocabulary(card, settings))
    return _complete(found, card, settings, progress)


def resolve_file(
    checkpoint: Path, card: WeightsCard, settings: WeightSettings, progress: Progress | None = None
) -> FoundWeights:
    """Like :func:`resolve`, for a checkpoint somebody named by its path; only the vocabulary is looked for.

    A vocabulary beside the checkpoint is preferred where it is the one the card states.
    """
    checkpoint = Path(checkpoint)
    if not checkpoint.is_file():
        raise WeightsError(f"there is no checkpoint {checkpoint}; expected a .safetensors or .pt file")
    vocabulary = None
    if card.tokenizer is not None:
        beside = inside(checkpoint.parent, card.tokenizer.name)
        vocabulary = beside if accept(beside, card.tokenizer) else find_vocabulary(card, settings)
    return _complete(FoundWeights(checkpoint, vocabulary), card, settings, progress)


def revision_of(checkpoint: Path, card: WeightsCard | None = None, progress: Progress | None = None) -> str:
    """A short label that names a set of weights: twelve digits of the SHA-256 of its tensors; WeightsError where they cannot be read.

    A ``.pt`` file and its conversion, here or on another machine, downloaded or copied, have the same label, and so do the
    scores made with them. Nothing that a file says about itself counts. The card is needed where tensors may have other names than the
    network's.
    """
    known = remembered(checkpoint, kind_of_tensors("" if card is None else card.layout))
    if known is not None:  # nothing need be read, so nothing that reads is imported
        return known[:_LABEL_DIGITS]
    from .checkpoint import keymap_of, tensors_sha256

    try:
        keymap = None if card is None else keymap_of(card)
        return tensors_sha256(checkpoint, keymap, progress)[:_LABEL_DIGITS]
    except OSError as error:
        raise WeightsError(f"{checkpoint} cannot be read ({error})") from error


def is_published(
    checkpoint: Path, card: WeightsCard, progress: Progress | None = None, read: bool = True
) -> bool | None:
    """Whether a file is the one its scorer was published as; None where nobody states its checksum, or, without ``read``, it is unread."""
    form = next((form for form in card.checkpoint if form.name == checkpoint.name), None)
    if form is None or form.sha256 is None:
        return None
    try:
        found = sha256_of(checkpoint, progress) if read else remembered(checkpoint, "sha256")
    except OSError:
        return None
    return None if found is None else found == form.sha256


def former_revisions(found: FoundWeights, card: WeightsCard) -> tuple[str, ...]:
    """Labels that earlier versions gave to these very weights, so that scores kept under them stay valid.

    Then a label was the beginning of the SHA-256 of the file, or of the one a conversion said it was made from. The first is
    computed, the second is believed only where that file lies beside its conversion, has that SHA-256 and the same tensors.
    """
    own = _former(found.checkpoint, card)
    under = backbone_of(card)
    if under is None or found.backbone is None:
        return own
    return tuple(f"{one}+{other}" for one in own for other in former_revisions(found.backbone, under))


def _former(checkpoint: Path, card: WeightsCard) -> tuple[str, ...]:
    from .checkpoint import keymap_of, same_tensors

    metadata = safetensors_metadata(checkpoint)
    claim = metadata.get("source_sha256", "")
    if not is_sha256(claim) or "lossy" in metadata:
        return (sha256_of(checkpoint)[:_LABEL_DIGITS],)
    for suffix in (".pt", ".pth", ".bin"):
        source = checkpoint.with_suffix(suffix)
        if source.is_file() and sha256_of(source) == claim:
            try:
                if same_tensors(source, checkpoint, keymap_of(card)):
                    return (claim[:_LABEL_DIGITS],)
            except WeightsError as error:
                logger.debug("%s is not what %s was made from: %s", source, checkpoint, error)
    return ()


def _complete(
    found: FoundWeights, card: WeightsCard, settings: WeightSettings, progress: Progress | None
) -> FoundWeights:
    """Adds what is still missing: the vocabulary, the conversion, what a head sits on, the label."""
    vocabulary = found.vocabulary
    if vocabulary is None and card.tokenizer is not None:
        vocabulary = _obtain(card, card.tokenizer, settings, progress)
    checkpoint = _converted(found.checkpoint, card, settings, progress)
    if is_published(checkpoint, card, progress) is False:
        logger.warning(
            "%s is not the file that %s was published as: its SHA-256 is another. Its scores are those of other weights; "
            "'imagereward models verify' tells more",
            checkpoint,
            card.id,
        )
    revision = revision_of(checkpoint, card, progress)
    under = backbone_of(card)
    backbone = None if under is None else _resolve(under, settings, progress)
    if backbone is not None:
        revision = f"{revision}+{backbone.revision}"
    return replace(found, checkpoint=checkpoint, vocabulary=vocabulary, revision=revision, backbone=backbone)


def _obtain(
    card: WeightsCard, weight_file: WeightFile, settings: WeightSettings, progress: Progress | None
) -> Path:
    """Fetches a file that is nowhere on this machine, or says how to get it."""
    places = "; ".join(searched(card, settings))
    if weight_file.by_hand:
        raise WeightsError(
            f"{weight_file.name} of {card.id} was not found, and {_ON_NO_HUB}. Searched: {places}. "
            f" {by_hand(card, weight_file, settings)}"
        )
    if not weight_file.repository:
        home = bundled_folder(card)
        advice = (
            f"It ships with this program in {home}; install it again" if home else "Put it into one of these"
        )
        raise WeightsError(f"{weight_file.name} of {card.id} was not found. Searched: {places}. {advice}")
    if not settings.allow_download:
        _refuse([Lacking(card, weight_file, target_folder(card, settings))], settings)
    try:
        return download_file(card, weight_file, settings, progress)
    except DownloadError as error:
        raise DownloadError(
            f"{weight_file.name} of {card.id} was not found ({places}) and could not be fetched: {error}"
        ) from error


def _converted(path: Path, card: WeightsCard, settings: WeightSettings, progress: Progress | None) -> Path:
    """The ``.safetensors`` form of ``path``, made if need be, or ``path`` itself."""
    convertible = settings.auto_convert and path.suffix.lower() in (".pt", ".pth", ".bin")
    own = [folder for pair in models_folders(card, settings) for folder in pair]
    # Nothing is put into the cache of another program.
    if not convertible or path.parent not in {*own, user_folder(card)} or not os.access(path.parent, os.W_OK):
        return path
    from .checkpoint import StateFile, convert, keymap_of

    target = path.with_suffix(".safetensors")
    keymap = keymap_of(card)
    # A file that is no safe checkpoint, or that of another scorer, is an error, whether or not the conversion works.
    layout = StateFile(path, keymap).layout()
    if keymap is not None:
        keymap.check(path, layout)
    try:
        report = convert(path, target, progress=progress, keymap=keymap)
    except (WeightsError, OSError) as error:
        logger.warning("%s is used as it is; it was not converted: %s", path, error)
        return path
    if not report.reused:
        logger.info("converted %s to %s once; the .pt file is no longer needed", path, target)
    return target
