"""The path that users take, on random-weight checkpoints of the real architectures."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from core.encoders.encoder import NonFiniteError, load_encoder, load_encoders
from core.encoders.fidelity import LEAST, MEAN, Fidelity, fidelity
from core.errors import ShoeboxError, UsageError
from tests.encoders.conftest import DINO
from tests.encoders.helpers import centred_cosines, fast_pixels, fast_way, own_way


@pytest.fixture(scope="module")
def clip(checkpoints):
    return load_encoder("open_clip:ViT-B-32", weights=checkpoints.clip, device="cpu", precision="float32")


@pytest.fixture(scope="module")
def siglip(checkpoints):
    spec = "open_clip:ViT-B-16-SigLIP/webli"
    return load_encoder(spec, weights=checkpoints.siglip, device="cpu", precision="float32")


@pytest.fixture(scope="module")
def dino(checkpoints):
    """At a small size, which timm's own form of configuration states; the weights are of 518 pixels."""
    config = checkpoints.dino.with_name("small.json")
    config.write_text(json.dumps({"architecture": DINO, "model_args": {"img_size": 98}}))
    options = {"model_config": config, "device": "cpu", "precision": "float32"}
    return load_encoder(f"timm:{DINO}", weights=checkpoints.dino, **options)


@pytest.mark.parametrize(("name", "mode", "side", "dimension"), [
    ("clip", "crop", 224, 512), ("siglip", "squash", 224, 768), ("dino", "crop", 98, 384),
])  # fmt: skip
def test_the_fast_way_gives_the_vectors_of_the_models_own(name, mode, side, dimension, request, photographs):
    encoder = request.getfixturevalue(name)
    assert (encoder.preprocessing.mode, encoder.preprocessing.size) == (mode, (side, side))
    wanted, given = own_way(encoder, photographs), fast_way(encoder, photographs)
    assert given.shape == (len(photographs), dimension) and given.dtype == np.float32
    assert np.allclose(np.linalg.norm(given, axis=1), 1, atol=1e-5)
    cosines = centred_cosines(wanted, given)
    assert cosines.mean() >= MEAN
    assert cosines.min() >= LEAST


def test_the_comparison_is_sensitive(clip, photographs):
    """What must not pass: pictures reduced to the target's own size, and a crop where others squash."""
    wanted = own_way(clip, photographs)
    assert centred_cosines(wanted, fast_way(clip, photographs, decode_scale=1)).mean() < MEAN


def test_words_and_what_scales_them(clip):
    vectors = clip.encode_texts(["a photo of a cat", "a photo of a dog", "a photo of a cat"])
    assert vectors.shape == (3, 512) and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(vectors[0], vectors[2], atol=1e-5) and not np.allclose(vectors[0], vectors[1], atol=1e-5)
    assert clip.logit_scale == pytest.approx(1 / 0.07, rel=0.01) and clip.logit_bias == 0
    assert clip.encode_texts([]).shape == (0, 512)


def test_texts_are_read_as_the_model_reads_them_whatever_their_length_and_order(clip):
    """Only as much of the context is computed as a batch fills: that must change nothing."""
    texts = ["a photo of a cat, " * (place % 7) + f"seen {place} times" for place in range(9)]
    tower = clip._text
    with torch.inference_mode():
        whole = tower.module.encode_text(tower.tokenizer()(texts), normalize=True).numpy()
    assert np.allclose(clip.encode_texts(texts), whole, atol=1e-5)


def test_siglip_states_its_bias_and_says_what_its_words_need(siglip):
    assert siglip.has_text and siglip.logit_bias == pytest.approx(-10)
    try:
        siglip.encode_texts(["a cat"])
    except ShoeboxError as error:
        assert "pictures work without" in error.todo
    else:
        pytest.skip("transformers and the tokenizer are here")


def test_a_model_without_words_says_so(dino):
    assert not dino.has_text
    with pytest.raises(ShoeboxError, match="no words"):
        dino.encode_texts(["a cat"])


def test_vectors_do_not_depend_on_the_batch(dino, photographs):
    pixels = fast_pixels(dino.preprocessing, photographs)
    alone = np.concatenate([dino.encode_images(pixels[n : n + 1]) for n in range(len(pixels))])
    assert np.allclose(alone, dino.encode_images(torch.from_numpy(pixels)), atol=1e-4)
    assert dino.encode_images(pixels[:0]).shape == (0, 384)
    batch = dino.empty_batch(2)
    batch[:] = torch.from_numpy(pixels[:2])
    assert np.allclose(dino.encode_images(batch), alone[:2], atol=1e-4)


