"""The model: an open_clip configuration with a small image tower and a smaller text tower, and its files."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from core.errors import ShoeboxError

if TYPE_CHECKING:
    import torch
    from open_clip import CLIP

NAME = "pocket"
"""The model's name in open_clip's registry, and of its files."""

SIZE = 64
"""The side of the square that the image tower sees, in pixels."""

CONFIG: dict[str, Any] = {
    "embed_dim": 128,
    "vision_cfg": {
        "timm_model_name": "starnet_s050",
        "timm_model_pretrained": False,
        "timm_pool": "avg",
        "timm_proj": "linear",
        "image_size": SIZE,
    },
    "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 3},
}
"""open_clip's model configuration."""

PREPROCESS: dict[str, Any] = {
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}
"""open_clip's default preprocessing, stated so that other programs need not know it."""


class ModelFiles(NamedTuple):
    """open_clip's configuration and the weights, side by side."""

    config: Path
    weights: Path


def model_files(folder: Path | None = None) -> ModelFiles:
    """The files of the model in `folder`, by default the bundled ones."""
    folder = folder or Path(__file__).parent
    return ModelFiles(folder / f"{NAME}.json", folder / f"{NAME}.safetensors")


def write_config(folder: Path) -> None:
    """Write the configuration in open_clip's own form and in the hub's (with the preprocessing)."""
    hub = {"model_cfg": CONFIG, "preprocess_cfg": PREPROCESS}
    for name, content in ((f"{NAME}.json", CONFIG), ("open_clip_config.json", hub)):
        aside = folder / f".{name}.part"
        aside.write_text(json.dumps(content, indent=2) + "\n")
        aside.replace(folder / name)


def write_weights(state: dict[str, torch.Tensor], path: Path) -> None:
    """Write weights as half-precision safetensors, aside first."""
    import torch
    from safetensors.torch import save

    half = {k: v.detach().cpu().to(torch.float16 if v.is_floating_point() else v.dtype) for k, v in state.items()}
    aside = path.with_name(f".{path.name}.part")
    aside.write_bytes(save({k: v.contiguous() for k, v in half.items()}))
    aside.replace(path)


def create() -> CLIP:
    """The model with random weights."""
    from open_clip import CLIP

    return CLIP(**CONFIG)


def load(folder: Path | None = None) -> CLIP:
    """The trained model of `folder` (by default the bundled one), by open_clip alone, ready to encode on the CPU.

    Raises ShoeboxError where a file is missing.
    """
    import open_clip

    files = model_files(folder)
    for file in files:
        if not file.is_file():
            raise ShoeboxError(f"{file} is missing", "install shoebox again, or train the model: core.pocket.train")
    open_clip.add_model_config(files.config)
    return open_clip.create_model(NAME, pretrained=str(files.weights)).eval()


@functools.cache
def tokenizer() -> Any:
    """open_clip's stock tokenizer at the model's context length."""
    from open_clip import SimpleTokenizer

    return SimpleTokenizer(context_length=CONFIG["text_cfg"]["context_length"])
