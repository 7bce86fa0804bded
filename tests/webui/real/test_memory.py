"""The true memory manager of a host with a graphics card imagined. Set WEBUI_PATH and WEBUI_PYTHON.

Nothing is started, so that it is enough for the interpreter to have torch, safetensors and psutil.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.webui.real_webui import HERE, kind_of

WEBUI, PYTHON = os.environ.get("WEBUI_PATH"), os.environ.get("WEBUI_PYTHON")
pytestmark = pytest.mark.skipif(
    not (WEBUI and PYTHON and kind_of(Path(WEBUI)) != "a1111"),
    reason="needs a WebUI of Forge's family: set WEBUI_PATH to its folder and WEBUI_PYTHON to an interpreter",
)


@pytest.fixture(scope="module", params=[7, 8], ids=["older card", "newer card"])
def seen(request):
    """What happened on a card of 8 GiB, with an image model of 6 GiB and a scorer of 1 GiB, by turns."""
    command = [PYTHON, HERE / "hosts" / "imagined_card.py", WEBUI, request.param]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=300, env=environment
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return {"major": request.param, **json.loads(done.stdout.splitlines()[-1])}


def test_it_scores_on_the_hosts_card_in_the_half_precision_the_host_can_judge(seen):
    assert seen["host"] == kind_of(Path(WEBUI)) and seen["device"] == "cuda:0"
    # Forge Classic's manager knows no bf16; asking it ended in an AttributeError.
    has_bf16 = seen["major"] >= 8 and seen["host"] != "classic"
    assert seen["auto"] == ("torch.bfloat16" if has_bf16 else "torch.float16")
    assert seen["fp32"] == "torch.float32"


def test_a_full_card_is_told_from_other_errors(seen):
    assert seen["full card"] is True and seen["other error"] is False


def test_a_scorer_comes_whole_and_what_a_batch_needs_stays_free(seen):
    assert seen["image model"] == seen["scorer"] == 1 and seen["beside it"] < 1
    assert seen["free"] >= seen["needed"] > 0 and seen["batch"] > 1


def test_it_stays_until_the_host_needs_the_room_and_comes_again(seen):
    assert seen["kept"] == seen["image model again"] == 1 and seen["made room"] < 1
    assert seen["scorer again"] == 1


def test_it_leaves_whole_with_its_weights_as_they_were_and_not_in_inference_mode(seen):
    weights, inference = seen["whole"]
    assert seen["moved out"] == 0 and weights == [[0.5, 0.5, 0.5]] and not any(inference)


def test_nothing_of_it_is_left_with_the_manager_once_it_was_freed(seen):
    assert seen["released"] == [0, True] and seen["ours in its list"] == 0
    assert seen["image model at the end"] == 1
