"""`shoebox search` and `shoebox twins`: a job each, and what is made of its result."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from core.catalog import clusterings, curation, downloads, rows, sources
from core.catalog.curation import Taken
from core.catalog.paths import path_fields, shown
from core.errors import ShoeboxError, UsageError
from core.project import Project
from tui import report
from tui.figures import count, duration, taken_words
from tui.stages import Given, Request, do_job, is_embedded

if TYPE_CHECKING:
    from core.catalog.clusterings import Member
    from core.catalog.database import Database
    from core.twins.run import Twins

GROUPS_SHOWN = 20


def run_search(request: Request, query: str, given: Given) -> None:
    """`shoebox search`; a folder that was never embedded is embedded first."""
    if given["print0"] and request.as_json:
        raise UsageError("--print0 and --json are two answers", "choose one")
    if request.project and not query and not given["like"] and not Path(request.path or ".").exists():
        request.path, query = None, str(request.path)  # the project is named: the one word is the query
    if not query.strip() and not given["like"]:
        raise UsageError("there is nothing to look for", "give some words, or a picture with --like FILE")
    for file in given["like"]:
        if not os.path.lexists(file):
            raise UsageError(f"there is no file {shown(os.fsencode(file))}", "give --like the path of a picture")
    project, settings = _embedded(request)
    if given["save_as"] is not None:
        _require_clustering(project)  # before the work, not after it
    params: Given = {
        "settings": settings,
        "query": query,
        "like": [str(file.absolute()) for file in given["like"]],
        "cluster": given["cluster"],
        "class": given["in_class"],
        "most": given["most"],
    }
    if given["output"]:
        output = str(given["output"].absolute())
        params["export"] = {"output": output, "mode": given["mode"], "working_directory": os.getcwd()}
    found = do_job(request, project, "search", params)
    if found is None:
        return
    with project.database() as db:
        if given["save_as"] is not None:
            found["saved_as"], taken = _save(db, found["images"], given["save_as"])
            found["taken_from"] = [each._asdict() for each in taken]
        if given["print0"]:
            _print_paths(project, db, found["images"])
        else:
            _report(project, db, found, as_json=request.as_json)


def run_twins(request: Request, *, threshold: float, keep: str, trash: bool) -> None:
    """`shoebox twins`; a folder that was never embedded is embedded first."""
    from core.twins.keep import parse_rule
    from core.twins.run import read_twins

    parse_rule(keep)
    project, settings = _embedded(request)
    params = {"settings": settings, "threshold": threshold, "keep": keep, "scan": True}
    if do_job(request, project, "twins", params) is None:
        return
    found = read_twins(project)
    if found is None:
        raise ShoeboxError("what was found is gone again", "run the command once more")
    with project.database() as db:
        trashed = curation.trash(db, [image for group in found.groups for image in group.rest]) if trash else None
        known = _members(db, (image for group in found.groups for image in (group.keep, *group.rest)), gone=True)
        if request.as_json:
            write = _Entries(project, db, downloads.origins(db, known))
            report.print_json(_twins_document(found, known, write, trashed))
        else:
            _print_twins(found, known, trashed)


def _embedded(request: Request) -> tuple[Project, Given]:
    """The project with its pictures embedded, and the settings in force."""
    project = request.open()
    settings = request.settings_for(project)
    given = dataclasses.asdict(settings)
    if not is_embedded(project, settings):
        do_job(request, project, "embed", {"settings": given, "live": False})
    return project, given


def _require_clustering(project: Project) -> int:
    with project.database() as db:
        latest = clusterings.latest(db)
    if latest is None:
        raise ShoeboxError("nothing is clustered yet", "shoebox cluster does that; then a cluster can be added")
    return latest.id


def _save(db: Database, found: list[list[int]], name: str) -> tuple[int, list[Taken]]:
    """Makes a cluster of what was found; gives its number, and from which clusters it took pictures."""
    latest = clusterings.latest(db)
    if latest is None:
        raise ShoeboxError("nothing is clustered any more", "shoebox cluster does that")
    pictures = [image for images in found for image in images]
    if not pictures:
        raise ShoeboxError("there is nothing to make a cluster of", "nothing was found")
    taken = curation.taken_from(db, latest.id, pictures)
    return curation.new_cluster(db, latest.id, pictures, name), taken


def _report(project: Project, db: Database, found: Given, *, as_json: bool) -> None:
    """The results, best first, and what became of them."""
    known = _members(db, (image for images in found["images"] for image in images))
    results = [
        (score, [known[image] for image in images if image in known])
        for images, score in zip(found["images"], found["scores"], strict=True)
    ]
    urls = downloads.origins(db, known)
    if as_json:
        document = {name: value for name, value in found.items() if name not in ("images", "scores")}
        write = _Entries(project, db, urls)
        entries = [write.entry(members[0], score) | _copies(members) for score, members in results if members]
        report.print_json(document | {"sources": write.sources, "results": entries})
        return
    table: list[tuple[str, ...]] = [
        (f"{score:.3f}", _where(members[0], urls), f"{len(members) - 1}" if len(members) > 1 else "")
        for score, members in results
        if members
    ]
    if table:
        report.print_table(("score", "picture", "copies"), table, needed=2)
    seconds = found["seconds"]
    took = f"{seconds * 1e3:.0f} ms" if seconds < 1 else duration(seconds)
    print(f"{count(len(results), 'result')}, {count(found['searched'], 'picture')} looked at in {took}")
    if "saved_as" in found:
        taken = taken_words([Taken(**each) for each in found["taken_from"]])
        print(f"made into cluster {found['saved_as']}{f', {taken}; u in the app takes it back' if taken else ''}")
    if "output" in found:
        print(f"written to {found['output']}: {count(found['files'], 'picture')}, and results.json")


def _copies(members: list[Member]) -> Given:
    return {"copies": [path_fields(member.path) for member in members[1:]]}


class _Entries:
    """Pictures as the documents have them: `source` is the position in `sources`, as in clusters.json."""

    def __init__(self, project: Project, db: Database, urls: dict[int, tuple[str, list[str]]]) -> None:
        from core.export.contents import read_roots
        from core.export.document import source_entry

        roots, self._places = read_roots(project, db)
        self.sources = [source_entry(root) for root in roots]
        self._urls = urls

    def entry(self, member: Member, score: float | None = None) -> Given:
        """A picture, with its score where it has one."""
        entry: Given = {
            **path_fields(member.path),
            **({} if score is None else {"score": score}),
            "source": self._places[member.source],
            "width": member.width,
            "height": member.height,
            "hash": member.hash.hex(),
        }
        if member.image in self._urls:
            entry["url"], entry["tags"] = self._urls[member.image]
        return entry


def _where(member: Member, urls: dict[int, tuple[str, list[str]]]) -> str:
    return urls[member.image][0] if member.image in urls else shown(member.path)


def _print_paths(project: Project, db: Database, found: list[list[int]]) -> None:
    """Absolute paths, the best first; of copies one."""
    known = _members(db, (images[0] for images in found))
    roots = {source.id: project.root_of(source) for source in sources.all_sources(db)}
    for images in found:
        if member := known.get(images[0]):
            sys.stdout.buffer.write(os.path.join(roots[member.source], member.path) + b"\0")
    sys.stdout.buffer.flush()


def _members(db: Database, image_ids: Iterable[int], *, gone: bool = False) -> dict[int, Member]:
    return rows.members_at(db, list(image_ids), gone=gone)


def _twins_document(found: Twins, known: dict[int, Member], write: _Entries, trashed: int | None) -> Given:
    document: Given = {
        "threshold": found.threshold,
        "keep": found.keep,
        "encoder": found.encoder,
        "route": found.route,
        "pictures": found.pictures,
        "rest": found.rest,
        "seconds": found.seconds,
        "sources": write.sources,
        "groups": [
            {
                "keep": write.entry(known[group.keep]),
                "rest": [
                    write.entry(known[image], score) for image, score in zip(group.rest, group.scores, strict=True)
                ],
            }
            for group in found.groups
        ],
    }
    return document | ({} if trashed is None else {"trashed": trashed})


def _print_twins(found: Twins, known: dict[int, Member], trashed: int | None) -> None:
    print(
        f"{count(len(found.groups), 'group')} of twins among {count(found.pictures, 'picture')} in"
        f" {duration(found.seconds)}: {found.rest:,} could go; kept is {found.keep}"
    )
    table: list[tuple[str, ...]] = [
        (
            shown(known[group.keep].path),
            f"{known[group.keep].width} x {known[group.keep].height}",
            _few([shown(known[image].path) for image in group.rest]),
            f"{min(group.scores):.3f} to {max(group.scores):.3f}",
        )
        for group in found.groups[:GROUPS_SHOWN]
    ]
    if table:
        report.print_table(("keep", "pixels", "rest", "cosines"), table)
    if len(found.groups) > GROUPS_SHOWN:
        print(f"and {count(len(found.groups) - GROUPS_SHOWN, 'group')} more: --json has them all")
    if trashed is not None:
        print(f"{count(trashed, 'picture')} put into the trash: u in the app takes it back")
    elif found.rest:
        print("--trash puts the rest into the trash; no file is touched")


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
