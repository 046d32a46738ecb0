"""What a user names as a source: a folder, lists of URLs, a subreddit or a bucket."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import ShoeboxError, UsageError
from core.settings import environment_of
from core.sources.folder import FoundFile, walk

Kind = Literal["folder", "urls", "reddit", "bucket"]
REMOTE: frozenset[str] = frozenset({"urls", "reddit", "bucket"})
"""The kinds whose pictures are downloaded."""
LIST_SUFFIX = ".txt"

_BUCKET = re.compile(r"(?P<service>s3|r2):/{1,2}(?P<bucket>[^/]+)(?:/(?P<prefix>.*))?", re.DOTALL)
_BUCKET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}")
_SUBREDDIT = re.compile(r"(?:u_)?[A-Za-z0-9][A-Za-z0-9_-]{1,22}")


@dataclass(frozen=True, slots=True)
class Place:
    """A source as it is named. `root` identifies it: an absolute path, `reddit:name`, or `s3://bucket/prefix`, with
    r2 for s3 where Cloudflare's was named.
    """

    kind: Kind
    root: str
    name: str
    """What its project is called."""

    @property
    def remote(self) -> bool:
        """Whether its pictures are downloaded."""
        return self.kind in REMOTE


def names_remote(text: str) -> bool:
    """Whether this is written as a subreddit or a bucket: a look at the text alone."""
    return text.startswith(("reddit:", "s3:/", "r2:"))


def parse_place(text: str | os.PathLike[str]) -> Place:
    """The source that `text` names. Whether a folder exists is left to whoever opens it.

    Raises UsageError for the name of a subreddit or a bucket that cannot be one.
    """
    text = os.fspath(text)
    if text.startswith("reddit:"):
        return _reddit(text.removeprefix("reddit:"))
    if names_remote(text):
        return _bucket(text)
    if text.startswith(("http://", "https://")):
        raise UsageError("a URL by itself is no source", "write it into a .txt file, one URL a line, and name that")
    path = os.path.realpath(os.path.expanduser(text))  # noqa: PTH111 - pathlib's raises for an unknown ~user
    name = os.path.basename(path) or "root"
    if os.path.isfile(path) and name.lower().endswith(LIST_SUFFIX):
        return Place("urls", path, name[: -len(LIST_SUFFIX)] or name)
    return Place("urls" if holds_lists_alone(path) else "folder", path, name)


def list_files(folder: str) -> list[str]:
    """The .txt files that lie in a folder, in order; none where it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if e.name.lower().endswith(LIST_SUFFIX) and not e.name.startswith(".")]
    except OSError:
        return []
    return [path for name in sorted(names) if os.path.isfile(path := os.path.join(folder, name))]


def holds_lists_alone(folder: str) -> bool:
    """Whether a folder has .txt files and, with all below it, no picture: files beside pictures are captions."""
    if not list_files(folder):
        return False
    try:
        return not any(isinstance(found, FoundFile) for found in walk(os.fsencode(folder)))
    except ShoeboxError:
        return False


def _reddit(name: str) -> Place:
    name = name.strip("/").removeprefix("r/")
    if not _SUBREDDIT.fullmatch(name):
        raise UsageError(f"{name or 'nothing'!r} is no name of a subreddit", "write it as reddit:NAME")
    return Place("reddit", f"reddit:{name.lower()}", f"reddit-{name.lower()}")


def _bucket(text: str) -> Place:
    if text.startswith("r2:") and not text.startswith("r2:/"):
        text = f"r2://{_own_bucket()}/{text.removeprefix('r2:')}"
    match = _BUCKET.fullmatch(text)
    if match is None or not _BUCKET_NAME.fullmatch(match["bucket"]):
        raise UsageError(f"{text} names no bucket", "write it as s3://bucket or s3://bucket/prefix")
    prefix = match["prefix"] or ""
    words = [match["bucket"], *re.findall(r"[\w.-]+", prefix)]
    return Place("bucket", f"{match['service']}://{match['bucket']}/{prefix}", "-".join(words)[:80])


def _own_bucket() -> str:
    """The bucket that the environment names, for who writes r2:PREFIX."""
    name = environment_of(Path.cwd()).get("R2_BUCKET_NAME", "")
    if not name:
        raise UsageError("r2: names no bucket", "write it as r2://bucket/prefix, or set R2_BUCKET_NAME")
    return name


def beside(place: Place) -> Path:
    """Where the project of a remote source lies: a folder of its name, where the user stands."""
    return Path.cwd() / f"{place.name}.shoebox"
