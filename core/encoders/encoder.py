"""Encoders: uint8 pictures and words to unit vectors, each on one device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.encoders import devices, hub
from core.encoders.devices import DeviceOutOfMemoryError
from core.encoders.fidelity import Fidelity, fidelity
from core.encoders.model import Model
from core.encoders.precision import reduce
from core.encoders.preprocess import Preprocessing
from core.encoders.short_texts import features_of
from core.encoders.spec import DEFAULT_SPEC, EncoderSpec, parse_spec
from core.encoders.turns import Turns
from core.errors import ShoeboxError

__all__ = ["DeviceOutOfMemoryError", "Encoder", "NonFiniteError", "load_encoder", "load_encoders", "load_model"]

_TEXTS_AT_A_TIME = 128
_POCKET = Fidelity(decode_scale=6)  # so small that reducing gains nothing: no machine need measure it


class NonFiniteError(ShoeboxError):
    """The model gave no usable vector for the pictures at `rows` of a batch; `vectors` holds the others."""

    def __init__(self, encoder: str, rows: Sequence[int], vectors: NDArray[np.float32]) -> None:
        super().__init__(
            f"{encoder} gave no finite vector for {len(rows)} of {len(vectors)} pictures",
            "the weights may be damaged: fetch them again, or choose another encoder",
        )
        self.rows = list(rows)
        self.vectors = vectors


class Encoder:
    """A model on one device. Made by `load_encoders`. Threads take turns, a batch of pictures or of texts at a time."""

    def __init__(self, model: Model, device: torch.device, fidelity: Fidelity) -> None:
        self.spec: EncoderSpec = model.spec
        self.fingerprint: str = model.fingerprint
        self.dimension: int = model.dimension
        self.device = device
        self.device_name: str = devices.device_name(device)
        self.fidelity = fidelity
        self.preprocessing: Preprocessing = fidelity.applied_to(model.preprocessing)
        self.transform: Callable[[Any], torch.Tensor] = model.transform
        self.batch_size_hint: int = devices.batch_size_hint(device, model.preprocessing.size)
        self._tower = reduce(model.image_tower, fidelity.precision).to(device)
        if device.type != "mps":  # the uint8 batch is channels-last already; convolutions gain by it
            self._tower = self._tower.to(memory_format=torch.channels_last)
        self._text = model.text
        self._turns = Turns()
        self._tokenizer: Callable[[Sequence[str]], torch.Tensor] | None = None
        self._mean = torch.tensor(model.preprocessing.mean, device=device).mul(255).view(1, 3, 1, 1)
        self._std = torch.tensor(model.preprocessing.std, device=device).mul(255).view(1, 3, 1, 1)

    @property
    def precision(self) -> str:
        """What the products of the image tower are computed in: float32, float16 or bfloat16."""
        return self.fidelity.precision

    @property
    def has_text(self) -> bool:
        """Whether words can be encoded."""
        return self._text is not None

    @property
    def logit_scale(self) -> float:
        """What cosines between pictures and words are multiplied by; 1 without a text tower."""
        return self._text.logit_scale if self._text else 1.0

    @property
    def logit_bias(self) -> float:
        """What is added to the scaled cosines (SigLIP); 0 for others."""
        return self._text.logit_bias if self._text else 0.0

    def describe(self) -> dict[str, Any]:
        """What progress shows: spec, device, precision, batch size, dimension."""
        return {
            "encoder": str(self.spec),
            "device": self.device_name,
            "precision": self.precision,
            "batch_size": self.batch_size_hint,
            "dimension": self.dimension,
        }

    def empty_batch(self, count: int) -> torch.Tensor:
        """A uint8 batch [count, height, width, 3] to fill; in pinned memory where that speeds the transfer."""
        size = (count, *self.preprocessing.size, 3)
        return torch.empty(size, dtype=torch.uint8, pin_memory=self.device.type == "cuda")

    def encode_images(self, batch: NDArray[np.uint8] | torch.Tensor) -> NDArray[np.float32]:
        """Unit vectors [N, dimension] of uint8 pixels [N, height, width, 3] as `preprocessing` cuts them.

        Raises DeviceOutOfMemoryError, NonFiniteError, or ValueError for pixels of another shape.
        """
        pixels = torch.as_tensor(batch)
        if pixels.dtype != torch.uint8 or tuple(pixels.shape[1:]) != (*self.preprocessing.size, 3):
            raise ValueError(f"not a batch of uint8 {self.preprocessing.size} pictures: {tuple(pixels.shape)}")
        if not len(pixels):
            return np.empty((0, self.dimension), np.float32)
        with self._turns, torch.inference_mode(), devices.out_of_memory(self.device):
            planes = pixels.to(self.device, non_blocking=True).permute(0, 3, 1, 2).float()
            features = self._features(planes.sub_(self._mean).div_(self._std))
            return self._unit(features)

    def encode_transformed(self, batch: torch.Tensor) -> NDArray[np.float32]:
        """Unit vectors [N, dimension] of what `transform`, the model's own, gives: float [N, 3, height, width]."""
        with self._turns, torch.inference_mode(), devices.out_of_memory(self.device):
            return self._unit(self._features(batch.to(self.device)))

    def prepare_texts(self) -> None:
        """Loads what reads sentences, which may take files that pictures do not; `encode_texts` does so, too.

        Raises ShoeboxError where the encoder has no text tower, or its tokenizer is not here.
        """
        text = self._text
        if text is None:
            raise ShoeboxError(
                f"{self.spec} knows pictures alone, no words",
                "choose an encoder with text, such as the default: `shoebox encoders` says which have it",
            )
        if self._tokenizer is not None:
            return
        with self._turns:
            if self._tokenizer is None:
                text.module.to(self.device)
                self._tokenizer = text.tokenizer()

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors [N, dimension] of words, in float32. Raises as `prepare_texts`."""
        self.prepare_texts()
        assert self._text is not None and self._tokenizer is not None
        found = np.empty((len(texts), self.dimension), np.float32)
        order = sorted(
            range(len(texts)), key=lambda place: len(texts[place])
        )  # those of a length together: less to fill
        for start in range(0, len(texts), _TEXTS_AT_A_TIME):
            places = order[start : start + _TEXTS_AT_A_TIME]
            tokens = self._tokenizer([texts[place] for place in places]).to(self.device)
            with self._turns, torch.inference_mode(), devices.out_of_memory(self.device):
                found[places] = self._unit(features_of(self._text.module, tokens))
        return found

    def _features(self, planes: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor | tuple[torch.Tensor, ...] = self._tower(planes)
        return features[0] if isinstance(features, tuple) else features  # CoCa's tower gives tokens too

    def _unit(self, features: torch.Tensor) -> NDArray[np.float32]:
        features = features.float()
        norms = features.norm(dim=1, keepdim=True)
        vectors: NDArray[np.float32] = (features / norms).cpu().numpy()
        usable = np.isfinite(vectors).all(axis=1)
        if not usable.all():
            raise NonFiniteError(str(self.spec), np.flatnonzero(~usable).tolist(), vectors)
        return vectors


def load_model(spec: EncoderSpec, *, progress: hub.Progress | None = None) -> Model:
    """Loads a model on the CPU in float32, fetching its weights where they are not on this machine.

    Raises UsageError for an unknown name; ShoeboxError for missing or unfitting files, saying what to do.
    """
    if spec.library == "timm":
        from core.encoders import timm_models

        return timm_models.load(spec, progress=progress)
    from core.encoders import open_clip_models

    return open_clip_models.load(spec, progress=progress)


def load_encoders(
    spec: EncoderSpec | str = DEFAULT_SPEC,
    *,
    device: str = "auto",
    weights: str | Path | None = None,
    model_config: str | Path | None = None,
    precision: str = "auto",
    progress: hub.Progress | None = None,
) -> list[Encoder]:
    """One encoder a device: several for `cuda` on a box of several GPUs, all giving the same vectors.

    `precision` `auto` takes what passes `fidelity`, measured once on a machine; `float32` measures nothing.
    Raises as `load_model` and `choose_devices` do.
    """
    if isinstance(spec, str):
        spec = parse_spec(spec, weights=weights, model_config=model_config)
    chosen = devices.choose_devices(device)  # before the model is fetched: a wrong device should show at once
    model = load_model(spec, progress=progress)
    if spec.library == "pocket":
        found = _POCKET
    elif precision == "auto":
        found = fidelity(model, chosen[0], make=Encoder)
    else:
        found = Fidelity(precision=precision)
    copies = [model, *(model.copied() for _ in chosen[1:])]  # before the first converts its tower in place
    return [Encoder(copy, place, found) for copy, place in zip(copies, chosen, strict=True)]


def load_encoder(spec: EncoderSpec | str = DEFAULT_SPEC, **options: Any) -> Encoder:
    """The first of `load_encoders`, which see."""
    return load_encoders(spec, **options)[0]
