"""The stages as plain commands: a request becomes a job, the job's result becomes text or JSON."""

from __future__ import annotations

import dataclasses
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.catalog import clusterings, curation, images, replies, sources
from core.catalog.jobs import NEEDS_KEY
from core.clustering.settings import ClusterSettings
from core.errors import ShoeboxError, UsageError
from core.jobs.client import Client
from core.jobs.embed import recorded_encoder
from core.jobs.environment import has_key
from core.project import Project, open_project
from core.settings import Settings, environment_of
from tui import consent, options, report
from tui.downloads import announce
from tui.figures import count
from tui.follow import follow

STAGES = ("embed", "cluster", "name", "export")
Given = dict[str, Any]


@dataclass
class Request:
    """What every stage was given."""

    path: Path | str | None
    """A folder or a list; a text for a source that is no file."""
    project: Path | None = None
    settings: Given = field(default_factory=dict)
    as_json: bool = False
    quiet: bool = False
    detach: bool = False
    live: bool = False
    yes: bool = False
    source: Given = field(default_factory=dict)

    @classmethod
    def of(cls, given: Given) -> Request:
        """The request in a command's parameters."""
        asked = {name: given.get(name) for name in options.REMOTE_OPTIONS}
        source = {name: value for name, value in asked.items() if value is not None and value is not False}  # 0: all
        flags = {name: given.get(name, False) for name in ("as_json", "quiet", "detach", "live", "yes")}
        return cls(given["path"], given["project"], options.settings_of(given), source=source, **flags)

    def open(self) -> Project:
        """The project, made where there is none; says where it was put if that is not where one looks for it."""
        project = open_project(self.path, self.project)
        for notice in project.notices:
            options.error(notice)
        return project

    def open_existing(self) -> Project:
        """The project, which must exist."""
        from core.project import find_project

        return find_project(self.path, self.project)

    def environment(self, project: Project) -> dict[str, str]:
        """The environment, with the `.env` beside the project."""
        return environment_of(project.directory.parent)

    def settings_for(self, project: Project) -> Settings:
        """The settings in force."""
        return project.settings(self.environment(project), self.settings)


def stages_of(text: str) -> tuple[str, ...]:
    """The stages named in `--stages`. Raises UsageError for one there is not."""
    named = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = [stage for stage in named if stage not in STAGES]
    if unknown or not named:
        raise UsageError(
            f"--stages: there is no stage {', '.join(unknown) or 'named'}", f"there are {', '.join(STAGES)}"
        )
    return named


def clustering_of(given: Given) -> Given:
    """The clustering options of a command, as fields of ClusterSettings."""
    names = ("method", "clusters", "min_cluster_ratio", "max_cluster_ratio", "min_cluster_size")
    return {name: given[name] for name in names}


def naming_of(given: Given) -> Given:
    """The naming options of a command, as the job `name` takes them once `_with_numbers` knew the clusters."""
    naming: Given = {"namer": given["namer"], "vocabulary": given["vocabulary"], "again": given.get("again", False)}
    if given.get("numbers") is not None:
        naming["clusters"] = given["numbers"]
    if given.get("hint"):
        if not naming.get("clusters"):
            raise UsageError("--hint is about no cluster", "name the clusters with --clusters")
        naming["hint"] = given["hint"]
    return naming


def export_of(given: Given) -> Given:
    """The export options of a command, as fields of ExportSettings."""
    names = ("output", "mode", "truth", "what", "unclustered", "run")
    chosen = {name: given[name] for name in names if given.get(name) is not None}
    if given.get("numbers") is not None:
        chosen["clusters"] = given["numbers"]
    return chosen


def run_stages(request: Request, stages: tuple[str, ...], *, clustering: Given, naming: Given, export: Given) -> None:
    """`shoebox run`: several stages, and what came of them."""
    naming = _checked(naming) if "name" in stages else {}
    _run_stages(request, request.open(), stages, clustering, naming, export)


def _run_stages(
    request: Request, project: Project, stages: tuple[str, ...], clustering: Given, naming: Given, export: Given
) -> None:
    settings = request.settings_for(project)
    params: Given = {
        "settings": dataclasses.asdict(settings),
        "live": request.live,
        "clustering": dataclasses.asdict(_cluster_settings(clustering, settings)),
        "naming": naming,
        "export": _export_params(project, export),
    }
    if "name" in stages and naming.get("namer") == "openai":
        result = _with_language_model(request, project, settings, stages, params)
    else:
        result = do_job(request, project, "run", params | {"stages": list(stages)})
    if result is None:
        return
    if {"cluster", "name", "export"} & set(stages):
        report.clusters(project, result, as_json=request.as_json)
    else:
        report.embedding(project, result, as_json=request.as_json)


