"""The hash that names a picture's content."""

from __future__ import annotations

import hashlib


def content_hash(data: bytes) -> bytes:
    """16-byte BLAKE2b digest of a file's bytes: the key under which its work is kept."""
    return hashlib.blake2b(data, digest_size=16).digest()


def content_hasher() -> hashlib.blake2b:
    """The same hash for a content that comes in pieces."""
    return hashlib.blake2b(digest_size=16)
