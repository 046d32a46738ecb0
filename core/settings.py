"""Settings: defaults < the user's file < the project's file < environment < command line.

A file is `settings.toml`; the environment has SHOEBOX_NAME for every setting. Reading is all that is done here:
nothing of this file writes.
"""

from __future__ import annotations

import dataclasses
import difflib
import io
import math
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ShoeboxError, UsageError

FILE_NAME = "settings.toml"
TABLES = frozenset({"keys"})
"""Tables of a settings file that are the terminal app's own: it reads them by `user_table`."""
PREFIX = "SHOEBOX_"
_FROM_ENV_FILE = re.compile(r"(SHOEBOX|OPENAI|AWS|R2|REDDIT)_\w+|\w*(KEY|TOKEN|SECRET|PASSWORD)\w*|\w+_PROXY", re.I)
"""What a .env file may set. It comes with a folder that others may have made, and the rest (LD_PRELOAD,
PYTHONPATH) would let it run programs."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user can set. None of it is needed."""

    encoder: str = ""
    """The encoder's spec; empty: the project's last, or the default."""
    weights: str = ""
    """A checkpoint on disk in place of the hub's."""
    model_config: str = ""
    """The configuration that goes with `weights`."""
    device: str = "auto"
    """auto, cuda, cuda:N, mps or cpu."""
    seed: int = 0
    max_pixels: int = 200_000_000
    """A picture that claims more pixels is refused, unless its decoder can reduce it below that."""
    max_file_mb: int = 512
    """A file larger than this is refused."""
    thumbnail_side: int = 256
    """The longer side of a thumbnail, in pixels."""
    thumbnails_mb: int = 4096
    """The store of thumbnails is kept below this; the oldest go first."""
    batch_size: int = 0
    """Pictures encoded at a time; 0: what suits the device."""
    decode_threads: int = 0
    """Threads that decode; 0: one a core."""
    downloads: int = 32
    """Pictures downloaded at a time."""
    downloads_per_host: int = 6
    """Of them, from one host."""
    reddit_archive: str = "https://arctic-shift.photon-reddit.com"
    """Where the posts of a subreddit are asked for; a mirror speaks the same."""
    idle: float = 60.0
    """Seconds without work after which the worker leaves."""
    niceness: int = 10
    """How far the worker gives way to other programs: 0 not at all, 19 to all of them."""
    live_clusters: int = 6
    """Clusters formed while embedding, 2 to 20."""
    live_refresh: int = 20
    """Pictures between two refreshes of those, 5 to 500."""
    base_url: str = ""
    """Address of a server that speaks the OpenAI API; empty: OPENAI_BASE_URL, or OpenAI's own."""
    model: str = ""
    """The language model to ask; empty: the default."""
    per_cluster: int = 25
    """Pictures of a cluster that get a label."""
    context: str = ""
    """A sentence about all pictures, for the language model."""
    max_calls: int = 0
    """No more calls than these; 0: no bound."""
    max_cost: float = 0.0
    """No more US dollars than these; 0: no bound."""
    price_in: float = 0.0
    """US dollars for a million tokens in; 0 here and in `price_out`: what is known of the model."""
    price_out: float = 0.0
    """US dollars for a million tokens out."""
    calls_at_once: int = 8
    """Questions that a server is asked at the same time."""
    reply_seconds: float = 90.0
    """A reply that takes longer is not waited for."""

    def with_values(self, values: Mapping[str, Any], origin: str) -> Settings:
        """These settings with `values` in place of their own; `origin` names where they come from in an error.

        Raises UsageError for a name that is no setting or a value that does not fit.
        """
        fields = {f.name: f for f in dataclasses.fields(self)}
        changed: dict[str, Any] = {}
        for name, value in values.items():
            if name not in fields:
                near = difflib.get_close_matches(name, fields, n=1)
                hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(fields))}"
                raise UsageError(f"{origin}: there is no setting called {name}", hint)
            changed[name] = _converted(value, type(getattr(self, name)), f"{origin}: {name}")
        return dataclasses.replace(self, **changed)


def load(project_dir: Path | None, environment: Mapping[str, str], overrides: Mapping[str, Any]) -> Settings:
    """The settings in force: files, then `environment`, then `overrides` (None values are left out).

    Files are named absolutely: the worker stands elsewhere.
    Raises ShoeboxError for a file that cannot be read as TOML, UsageError for what does not fit.
    """
    settings = Settings()
    files = [user_file()]
    if project_dir is not None:
        files.append(project_dir / FILE_NAME)
    for file in files:
        values = {name: value for name, value in _read(file).items() if name not in TABLES}
        settings = settings.with_values(values, str(file))
    settings = settings.with_values(named_in(environment), "environment")
    given = {name: value for name, value in overrides.items() if value is not None}
    settings = settings.with_values(given, "command line")
    named = {name: getattr(settings, name) for name in ("weights", "model_config")}
    absolute: dict[str, Any] = {name: str(Path(file).expanduser().absolute()) for name, file in named.items() if file}
    return dataclasses.replace(settings, **absolute)


def user_file() -> Path:
    """Where the user's own settings are."""
    import platformdirs

    return platformdirs.user_config_path("shoebox") / FILE_NAME


def user_table(name: str) -> dict[str, Any]:
    """A table of the user's settings file, one of TABLES; empty where there is none.

    Raises ShoeboxError for a file that cannot be read as TOML, UsageError for what is no table.
    """
    table = _read(user_file()).get(name, {})
    if not isinstance(table, dict):
        raise UsageError(f"{user_file()}: {name} is {table!r}", f"it is a table: [{name}]")
    return table


def environment_of(folder: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment, with what the `.env` file of `folder` adds to it. The file is read, never written.

    Settings, keys and proxies are taken from the file, nothing else. Raises ShoeboxError for a file that cannot
    be read.
    """
    from dotenv import dotenv_values

    text = _text(folder / ".env")
    added = dotenv_values(stream=io.StringIO(text), interpolate=False)
    taken = {name: value for name, value in added.items() if value is not None and _FROM_ENV_FILE.fullmatch(name)}
    return taken | dict(environment)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(file))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ShoeboxError(f"{file} is not valid TOML ({error})", "mend that line, or move the file away") from error


def _text(file: Path) -> str:
    """What a file holds; nothing where there is none."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise ShoeboxError(f"cannot read {file} ({error.strerror})", "mend its permissions or move it away") from error
    except UnicodeDecodeError as error:
        raise ShoeboxError(f"{file} is not UTF-8 text", "save it as UTF-8, or move it away") from error


def named_in(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings that an environment names, as text: SHOEBOX_ENCODER is `encoder`."""
    names = (f.name for f in dataclasses.fields(Settings))
    return {n: environment[PREFIX + n.upper()] for n in names if environment.get(PREFIX + n.upper())}


def _converted(value: Any, kind: type, where: str) -> Any:
    try:
        if kind is str and not isinstance(value, str | Path):
            raise ValueError(value)
        if kind is int and not isinstance(value, int | str):
            raise ValueError(value)
        if kind is not str and isinstance(value, bool):
            raise ValueError(value)
        converted = kind(value)
        if kind is not str and not (math.isfinite(converted) and converted >= 0):
            raise ValueError(value)
    except (TypeError, ValueError, OverflowError):
        kinds = {str: "text", int: "a whole number, 0 or more", float: "a number, 0 or more"}
        raise UsageError(f"{where} is {value!r}", f"it takes {kinds[kind]}") from None
    return converted
