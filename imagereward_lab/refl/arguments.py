"""The options of ``imagereward refl``, and the settings made from them."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from imagereward_core.cli.arguments import add_setting
from imagereward_core.cli.exits import UsageError
from imagereward_core.cli.options import add_talk, add_weights, weight_settings
from imagereward_core.cli.parser import Parser
from imagereward_core.settings import Setting, settings_of

from ..training.state.checkpoints import is_kept
from .guards.options import GuardOptions
from .methods.options import MethodOptions
from .methods.table import METHODS
from .options import RunOptions
from .tuning.config import TuningConfig
from .tuning.examples import EXAMPLES

_EPILOG = """\
examples:
  imagereward refl --model sd15.safetensors --prompts prompts.txt -o runs/mine                  tuned to ImageReward by ReFL
  imagereward refl --model sd15.safetensors --prompts prompts.txt -o runs/mine --also CLIP      watched by CLIP
  imagereward refl --model folder --prompts prompts.csv -o runs/mine --method draft-k --scorer PickScore --precision bf16
  imagereward refl --model sd15.safetensors --prompts prompts.txt -o runs/mine --pictures DIR   the second loss on your own pictures
  imagereward refl --model sd15.safetensors --prompts prompts.txt -o runs/mine --resume         go on after a kill
  torchrun --nproc_per_node 4 -m imagereward_core refl --model ... (or accelerate launch)       four GPUs

The LoRA is OUTPUT/NAME.safetensors: put it into models/loras (ComfyUI) or models/Lora (WebUIs). docs/refl.md explains methods and guards.

exit codes:
    0  tuned; nothing is wrong
    1  tuned; the guards stopped the run early, or some pictures of --pictures were left out (0 under torchrun)
    2  the command line cannot be understood, or no prompts were found
    3  the scorer cannot be used: weights missing or damaged, or a package is missing
    4  anything else: an unknown model, memory that does not suffice, a loss that is no number, a full disk
  130  stopped with Ctrl-C; --resume goes on
"""
_RUN = {"--scorer": "scorer", "--method": "method", "--prediction": "prediction"}
_COURSE = {
    "--updates": "updates",
    "--batch": "batch",
    "--learning-rate": "learning_rate",
    "--warmup": "warmup",
    "--cooldown": "cooldown",
    "--weight-decay": "weight_decay",
    "--clip-norm": "clip_norm",
    "--ema": "ema",
    "--denoising-weight": "denoising_weight",
    "--balance": "balance",
    "--denoising-pictures": "denoising_pictures",
    "--held-out": "held_out",
    "--seed": "seed",
}
_LORA = {"--rank": "rank", "--alpha": "alpha", "--targets": "targets"}
_CHECKS = {
    "--check-every": "check_every",
    "--previews": "previews",
    "--preview-seeds": "seeds",
    "--preview-steps": "preview_steps",
    "--preview-guidance": "preview_guidance",
}
_MACHINE = {"--precision": "precision", "--accumulate": "accumulate", "--save-every": "save_every"}
_GUARDS = {
    "--distance": "distance",
    "--distance-weight": "distance_weight",
    "--watch": "watch",
    "--patience": "patience",
    "--scorer-fall": "scorer_fall",
    "--diversity-fall": "diversity_fall",
    "--own-fall": "own_fall",
}
METHOD_NAMES = {
    "steps": "--steps",
    "guidance": "--guidance",
    "height": "--height",
    "width": "--width",
    "bound": "--bound",
    "weight": "--reward-weight",
    "eta": "--eta",
    "first": "--first",
    "last": "--last",
    "k": "--k",
    "low_variance": "--low-variance",
    "mean": "--cut-mean",
    "deviation": "--cut-deviation",
}
"""Options of the methods' settings, by their names."""
OPTIONS: tuple[tuple[type, dict[str, str]], ...] = (
    (RunOptions, _RUN),
    (TuningConfig, _COURSE),
    (TuningConfig, _LORA),
    (TuningConfig, _CHECKS),
    (TuningConfig, _MACHINE),
    (GuardOptions, _GUARDS),
)
"""Options that are made from settings, by the dataclass these stand in."""
_SHORT = {"--scorer": ("-s",)}
_METAVARS = {"--scorer": "ID|FILE|BLEND"}


