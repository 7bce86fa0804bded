"""``imagereward doctor``: what this machine has, what is wrong with it and how to mend that. Works without torch."""

from __future__ import annotations

import argparse
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..scorers.requests import DEFAULT_SCORER
from .exits import DONE, SOME_FAILED
from .models import readable_size
from .options import MODELS_VARIABLE, Commands, add_command, add_talk, add_weights, weight_settings

if TYPE_CHECKING:
    from ..weights.card import ScorerCard, WeightsCard
    from ..weights.locate import FoundWeights, WeightSettings

_OLDEST_PYTHON = (3, 10)
_PACKAGES = (
    ("torch", "torch", "2.1"),
    ("transformers", "transformers", "4.30"),
    ("tokenizers", "tokenizers", ""),
    ("numpy", "numpy", "1.26"),
    ("pillow", "PIL", "9.5"),
    ("safetensors", "safetensors", "0.4.2"),
    ("ftfy", "ftfy", "6.0"),
    ("huggingface_hub", "huggingface_hub", "0.20"),
    ("tqdm", "tqdm", ""),
)
_OPTIONAL = {
    "ftfy": "CLIP and HPSv2 cannot read prompts",
    "huggingface_hub": "nothing can be downloaded",
    "tqdm": "there are no progress bars",
}


@dataclass
class Findings:
    """What is wrong and how to mend it, and the packages that could be imported, by name."""

    problems: list[str] = field(default_factory=list)
    modules: dict[str, Any] = field(default_factory=dict)


def add_parser(commands: Commands) -> None:
    """Declares the command."""
    parser = add_command(
        commands,
        "doctor",
        run,
        help="say what this machine has, what is wrong and how to mend it",
        description="Looks at packages, device, weights and disk; ends with what is wrong and how to mend it.",
    )
    add_weights(parser)
    add_talk(parser)


def run(args: argparse.Namespace) -> int:
    """Prints what was found; returns 0 where nothing is wrong, else 1."""
    findings = Findings()
    sections = {"Python and packages": _packages, "Device": _device, "Weights": _weights, "Hub": _hub}
    for title, look in sections.items():
        print(title)
        try:
            for name, text in look(args, findings):
                print(f"  {name:<17} {text}")
        except Exception as error:  # whatever is broken here is what the person wants to know
            print(f"  cannot be examined ({type(error).__name__}: {error})")
            findings.problems.append(f"{title.lower()} cannot be examined: {type(error).__name__}: {error}")
        print()
    if not findings.problems:
        print("Nothing is wrong.")
        return DONE
    print("What is wrong:")
    for problem in findings.problems:
        print(f"  - {problem}")
    return SOME_FAILED


def _packages(args: argparse.Namespace, findings: Findings) -> Iterator[tuple[str, str]]:
    yield (
        "python",
        f"{platform.python_version()} ({sys.executable}), {platform.system()} {platform.machine()}",
    )
    if sys.version_info[:2] < _OLDEST_PYTHON:
        findings.problems.append("Python is older than 3.10: use a newer one")
    for name, module, oldest in _PACKAGES:
        version = _version(name)
        try:
            findings.modules[name] = import_module(module)
        except Exception as error:  # a broken build raises OSError, RuntimeError and others
            lack = _OPTIONAL.get(name, "pictures cannot be scored")
            if version is None:
                yield name, "not installed"
                findings.problems.append(f"{name} is not installed, so {lack}: python -m pip install {name}")
            else:
                first = next(iter(str(error).strip().splitlines()), "no reason given")
                yield name, f"{version}, cannot be imported ({type(error).__name__}: {first})"
                findings.problems.append(
                    f"{name} {version} is installed but cannot be imported, so {lack}: install it again, in a form made for "
                    "this Python and this machine"
                )
            continue
        yield name, version or "unknown version"
        if oldest and version and _numbers(version) < _numbers(oldest):
            findings.problems.append(
                f"{name} {version} is older than {oldest}: python -m pip install --upgrade {name}"
            )


def _device(args: argparse.Namespace, findings: Findings) -> Iterator[tuple[str, str]]:
    torch = findings.modules.get("torch")
    if torch is None:
        yield "device", "unknown without torch"
        return
    from ..runtime import pick_device, pick_dtype

    device = pick_device("auto")
    yield "device", str(device)
    if device.type == "cuda":
        kind = "ROCm" if getattr(torch.version, "hip", None) else "CUDA"
        for number in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(number)
            yield (
                f"cuda:{number}",
                f"{torch.cuda.get_device_name(number)}, {readable_size(free)} of {readable_size(total)} free ({kind})",
            )
    elif shutil.which("nvidia-smi"):
        findings.problems.append(
            f"this machine seems to have an NVIDIA card, but torch {torch.__version__} cannot use it, so scoring is slow: "
            "install torch for CUDA as its website describes"
        )
    precision = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}[
        pick_dtype("auto", device)
    ]
    yield "precision", f"{precision} (what --precision auto picks here)"
    yield "processor", f"{torch.get_num_threads()} threads, {_capabilities(torch)}"
    if memory := _memory():
        yield "memory", memory


