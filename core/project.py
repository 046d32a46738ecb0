"""Project: one handle on a project's catalog, vectors, thumbnails and settings."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.catalog import encoders, sources
from core.catalog.database import Database, migrate
from core.catalog.paths import shown
from core.catalog.sources import Source
from core.catalog.thumbnails import ThumbnailStore
from core.catalog.vectors import VectorFile
from core.errors import ShoeboxError, UsageError
from core.settings import Settings, load
from core.sources.places import REMOTE, Place, beside, parse_place
from core.sources.store import FOLDER as DOWNLOADS

FOLDER_NAME = ".shoebox"
CATALOG_NAME = "catalog.sqlite"
PARENT_ROOT = b".."
"""How a source's root is stored where the project lies inside it: the two move together."""

_NETWORK_FILE_SYSTEMS = frozenset(
    (
        *("9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs"),
        *("nfs4", "ocfs2", "orangefs", "panfs", "smb2", "smb3", "smbfs", "vboxsf", "wekafs"),
        *("fuse.blobfuse", "fuse.blobfuse2", "fuse.cephfs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.goofys"),
        *("fuse.juicefs", "fuse.mount-s3", "fuse.mountpoint-s3", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    )
)


@dataclass(frozen=True)
class Project:
    """A project on disk. Cheap to make and to send to another process by its `directory`."""

    directory: Path
    """Where vectors, settings and log are."""
    state_dir: Path
    """Where the SQLite files and locks are: `directory`, or a local folder where that is on a network."""
    notices: tuple[str, ...] = field(default=(), compare=False)
    """What the user should know of where things were put."""

    @property
    def catalog_path(self) -> Path:
        """The catalog's file."""
        return self.state_dir / CATALOG_NAME

    @property
    def log_path(self) -> Path:
        """The log of the worker and of the commands."""
        return self.directory / "shoebox.log"

    @property
    def lock_path(self) -> Path:
        """The file whose lock the worker holds."""
        return self.state_dir / "worker.lock"

    def database(self, *, durable: bool = True, shared: bool = False) -> Database:
        """A connection of the calling thread's own, or one that several threads take turns with (`shared`)."""
        return Database(self.catalog_path, durable=durable, shared=shared)

    def vector_file(self, encoder: encoders.EncoderRecord) -> VectorFile:
        """The vectors of an encoder."""
        return VectorFile(self.directory / "vectors" / f"{encoder.fingerprint}.f16", encoder.dimension)

    def thumbnails(self, settings: Settings) -> ThumbnailStore:
        """The thumbnails, for the calling thread."""
        return ThumbnailStore(self.state_dir / "thumbs.sqlite", max_bytes=settings.thumbnails_mb * 1_000_000)

    def settings(self, environment: Mapping[str, str], overrides: Mapping[str, Any]) -> Settings:
        """The settings in force for this project."""
        return load(self.directory, environment, overrides)

    @property
    def downloads(self) -> Path:
        """Where downloaded pictures lie."""
        return self.directory / DOWNLOADS

    def root_of(self, source: Source) -> bytes:
        """Where a source's pictures lie now: an absolute path."""
        if source.kind in REMOTE:
            return os.fsencode(self.downloads)
        joined = os.path.join(os.fsencode(self.directory), source.root)
        return os.path.normpath(joined) if source.root == PARENT_ROOT else joined


def open_project(folder: str | os.PathLike[str] | None, project_dir: str | os.PathLike[str] | None = None) -> Project:
    """Opens the project of a folder of pictures, and makes it where there is none.

    `folder` may be any source (core.sources.places): what is downloaded gets `./NAME.shoebox`. `project_dir` puts it
    elsewhere than `folder/.shoebox`. A folder that cannot be written gets its project under
    the user's data directory; on a network file system the catalog goes there too. Both are said in `notices`.
    Without `folder` the project must exist. Raises ShoeboxError where there is no such folder or project, or the
    catalog is of a newer version.
    """
    if folder is None and project_dir is None:
        raise UsageError("no folder was given", "name a folder of pictures, or a project with --project DIR")
    place = None if folder is None else parse_place(folder)
    if place is not None and place.remote:
        return _open_remote(place, project_dir)
    source = None if folder is None else _existing_folder(folder)
    if project_dir is None:
        assert source is not None
        directory, notices = _directory_beside(source)
    else:
        directory, notices = _project_in(_resolved(project_dir)), []
        if source is None and not _exists(directory):
            raise ShoeboxError(f"there is no project in {directory}", "check --project, or name a folder of pictures")
        _make_new(directory)
    state_dir = _state_dir(directory, notices)
    project = Project(directory, state_dir, tuple(notices))
    migrate(project.catalog_path)
    if source is not None:
        _remember_source(project, source)
    return project


def _open_remote(place: Place, project_dir: str | os.PathLike[str] | None) -> Project:
    """The project of a source that is downloaded; named by --project, it may have other sources, too."""
    directory = beside(place) if project_dir is None else _project_in(_resolved(project_dir))
    is_new = not _exists(directory)
    _make_new(directory)
    notices: list[str] = []
    project = Project(directory, _state_dir(directory, notices), tuple(notices))
    migrate(project.catalog_path)
    if not is_new and project_dir is None:
        _require_place(project, place)
    with project.database() as db:
        if _place_in(db, place) is None:
            sources.add(db, place.kind, os.fsencode(place.root))
    return project


def _require_place(project: Project, place: Place) -> None:
    with project.database() as db:
        known = sources.all_sources(db)
        if known and _place_in(db, place) is None:
            whose = shown(known[0].root)
            raise ShoeboxError(f"{project.directory} is the project of {whose}", "name another with --project DIR")


def _place_in(db: Database, place: Place) -> Source | None:
    wanted = (place.kind, os.fsencode(place.root))
    return next((source for source in sources.all_sources(db) if (source.kind, source.root) == wanted), None)


def find_project(folder: str | os.PathLike[str] | None, project_dir: str | os.PathLike[str] | None = None) -> Project:
    """The project that `open_project` would open, if it exists: for those who only ask.

    Raises ShoeboxError where there is none.
    """
    place = None if folder is None else parse_place(folder)
    if place is not None and place.remote:
        return _find_remote(place, project_dir)
    if project_dir is not None or folder is None:
        project = open_project(None, project_dir)
        if folder is not None and not _has_source(project, _resolved(folder)):
            raise ShoeboxError(f"the project {project.directory} is not of {folder}", "leave one of the two out")
        return project
    source = _resolved(folder)
    found = [folder for folder in (source / FOLDER_NAME, _user_dir("projects", source)) if _exists(folder)]
    if found:
        return open_project(None, next(filter(_writable, found), found[0]))
    raise ShoeboxError(f"there is no project for {folder} yet", f"shoebox embed {folder} makes one")


def _find_remote(place: Place, project_dir: str | os.PathLike[str] | None) -> Project:
    directory = beside(place) if project_dir is None else _resolved(project_dir)
    if project_dir is None and not _exists(directory):
        raise ShoeboxError(f"there is no project for {place.root} here yet", f"shoebox embed {place.root} makes one")
    project = open_project(None, directory)
    _require_place(project, place)
    return project


def reopen(directory: Path) -> Project:
    """The project in `directory`, which exists: for a process that was told of it."""
    return Project(directory, _state_dir(directory, []))


def _project_in(directory: Path) -> Path:
    """The project that is meant: a folder of pictures stands for the one inside it."""
    inside = directory / FOLDER_NAME
    return inside if not _exists(directory) and _exists(inside) else directory


def _has_source(project: Project, folder: Path) -> bool:
    with project.database() as db:
        return any(project.root_of(source) == os.fsencode(folder) for source in sources.all_sources(db))


def _resolved(path: str | os.PathLike[str]) -> Path:
    path = os.path.expanduser(path)  # noqa: PTH111 - pathlib's raises for an unknown ~user, and its resolve for loops
    return Path(os.path.realpath(path))


def _existing_folder(folder: str | os.PathLike[str]) -> Path:
    resolved = _resolved(folder)
    try:
        is_folder = stat.S_ISDIR(resolved.stat().st_mode)
    except FileNotFoundError as error:
        raise ShoeboxError(f"{shown(os.fsencode(folder))} does not exist", "name a folder of pictures") from error
    except OSError as error:
        what = f"cannot look at {shown(os.fsencode(folder))} ({error.strerror})"
        raise ShoeboxError(what, "check the path and its permissions") from error
    if not is_folder:
        raise ShoeboxError(f"{shown(os.fsencode(folder))} is a file, not a folder", "name a folder of pictures")
    return resolved


def _remember_source(project: Project, source: Path) -> None:
    root = PARENT_ROOT if project.directory == source / FOLDER_NAME else os.fsencode(source)
    with project.database() as db:
        if all((s.kind, s.root) != ("folder", root) for s in sources.all_sources(db)):
            sources.add(db, "folder", root)


def _directory_beside(source: Path) -> tuple[Path, list[str]]:
    directory = source / FOLDER_NAME
    try:
        directory.mkdir(exist_ok=True)
        if _writable(directory):
            return directory, []
    except OSError:
        pass
    elsewhere = _user_dir("projects", source)
    _make(elsewhere)
    return elsewhere, [f"{source} cannot be written: its project is in {elsewhere}"]


def _make_new(directory: Path) -> None:
    _make(directory)
    if not _exists(directory) and any(directory.iterdir()):
        raise ShoeboxError(f"{directory} is not empty, and no project", "name a new folder with --project DIR")


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ShoeboxError(
            f"cannot make the project folder {directory} ({error.strerror})", "name another one with --project DIR"
        ) from error
    if not _writable(directory):
        raise ShoeboxError(f"cannot write the project folder {directory}", "name another one with --project DIR")


def _writable(directory: Path) -> bool:
    return os.access(directory, os.W_OK | os.X_OK)


def _state_dir(directory: Path, notices: list[str]) -> Path:
    """SQLite's WAL needs shared memory, which no network file system gives."""
    kind = file_system(directory)
    if kind not in _NETWORK_FILE_SYSTEMS:
        return directory
    local = _user_dir("catalogs", directory)
    _make(local)
    notice = f"{directory} is on a network file system ({kind}): its catalog is in {local}"
    if file_system(local) in _NETWORK_FILE_SYSTEMS:
        notice += ", on the network too: work on it from one machine at a time, or set XDG_DATA_HOME to a local folder"
    notices.append(notice)
    return local


def file_system(path: Path) -> str:
    """The type of the file system that holds `path`, as the system calls it ("ext4", "nfs4"); "" where unknown."""
    import psutil

    mounts = {p.mountpoint: p.fstype for p in psutil.disk_partitions(all=True)}
    for folder in (path.resolve(), *path.resolve().parents):
        if str(folder) in mounts:
            return str(mounts[str(folder)]).lower()
    return ""


def _exists(directory: Path) -> bool:
    folders = (directory, _user_dir("catalogs", directory))
    return any(os.path.exists(folder / CATALOG_NAME) for folder in folders)


def _user_dir(kind: str, folder: Path) -> Path:
    import platformdirs

    key = hashlib.blake2b(os.fsencode(folder), digest_size=6).hexdigest()
    return platformdirs.user_data_path("shoebox") / kind / f"{folder.name or 'root'}-{key}"
