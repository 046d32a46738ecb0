"""The training program, run for real at a tiny size, and the program that measures."""

import json

import pytest
import torch

from core.pocket import evaluate
from core.pocket.captions import FIELDS, encode, encode_drawing, lexicon
from core.pocket.draw import draw
from core.pocket.drawings import make, tasks
from core.pocket.evaluate import encode_images
from core.pocket.model import load, tokenizer
from core.pocket.train import LOG, LearntTokens, Settings, main, train

TINY = ["--pictures", "120", "--steps", "3", "--batch", "32", "--each", "1", "--processes", "1"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    main(["--output", str(folder), *TINY])
    return folder


def test_training_writes_a_loadable_model_and_its_log(trained):
    model = load(trained)
    pixels = torch.randint(0, 255, (2, 64, 64, 3), dtype=torch.uint8).numpy()
    assert encode_images(model, pixels).shape == (2, 128)
    log = json.loads((trained / LOG).read_text())
    assert log["settings"]["steps"] == 3
    assert log["progress"][-1]["step"] == 3
    assert log["progress"][-1]["loss"] > 0
    assert all(0 <= value <= 1 or "ARI" in name for name, value in log["reached"].items())
    assert not list(trained.glob(".*"))


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    drawings = make(tasks(100, 0))
    first, again, other = (
        train(drawings, Settings(seed=seed, steps=2, batch=16), lambda _: {})[0] for seed in (0, 0, 1)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["token_embedding.weight"], other["token_embedding.weight"])
    assert not torch.equal(first["visual.head.proj.weight"], other["visual.head.proj.weight"])


def test_the_program_that_measures_says_what_the_log_says(trained, capsys):
    evaluate.main(["--model", str(trained), "--each", "1"])
    assert json.loads(capsys.readouterr().out) == json.loads((trained / LOG).read_text())["reached"]


def test_only_learnt_tokens_have_vectors():
    ids = sorted({int(t) for t in tokenizer()(lexicon()).flatten() if t})
    table = LearntTokens(ids, 49408, 8).table()
    assert table.shape == (49408, 8)
    assert table.abs().sum(1).nonzero().flatten().tolist() == ids


def test_a_drawing_matches_what_is_said_of_it_and_nothing_else():
    attributes = draw("car", 3).attributes
    truth = encode_drawing(attributes)
    assert encode({"kind": "car"})[0] == truth[0] == FIELDS["kind"].index("car")
    assert encode({"colour": attributes.colour}) == [-1, truth[1], -1, -1, -1, -1]