def _capabilities(torch: Any) -> str:
    """The processor's instructions for fast arithmetic, as far as this version of torch reports them."""
    known = [torch.backends.cpu.get_cpu_capability()] if hasattr(torch.backends, "cpu") else []
    for name, probe in (("AVX512-bf16", "_is_avx512_bf16_supported"), ("AMX", "_is_amx_tile_supported")):
        ask = getattr(getattr(torch, "cpu", None), probe, None)
        known.append(f"{name} {'unknown' if ask is None else 'yes' if ask() else 'no'}")
    return ", ".join(known)


def _memory() -> str:
    """Main memory, where the system states it in a file."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return ""
    sizes = {name: 1024 * int(number) for name, number in re.findall(r"(\w+):\s+(\d+) kB", text)}
    return f"{readable_size(sizes.get('MemAvailable', 0))} of {readable_size(sizes.get('MemTotal', 0))} available"


def _weights(args: argparse.Namespace, findings: Findings) -> Iterator[tuple[str, str]]:
    from ..weights.cards import CARDS, OTHERS
    from ..weights.formats import defect
    from ..weights.locate import find_weights, searched

    settings = weight_settings(args)
    for folder in settings.folders:
        if not folder.is_dir():
            findings.problems.append(
                f"the models folder {folder} does not exist: check --models-dir and the variable {MODELS_VARIABLE}"
            )
    main = CARDS[DEFAULT_SCORER]
    found = find_weights(main, settings)
    yield main.id, str(found.checkpoint) if found else f"not downloaded ({readable_size(main.download_size)})"
    if found is not None and (broken := defect(found.checkpoint)):
        findings.problems.append(
            f"{broken}, or take it away: another copy, or a download, then takes its place"
        )
    lacks_vocabulary = found is not None and found.vocabulary is None
    if lacks_vocabulary:
        yield "  vocabulary", "not there"
    if found is None:
        for place in searched(main, settings):
            yield "  searched", place
    if found is None or lacks_vocabulary:
        yield from _to_be_fetched(main, found, settings, findings)
    for card in CARDS.values():
        if card is not main:
            yield card.id, _elsewhere(card, find_weights(card, settings))
    if "torch" in findings.modules:  # which reads what a checkpoint is
        from ..scorers.meaning import flat_notice
        from ..weights.own import own_checkpoints

        for own in own_checkpoints(settings).values():
            yield own.card.id, f"{own.path} (your own)"
            if notice := flat_notice(own.path, own.card.id):
                yield "", notice
    for other in OTHERS.values():  # which scores nothing
        yield other.id, _elsewhere(other, find_weights(other, settings))


def _to_be_fetched(
    card: ScorerCard, found: FoundWeights | None, settings: WeightSettings, findings: Findings
) -> Iterator[tuple[str, str]]:
    """Where the default scorer's files will go, and what is in the way."""
    from ..files.regular import nearest_existing
    from ..weights.lacking import in_words, lacking
    from ..weights.locate import target_folder

    folder = target_folder(card, settings)
    free = shutil.disk_usage(nearest_existing(folder)).free
    yield "  goes to", f"{folder} ({readable_size(free)} free there)"
    if found is None and free < 2 * card.download_size:
        findings.problems.append(
            f"{card.id} needs {readable_size(2 * card.download_size)} for download and conversion, and {folder} has "
            f"{readable_size(free)}: free some, or name another folder with --models-dir"
        )
    hub = "huggingface_hub" in findings.modules and import_module("huggingface_hub.constants")
    if not settings.allow_download or not hub or hub.HF_HUB_OFFLINE:
        what = "weights" if found is None else "vocabulary"
        findings.problems.append(
            f"the {what} of {card.id} must be fetched, and downloads are not possible or switched off: allow them, or "
            f"copy the folder from a machine that has it ('imagereward models download' there). {in_words(lacking([card], settings))}"
        )
    else:
        yield "  get it with", f"imagereward models download {card.id} (else it is fetched at first use)"


def _elsewhere(card: WeightsCard, found: FoundWeights | None) -> str:
    """One line about weights that nobody needs to have."""
    from ..weights.formats import defect

    if found is not None:
        if broken := defect(found.checkpoint):
            return broken
        lacks = found.vocabulary is None and card.tokenizer is not None
        return f"{found.checkpoint}{' (its vocabulary is not there)' if lacks else ''}"
    if card.address:
        return f"not here; to be fetched by hand from {card.address}"
    return f"not here ({readable_size(card.download_size)}): imagereward models download {card.id}"


def _hub(args: argparse.Namespace, findings: Findings) -> Iterator[tuple[str, str]]:
    if "huggingface_hub" not in findings.modules:
        yield "hub", "unknown without huggingface_hub"
        return
    from huggingface_hub import constants

    yield "offline mode", "on (HF_HUB_OFFLINE)" if constants.HF_HUB_OFFLINE else "off"
    yield "address", str(constants.ENDPOINT)
    yield "cache", str(constants.HF_HUB_CACHE)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version, for comparing."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in match.group().split(".")) if match else ()
