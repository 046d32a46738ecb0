"""What a scan and an embed job do to the catalog, in few words."""

from core.catalog import encoders, images
from core.catalog.database import Database
from core.catalog.encoders import EncoderRecord
from core.catalog.images import Image
from core.catalog.sources import Source


def content(name: str) -> bytes:
    """A content hash."""
    return name.encode().ljust(16, b".")


def add(db: Database, source: Source, *paths: bytes) -> list[int]:
    """New files, as a scan records them; gives their ids."""
    with db.transaction():
        images.add(db, source.id, [(path, 100, 1) for path in paths])
    return [db.value("SELECT id FROM images WHERE path = ?", (path,)) for path in paths]


def embed(db: Database, encoder: EncoderRecord, pictures: list[tuple[int, bytes]]) -> list[int]:
    """Pictures of given contents, as an embed job commits them; gives their ids from then on."""
    known = encoders.known_hashes(db, encoder.id)
    new = [what for what in dict.fromkeys(what for _, what in pictures) if what not in known]
    with db.transaction():
        images.add_contents(db, [(what, 64, 48, "JPEG") for what in new])
        encoders.add_embeddings(db, encoder.id, new, encoders.get(db, encoder.id).rows)
        return images.mark_ready(db, pictures)


def by_path(db: Database, source: Source) -> dict[bytes, Image]:
    """Every picture of a source by its path, missing ones too."""
    return {listed.path: images.get(db, listed.id) for listed in images.listed(db, source.id)}
