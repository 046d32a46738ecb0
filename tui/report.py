"""What a stage came to: a table for people, or one JSON document."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from core.catalog import clusterings, downloads, images, names
from core.catalog.paths import shown
from core.errors import ShoeboxError
from core.project import Project
from tui.figures import count, duration

if TYPE_CHECKING:
    from rich.table import Table

Result = dict[str, Any]
NUMERIC = frozenset({"cluster", "pictures", "cohesion", "silhouette", "dimension", "MB"})
"""Columns of numbers, which line up on the right."""


def embedding(project: Project, result: Result, *, as_json: bool) -> None:
    """What an embedding came to. Raises ShoeboxError where nothing came of it."""
    if result["failed"] and not result["done"] + result["unchanged"]:
        where = f"shoebox info {_where(project)} --failed says why"
        raise ShoeboxError(f"no picture could be embedded, {result['failed']:,} failed", where)
    if as_json:
        print_json(result)
        return
    _print_embedded(project, result)


def clusters(project: Project, result: Result, *, as_json: bool) -> None:
    """The clusters that came of it, or of the last run where it made none, and where they were written."""
    from core.export.document import clusters_document

    with project.database() as db:
        made = result.get("clustering")  # another client may have clustered since
        runs = reversed(clusterings.all_clusterings(db))
        run = next(run for run in runs if run.id == made or (made is None and not run.undone))
        if as_json:
            print_json(clusters_document(project, db, run) | _extra(result))
            return
        if "done" in result:
            _print_embedded(project, result)
        found = clusterings.clusters_of(db, run.id)
        urls = downloads.origins(db, (c.representative for c in found))
        named = {n.number: n for n in names.names_of(db, run.id)}
        print(
            f"{count(len(found), 'cluster')} of {count(run.images, 'picture')} in {duration(run.seconds)}: "
            f"{run.route}; {run.unclustered:,} unclustered, silhouette {_number(run.silhouette)}"
        )
        print_table(
            ("cluster", "name", "pictures", "quality", "alternatives", "cohesion", "silhouette", "representative"),
            [
                (
                    f"{c.number}",
                    (c.name or "") + (" (changed)" if c.changed else ""),
                    f"{c.size:,}",
                    _quality(named[c.number]),
                    ", ".join(a.name for a in named[c.number].alternatives),
                    _number(c.cohesion),
                    _number(c.silhouette),
                    urls[c.representative][0]
                    if c.representative in urls
                    else shown(images.get(db, c.representative).path),
                )
                for c in found
            ],
        )
        print_names("", dataclasses.asdict(names.overall(list(named.values()))))
    for words in _told(result):
        print(words)
    if "output" in result:
        exported(result, as_json=False)


def print_names(before: str, whole: Result) -> None:
    """The names of a run in one line, from the fields of `names.Overall`; nothing where there are none."""
    if not whole["named"]:
        return
    parts = [f"{whole['named']:,} of {count(whole['clusters'], 'cluster')} named"]
    parts += [f"{number:,} {state}" for state, number in whole["states"].items() if number and state != names.PROPOSED]
    if whole["quality"] is not None:
        parts.append(f"mean quality {whole['quality']:.2f}")
    if whole["first"] is not None:
        parts.append(f"{whole['first']:.0%} of the pictures rank the name of their cluster first")
    if whole["twins"]:
        parts.append(f"{whole['twins']:,} with a twin")
    print(before + ", ".join(parts))


def _told(result: Result) -> list[str]:
    """What naming has to say, and what it took."""
    naming = result.get("naming") or {}
    said = [spent(naming)] if naming.get("calls") else []
    said += naming.get("told", [])
    if naming.get("stopped"):
        said.append(f"stopped: {naming['stopped']}; what was done is kept, the same command goes on from there")
    return said


def _quality(naming: names.ClusterName) -> str:
    """How well a name fits, and which clusters are named like it."""
    figure = "" if naming.quality is None else f"{naming.quality.figure:.2f}"
    return f"{figure} twin of {', '.join(map(str, naming.twins))}".strip() if naming.twins else figure


def labelled(project: Project, result: Result, expected: Result, *, as_json: bool) -> None:
    """What labelling came to, and what it took."""
    if as_json:
        print_json(result | {"estimate": expected})
        return
    failed = f", {result['unlabelled']:,} without one" if result["unlabelled"] else ""
    print(f"{count(result['labelled'], 'picture')} with a label{failed}; {spent(result)}")
    for words in result["told"]:
        print(words)
    if result["stopped"]:
        print(f"stopped: {result['stopped']}; what was done is kept, the same command goes on from there")


def spent(result: Result) -> str:
    """What calls to a language model took."""
    price = f", ${result['cost']:.4f}" if result.get("cost") is not None else ""
    tokens = f"{result['input_tokens']:,} tokens in, {result['output_tokens']:,} out"
    return f"{count(result['calls'], 'call')}, {tokens}{price}"


def exported(result: Result, *, as_json: bool) -> None:
    """Where an export went."""
    if as_json:
        print_json(result)
        return
    output = shown(os.fsencode(result["output"]))
    what = f", {result['vectors']:,} vectors" if result["vectors"] else ""
    print(f"written to {output}: {count(result['files'], 'picture')}{what}, and the lists of them")
    if result["unclustered_left_out"]:
        print(f"{result['unclustered_left_out']:,} unclustered left out: shoebox export --unclustered takes them along")
    if result.get("skipped"):
        print(f"{count(len(result['skipped']), 'picture')} left out: see {output}/clusters.json")
    if truth := result.get("truth"):
        print(
            f"against {count(truth['classes'], 'folder')} of {count(truth['pictures'], 'picture')}:"
            f" purity {truth['purity']:.3f}, ARI {truth['ari']:.3f}, NMI {truth['nmi']:.3f}, AMI {truth['ami']:.3f}"
        )


def detached(project: Project, job_id: int, *, as_json: bool) -> None:
    """That a job goes on by itself."""
    if as_json:
        print_json({"job": job_id})
    else:
        print(f"job {job_id} goes on by itself: shoebox info {_where(project)} shows how far it is")


def print_json(document: Any) -> None:
    """One JSON document on stdout."""
    json.dump(document, sys.stdout, ensure_ascii=False, indent=1, allow_nan=False)
    print()


def print_table(header: tuple[str, ...], rows: list[tuple[str, ...]], *, needed: int = 3) -> None:
    """A table without lines, its columns as wide as they need to be; columns with nothing in them are left out.

    In a narrow terminal columns go from the right until it fits, down to the first `needed` of them.
    """
    from rich.console import Console

    # Who reads it from a pipe wants it uncut.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 1000)
    used = [index for index in range(len(header)) if any(row[index] for row in rows)]
    while len(used) > needed and sum(_width(index, header, rows) for index in used) > console.width:
        used.pop()
    console.print(_table([header[index] for index in used], [[row[index] for index in used] for row in rows]))


def _width(index: int, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> int:
    """What a column takes, with the space between columns, in cells."""
    from rich.cells import cell_len

    return max(cell_len(row[index]) for row in (header, *rows)) + 3


def _table(header: list[str], rows: list[list[str]]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in header:
        table.add_column(title, justify="right" if title in NUMERIC else "left", overflow="ellipsis")
    for row in rows:
        table.add_row(*(Text(cell, no_wrap=True) for cell in row))
    return table


def downloaded(project: Project, result: Result, *, as_json: bool) -> None:
    """What downloads came to. Raises ShoeboxError where nothing came of them."""
    came = result["downloads"]
    if came["in_all"]["reasons"] and not came["in_all"]["done"]:
        raise ShoeboxError("nothing was downloaded", _not_downloaded(project, came["in_all"]))
    if as_json:
        print_json(result)
        return
    _print_downloaded(project, came)


def _print_downloaded(project: Project, came: Result) -> None:
    in_all = came["in_all"]
    parts = [f"{count(came['downloaded'], 'picture')} downloaded, {came['megabytes']:,.1f} MB"]
    if in_all["duplicates"]:
        parts.append(f"{in_all['duplicates']:,} of all {in_all['done']:,} the same as another")
    print(", ".join(parts))
    if in_all["reasons"]:
        print(f"not downloaded: {_not_downloaded(project, in_all)}")
    if came["bad_lines"]:
        print(f"{count(came['bad_lines'], 'line')} passed over: {came['bad'][0]}")


def _not_downloaded(project: Project, in_all: Result) -> str:
    """What did not come, counted by reason, and what to do about it."""
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in in_all["reasons"].items())
    return f"{reasons}: shoebox info {_where(project)} --failed lists them{_what_helps(in_all)}"


def _what_helps(in_all: Result) -> str:
    """Which options bring what did not come."""
    lifts = {
        "private address": "--allow-private takes private addresses",
        "too large": "--max-file-mb N takes larger files",
    }
    said = [words for reason, words in lifts.items() if reason in in_all["reasons"]]
    said += ["--retry-failed tries the others again"] if in_all["failed"] else []
    return f"; {', '.join(said)}" if said else ""


def _print_embedded(project: Project, result: Result) -> None:
    if "downloads" in result:
        _print_downloaded(project, result["downloads"])
    parts = [f"{count(result['done'], 'picture')} embedded"]
    if result["done"]:
        rate = (result["done"] + result["failed"]) / max(result["seconds"], 0.01)
        parts[0] += f" in {duration(result['seconds'])} ({rate:,.0f} a second)"
    if result["reused"]:
        parts.append(f"{result['reused']:,} of them known by content")
    if result["unchanged"]:
        parts.append(f"{result['unchanged']:,} unchanged")
    print(", ".join(parts))
    for source in result.get("scan", {}).get("unreachable", ()):
        print(f"left as it was: {source['reason']}")
    if result["failed"]:
        print(f"{count(result['failed'], 'picture')} failed: shoebox info {_where(project)} --failed says why")


def _extra(result: Result) -> Result:
    extra: Result = {name: result[name] for name in ("output", "truth", "naming", "downloads") if name in result}
    if "done" in result:  # the stage came before
        names = ("done", "reused", "unchanged", "failed", "seconds")
        extra["embedding"] = {name: result[name] for name in names}
    return extra


def _where(project: Project) -> str:
    from core.project import FOLDER_NAME

    folder = project.directory
    option, folder = ("", folder.parent) if folder.name == FOLDER_NAME else ("--project ", folder)
    return option + shown(os.fsencode(folder))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