def add_arguments(parser: Parser) -> None:
    """Adds the arguments."""
    parser.description = (
        "Tunes a text-to-image model to a reward (ReFL, the third part of the ImageReward paper) and writes the change as a LoRA for "
        "ComfyUI and the WebUIs. Guards keep it from ruining pictures, and are on by default."
    )
    parser.epilog = _EPILOG
    parser.add_argument(
        "--model",
        type=Path,
        required=True,
        metavar="FILE|DIR",
        help="the model: a checkpoint (.safetensors), or a folder of diffusers; SD 1, SD 2, SDXL, SD 3, Flux",
    )
    parser.add_argument(
        "--prompts",
        type=Path,
        required=True,
        metavar="FILE",
        help="a text with a prompt on each line, a table (.csv, .tsv), Parquet, or a folder of pictures with prompts",
    )
    parser.add_argument("--column", default="", metavar="NAME", help="the column with the prompts of a table")
    parser.add_argument("--validation", type=Path, metavar="FILE", help="other prompts, which checks draw")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of the run: checkpoints, logs, previews and the result",
    )
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="pictures with prompts for the second loss (default: some that the model draws before it is tuned)",
    )
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="ID",
        help="a scorer that is not tuned to but watches; may be given several times",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint in --output, if there is one"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="only say what would be tuned, and what memory and time it takes",
    )
    _add(parser, RunOptions, _RUN)
    _add_method(parser.add_argument_group("method"))
    _add(parser.add_argument_group("course"), TuningConfig, _COURSE)
    guards = parser.add_argument_group("guards")
    _add(guards, GuardOptions, _GUARDS)
    guards.add_argument(
        "--no-guards",
        action="store_true",
        help="without a bound, distance, moving average or watch: the reward alone, to see what that does",
    )
    _add(parser.add_argument_group("checks"), TuningConfig, _CHECKS)
    _add(parser.add_argument_group("LoRA"), TuningConfig, _LORA)
    machine = parser.add_argument_group("machine")
    _add(machine, TuningConfig, _MACHINE)
    machine.add_argument(
        "--no-checkpointing",
        dest="checkpointing",
        action="store_false",
        help="keep in memory what is otherwise calculated again for the gradients: faster, and takes far more",
    )
    machine.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda or cuda:1 (default: auto)"
    )
    machine.add_argument(
        "--merges", type=Path, metavar="FILE", help="CLIP's merges.txt, for checkpoints of one file"
    )
    group = parser.add_argument_group("result")
    group.add_argument(
        "--name",
        default="",
        metavar="NAME",
        help="name of the LoRA (default: that of the folder of --output)",
    )
    group.add_argument("--no-tensorboard", action="store_true", help="write no logs for TensorBoard")
    group.add_argument(
        "-f",
        "--format",
        choices=("table", "json"),
        default="table",
        help="form of the result (default: table)",
    )
    add_weights(parser)
    add_talk(parser)


def _add(group: argparse._ActionsContainer, owner: type, named: Mapping[str, str]) -> None:
    for option, name in named.items():
        more = {"metavar": _METAVARS[option]} if option in _METAVARS else {}
        add_setting(group, owner, name, *_SHORT.get(option, ()), option, **more)


def _add_method(group: argparse._ActionsContainer) -> None:
    """Options of all methods; what is not given is each method's own."""
    owners: dict[str, list[str]] = {}
    for method in METHODS.values():
        for name in _known(method.name):
            owners.setdefault(name, []).append(method.name)
    for name, methods in owners.items():
        about = {method: _known(method)[name].default for method in methods}
        usual = {str(each) for each in about.values()}
        words = [] if len(methods) == len(METHODS) else [f"of {', '.join(methods)}"]
        if usual != {"None"}:
            shown = (
                usual.pop() if len(usual) == 1 else ", ".join(f"{key} {each}" for key, each in about.items())
            )
            words.append(f"default: {shown}")
        changes: dict[str, Any] = {"default": argparse.SUPPRESS, "dest": f"method_{name}"}
        if name == "bound":
            changes |= {"type": _bound, "metavar": "X|inf"}
        _add_unset(group, METHODS[methods[0]].options, name, METHOD_NAMES[name], "; ".join(words), changes)


