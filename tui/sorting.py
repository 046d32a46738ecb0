"""What the Source screen lets one choose, explained, and the job that follows from it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.clustering.settings import METHODS, ClusterSettings
from core.encoders.catalogue import CHOICES, Choice
from core.encoders.spec import DEFAULT_SPEC, EncoderSpec, parse_spec
from core.errors import UsageError
from core.settings import Settings

Option = tuple[str, str, str]
"""A value, what it is called, and what it means."""

_METHODS = {
    "auto": "balanced up to 10,000 pictures, minibatch above",
    "balanced": "clusters of even sizes: none smaller than its share",
    "density": "finds the number of clusters by itself; what fits nowhere stays unclustered",
    "kmeans": "plain k-means: sizes as they fall",
    "minibatch": "k-means on samples: for very many pictures",
}
_DEVICES = (
    ("auto", "auto", "a CUDA GPU, else an Apple GPU, else the CPU"),
    ("cuda", "cuda", "all NVIDIA GPUs of this machine"),
    ("mps", "mps", "the Apple GPU"),
    ("cpu", "cpu", "all cores"),
)
_CLUSTERS = (
    ("auto", "auto", "several numbers are tried, and the one that separates best is taken"),
    *((str(n), str(n), f"{n} groups; type any other number") for n in (6, 12, 24, 48, 100)),
)
_RATIOS = (
    ("auto", "auto", "5 % where clusters are few enough for it; nothing with kmeans and minibatch"),
    *(
        (f"{share:g}", f"{share:.0%}", f"no cluster has less than {share:.0%} of all pictures")
        for share in (0.01, 0.02, 0.05)
    ),
)
NAMES = {
    "encoder": "encoder",
    "device": "device",
    "method": "method",
    "clusters": "clusters",
    "min_cluster_ratio": "least share",
}
"""What can be chosen, and what it is called."""


@dataclass(frozen=True)
class Wishes:
    """What was chosen, as it is typed; the defaults are what most want."""

    encoder: str = DEFAULT_SPEC
    device: str = "auto"
    method: str = "auto"
    clusters: str = "auto"
    min_cluster_ratio: str = "auto"

    @classmethod
    def of(cls, settings: Settings, encoder: str, kept: Mapping[str, Any]) -> Wishes:
        """The settings in force, the project's `encoder` where they name none, and what was chosen before (`kept`)."""
        wishes = cls(unless_chosen(settings, encoder), settings.device)
        for name in NAMES:
            if isinstance(value := kept.get(name), str):
                try:
                    wishes = wishes.with_value(name, value)
                except UsageError:
                    continue
        return wishes

    def with_value(self, name: str, value: str) -> Wishes:
        """These with another value. Raises UsageError for one that does not fit."""
        value = value.strip()
        if name == "encoder":
            value = str(parse_spec(value))
        elif name == "device" and value.partition(":")[0] not in ("auto", "cuda", "mps", "cpu"):
            raise UsageError(f"unknown device {value!r}", "a device is auto, cuda, cuda:N, mps or cpu")
        changed = dataclasses.replace(self, **{name: value})
        changed.clustering(0)
        return changed

    def clustering(self, seed: int) -> ClusterSettings:
        """The clustering asked for. Raises UsageError for a number that is none, or wishes that exclude each other."""
        settings = ClusterSettings(
            method=self.method,
            clusters=_number(self.clusters, int, "clusters"),
            min_cluster_ratio=_number(self.min_cluster_ratio, float, "least share"),
            seed=seed,
        )
        settings.resolve(1_000_000)
        return settings

    def job(self, settings: Settings, last: str = "") -> tuple[str, dict[str, Any]]:
        """The job that embeds, clusters and names by these wishes.

        `last`: the encoder that the project was embedded with. Who wishes for it means its weights, too, which the
        worker knows: it may have been a file.
        """
        settings = dataclasses.replace(settings, device=self.device)
        if self.encoder != unless_chosen(settings, last):  # weights that were given are another's
            settings = dataclasses.replace(settings, encoder=self.encoder, weights="", model_config="")
        return sorting(settings, self.clustering(settings.seed))


