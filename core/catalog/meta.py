"""What a project as a whole remembers: small facts by name."""

from __future__ import annotations

from core.catalog.database import Database

LAST_ENCODER = "last_encoder"
"""The id of the encoder used last."""
PROMPTS = "prompts"
"""The set of prompts of the user's classes, or templates, as JSON."""


def get(db: Database, key: str) -> str | None:
    """The fact called `key`, or None."""
    value = db.value("SELECT value FROM meta WHERE key = ?", (key,))
    return None if value is None else str(value)


def put(db: Database, key: str, value: str) -> None:
    """Remembers a fact, in place of an earlier one."""
    db.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value))