def _known(method: str) -> dict[str, Setting]:
    """The settings of a method by name."""
    owner: type = METHODS[method].options
    return settings_of(owner)


def _add_unset(
    group: argparse._ActionsContainer, owner: type, name: str, option: str, more: str, changes: dict[str, Any]
) -> None:
    """An option whose default is said by ``more`` alone."""
    action = _Quiet(group)
    add_setting(action, owner, name, option, more=more, **changes)  # type: ignore[arg-type]


class _Quiet:
    """A group that leaves the default out of the help, for one that is not the same for all methods."""

    def __init__(self, group: argparse._ActionsContainer) -> None:
        self._group = group

    def add_argument(self, *options: str, help: str, **made: Any) -> None:
        """Adds the option."""
        self._group.add_argument(*options, help=help.replace(f" (default: {argparse.SUPPRESS})", ""), **made)


def _bound(text: str) -> float:
    if text.strip().lower() in ("none", "inf"):
        return math.inf
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is no number, and not inf")
    return value


def options_of(args: argparse.Namespace) -> RunOptions:
    """The settings of a command line.

    Raises:
        UsageError: They do not fit one another, or the name cannot be one.
    """
    name = args.name or args.output.absolute().name
    if not name or len(name) > 100 or not name.isprintable() or any(each in name for each in '/\\:*?"<>|'):
        raise UsageError(
            f"{name!r} cannot be the name of a LoRA; expected the name of a file without folders. Give another --name"
        )
    file = f"{name}.safetensors"
    if is_kept(file) or file.casefold() == EXAMPLES:
        raise UsageError(
            f"the LoRA cannot be called {name!r}, as files that a run keeps for itself are; give it another --name"
        )
    config = TuningConfig(
        **{
            each: _given(args, option)
            for named in (_COURSE, _LORA, _CHECKS, _MACHINE)
            for option, each in named.items()
        },
        checkpointing=args.checkpointing,
    )
    guards = GuardOptions(**{each: _given(args, option) for option, each in _GUARDS.items()})
    method = _method_options(args)
    if args.no_guards:
        config, guards, method = replace(config, ema=0.0), guards.off(), replace(method, bound=math.inf)
    return RunOptions(
        model=args.model,
        output=args.output,
        method_options=method,
        config=config,
        guards=guards,
        weights=weight_settings(args),
        also=tuple(part.strip() for text in args.also for part in text.split(",") if part.strip()),
        pictures=args.pictures,
        merges=args.merges,
        name=name,
        **{each: _given(args, option) for option, each in _RUN.items()},
    )


def _method_options(args: argparse.Namespace) -> MethodOptions:
    """The settings of the method, as far as they were given.

    Raises:
        UsageError: One belongs to another method, or they do not fit one another.
    """
    method = METHODS[args.method]
    known = _known(method.name)
    given = {
        name: getattr(args, f"method_{name}") for name in METHOD_NAMES if hasattr(args, f"method_{name}")
    }
    for name in given:
        if name not in known:
            raise UsageError(f"{METHOD_NAMES[name]} is not for --method {method.name}; leave it out")
    if "first" in known and "steps" in given and not given.keys() & {"first", "last"}:
        steps = given["steps"]
        given |= {"first": steps - max(1, steps // 4), "last": steps - 1}
    try:
        made: MethodOptions = method.options(**given)
    except ValueError as error:
        raise UsageError(f"the settings of --method {method.name} do not fit: {error}") from error
    return made


def _given(args: argparse.Namespace, option: str) -> Any:
    return getattr(args, option.lstrip("-").replace("-", "_"))
