"""Which encoder is meant: a spec such as `open_clip:ViT-B-32/datacomp_xl_s13b_b90k`, and files on disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from core.errors import UsageError

DEFAULT_SPEC = "open_clip:ViT-B-32/datacomp_xl_s13b_b90k"
HUB_PREFIX = "hf-hub:"

_FORMS = "open_clip:MODEL/TAG, open_clip:hf-hub:ORG/NAME, timm:MODEL.TAG, timm:hf-hub:ORG/NAME or pocket"


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """A library, an architecture in it, a tag of published weights, and files that take their place."""

    library: Literal["open_clip", "timm", "pocket"]
    architecture: str = ""
    tag: str = ""
    weights: Path | None = None
    model_config: Path | None = None

    def __str__(self) -> str:
        if self.library == "pocket":
            return "pocket"
        separator = "/" if self.library == "open_clip" else "."
        return f"{self.library}:{self.architecture}{separator + self.tag if self.tag else ''}"

    @property
    def label(self) -> str:
        """What people call it: the spec, or the files that took the place of its weights."""
        if self.weights is None:
            return str(self)
        file, config = self.weights.name, self.model_config
        return f"{file} ({config.name})" if config else f"{self} with {file}"

    @property
    def hub_repo(self) -> str | None:
        """The repository that `hf-hub:ORG/NAME` names, else None."""
        if self.architecture.startswith(HUB_PREFIX):
            return self.architecture.removeprefix(HUB_PREFIX)
        return None


def parse_spec(
    text: str = DEFAULT_SPEC,
    *,
    weights: str | Path | None = None,
    model_config: str | Path | None = None,
) -> EncoderSpec:
    """Reads a spec; whether such a model exists shows when it is loaded.

    Raises UsageError where the spec has no known form or a file does not exist.
    """
    files = {"weights": _file("--weights", weights), "model_config": _file("--model-config", model_config)}
    if text == "pocket":
        if weights or model_config:
            raise UsageError("the pocket encoder brings its own weights", "leave out --weights and --model-config")
        return EncoderSpec("pocket")
    library, _, name = text.partition(":")
    if not name or library not in ("open_clip", "timm"):
        raise UsageError(f"unknown encoder {text!r}", f"an encoder is {_FORMS}; `shoebox encoders` lists good ones")
    if name.startswith(HUB_PREFIX):
        if name.removeprefix(HUB_PREFIX).count("/") != 1:
            raise UsageError(f"{name!r} names no repository of the hub", "write hf-hub:ORG/NAME")
        architecture, tag = name, ""
    else:
        architecture, _, tag = name.partition("/" if library == "open_clip" else ".")
    return EncoderSpec("open_clip" if library == "open_clip" else "timm", architecture, tag, **files)


def check_known(kind: str, name: str, known: Iterable[str]) -> None:
    """Raises UsageError with the names nearest to `name` unless it is one of `known`."""
    names = list(known)
    if name in names:
        return
    near = get_close_matches(name, names, n=4, cutoff=0.4) or sorted(names)[:4]
    raise UsageError(f"no {kind} {name!r}", f"near it are {', '.join(near)}" if near else "")


def _file(option: str, path: str | Path | None) -> Path | None:
    if path is None:
        return None
    file = Path(path).expanduser()
    if not file.is_file():
        raise UsageError(f"{option}: {file} is not a file", "give the path of the file itself")
    return file.absolute()