def encoder_in_force(settings: Settings, last: str, kept: object) -> EncoderSpec | None:
    """The encoder that the next job embeds with, by the settings and by what was chosen before (`kept`).

    None: the one that the project was embedded with last, whatever that is; or where a file of its is gone.
    """
    wishes = Wishes.of(settings, last, kept if isinstance(kept, dict) else {})
    asked = wishes.job(settings, last)[1]["settings"]
    if not asked["encoder"] and not asked["weights"] and last:
        return None
    try:
        return parse_spec(
            asked["encoder"] or DEFAULT_SPEC,
            weights=asked["weights"] or None,
            model_config=asked["model_config"] or None,
        )
    except UsageError:
        return None


def unless_chosen(settings: Settings, last: str) -> str:
    """The encoder where none is chosen: of the settings, else the project's `last`, unless weights are given."""
    return settings.encoder or ("" if settings.weights else last) or DEFAULT_SPEC


def sorting(settings: Settings, clustering: ClusterSettings | None = None) -> tuple[str, dict[str, Any]]:
    """The job that embeds, forming clusters meanwhile, clusters, and names by a vocabulary; the clusters come first."""
    return "run", {
        "settings": dataclasses.asdict(settings),
        "stages": ["embed", "cluster", "name"],
        "live": True,
        "clustering": dataclasses.asdict(clustering or ClusterSettings(seed=settings.seed)),
        "naming": {"namer": "vocabulary"},
    }


def options_for(name: str) -> tuple[Option, ...]:
    """What can be chosen, with what each means."""
    if name == "encoder":
        return tuple((c.spec, c.spec, encoder_words(c)) for c in CHOICES)
    if name == "method":
        return tuple((method, method, _METHODS[method]) for method in METHODS)
    return {"device": _DEVICES, "clusters": _CLUSTERS, "min_cluster_ratio": _RATIOS}[name]


def explained(name: str, value: str) -> str:
    """What a chosen value means."""
    for option, _, words in options_for(name):
        if option == value:
            return words
    if name == "clusters":
        return f"{value} groups"
    return "a model of your own choice" if name == "encoder" else ""


def choice_of(spec: str) -> Choice | None:
    """What is known of an encoder, where it is one of the list."""
    return next((choice for choice in CHOICES if choice.spec == spec), None)


def encoder_words(choice: Choice) -> str:
    """An encoder in one line."""
    parts = [choice.remark] if choice.remark else []
    if choice.accuracy is not None:
        parts.append(f"ImageNet {choice.accuracy:.1f} % ({choice.measure})")
    parts.append(f"{choice.speed} on a CPU")
    parts.append(f"{choice.megabytes:,} MB")
    if not choice.text:
        parts.append("no words")
    return ", ".join(parts)


def weights_words(spec: str, file: str = "") -> tuple[str, bool]:
    """Whether an encoder's weights are here or must be fetched, and whether that is a download. For a thread.

    `file`: the weights that the settings give, or those that the project was embedded with.
    """
    if file:
        return f"weights: {os.path.basename(file)}: nothing to download", False
    choice = choice_of(spec)
    if choice is None:
        return "weights: not in the list; they are downloaded if they are not on this machine", True
    if choice.repo is None:
        return "weights: bundled, nothing to download", False
    if choice.cached:
        return "weights: on this machine, nothing to download", False
    return f"weights: {choice.megabytes:,} MB would be downloaded ({choice.repo})", True


def _number(text: str, kind: type[int] | type[float], what: str) -> Any:
    if text == "auto":
        return None
    try:
        return kind(text)
    except ValueError:
        raise UsageError(f"{what}: {text!r} is no number", "give a number, or auto") from None
