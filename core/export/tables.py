"""Picture -> cluster as a table: clusters.csv and clusters.parquet, with the same rows.

Cells of the CSV are what they are: a path that begins with `=` or `+` gets no apostrophe before it, since the
file is there to be joined on paths by programs. Whoever opens it in a spreadsheet should import the columns as text.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from core.catalog.clusterings import Member
from core.catalog.paths import path_fields
from core.export.contents import Contents, Group
from core.export.document import finite

CSV_NAME = "clusters.csv"
PARQUET_NAME = "clusters.parquet"
COLUMNS = (
    *("path", "path_b64", "source", "cluster", "name", "score", "representative", "preview"),
    *("hash", "width", "height", "file", "url", "tags"),
)
"""As in clusters.json; `path_b64`, `cluster` (the unclustered), `name`, `file`, `url` and `tags` may be empty.

`tags` are the lists, or the subreddit, that name a downloaded picture, with semicolons between them.
"""
CHUNK = 10_000
"""Rows written at a time."""

Row = tuple[Any, ...]


def table_rows(contents: Contents, files: Mapping[int, str]) -> Iterator[Row]:
    """The rows, cluster by cluster, nearest the centre first, the unclustered last."""
    for group in contents.groups:
        previews = set(group.previews)
        for place, member in enumerate(group.members):
            yield _row(contents, member, group, place == group.representative, place in previews, files)
    for member in contents.unclustered:
        yield _row(contents, member, None, False, False, files)


def write_csv(folder: Path, contents: Contents, files: Mapping[int, str], *, checkpoint: Callable[[], None]) -> None:
    """Writes clusters.csv: UTF-8, a header, `true` and `false`, nothing for what there is not."""
    with open(folder / CSV_NAME, "x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for rows in _chunks(table_rows(contents, files)):
            checkpoint()
            writer.writerows([_cell(value) for value in row] for row in rows)


def write_parquet(
    folder: Path, contents: Contents, files: Mapping[int, str], *, checkpoint: Callable[[], None]
) -> None:
    """Writes clusters.parquet, a row group a chunk; null for what there is not."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {
        **dict.fromkeys(COLUMNS, pa.string()),
        **dict.fromkeys(("source", "cluster", "width", "height"), pa.int32()),
        **dict.fromkeys(("representative", "preview"), pa.bool_()),
        "score": pa.float64(),
    }
    schema = pa.schema([(name, kinds[name]) for name in COLUMNS])
    with open(folder / PARQUET_NAME, "xb") as file, pq.ParquetWriter(file, schema) as writer:
        for rows in _chunks(table_rows(contents, files)):
            checkpoint()
            columns = [list(column) for column in zip(*rows, strict=True)]
            writer.write_table(pa.table(dict(zip(COLUMNS, columns, strict=True)), schema=schema))


def _row(
    contents: Contents,
    member: Member,
    group: Group | None,
    is_representative: bool,
    is_preview: bool,
    files: Mapping[int, str],
) -> Row:
    path = path_fields(member.path)
    url, tags = contents.url_of(member) or (None, [])
    return (
        path["path"],
        path.get("path_b64"),
        contents.source_of(member),
        group.number if group else None,
        group.name if group else None,
        finite(member.score),
        is_representative,
        is_preview,
        member.hash.hex(),
        member.width,
        member.height,
        files.get(member.image),
        url,
        ";".join(tags) or None,
    )


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk
