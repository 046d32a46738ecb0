"""The server that a language model is asked at, and what is remembered of it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from core.catalog import meta
from core.environment import proxies_in, proxy_for
from core.errors import ShoeboxError, UsageError

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.settings import Settings

DEFAULT_URL = "https://api.openai.com/v1"
DEFAULT_MODEL = "gpt-4.1-mini"
KEY = "OPENAI_API_KEY"
URL = "OPENAI_BASE_URL"
NO_KEY = "none"
"""Servers on one's own machine want no key, the package wants one."""
REMEMBERED_SECONDS = 7 * 24 * 3600.0
"""Servers learn: after so long they are tried anew."""

Form = Literal["json_schema", "json_object", "text"]
FORMS: tuple[Form, ...] = ("json_schema", "json_object", "text")
"""How a reply's form is asked for, the surest first."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where to ask, which model, and with what key. The key is never shown nor stored."""

    url: str
    model: str
    key: str = ""
    proxy: str = ""
    """The address of the proxy that leads to it; it may hold a password."""
    organization: str = ""
    project: str = ""

    def __repr__(self) -> str:
        return f"Server({self.where}, {self.model})"

    @property
    def where(self) -> str:
        """The server as people know it: its host, without a password that the address may hold."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    @property
    def id(self) -> str:
        """A digest of the address: what consent is given for."""
        return hashlib.blake2b(self.url.encode(), digest_size=8).hexdigest()

    def scrubbed(self, text: str) -> str:
        """A server's words, without the key that it may repeat."""
        return text.replace(self.key, "[key]") if self.key else text


def server_of(settings: Settings, environment: Mapping[str, str]) -> Server:
    """The server that the settings and the environment name.

    Raises UsageError for an address that is none, ShoeboxError where OpenAI's own server is meant and there is no key.
    """
    url = address_of(settings, environment)
    key = environment.get(KEY, "").strip()
    if not key and url == DEFAULT_URL:
        raise ShoeboxError(
            f"{KEY} is not set",
            "set it in the environment or in a .env beside the project, name a server that needs none with"
            " --base-url, or use --namer vocabulary",
        )
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Server(
        url,
        settings.model or DEFAULT_MODEL,
        key,
        proxy=proxy_for(parts.scheme, f"{parts.hostname}:{port}", proxies_in(environment)),
        organization=environment.get("OPENAI_ORG_ID", ""),
        project=environment.get("OPENAI_PROJECT_ID", ""),
    )


def address_of(settings: Settings, environment: Mapping[str, str]) -> str:
    """The address that the settings and the environment name, or OpenAI's. Raises UsageError for one that is none."""
    url = (settings.base_url or environment.get(URL, "") or DEFAULT_URL).strip().rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"--base-url {url} is no address of a server", "write it as https://HOST/v1")
    if parts.username or parts.password:
        raise UsageError(f"--base-url of {parts.hostname} holds a user or a password", f"put the key into {KEY}")
    return url


@dataclass
class Memory:
    """What was learned of a server and a model: how it takes a question. Nothing of it is secret."""

    form: Form = "json_schema"
    vision: bool = True
    """Whether it takes pictures."""
    saw: bool = False
    """Whether it answered to one."""
    limit: str = "max_completion_tokens"
    """What it calls the bound on a reply's length; empty where it knows none."""
    proven: bool = False
    """Whether a question was answered in this form."""
    learned: float = 0.0

    @classmethod
    def of(cls, db: Database, server: Server) -> Memory:
        """What is remembered, if it is not too long ago."""
        try:
            memory = cls(**json.loads(meta.get(db, _key(server)) or "{}"))
        except (TypeError, ValueError):
            return cls()
        return memory if time.time() - memory.learned < REMEMBERED_SECONDS else cls()

    def keep(self, db: Database, server: Server) -> None:
        """Remembers it in the project."""
        self.learned = time.time()
        meta.put(db, _key(server), json.dumps(asdict(self)))


def _key(server: Server) -> str:
    return "server " + hashlib.blake2b(f"{server.url}\0{server.model}".encode(), digest_size=8).hexdigest()
