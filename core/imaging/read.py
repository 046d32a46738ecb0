"""Reads a picture file once, whole: its hash and its pixels then always come from the same bytes."""

from __future__ import annotations

import errno
import os
import stat

from core.errors import PictureError

_KINDS = (
    (stat.S_ISDIR, "it is a folder"),
    (stat.S_ISFIFO, "it is a named pipe"),
    (stat.S_ISSOCK, "it is a socket"),
    (stat.S_ISCHR, "it is a device"),
    (stat.S_ISBLK, "it is a device"),
)
_REASONS = {
    errno.ENOENT: "the file vanished",
    errno.ENOTDIR: "the file vanished: a folder on its path is a folder no longer",
    errno.ESTALE: "the file vanished from its network file system",
    errno.EACCES: "no permission to read it",
    errno.EPERM: "no permission to read it",
    errno.ELOOP: "its symbolic link leads in a circle",
    errno.ENAMETOOLONG: "its path is too long for the file system",
    errno.EIO: "the disk could not read it (input/output error)",
}
# Without O_NONBLOCK a pipe that takes the file's place between stat and open would block for ever.
_FLAGS = os.O_RDONLY
for _name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"):
    _FLAGS |= getattr(os, _name, 0)


def read_picture_file(path: bytes, max_bytes: int) -> bytes:
    """The whole content of the regular file at `path` (symbolic links are followed).

    Raises PictureError, in plain words, for a file that vanished, is not a regular file, may not be
    read, is larger than `max_bytes`, or changed while it was read. Never blocks on a pipe or a device.
    """
    try:
        _require_file(os.stat(path))  # before open: opening a device can already act on it
        descriptor = os.open(path, _FLAGS)
        try:
            return _read_whole(descriptor, max_bytes)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise PictureError(_reason(error, path)) from error
    except ValueError as error:  # a zero byte inside the path
        raise PictureError("its path is not one a file system can hold") from error


def _read_whole(descriptor: int, max_bytes: int) -> bytes:
    before = os.fstat(descriptor)
    _require_file(before)
    if before.st_size > max_bytes:
        raise PictureError(
            f"the file is {before.st_size:,} bytes, more than the limit of {max_bytes:,}",
            "raise the limit in the settings if it is a picture you want",
        )
    chunks: list[bytes] = []
    room = before.st_size + 1  # one byte more, to notice a file that grew
    while room > 0 and (chunk := os.read(descriptor, room)):
        chunks.append(chunk)
        room -= len(chunk)
    data = b"".join(chunks)  # the very same object when there is one chunk
    after = os.fstat(descriptor)
    stood = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    if not stood or len(data) != before.st_size:
        raise PictureError("the file changed while it was read", "run again once it is whole")
    return data


def _require_file(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        what = next((words for test, words in _KINDS if test(status.st_mode)), "it is no regular file")
        raise PictureError(f"{what}, not a picture file")


def _reason(error: OSError, path: bytes) -> str:
    if error.errno == errno.ENOENT and _is_link(path):
        return "its symbolic link leads to nothing"
    return _REASONS.get(error.errno or 0) or f"it could not be read ({error.strerror or error})"


def _is_link(path: bytes) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(path).st_mode)
    except OSError:
        return False
