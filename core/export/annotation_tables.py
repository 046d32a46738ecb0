"""Picture -> class as a table: annotations.csv and annotations.parquet, with the same rows."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from core.catalog.paths import path_fields
from core.export.annotation_contents import AnnotationContents
from core.export.annotation_document import Where
from core.export.document import finite

CSV_NAME = "annotations.csv"
PARQUET_NAME = "annotations.parquet"
COLUMNS = (
    *("path", "path_b64", "source", "class_index", "class", "confidence", "margin", "similarity", "none_score"),
    *("corrected", "split", "file", "hash", "width", "height", "url", "tags"),
)
"""As in metadata.json; `similarity` is the raw cosine to the prompts of the picture's class.

`tags` are the lists, or the subreddit, that name a downloaded picture, with semicolons between them.
"""
CHUNK = 10_000

Row = tuple[Any, ...]


def write_csv(folder: Path, contents: AnnotationContents, where: Where, *, checkpoint: Callable[[], None]) -> None:
    """Writes annotations.csv: UTF-8, a header, `true` and `false`, nothing for what there is not."""
    with open(folder / CSV_NAME, "x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for rows in _chunks(contents, where):
            checkpoint()
            writer.writerows([str(v).lower() if isinstance(v, bool) else v for v in row] for row in rows)


def write_parquet(folder: Path, contents: AnnotationContents, where: Where, *, checkpoint: Callable[[], None]) -> None:
    """Writes annotations.parquet, a row group a chunk; null for what there is not."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {
        **dict.fromkeys(COLUMNS, pa.string()),
        **dict.fromkeys(("source", "class_index", "width", "height"), pa.int32()),
        **dict.fromkeys(("confidence", "margin", "similarity", "none_score"), pa.float64()),
        "corrected": pa.bool_(),
    }
    schema = pa.schema([(name, kinds[name]) for name in COLUMNS])
    with open(folder / PARQUET_NAME, "xb") as file, pq.ParquetWriter(file, schema) as writer:
        for rows in _chunks(contents, where):
            checkpoint()
            columns = [list(column) for column in zip(*rows, strict=True)]
            writer.write_table(pa.table(dict(zip(COLUMNS, columns, strict=True)), schema=schema))


def _rows(contents: AnnotationContents, where: Where) -> Iterator[Row]:
    for picture in contents.pictures:
        path = path_fields(picture.path)
        index = contents.index_of(picture)
        similarities = contents.similarities[contents.rows[picture.image]]
        url, tags = contents.url_of(picture) or (None, [])
        yield (
            path["path"],
            path.get("path_b64"),
            contents.source_of(picture),
            index,
            contents.name_of(picture),
            finite(picture.confidence),
            finite(picture.margin),
            finite(float(similarities[index])) if 0 <= index < len(similarities) else None,
            finite(picture.none_score),
            picture.corrected,
            where.parts.get(picture.image),
            where.files.get(picture.image),
            picture.hash.hex(),
            picture.width,
            picture.height,
            url,
            ";".join(tags) or None,
        )


def _chunks(contents: AnnotationContents, where: Where) -> Iterator[list[Row]]:
    rows = _rows(contents, where)
    while chunk := list(islice(rows, CHUNK)):
        yield chunk