def _with_language_model(
    request: Request, project: Project, settings: Settings, stages: tuple[str, ...], params: Given
) -> Given | None:
    """The stages as several jobs: what naming takes can be told, and agreed to, only once there are clusters."""
    if request.detach:
        raise UsageError(
            "--detach and --namer openai do not go together here",
            "run --stages embed,cluster --detach first, then shoebox name --namer openai --detach",
        )
    environment = request.environment(project)
    consent.check(project, settings, environment, given=request.settings, yes=request.yes)
    result: Given = {}
    if before := [stage for stage in stages if stage in ("embed", "cluster")]:
        result |= do_job(request, project, "run", params | {"stages": before}) or {}
    result["naming"] = _ask_for_names(request, project, settings, params["naming"])
    if "export" in stages:
        result |= do_job(request, project, "run", params | {"stages": ["export"]}) or {}
    return result


def run_embed(request: Request) -> None:
    """`shoebox embed`."""
    project = request.open()
    settings = request.settings_for(project)
    result = do_job(request, project, "embed", {"settings": dataclasses.asdict(settings), "live": request.live})
    if result is not None:
        report.embedding(project, result, as_json=request.as_json)


def run_download(request: Request) -> None:
    """`shoebox download`: what embed does first, alone."""
    project = request.open()
    settings = request.settings_for(project)
    result = do_job(request, project, "download", {"settings": dataclasses.asdict(settings)})
    if result is not None:
        report.downloaded(project, result, as_json=request.as_json)


def run_cluster(request: Request, clustering: Given) -> None:
    """`shoebox cluster`; a folder that was never embedded is embedded first."""
    project = request.open()
    settings = request.settings_for(project)
    if not is_embedded(project, settings):
        _run_stages(request, project, ("embed", "cluster"), clustering, {}, {})
        return
    params = {
        "settings": dataclasses.asdict(settings),
        "clustering": dataclasses.asdict(_cluster_settings(clustering, settings)),
        "scan": True,
    }
    result = do_job(request, project, "cluster", params)
    if result is not None:
        report.clusters(project, result, as_json=request.as_json)


def run_label(request: Request, numbers: str | None, *, retry: bool) -> None:
    """`shoebox label`: what it takes is told, and consent asked for, before the job."""
    project = request.open()
    settings = request.settings_for(project)
    environment = request.environment(project)
    consent.check(project, settings, environment, given=request.settings, yes=request.yes)
    if not _is_clustered(project):
        do_job(dataclasses.replace(request, detach=False), project, "run", _sorting(settings))
    chosen = None if numbers is None else _numbers(project, numbers)
    if retry:
        with project.database() as db:
            replies.forget_failed_labels(db)
    expected = consent.prepare(
        project, settings, environment, stage="label", numbers=chosen, given=request.settings, yes=request.yes
    )
    params = {
        "settings": dataclasses.asdict(settings),
        "clusters": chosen,
        NEEDS_KEY: has_key(environment),
    }
    result = do_job(request, project, "label", params)
    if result is not None:
        report.labelled(project, result, expected, as_json=request.as_json)


def run_name(request: Request, naming: Given) -> None:
    """`shoebox name`; what was never clustered is embedded and clustered first."""
    naming = _checked(naming)
    project = request.open()
    settings = request.settings_for(project)
    if naming.get("namer") == "openai":
        consent.check(project, settings, request.environment(project), given=request.settings, yes=request.yes)
    if not _is_clustered(project):
        do_job(dataclasses.replace(request, detach=False), project, "run", _sorting(settings))
    naming = _with_numbers(project, naming)
    if naming.get("namer") == "openai":
        result = _ask_for_names(request, project, settings, naming)
    else:
        result = do_job(request, project, "name", {"settings": dataclasses.asdict(settings), "naming": naming})
    if result is not None:
        report.clusters(project, {"naming": result}, as_json=request.as_json)


def _with_numbers(project: Project, naming: Given) -> Given:
    """The naming asked for, with the numbers of the clusters it names, and the hint at each of them."""
    naming = dict(naming)
    hint = naming.pop("hint", None)
    if naming.get("clusters") is not None:
        naming["clusters"] = _numbers(project, naming["clusters"])
    return naming | ({"hints": {str(number): hint for number in naming["clusters"]}} if hint else {})


def _ask_for_names(request: Request, project: Project, settings: Settings, naming: Given) -> Given | None:
    """Names by a language model: what it takes is told, and consent asked for, before the job."""
    environment = request.environment(project)
    numbers, again = naming.get("clusters"), bool(naming.get("again"))
    expected = consent.prepare(
        project,
        settings,
        environment,
        stage="name",
        numbers=numbers,
        given=request.settings,
        yes=request.yes,
        again=again,
        hints={int(number): hint for number, hint in naming.get("hints", {}).items()},
    )
    params = {"settings": dataclasses.asdict(settings), "naming": naming, NEEDS_KEY: has_key(environment)}
    result = do_job(request, project, "name", params)
    return None if result is None else result | {"estimate": expected}


