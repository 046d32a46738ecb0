"""Random-weight checkpoints as users have them on disk, and real photographs to encode."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

DINO = "vit_small_patch14_dinov2.lvd142m"


class Checkpoints(NamedTuple):
    clip: Path
    siglip: Path
    dino: Path


def _save(module: Any, path: Path) -> Path:
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True)
    save_file({name: value.half().contiguous() for name, value in module.state_dict().items()}, path)
    return path


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory) -> Checkpoints:
    import open_clip
    import timm
    import torch

    folder = tmp_path_factory.mktemp("checkpoints")
    torch.manual_seed(0)
    clip = open_clip.CLIP(**open_clip.get_model_config("ViT-B-32"))
    siglip_cfg = open_clip.get_model_config("ViT-B-16-SigLIP")
    siglip_cfg.pop("custom_text")
    siglip = open_clip.CustomTextCLIP(**siglip_cfg)
    dino = timm.create_model(DINO)
    return Checkpoints(
        _save(clip, folder / "clip" / "weights.safetensors"),
        _save(siglip, folder / "siglip" / "weights.safetensors"),
        _save(dino, folder / "dino" / "model.safetensors"),
    )


@pytest.fixture(scope="session")
def photographs() -> list[bytes]:
    """JPEGs of 1201x901 with detail down to the pixel: scikit-learn's photographs, mirrored to fill the frame."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    sources = load_sample_images().images
    found = []
    for number in range(6):
        source = sources[number % 2]
        wide = np.concatenate([source, source[:, ::-1]], axis=1)
        tile = np.tile(np.concatenate([wide, wide[::-1]]), (3, 2, 1))
        y, x = np.random.default_rng(number).integers(0, 800, 2)
        encoded = io.BytesIO()
        Image.fromarray(tile[y : y + 901, x : x + 1201]).save(encoded, "JPEG", quality=90)
        found.append(encoded.getvalue())
    return found


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
