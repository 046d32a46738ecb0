"""What leaves the machine: said plainly, and agreed to by the user, once per project and server.

Agreement lies with the user's own state, never in the project: a project may come from others. So may the address of
a server, in a folder's `.env` or `settings.toml`: the user's key goes to none that only such files name, unless the
user agreed to that very address.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from core.errors import ShoeboxError
from core.naming.language.server import KEY, address_of
from core.settings import load

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.naming.language.server import Server


def what_leaves(server: Server) -> str:
    """What is sent where, in plain words."""
    key = f" Your key ({KEY}) is shown to it." if server.key else ""
    open_line = " The connection is not encrypted." if _is_open(server) else ""
    return (
        f"{server.where} is sent, for the model {server.model}: small versions of sampled pictures (no file names,"
        " no metadata; the address instead, of pictures that have one on the web), the labels it gave them, names of"
        f" clusters, and your --context and --hint.{key}{open_line} Nothing else leaves this machine."
    )


def is_users_choice(server: Server, given: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the user named this server, or nobody did: it would be the same without the files of the folder.

    `given` is what the command line says, `environment` the user's own, without the folder's `.env`.
    """
    own = load(None, environment, {"base_url": given.get("base_url")})
    return address_of(own, environment) == server.url


def not_users_choice(server: Server) -> str:
    """That only the folder's files name a server, in plain words."""
    key = " and your key" if server.key else ""
    return (
        f"{server.url} is named by files of this folder (.env or settings.toml), not by you: whoever wrote them gets"
        f" the pictures{key}"
    )


def is_given(db: Database, server: Server) -> bool:
    """Whether the user agreed that pictures of this project go to this server, and the key if there is one."""
    try:
        found = json.loads(_file(db, server).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(
        isinstance(found, dict)
        and found.get("project") == _project(db)
        and found.get("server") == server.url
        and (found.get("key") or not server.key)
    )


def give(db: Database, server: Server, *, key: bool = False) -> None:
    """Remembers that the user agreed, for this user alone. `key`: to a key of later on, too.

    Raises ShoeboxError where it cannot be kept.
    """
    file = _file(db, server)
    agreed = {"project": _project(db), "server": server.url, "key": key or bool(server.key), "given": time.time()}
    aside = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside.write_text(json.dumps(agreed), encoding="utf-8")
        aside.replace(file)
    except OSError as error:
        raise ShoeboxError(
            f"cannot keep in {file.parent} that you agreed ({error.strerror})",
            "mend its permissions, or set XDG_STATE_HOME to a folder of yours",
        ) from error


def require(db: Database, server: Server) -> None:
    """Raises ShoeboxError where the user has not agreed."""
    if not is_given(db, server):
        raise ShoeboxError(
            f"nobody agreed yet that pictures of this project go to {server.where}",
            "run it in a terminal to be asked, or with --yes to agree",
        )


def _file(db: Database, server: Server) -> Path:
    import platformdirs

    digest = hashlib.blake2b(f"{_project(db)}\0{server.url}".encode(), digest_size=12).hexdigest()
    return platformdirs.user_state_path("shoebox") / "consent" / f"{digest}.json"


def _project(db: Database) -> str:
    """Which project it is: where its catalog lies."""
    return ascii(os.path.realpath(db.path))  # a path of any bytes, as text of any file


def _is_open(server: Server) -> bool:
    """Whether others on the way can read along."""
    parts = urlsplit(server.url)
    if parts.scheme != "http" or parts.hostname == "localhost":
        return False
    try:
        return not ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return True