def _checked(naming: Given) -> Given:
    """The naming asked for, its vocabulary read once before any work; a file is named absolutely."""
    from core.naming.words import SOURCES, load_vocabulary

    source = naming.get("vocabulary", "auto")
    if source in SOURCES:
        return naming
    file = str(Path(source).expanduser().absolute())
    load_vocabulary(file, pocket=False)
    return naming | {"vocabulary": file}


def run_export(request: Request, export: Given, *, print0: bool) -> None:
    """`shoebox export`; what was never clustered is embedded and clustered first."""
    if print0 and request.as_json:
        raise UsageError("--print0 and --json are two answers", "choose one")
    if print0:
        _print_paths(request.open_existing(), export)
        return
    project = request.open()
    settings = request.settings_for(project)
    if not _is_clustered(project):
        if export.get("clusters") is None:
            _run_stages(request, project, ("embed", "cluster", "export"), {}, {}, export)
            return
        do_job(dataclasses.replace(request, detach=False), project, "run", _sorting(settings))
    params = {"settings": dataclasses.asdict(settings), "export": _export_params(project, export), "scan": True}
    result = do_job(request, project, "export", params)
    if result is not None:
        report.exported(result, as_json=request.as_json)


def run_trash(request: Request, files: tuple[Path, ...], *, restore: bool) -> None:
    """`shoebox trash`: pictures into the trash, or out of it."""
    project = request.open_existing()
    with project.database() as db:
        roots = {source.id: project.root_of(source) for source in sources.all_sources(db)}
        image_ids, unknown = images.find(db, roots, files)
        if unknown:
            names = ", ".join(unknown[:3])
            raise ShoeboxError(f"not in this project: {names}", "name files that shoebox info counts")
        number = (curation.restore if restore else curation.trash)(db, image_ids)
    if request.as_json:
        report.print_json({"restored" if restore else "trashed": number})
    else:
        print(f"{count(number, 'picture')} {'restored' if restore else 'put into the trash'}")


def _sorting(settings: Settings) -> Given:
    """The parameters of a job that embeds and clusters."""
    return {
        "settings": dataclasses.asdict(settings),
        "stages": ["embed", "cluster"],
        "live": False,
        "clustering": dataclasses.asdict(_cluster_settings({}, settings)),
        "export": {},
    }


def do_job(request: Request, project: Project, kind: str, params: Given) -> Given | None:
    """Has a job done and gives its result; None where it was left running."""
    environment = request.environment(project)
    if kind in ("embed", "run", "download"):
        if request.source:
            params |= {"source": request.source}
        announce(request, project, environment)
    with Client(project, environment, say=options.error) as client:
        job_id = client.submit(kind, params)
        if request.detach:
            report.detached(project, job_id, as_json=request.as_json)
            return None
        return follow(client, job_id, quiet=request.quiet or not sys.stderr.isatty())


def _cluster_settings(clustering: Given, settings: Settings) -> ClusterSettings:
    return ClusterSettings(**clustering, seed=settings.seed)


def _export_params(project: Project, export: Given) -> Given:
    """As the job takes them. A folder that cannot be written to is refused here, before any work."""
    from core.export.staging import choose_target

    output = None if export.get("output") is None else str(Path(export["output"]).expanduser().absolute())
    if output is not None:
        with project.database() as db:
            choose_target(output, os.getcwd(), [project.root_of(s) for s in sources.all_sources(db)], name=b"")
    if export.get("clusters") is not None:
        export = export | {"clusters": _numbers(project, export["clusters"], export.get("run"))}
    return export | {"output": output, "working_directory": os.getcwd()}


def _numbers(project: Project, words: str, run: int | None = None) -> list[int]:
    """The clusters that `--clusters` names, of this run or of the last one."""
    from core.export.run import run_of

    with project.database() as db:
        return clusterings.all_called(db, run_of(db, run).id, words)


def is_embedded(project: Project, settings: Settings) -> bool:
    """Whether anything is embedded with the encoder that the settings name."""
    record = recorded_encoder(project, settings)
    return record is not None and record.rows > 0


def _is_clustered(project: Project) -> bool:
    with project.database() as db:
        return clusterings.latest(db) is not None


def _print_paths(project: Project, export: Given) -> None:
    from core.export.run import member_paths, run_of

    words = export.get("clusters")
    numbers = None if words is None else _numbers(project, words, export.get("run"))
    with project.database() as db:
        for path in member_paths(project, db, run_of(db, export.get("run")), numbers):
            sys.stdout.buffer.write(path + b"\0")
    sys.stdout.buffer.flush()
