"""`shoebox annotate`: from a command's words to a job."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path
from typing import Any

from core.annotation.classes import MAX_TEXT, ClassList, ClassName, parse_classes
from core.annotation.settings import AnnotateSettings
from core.catalog import classes, clusterings, sources
from core.errors import ShoeboxError, UsageError
from core.project import Project
from tui import options, report
from tui.annotate_report import tell
from tui.class_file import decoded, read_lines
from tui.corrections import read_corrections
from tui.figures import count
from tui.stages import Request, do_job

Given = dict[str, Any]


def run_annotate(given: Given) -> None:
    """Does what the command asks, and prints what came of it."""
    if given["project"] is not None and isinstance(given["path"], Path) and not given["path"].exists():
        given |= {"path": None, "names": (str(given["path"]), *given["names"])}  # the project says where they are
    several = _encoders(given)
    request = Request.of(given | {"encoder": None, "weights": None, "model_config": None})
    if len(several) == 1:
        request.settings |= several.pop()
    asked, listed = _asked(given), _classes_given(given)
    prompts = _prompts(given["prompts"])
    ratios = _ratios(given["splits"])
    if given["dry_run"]:
        _show_prompts(_known_classes(request, listed), _known_prompts(request, prompts), as_json=request.as_json)
        return
    project = request.open()
    export = None if given["output"] is None else _export(project, given["output"], given["mode"], ratios)
    if given["from_clusters"]:
        listed = _from_clusters(project)
    wanted = _wanted(project, listed, given["head"])
    names = [c.name for c in wanted]
    corrections = read_corrections(given["corrections"], names, project) if given["corrections"] else []
    with project.database() as db:
        classes.set_classes(db, [(c.name, c.phrases) for c in wanted], prompts)
    settings = request.settings_for(project)
    asked = AnnotateSettings(**dataclasses.asdict(asked) | {"seed": settings.seed})
    for name in ("weights", "model_config"):
        several = [
            own | {name: str(Path(own[name]).expanduser().absolute())} if own.get(name) else own for own in several
        ]
    params: Given = {
        "settings": dataclasses.asdict(settings),
        "annotation": dataclasses.asdict(asked),
        "encoders": several,
        "corrections": corrections,
        "export": export,
    }
    result = do_job(request, project, "embed_annotate", params)
    if result is not None:
        tell(project, result, as_json=request.as_json, review=given["review"] or 0)


def _asked(given: Given) -> AnnotateSettings:
    chosen: Given = {name: given[name] for name in ("method", "threshold", "below")}
    chosen |= {name: str(Path(given[name]).absolute()) for name in ("head", "save_head") if given[name]}
    if given["save_head"]:
        from core.annotation.head_file import check_place

        check_place(Path(chosen["save_head"]))  # before the work, not after it
    if given["review"] is not None:
        chosen["review"] = given["review"]
    if given["below"] is not None and given["review"] is None:
        raise UsageError("--below is about the pictures that --review lists", "give --review N too")
    return AnnotateSettings(**chosen)


def _export(project: Project, output: Path, mode: str, ratios: list[float] | None) -> Given:
    """The fields of AnnotationExport. A folder among the pictures is refused here, before any work."""
    from core.export.staging import choose_target

    with project.database() as db:
        roots = [project.root_of(source) for source in sources.all_sources(db)]
        choose_target(str(output), os.getcwd(), roots, name=b"")
    chosen: Given = {"working_directory": os.getcwd(), "output": str(output.absolute()), "mode": mode}
    return chosen | ({"splits": False} if ratios is None else {"ratios": ratios})


def _encoders(given: Given) -> list[Given]:
    """Each encoder as Settings name it; none where none is named. A file of weights is one more beside several."""
    specs = list(dict.fromkeys(given["encoder"]))
    named = {name: given[name] for name in ("weights", "model_config") if given[name] is not None}
    files = {name: str(file.expanduser().absolute()) for name, file in named.items()}  # the worker stands elsewhere
    if not files:
        return [{"encoder": spec} for spec in specs]
    if len(specs) > 1 or specs == ["pocket"]:
        return [*({"encoder": spec} for spec in specs), files]
    return [files | ({"encoder": specs[0]} if specs else {})]


def _classes_given(given: Given) -> ClassList | None:
    """The classes that the command names, in whatever way; None where it names none."""
    ways = [bool(given["names"]), given["classes"] is not None, given["from_clusters"]]
    if sum(ways) > 1:
        raise UsageError("classes are named in several ways", "give names, or --classes FILE, or --from-clusters")
    if given["names"]:
        return parse_classes(given["names"])
    return None if given["classes"] is None else parse_classes(_text(given["classes"]))


def _text(file: str) -> str:
    """A file of classes or of templates; `-` is stdin."""
    return decoded(sys.stdin.buffer.read(4 * MAX_TEXT), "the input") if file == "-" else read_lines(file)


def _prompts(given: str | None) -> classes.Prompts | None:
    """The prompts asked for: a set or a template as it stands, or the lines of a file."""
    from core.annotation.prompts import SETS, prompts_of

    if given is None:
        return None
    chosen: classes.Prompts = given
    if given not in SETS and "{" not in given:
        if not Path(given).is_file():
            raise UsageError(
                f"--prompts: there is no set and no file called {given}",
                f"use one of {', '.join(SETS)}, a template such as 'a drawing of a {{}}', or a file of templates",
            )
        lines = [line.strip() for line in _text(given).splitlines()]
        chosen = [line for line in lines if line and not line.startswith("#")]
    prompts_of([ClassName("a")], chosen)  # refuses what cannot be used
    return chosen


def _ratios(text: str) -> list[float] | None:
    from core.annotation.splits import check_ratios

    if text == "none":
        return None
    try:
        ratios = [float(part) for part in text.replace(",", "/").split("/")]
    except ValueError:
        raise UsageError(f"--splits {text} is no list of shares", "write it as 70/15/15, or none") from None
    check_ratios(ratios)
    return ratios


def _known_classes(request: Request, listed: ClassList | None) -> ClassList:
    if listed is not None:
        return listed
    project = request.open_existing()
    with project.database() as db:
        return ClassList(tuple(ClassName(c.name, c.phrases) for c in classes.in_force(db)))


def _known_prompts(request: Request, prompts: classes.Prompts | None) -> classes.Prompts:
    if prompts is not None:
        return prompts
    try:
        project = request.open_existing()
    except ShoeboxError:
        return classes.DEFAULT_PROMPTS
    with project.database() as db:
        return classes.prompts(db)


def _show_prompts(listed: ClassList, prompts: classes.Prompts, *, as_json: bool) -> None:
    from core.annotation.prompts import chosen_set, prompts_of

    if not listed.classes:
        raise UsageError("no class is named", "give the names of the classes")
    found = prompts_of(listed.classes, prompts)
    named = chosen_set(listed.names) if prompts == "auto" else prompts
    if as_json:
        told = {"prompt_set": named, "prompts": dict(zip(listed.names, found, strict=True))}
        report.print_json(told | {"notes": list(listed.notes)})
        return
    for name, own in zip(listed.names, found, strict=True):
        print(name)
        for prompt in own[:12]:
            print(f"  {prompt}")
        if len(own) > 12:
            print(f"  and {len(own) - 12} more")
    for note in listed.notes:
        options.error(note)


def _from_clusters(project: Project) -> ClassList:
    """The names of the last clusters, largest first."""
    with project.database() as db:
        run = clusterings.latest(db)
        if run is None:
            raise ShoeboxError("nothing is clustered yet", "shoebox cluster does that; then name the clusters")
        found = clusterings.clusters_of(db, run.id)
    named = [c.name.replace(": ", " - ") for c in found if c.name]
    if not named:
        raise ShoeboxError("no cluster has a name", "name the clusters first, or give the names of the classes")
    listed = parse_classes(named)
    left = len(found) - len(named)
    notes = (*listed.notes, f"{count(left, 'cluster')} without a name left out") if left else listed.notes
    return dataclasses.replace(listed, notes=notes)


def _wanted(project: Project, listed: ClassList | None, head: str | None) -> list[ClassName]:
    """The classes to be in force: those asked for, or those of the head, or those that are.

    Raises UsageError where there are none, or the head is of others.
    """
    saved = None
    if head is not None:
        from core.annotation.head_file import load_head

        saved = load_head(Path(head)).classes
    if listed is None and saved is not None:
        listed = ClassList(tuple(ClassName(name) for name in saved))
    elif listed is None:
        with project.database() as db:
            listed = ClassList(tuple(ClassName(c.name, c.phrases) for c in classes.in_force(db)))
    if not listed.classes:
        raise UsageError("no class is named", 'give them: shoebox annotate PATH dog cat "polar bear"')
    if saved is not None and sorted(saved) != sorted(listed.names):
        raise UsageError(f"the head {head} is of other classes: {', '.join(saved[:20])}", "give these, or no class")
    for note in listed.notes:
        options.error(note)
    return list(listed.classes)
