"""The bundled weights: loadable by open_clip alone, and as good as the log beside them says."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from core.errors import ShoeboxError
from core.pocket.captions import FIELDS, lexicon, prompts
from core.pocket.draw import DIGITS, KINDS, UNSEEN_STYLE, draw
from core.pocket.evaluate import accuracy, colour_accuracy, digits_accuracy, grouping
from core.pocket.model import CONFIG, NAME, PREPROCESS, create, load, model_files

REQUIRED = {
    "unseen seeds, 34 classes": 0.97,
    "unseen style, 34 classes": 0.90,
    "unseen style, 24 things": 0.90,
    "real scans of digits, light on dark": 0.92,
    "k-means ARI, 400 mixed drawings": 0.75,
}


@pytest.fixture(scope="module")
def model():
    return load()


@pytest.fixture(scope="module")
def foreign():
    """The model as another program loads it: the two files and open_clip, nothing of ours."""
    config, weights = model_files()
    open_clip.add_model_config(config.parent)
    loaded, _, preprocess = open_clip.create_model_and_transforms(NAME, pretrained=str(weights))
    return loaded.eval(), preprocess, open_clip.get_tokenizer(NAME)


def nearest(foreign: Any, images: list[Image.Image], texts: list[str]) -> Any:
    loaded, preprocess, tokens = foreign
    with torch.inference_mode():
        pictures = loaded.encode_image(torch.stack([preprocess(i) for i in images]), normalize=True)
        return (pictures @ loaded.encode_text(tokens(texts), normalize=True).T).argmax(1).numpy()


def test_the_files_are_small_and_fit_the_configuration():
    config, weights = model_files()
    assert weights.stat().st_size <= 12_000_000
    assert json.loads(config.read_text()) == CONFIG
    hub = json.loads((config.parent / "open_clip_config.json").read_text())
    assert hub == {"model_cfg": CONFIG, "preprocess_cfg": PREPROCESS}


def test_the_log_says_that_every_figure_is_reached():
    reached = json.loads((model_files().config.parent / "TRAINING.json").read_text())["reached"]
    for name, least in REQUIRED.items():
        assert reached[name] >= least, name


def test_open_clip_alone_knows_drawings_of_any_size(foreign):
    images = [draw(kind, 10**9 + i, (320, 240) if i % 2 else (150, 210)).image for kind in KINDS for i in range(8)]
    found = nearest(foreign, images, [f"a photo of a {kind}" for kind in KINDS])
    assert (found == np.repeat(np.arange(len(KINDS)), 8)).mean() >= 0.95


def test_the_hub_form_and_open_clips_own_give_the_same_vectors(foreign):
    hub, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{model_files().config.parent}")
    image = draw("car", 1, (200, 100)).image
    with torch.inference_mode():
        ours = foreign[0].encode_image(foreign[1](image)[None])
        theirs = hub.eval().encode_image(preprocess(image)[None])
    assert torch.equal(ours, theirs)


def test_an_unknown_word_does_not_hide_a_known_one(foreign):
    _, _, tokens = foreign
    texts = ["a wooden house", "a photo of a majestic cat", "my grandmother's umbrella", "the rusty old bicycle"]
    kinds = ["house", "cat", "umbrella", "bicycle"]
    with torch.inference_mode():
        said = foreign[0].encode_text(tokens(texts), normalize=True)
        plain = foreign[0].encode_text(tokens([f"a photo of a {kind}" for kind in KINDS]), normalize=True)
    assert [KINDS[i] for i in (said @ plain.T).argmax(1)] == kinds


def test_only_tokens_of_the_lexicon_were_learnt(foreign):
    loaded, _, tokens = foreign
    rows = loaded.token_embedding.weight.abs().sum(1).nonzero().flatten().tolist()
    assert set(rows) == set(tokens(lexicon()).flatten().tolist()) - {0}


def test_unseen_seeds(model):
    assert accuracy(model, 20, None) >= 0.96


def test_unseen_style(model):
    assert accuracy(model, 20, UNSEEN_STYLE) >= 0.89


def test_real_digits_light_on_dark_and_dark_on_light(model):
    assert digits_accuracy(model) >= 0.92
    assert digits_accuracy(model, inverted=True) >= 0.90


def test_k_means_finds_the_kinds(model):
    assert grouping(model, 400, None) >= 0.75


def test_colours(model):
    assert colour_accuracy(model, 8) >= 0.6


def test_every_class_has_prompts_of_its_own():
    said = [prompts(kind) for kind in (*KINDS, *DIGITS)]
    assert len({text for texts in said for text in texts}) == sum(map(len, said))
    assert FIELDS["kind"] == (*KINDS, *DIGITS)


def test_an_untrained_model_reaches_nothing():
    torch.manual_seed(0)
    assert accuracy(create().eval(), 5, None) < 0.2


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(ShoeboxError) as said:
        load(tmp_path)
    assert str(tmp_path) in said.value.what
    assert said.value.todo


def test_where_the_files_lie_is_cheap_to_ask():
    code = (
        "import sys, core.pocket.model, core.pocket.captions, core.pocket.draw;"
        "core.pocket.model.model_files(); core.pocket.captions.words();"
        "print([m for m in ('torch', 'PIL', 'numpy', 'open_clip', 'timm', 'sklearn') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
