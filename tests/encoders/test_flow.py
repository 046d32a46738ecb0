"""The way that users go, from photographs to groups on disk, with models of the real architectures.

Their weights are random: what is proven is that the path holds, not that the groups mean anything.
"""

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.encoders.conftest import DINO

CLIP_REPO = "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K"


@pytest.fixture
def photo_folder(tmp_path, photographs) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, data in enumerate(photographs):
        (folder / f"photo-{number}.jpg").write_bytes(data)
    return folder


def populate_cache(home: Path, repo: str, name: str, weights: Path) -> dict[str, str]:
    """Lays weights out as the hub's cache has them; gives the environment to find them in."""
    folder = home / "hub" / f"models--{repo.replace('/', '--')}"
    (folder / "snapshots" / "abc").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc")
    (folder / "snapshots" / "abc" / name).symlink_to(weights)
    return {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1"}


def assert_grouped(ran, folder: Path, spec: str, dimension: int) -> None:
    assert ran.code == 0, ran.err
    document = ran.json
    assert document["encoder"]["spec"] == spec
    assert document["encoder"]["dimension"] == dimension
    members = [member["path"] for cluster in document["clusters"] for member in cluster["members"]]
    assert Counter(members) == Counter(path.name for path in folder.glob("*.jpg"))
    for cluster in document["clusters"]:
        assert all(-1 <= member["score"] <= 1 for member in cluster["members"])
    copied = Path(os.path.abspath(document["output"])).rglob("*.jpg")
    assert Counter(path.name for path in copied) == Counter(members)


def run(shoebox, folder: Path, *options, env=None):
    output = folder.parent / "out"
    ran = shoebox("run", folder, *options, "--clusters", "2", "--output", output, "--json", env=env)
    shoebox("stop", folder)
    return ran


@pytest.mark.parametrize(
    ("name", "spec", "dimension"),
    [
        ("clip", "open_clip:ViT-B-32", 512),
        ("siglip", "open_clip:ViT-B-16-SigLIP", 768),
        ("dino", f"timm:{DINO.partition('.')[0]}", 384),
    ],
)
def test_from_weights_on_disk_to_groups_on_disk(name, spec, dimension, shoebox, photo_folder, checkpoints):
    ran = run(shoebox, photo_folder, "--encoder", spec, "--weights", getattr(checkpoints, name))
    assert_grouped(ran, photo_folder, spec, dimension)
    assert ran.json["encoder"]["weights"] == Path(getattr(checkpoints, name)).name


def test_from_the_hubs_cache_to_groups_on_disk_by_default(shoebox, photo_folder, checkpoints, tmp_path):
    env = populate_cache(tmp_path / "hf", CLIP_REPO, "open_clip_model.safetensors", checkpoints.clip)
    ran = run(shoebox, photo_folder, env=env)  # no --encoder: the default
    assert_grouped(ran, photo_folder, "open_clip:ViT-B-32/datacomp_xl_s13b_b90k", 512)
    again = shoebox("embed", photo_folder, "--json", env=env)
    assert again.json["unchanged"] == len(list(photo_folder.glob("*.jpg")))
    shoebox("stop", photo_folder)