def test_pixels_of_another_shape_are_refused(dino):
    with pytest.raises(ValueError, match="uint8"):
        dino.encode_images(np.zeros((1, 98, 98, 3), np.float32))
    with pytest.raises(ValueError, match="98"):
        dino.encode_images(np.zeros((1, 64, 64, 3), np.uint8))


def test_a_vector_that_is_not_finite_is_reported_and_named(checkpoints, tmp_path):
    from safetensors.torch import load_file, save_file

    state = load_file(checkpoints.dino)
    state["norm.weight"][0] = float("nan")
    save_file(state, tmp_path / "damaged.safetensors")
    config = checkpoints.dino.with_name("small.json")
    config.write_text(json.dumps({"architecture": DINO, "model_args": {"img_size": 98}}))
    damaged = load_encoder(
        f"timm:{DINO}", weights=tmp_path / "damaged.safetensors", model_config=config, device="cpu", precision="float32"
    )
    with pytest.raises(NonFiniteError) as error:
        damaged.encode_images(np.zeros((2, 98, 98, 3), np.uint8))
    assert error.value.rows == [0, 1]


def test_weights_of_another_model_are_refused_in_one_line(checkpoints):
    for spec, weights in (("open_clip:ViT-B-16/openai", checkpoints.dino), (f"timm:{DINO}", checkpoints.clip)):
        with pytest.raises(ShoeboxError, match="does not hold weights of") as error:
            load_encoder(spec, weights=weights, device="cpu", precision="float32")
        assert "\n" not in str(error.value)


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    import pickle

    class Harm:
        def __reduce__(self):
            return (open, (str(tmp_path / "harm"), "w"))

    file = tmp_path / "weights.bin"
    file.write_bytes(pickle.dumps({"state_dict": Harm()}, protocol=2))
    with pytest.raises(ShoeboxError, match="does not hold weights"):
        load_encoder("open_clip:RN50/openai", weights=file, device="cpu", precision="float32")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"model_cfg": 3}', '{"embed_dim": 8, "vision_cfg": 1, "text_cfg": 2}']
)
def test_a_configuration_that_is_none_is_refused(content, checkpoints, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(content)
    with pytest.raises(ShoeboxError) as error:
        load_encoder(weights=checkpoints.clip, model_config=config, device="cpu")
    assert "\n" not in str(error.value)


def test_configurations_in_both_forms_and_beside_the_weights(tmp_path, photographs):
    """A small model of one's own: the hub's form is found beside the weights, and its preprocessing is used."""
    import open_clip
    from safetensors.torch import save_file

    cfg = {
        "embed_dim": 32,
        "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "head_width": 32, "patch_size": 16},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    }
    torch.manual_seed(1)
    save_file(open_clip.CLIP(**cfg).state_dict(), tmp_path / "own.safetensors")
    options = {"weights": tmp_path / "own.safetensors", "device": "cpu", "precision": "float32"}
    (tmp_path / "bare.json").write_text(json.dumps(cfg))
    bare = load_encoder("open_clip:my-own", model_config=tmp_path / "bare.json", **options)
    assert (bare.preprocessing.mode, bare.dimension) == ("crop", 32)
    own = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "resize_mode": "squash", "interpolation": "bilinear"}
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": cfg, "preprocess_cfg": own}))
    beside = load_encoder(**options)
    assert (beside.preprocessing.mode, beside.preprocessing.interpolation) == ("squash", "bilinear")
    assert beside.preprocessing.std == (0.25, 0.25, 0.25)
    assert beside.fingerprint != bare.fingerprint
    assert centred_cosines(own_way(beside, photographs), fast_way(beside, photographs)).min() >= LEAST


_FROM_CACHE = """
import json, sys
import numpy as np
from core.encoders.catalogue import CHOICES
from core.encoders.encoder import load_encoder
pixels = np.load(sys.argv[1])
out = {}
for spec in sys.argv[2:]:
    encoder = load_encoder(spec, device="cpu", precision="float32")
    height, width = encoder.preprocessing.size
    batch = pixels[:, :height, :width] if height <= 224 else np.resize(pixels[:1], (1, height, width, 3))
    out[spec] = [encoder.fingerprint, encoder.encode_images(batch)[:, :8].tolist()]
print(json.dumps([out, [choice.spec for choice in CHOICES if choice.cached]]))
"""


def test_a_populated_hub_cache_serves_without_network(checkpoints, clip, siglip, photographs, tmp_path):
    from tests.encoders.helpers import fast_pixels

    specs = {
        "open_clip:ViT-B-32/datacomp_xl_s13b_b90k": (
            "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K", "open_clip_model.safetensors", checkpoints.clip),
        "open_clip:ViT-B-16-SigLIP/webli": ("timm/ViT-B-16-SigLIP", "open_clip_model.safetensors", checkpoints.siglip),
        f"timm:{DINO}": (f"timm/{DINO}", "model.safetensors", checkpoints.dino),
    }  # fmt: skip
    for repo, name, weights in specs.values():
        folder = tmp_path / "hub" / f"models--{repo.replace('/', '--')}"
        (folder / "snapshots" / "abc").mkdir(parents=True)
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text("abc")
        (folder / "snapshots" / "abc" / name).symlink_to(weights)
    pixels = fast_pixels(clip.preprocessing, photographs[:2])
    np.save(tmp_path / "pixels.npy", pixels)
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    command = [sys.executable, "-c", _FROM_CACHE, str(tmp_path / "pixels.npy"), *specs]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    answers, cached = json.loads(done.stdout)
    # The default lies in the cache; the SigLIP is not in the short list.
    assert cached == ["open_clip:ViT-B-32/datacomp_xl_s13b_b90k", f"timm:{DINO}", "pocket"]
    for spec, encoder in (
        ("open_clip:ViT-B-32/datacomp_xl_s13b_b90k", clip),
        ("open_clip:ViT-B-16-SigLIP/webli", siglip),
    ):
        fingerprint, vectors = answers[spec]
        assert fingerprint == encoder.fingerprint  # however the same weights came here
        assert np.allclose(vectors, encoder.encode_images(pixels)[:, :8], atol=1e-4)


def test_what_is_not_there_is_asked_for_in_vain():
    with pytest.raises(UsageError, match="gpu"):
        load_encoders("pocket", device="gpu")
    if not torch.cuda.is_available():
        with pytest.raises(ShoeboxError, match="no CUDA device can be used: "):
            load_encoders("pocket", device="cuda")


def test_fidelity_is_measured_once_and_kept(tmp_path):
    from core.encoders.encoder import Encoder, load_model
    from core.encoders.spec import parse_spec

    model = load_model(parse_spec("pocket"))
    before = model.copied()
    made = []

    def make(*arguments):
        made.append(arguments)
        return Encoder(*arguments)

    cpu = torch.device("cpu")
    found = fidelity(model, cpu, make=make)
    assert made and found.preprocessing is not None
    assert found.decode_scale == 0 or (found.preprocessing.mean >= MEAN and found.preprocessing.least >= LEAST)
    assert found.precision == "float32" or (found.reduced is not None and found.reduced.least >= LEAST)
    made.clear()
    assert fidelity(model, cpu, make=make) == found
    assert not made
    for kept in (tmp_path / "cache" / "shoebox" / "fidelity").iterdir():
        kept.write_text("{damaged")
    made.clear()
    assert fidelity(model, cpu, make=make).decode_scale == found.decode_scale
    assert made
    first, second = next(before.image_tower.parameters()), next(model.image_tower.parameters())
    assert torch.equal(first, second) and second.dtype == torch.float32  # measuring leaves the model alone


def test_a_check_that_fails_stops_nothing():
    from core.encoders.encoder import load_model
    from core.encoders.spec import parse_spec

    def make(*_):
        raise RuntimeError("no")

    assert fidelity(load_model(parse_spec("pocket")), torch.device("cpu"), make=make) == Fidelity()


def test_pocket_is_ready_at_once():
    encoder = load_encoder("pocket", device="cpu", precision="float32")
    assert encoder.has_text and encoder.preprocessing.size == (64, 64)
    assert encoder.describe()["device"] == encoder.device_name
    assert encoder.encode_texts(["a red car"]).shape == (1, encoder.dimension)
