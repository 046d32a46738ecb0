"""Sentences as encoders see them, kept so that the next run need not load the encoder."""

from __future__ import annotations

import json
from collections.abc import Sequence

from core.catalog.database import Database


def known(db: Database, encoder_id: int, texts: Sequence[str]) -> dict[str, bytes]:
    """Those of the texts that were encoded before: float16 vectors as bytes."""
    return dict(
        db.execute(
            "SELECT text, vector FROM texts WHERE encoder = ? AND text IN (SELECT value FROM json_each(?))",
            (encoder_id, json.dumps(list(texts))),
        ).fetchall()
    )


def keep(db: Database, encoder_id: int, texts: Sequence[str], vectors: Sequence[bytes], logit_scale: float) -> None:
    """Keeps the vectors of texts, and the encoder's logit scale with them."""
    with db.transaction():
        rows = ((encoder_id, text, vector) for text, vector in zip(texts, vectors, strict=True))
        db.executemany("INSERT OR REPLACE INTO texts VALUES (?, ?, ?)", rows)
        db.execute("UPDATE encoders SET logit_scale = ? WHERE id = ?", (logit_scale, encoder_id))


def logit_scale(db: Database, encoder_id: int) -> float | None:
    """The encoder's logit scale; None where it has encoded no text here."""
    value = db.value("SELECT logit_scale FROM encoders WHERE id = ?", (encoder_id,))
    return None if value is None else float(value)
