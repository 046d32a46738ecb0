import subprocess
import sys

import pytest

from core.encoders.spec import parse_spec
from core.errors import UsageError


@pytest.mark.parametrize(
    "text",
    [
        "open_clip:ViT-B-32/datacomp_xl_s13b_b90k",
        "open_clip:ViT-B-16-SigLIP2/webli",
        "open_clip:hf-hub:org/name",
        "timm:vit_base_patch16_224.augreg_in21k",
        "timm:hf-hub:org/name",
        "pocket",
    ],
)
def test_a_spec_reads_back_as_it_was_written(text):
    assert str(parse_spec(text)) == text


def test_the_default_is_the_one_of_the_design():
    spec = parse_spec()
    assert (spec.library, spec.architecture, spec.tag) == ("open_clip", "ViT-B-32", "datacomp_xl_s13b_b90k")


@pytest.mark.parametrize("text", ["", "ViT-B-32", "keras:resnet", "open_clip:", "open_clip:hf-hub:name"])
def test_an_unknown_form_is_refused_with_what_is_known(text):
    with pytest.raises(UsageError) as error:
        parse_spec(text)
    assert error.value.todo


def test_missing_files_are_refused_before_anything_is_loaded(tmp_path):
    with pytest.raises(UsageError, match="--weights"):
        parse_spec(weights=tmp_path / "none.safetensors")


def test_pocket_takes_no_other_weights(tmp_path):
    file = tmp_path / "w.safetensors"
    file.touch()
    with pytest.raises(UsageError):
        parse_spec("pocket", weights=file)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("open_clip:ViT-B32/openai", "ViT-B-32"),
        ("open_clip:ViT-B-32/datacomp_xl", "datacomp_xl_s13b_b90k"),
        ("timm:vit_smal_patch14_dinov2.lvd142m", "vit_small_patch14_dinov2"),
        ("timm:vit_small_patch14_dinov2.lvd142", "lvd142m"),
    ],
)
def test_an_unknown_name_is_refused_with_those_near_it(text, near):
    from core.encoders.encoder import load_model

    with pytest.raises(UsageError) as error:
        load_model(parse_spec(text))
    assert near in error.value.todo


def test_the_list_to_choose_from_is_of_real_models_and_cheap_to_import():
    code = (
        "import sys, core.encoders.catalogue as c; heavy = {'torch', 'open_clip', 'timm'} & set(sys.modules);"
        "assert not heavy, heavy; assert c.CHOICES[0].cached in (True, False); print(len(c.CHOICES))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_list_agrees_with_the_libraries():
    import open_clip
    import timm

    from core.encoders.catalogue import CHOICES

    for choice in CHOICES:
        spec = parse_spec(choice.spec)
        if spec.library == "open_clip":
            cfg = open_clip.get_model_config(spec.architecture)
            assert (cfg["embed_dim"], cfg["vision_cfg"]["image_size"]) == (choice.dimension, choice.side), choice.spec
            published = open_clip.pretrained.get_pretrained_cfg(spec.architecture, spec.tag)
            assert published["hf_hub"].rstrip("/") == choice.repo
        elif spec.library == "timm":
            cfg = timm.models.get_pretrained_cfg(f"{spec.architecture}.{spec.tag}")
            assert cfg is not None and cfg.input_size is not None
            assert (cfg.input_size[1], cfg.hf_hub_id) == (choice.side, choice.repo)
