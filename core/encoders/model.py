"""A loaded model as the rest of the program sees it, whichever library it came from."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from core.encoders.preprocess import Preprocessing
    from core.encoders.spec import EncoderSpec


@dataclass(frozen=True, slots=True)
class TextTower:
    """Words to features: `module.encode_text` on the tokens, and what the logits are scaled by."""

    module: torch.nn.Module
    tokenizer: Callable[[], Callable[[Sequence[str]], torch.Tensor]]
    """Makes the tokenizer, which may need files that pictures do not."""
    logit_scale: float
    logit_bias: float


@dataclass(frozen=True, slots=True)
class Model:
    """A model on the CPU in float32, evaluating."""

    spec: EncoderSpec
    image_tower: torch.nn.Module
    text: TextTower | None
    dimension: int
    preprocessing: Preprocessing
    transform: Callable[[Any], torch.Tensor]
    """The model's own transform, of a Pillow image; `preprocessing` must stay close to it."""
    fingerprint: str

    def copied(self) -> Model:
        """A model of its own weights. The image tower is part of the text tower's module where there is one."""
        if self.text is None:
            return replace(self, image_tower=copy.deepcopy(self.image_tower))
        module: Any = copy.deepcopy(self.text.module)
        return replace(self, image_tower=module.visual, text=replace(self.text, module=module))


def fingerprint(architecture: Mapping[str, Any], weights: Path, preprocessing: Preprocessing) -> str:
    """Sixteen hex digits that change with anything that changes the vectors: what is stored is keyed by them.

    Precision and the scale of decoding are left out: they pass fidelity, so their vectors mix.
    """
    cuts = asdict(preprocessing)
    del cuts["decode_scale"]
    key = json.dumps([architecture, _digest(weights), cuts], sort_keys=True, default=list)
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _digest(weights: Path) -> str:
    """SHA-256 of a file; in the hub's cache it is the name of the file linked to."""
    name = weights.resolve().name
    if len(name) == 64 and set(name) <= set("0123456789abcdef") and weights.resolve().parent.name == "blobs":
        return name
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
