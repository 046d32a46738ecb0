"""Where a project's worker is found: its lock, its socket, and the lines spoken over it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import socket
import stat
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import ShoeboxError
from core.project import Project

ALREADY_RUNNING = 3
"""The exit status of a worker that finds another one at work."""
ANSWER_SECONDS = 5.0
"""How long a client waits for an answer before it looks whether the worker is still there."""
MAX_SOCKET_PATH = 200
MAX_LINE = 1 << 24
"""A longer line, in bytes, is no message of ours."""


def take_lock(project: Project) -> int | None:
    """The lock that makes a process the project's worker, as a descriptor to keep open; None if another has it.

    Raises ShoeboxError where the project's folder is gone or not the user's.
    """
    try:
        descriptor = os.open(project.lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ShoeboxError(
            f"cannot use the project in {project.directory} ({error.strerror})",
            "check that it is still there and yours to write, or keep another one with --project DIR",
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def worker_lives(project: Project) -> bool:
    """Whether a worker holds the project's lock."""
    descriptor = take_lock(project)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


class Door:
    """Where a worker lets clients in: a socket in a folder that only the user can enter."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.open()

    def open(self) -> None:
        """Listens. A socket that lies there is a leftover: the lock says that nobody else listens.

        The lock's file tells where, to clients that would look in other folders: sudo's and cron's.
        """
        self.path = _make_runtime_folder() / _socket_name(self._project)
        self.path.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.fspath(self.path))
        self.path.chmod(0o600)
        self.listener.listen()
        self.listener.setblocking(False)
        with contextlib.suppress(OSError):
            self._project.lock_path.write_bytes(os.fsencode(self.path))

    @property
    def vanished(self) -> bool:
        """Whether somebody cleared it away: the system removes the runtime folder when the user has logged out."""
        return not self.path.exists()

    def close(self) -> None:
        """Stops listening."""
        self.path.unlink(missing_ok=True)
        self.listener.close()


def knock(project: Project) -> Lines | None:
    """A connection to the project's worker; None where nobody listens."""
    for folder in filter(_is_private, (*_told_folder(project), *_runtime_folders())):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(ANSWER_SECONDS)
        try:
            connection.connect(os.fspath(folder / _socket_name(project)))
        except OSError:
            connection.close()
        else:
            return Lines(connection)
    return None


class Lines:
    """JSON objects, one a line, over a socket that never blocks a reader."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._buffer = bytearray()

    def send(self, message: dict[str, Any]) -> None:
        """Sends one message.

        Raises OSError where the other side is gone or takes nothing, ShoeboxError for more than it would take.
        """
        line = json.dumps(message).encode() + b"\n"
        if len(line) > MAX_LINE:
            raise ShoeboxError(
                f"this is too much to ask of the worker at once ({len(line) / 1e6:,.0f} MB, it takes"
                f" {MAX_LINE / 1e6:,.0f})",
                "ask it of fewer pictures",
            )
        self.connection.sendall(line)

    def nudge(self, message: dict[str, Any]) -> None:
        """Sends a message that may be lost: a reader who is behind needs no second waking."""
        with contextlib.suppress(OSError):
            self.connection.send(json.dumps(message).encode() + b"\n", socket.MSG_DONTWAIT)

    def receive(self) -> list[dict[str, Any]] | None:
        """The messages that have arrived whole; None once the other side is gone or speaks nonsense."""
        try:
            data = self.connection.recv(1 << 16)
        except (BlockingIOError, TimeoutError, InterruptedError):
            return []
        except OSError:
            return None
        if not data:
            return None
        self._buffer += data
        if b"\n" not in data:
            return [] if len(self._buffer) <= MAX_LINE else None
        *lines, self._buffer = self._buffer.split(b"\n")
        try:
            messages = [json.loads(line) for line in lines]
        except ValueError:
            return None
        return messages if all(isinstance(m, dict) for m in messages) else None

    def peer(self) -> int | None:
        """The process that listens at the other end, whether it answers or not; None where no system call tells."""
        if not hasattr(socket, "SO_PEERCRED"):
            return None
        process, _, _ = struct.unpack("3i", self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return int(process)

    def hang_up(self) -> None:
        """Ends the talk: both sides read no more."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Closes the socket."""
        self.connection.close()


def _socket_name(project: Project) -> str:
    """Short, for the path of a socket may have about 100 bytes."""
    return hashlib.blake2b(os.fsencode(project.state_dir), digest_size=8).hexdigest() + ".sock"


def _runtime_folders() -> Iterator[Path]:
    """Where a socket may lie, the best first. A client may see another environment than the worker did."""
    user = os.getuid()
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "shoebox"
    yield Path(f"/run/user/{user}/shoebox")
    yield Path(tempfile.gettempdir()) / f"shoebox-{user}"
    yield Path(f"/tmp/shoebox-{user}")  # noqa: S108 - used only where it is the user's alone


def _told_folder(project: Project) -> Iterator[Path]:
    """Where the worker says that its socket lies. Anybody may have written that: it is for the caller to doubt."""
    with contextlib.suppress(OSError):
        told = project.lock_path.read_bytes()
        if told and b"\0" not in told and len(told) < MAX_SOCKET_PATH:
            yield Path(os.fsdecode(told)).parent


def _make_runtime_folder() -> Path:
    for folder in _runtime_folders():
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, exist_ok=True)
        if _is_private(folder) and os.access(folder, os.W_OK):
            return folder
    raise ShoeboxError("there is no folder for a socket of yours alone", "set XDG_RUNTIME_DIR to one")


def _is_private(folder: Path) -> bool:
    """Whether nobody but the user can have put something there."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
