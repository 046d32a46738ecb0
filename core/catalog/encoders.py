"""Which encoders a project was embedded with, and which row of their vectors holds which content."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.catalog import meta
from core.catalog.database import Database


@dataclass(frozen=True, slots=True)
class EncoderRecord:
    """An encoder as the catalog knows it. `options` is what `spec` alone does not say (weights, config)."""

    id: int
    fingerprint: str
    spec: str
    options: dict[str, Any]
    dimension: int
    rows: int

    @property
    def weights(self) -> str | None:
        """The name of the file that took the place of the published weights."""
        return Path(self.options["weights"]).name if self.options.get("weights") else None

    @property
    def model_config(self) -> str | None:
        """The name of the file that took the place of the published architecture."""
        return Path(self.options["model_config"]).name if self.options.get("model_config") else None

    @property
    def used_spec(self) -> str:
        """As much of the spec as was used: files take the place of its tag, or of its architecture, too."""
        library, _, name = self.spec.partition(":")
        if self.weights is None or not name:
            return self.spec
        if self.model_config:
            return f"{library}:{self.model_config}"
        return self.spec if name.startswith("hf-hub:") else f"{library}:{re.split('[/.]', name, maxsplit=1)[0]}"

    @property
    def label(self) -> str:
        """What people call it: the spec, or the files that took the place of its weights."""
        if self.weights is None:
            return self.spec
        return f"{self.weights} ({self.model_config})" if self.model_config else f"{self.used_spec} with {self.weights}"

    def as_dict(self) -> dict[str, Any]:
        """What a document tells of it: where files were used, by their names."""
        return {
            "spec": self.used_spec,
            "weights": self.weights,
            "model_config": self.model_config,
            "fingerprint": self.fingerprint,
            "dimension": self.dimension,
        }


def register(db: Database, *, fingerprint: str, spec: str, options: dict[str, Any], dimension: int) -> EncoderRecord:
    """The record of this fingerprint, made where it is new, and remembered as the project's last encoder."""
    with db.transaction():
        db.execute(
            "INSERT INTO encoders (fingerprint, spec, options, dimension) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (fingerprint) DO UPDATE SET spec = excluded.spec, options = excluded.options",
            (fingerprint, spec, json.dumps(options), dimension),
        )
        row = db.one("SELECT * FROM encoders WHERE fingerprint = ?", (fingerprint,))
        meta.put(db, meta.LAST_ENCODER, str(row["id"]))
    return _record(row)


def get(db: Database, encoder_id: int) -> EncoderRecord:
    """The record of one encoder, with its present count of rows."""
    return _record(db.one("SELECT * FROM encoders WHERE id = ?", (encoder_id,)))


def last(db: Database) -> EncoderRecord | None:
    """The encoder the project used last, or None where nothing was ever embedded."""
    encoder_id = meta.get(db, meta.LAST_ENCODER)
    return None if encoder_id is None else get(db, int(encoder_id))


def all_encoders(db: Database) -> list[EncoderRecord]:
    """Every encoder the project was embedded with, oldest first."""
    return [_record(row) for row in db.execute("SELECT * FROM encoders ORDER BY id")]


def known_hashes(db: Database, encoder_id: int) -> set[bytes]:
    """The contents that this encoder has embedded."""
    return {row[0] for row in db.execute("SELECT hash FROM embeddings WHERE encoder = ?", (encoder_id,))}


def add_embeddings(db: Database, encoder_id: int, hashes: Sequence[bytes], first_row: int) -> None:
    """Records contents whose vectors lie at `first_row` and on. Inside a transaction of the caller's."""
    db.executemany(
        "INSERT INTO embeddings VALUES (?, ?, ?)",
        ((encoder_id, content, first_row + offset) for offset, content in enumerate(hashes)),
    )
    db.execute("UPDATE encoders SET rows = ? WHERE id = ?", (first_row + len(hashes), encoder_id))


def forget_rows(db: Database, encoder_id: int, *, kept: int) -> None:
    """Takes back all embeddings but those in the first `kept` rows: their vectors are lost."""
    with db.transaction():
        db.execute("DELETE FROM embeddings WHERE encoder = ? AND row >= ?", (encoder_id, kept))
        db.execute("UPDATE encoders SET rows = ? WHERE id = ?", (kept, encoder_id))


def embedded_images(db: Database, encoder_id: int) -> tuple[list[int], list[int]]:
    """Image ids, and beside them their vector rows: all that are embedded, not trashed and not missing, by id."""
    ids: list[int] = []
    rows: list[int] = []
    for image_id, row in db.execute(
        "SELECT i.id, e.row FROM images i JOIN embeddings e ON e.encoder = ? AND e.hash = i.hash"
        " WHERE i.missing = 0 AND i.trashed = 0 AND i.status = 'ready' ORDER BY i.id",
        (encoder_id,),
    ):
        ids.append(image_id)
        rows.append(row)
    return ids, rows


def _record(row: Any) -> EncoderRecord:
    return EncoderRecord(
        row["id"], row["fingerprint"], row["spec"], json.loads(row["options"]), row["dimension"], row["rows"]
    )
