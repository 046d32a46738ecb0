"""Classes as encoders read them, kept so that the next run need not load the encoder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from core.catalog.database import Database


def known(db: Database, encoder_id: int, keys: Sequence[str]) -> dict[str, bytes]:
    """The vectors of those of the sentences that were read before, by what they are known by: float32 as bytes."""
    return dict(
        db.execute(
            "SELECT text, vector FROM texts WHERE encoder = ? AND text IN (SELECT value FROM json_each(?))",
            (encoder_id, json.dumps(list(keys))),
        ).fetchall()
    )


def keep(db: Database, encoder_id: int, vectors: Mapping[str, bytes], logit_scale: float) -> None:
    """Keeps vectors, and the encoder's logit scale with them."""
    with db.transaction():
        rows = ((encoder_id, key, vector) for key, vector in vectors.items())
        db.executemany("INSERT OR REPLACE INTO texts VALUES (?, ?, ?)", rows)
        db.execute("UPDATE encoders SET logit_scale = ? WHERE id = ?", (logit_scale, encoder_id))


def logit_scale(db: Database, encoder_id: int) -> float | None:
    """The encoder's logit scale; None where it has encoded no text here."""
    value = db.value("SELECT logit_scale FROM encoders WHERE id = ?", (encoder_id,))
    return None if value is None else float(value)
