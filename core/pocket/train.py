"""Train the pocket model from nothing but pictures that the project draws.

    python -m core.pocket.train --output DIR [--seed N] [--pictures N] [--steps N] [--drawings FILE]

Contrastive training of two towers (Radford et al. 2021, CLIP), in which a picture is positive for every
caption that is true of it (Yang et al. 2022, UniCL), and, at a smaller weight, for every picture of its kind
(Khosla et al. 2020, SupCon). Captions are made anew at every use.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.pocket.captions import FIELDS, Rates, caption, encode, encode_drawing, lexicon
from core.pocket.draw import KINDS, UNSEEN_STYLE
from core.pocket.drawings import Drawings, make_or_load
from core.pocket.evaluate import accuracy, digits_accuracy, grouping, measure
from core.pocket.model import PREPROCESS, create, load, model_files, tokenizer, write_config, write_weights

if TYPE_CHECKING:
    from open_clip import CLIP

LOG = "TRAINING.json"
"""The name of the log that lies beside the weights."""


@dataclass(frozen=True)
class Settings:
    """What a training run depends on."""

    seed: int = 0
    pictures: int = 130_000
    steps: int = 4000
    batch: int = 256
    rate: float = 2e-3
    decay: float = 0.05
    warmup: int = 150
    image_weight: float = 0.3
    precision: str = "bfloat16"
    threads: int = 1


class Batch(NamedTuple):
    """Augmented pictures, what is true of them, captions as tokens, and what those state (-1: nothing)."""

    pixels: Tensor
    labels: Tensor
    tokens: Tensor
    stated: Tensor


class LearntTokens(nn.Module):
    """A token table of which only some rows are learnt; every other token is the zero vector."""

    row: Tensor

    def __init__(self, ids: Sequence[int], vocabulary: int, width: int) -> None:
        super().__init__()
        row = torch.zeros(vocabulary, dtype=torch.long)
        row[list(ids)] = torch.arange(1, len(ids) + 1)
        self.register_buffer("row", row)
        self.learnt = nn.Parameter(torch.randn(len(ids), width) * 0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        """The vectors of tokens (..., width)."""
        return F.embedding(self.row[tokens], self.whole_rows())

    def whole_rows(self) -> Tensor:
        """The zero row, then the learnt ones."""
        return F.pad(self.learnt, (0, 0, 1, 0))

    def table(self) -> Tensor:
        """The full table (vocabulary, width)."""
        return self.whole_rows()[self.row]


def train(
    drawings: Drawings, settings: Settings, watch: Callable[[CLIP], dict[str, float]], device: str = "cpu"
) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
    """Train a model on drawings; return its weights by their open_clip names, and the log of the way there.

    Now and then, and at the end, the log takes the mean loss and what `watch` says of the model.
    """
    torch.manual_seed(settings.seed)
    model = create()
    ids = sorted({int(t) for t in tokenizer()(lexicon()).flatten() if t})
    model.token_embedding = LearntTokens(ids, model.vocab_size, model.token_embedding.embedding_dim)
    model.to(device).visual.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(_groups(model, settings.decay), lr=settings.rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        settings.rate,
        settings.steps,
        pct_start=min(0.3, settings.warmup / settings.steps),
        cycle_momentum=False,
    )
    batches, log, losses, started = _Batches(drawings, settings, device), [], [], time.monotonic()
    for step in range(1, settings.steps + 1):
        loss = _loss(model, batches.next((step - 1) / settings.steps), settings)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, 4.6052)  # at most 100
        losses.append(loss.item())
        if step == settings.steps or step % max(100, settings.steps // 10) == 0:
            figures = {"loss": sum(losses) / len(losses), **watch(model.eval())}
            model.train()
            seconds = round(time.monotonic() - started)
            log.append({"step": step, "seconds": seconds, **{k: round(v, 4) for k, v in figures.items()}})
            print(log[-1], file=sys.stderr, flush=True)
            losses.clear()
    state = {k: v for k, v in model.state_dict().items() if not k.startswith("token_embedding.")}
    return {**state, "token_embedding.weight": model.token_embedding.table()}, log


def _groups(model: CLIP, decay: float) -> list[dict[str, Any]]:
    """Weight decay on matrices and kernels only."""
    wide = [p for p in model.parameters() if p.ndim >= 2]
    narrow = [p for p in model.parameters() if p.ndim < 2]
    return [{"params": wide, "weight_decay": decay}, {"params": narrow, "weight_decay": 0.0}]


def _glance(model: CLIP) -> dict[str, float]:
    """Quick figures on a few unseen drawings, to watch the training by."""
    return {
        "unseen seeds": accuracy(model, 10, None),
        "unseen style": accuracy(model, 10, UNSEEN_STYLE),
        "real digits": digits_accuracy(model),
        "ARI": grouping(model, 400, None),
    }


def _loss(model: CLIP, batch: Batch, settings: Settings) -> Tensor:
    """Symmetric contrastive loss of pictures and captions, and that of pictures among themselves."""
    pixels, labels, tokens, stated = batch
    with torch.autocast(pixels.device.type, torch.bfloat16, enabled=settings.precision == "bfloat16"):
        images = model.encode_image(pixels)
    images = F.normalize(images.float(), dim=-1)
    texts = model.encode_text(tokens, normalize=True)
    true = ((stated[None] == -1) | (stated[None] == labels[:, None])).all(-1).float()
    logits = model.logit_scale.exp() * images @ texts.T
    loss = (_contrast(logits, true) + _contrast(logits.T, true.T)) / 2
    if settings.image_weight:
        itself = torch.eye(len(images), device=images.device)
        same = (labels[:, None, 0] == labels[None, :, 0]).float() - itself
        loss = loss + settings.image_weight * _contrast(images @ images.T / 0.1 - 1e4 * itself, same)
    return loss


def _contrast(logits: Tensor, positive: Tensor) -> Tensor:
    """Cross-entropy of each row against an even spread over its positives; rows without any are left out."""
    count = positive.sum(1)
    losses = -(F.log_softmax(logits, 1) * positive).sum(1) / count.clamp(min=1)
    return losses.sum() / (count > 0).sum().clamp(min=1)


class _Batches:
    """Random batches: augmented pictures, what is true of them, fresh captions, what those state."""

    def __init__(self, drawings: Drawings, settings: Settings, device: str) -> None:
        self._pixels = torch.from_numpy(drawings.pixels)
        self._attributes = drawings.attributes
        self._labels = torch.tensor([encode_drawing(a) for a in drawings.attributes])
        self._chance = torch.Generator().manual_seed(settings.seed)
        self._words = random.Random(settings.seed)
        self._tokens = tokenizer()
        self._batch, self._device = settings.batch, device

    def next(self, progress: float) -> Batch:
        """One batch; late in training captions state colours and backgrounds less, or k-means would group by them."""
        late = min(1.0, max(0.0, (progress - 0.6) / 0.3))
        rates = Rates(colour=0.42 - 0.27 * late, background=0.22 - 0.16 * late)
        picked = torch.randint(len(self._attributes), (self._batch,), generator=self._chance)
        said = [caption(self._attributes[i], self._words, rates) for i in picked.tolist()]
        tokens = self._tokens([c.text for c in said])
        stated = torch.tensor([encode(c.states) for c in said])
        labels = self._labels[picked]
        pixels = _augment(self._pixels[picked].permute(0, 3, 1, 2) / 255, labels[:, 0] < len(KINDS), self._chance)
        return Batch(*(t.to(self._device) for t in (pixels, labels, tokens, stated)))


def _augment(pixels: Tensor, mirror: Tensor, chance: torch.Generator) -> Tensor:
    """Small turns, shifts and changes of scale, mirror images of things, light, tint and noise; then normalised."""
    n = len(pixels)

    def draw(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(n, *shape, generator=chance)

    angle, scale = draw(-0.2, 0.2), draw(0.85, 1.18)
    flip = torch.where(mirror & (draw(0, 1) < 0.5), -1.0, 1.0)
    cos, sin = scale * angle.cos(), scale * angle.sin()
    rows = torch.stack((flip * cos, -sin, draw(-0.12, 0.12), flip * sin, cos, draw(-0.12, 0.12)), 1)
    grid = F.affine_grid(rows.view(n, 2, 3), list(pixels.shape), align_corners=False)
    pixels = F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    pixels = (pixels - 0.5) * draw(0.75, 1.15, 1, 1, 1) + 0.5 + draw(-0.08, 0.08, 1, 1, 1) + draw(-0.03, 0.03, 3, 1, 1)
    pixels = pixels + draw(0, 0.06, 1, 1, 1) * torch.randn(pixels.shape, generator=chance)
    mean, std = (torch.tensor(PREPROCESS[k]).view(3, 1, 1) for k in ("mean", "std"))
    return ((pixels.clamp(0, 1) - mean) / std).contiguous(memory_format=torch.channels_last)


def _parse(arguments: Sequence[str] | None) -> Any:
    fresh = Settings()
    parser = argparse.ArgumentParser(prog="python -m core.pocket.train", description="Train the pocket model.")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="where to write the model and its log"
    )
    parser.add_argument("--drawings", type=Path, metavar="FILE", help="keep the drawings here for the next run (.npz)")
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda, ...")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="processes that draw")
    parser.add_argument("--each", type=int, default=100, help="drawings of each kind for the final figures")
    for name, kind in (
        ("seed", int),
        ("pictures", int),
        ("steps", int),
        ("batch", int),
        ("threads", int),
        ("image-weight", float),
    ):
        parser.add_argument(f"--{name}", type=kind, default=getattr(fresh, name.replace("-", "_")))
    parser.add_argument("--precision", choices=("bfloat16", "float32"), default=fresh.precision)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw, train, write the model, measure what was written, and write the log."""
    asked = _parse(arguments)
    settings = Settings(
        seed=asked.seed,
        pictures=asked.pictures,
        steps=asked.steps,
        batch=asked.batch,
        threads=asked.threads,
        precision=asked.precision,
        image_weight=asked.image_weight,
    )
    asked.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(settings.threads)
    started = time.monotonic()
    kept = asked.drawings is not None and asked.drawings.is_file()
    drawings = make_or_load(settings.pictures, settings.seed, asked.processes, asked.drawings)
    drawn = time.monotonic()
    print(f"{len(drawings.attributes)} drawings in {drawn - started:.0f} s", file=sys.stderr, flush=True)
    state, log = train(drawings, settings, _glance, asked.device)
    trained = time.monotonic()
    write_config(asked.output)
    write_weights(state, model_files(asked.output).weights)
    figures = measure(load(asked.output), asked.each)
    report = {
        "reached": figures,
        "seconds": {"drawing": round(drawn - started), "training": round(trained - drawn)},
        "drawings": "kept from a run before, if they were the same" if kept else "made in this run",
        "machine": {
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "torch": torch.__version__,
            "device": asked.device,
        },
        "settings": asdict(settings),
        "states": list(FIELDS),
        "progress": log,
    }
    (asked.output / LOG).write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
