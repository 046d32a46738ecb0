"""Where a project is put, and that it is found again."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import core.project
from core.catalog import sources
from core.errors import ShoeboxError, UsageError
from core.project import file_system, find_project, open_project, reopen
from core.settings import Settings
from tests import programs

OPEN = """
import sys
from core.errors import ShoeboxError
from core.project import open_project
try:
    project = open_project(*sys.argv[1:])
    with project.database() as db:
        print(project.directory, *project.notices, sep="\\n")
except ShoeboxError as error:
    print("error:", error)
"""


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def roots(project) -> list[bytes]:
    """Where the project's pictures are now."""
    with project.database() as db:
        return [project.root_of(source) for source in sources.all_sources(db)]


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.jpg").write_bytes(b"x")
    return folder


def test_a_project_is_in_its_folder_and_nothing_else_is_touched(folder):
    project = open_project(folder)
    assert project.directory == project.state_dir == folder / ".shoebox"
    assert project.notices == ()
    assert tree(folder) == [".shoebox", ".shoebox/catalog.sqlite", "sub", "sub/a.jpg"]
    assert roots(project) == [os.fsencode(folder)]


def test_opening_again_finds_the_same_project(folder, tmp_path, monkeypatch):
    open_project(folder)
    before = (folder / ".shoebox" / "catalog.sqlite").read_bytes()
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(folder / "sub")
    for name in (folder, f"{folder}/", "..", tmp_path / "link"):
        assert open_project(name).directory == folder / ".shoebox"
    assert reopen(folder / ".shoebox") == open_project(None, folder / ".shoebox") == find_project(folder)
    assert len(roots(open_project(folder))) == 1
    assert (folder / ".shoebox" / "catalog.sqlite").read_bytes() == before


def test_a_moved_folder_takes_its_project_along(folder, tmp_path):
    open_project(folder)
    moved = tmp_path / "moved" / "elsewhere"
    shutil.move(folder, moved)
    for project in (open_project(moved), reopen(moved / ".shoebox")):
        assert project.directory == moved / ".shoebox"
        assert roots(project) == [os.fsencode(moved)]


def test_a_project_elsewhere_leaves_the_folder_untouched(folder, tmp_path):
    before = tree(folder)
    project = open_project(folder, tmp_path / "deep" / "project")
    assert project.directory == tmp_path / "deep" / "project"
    assert tree(folder) == before
    assert roots(project) == [os.fsencode(folder)]
    assert roots(open_project(None, tmp_path / "deep" / "project")) == [os.fsencode(folder)]


def test_a_project_elsewhere_can_hold_several_folders(folder, tmp_path):
    for source in (folder, folder / "sub", folder):
        project = open_project(source, tmp_path / "project")
    assert roots(project) == [os.fsencode(folder), os.fsencode(folder / "sub")]


def test_a_folder_within_a_projects_folder_has_a_project_of_its_own(folder):
    outer, inner = open_project(folder), open_project(folder / "sub")
    assert (outer.directory, inner.directory) == (folder / ".shoebox", folder / "sub" / ".shoebox")
    assert roots(inner) == [os.fsencode(folder / "sub")]


@pytest.mark.parametrize("name", [b"caf\xe9", "日本 Ж".encode(), b"new\nline", b"#?%41 ;'\""])
def test_a_folder_of_any_name_works(tmp_path, name):
    folder = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
    folder.mkdir()
    project = open_project(folder)
    assert roots(reopen(project.directory)) == [os.path.join(os.fsencode(tmp_path), name)]
    store = project.thumbnails(Settings())
    store.put([(b"1", b"x")])
    store.close()


def test_a_path_that_is_no_folder_is_told(folder, tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    for path, message in (
        (folder / "sub" / "a.jpg", "is a file, not a folder"),
        (folder / "none", "does not exist"),
        (folder / "sub" / "a.jpg" / "below", "Not a directory"),
        (tmp_path / "loop", "symbolic links"),
        ("~nobody-of-this-name/photos", "does not exist"),
    ):
        with pytest.raises(ShoeboxError, match=message) as caught:
            open_project(path)
        assert caught.value.todo
    assert ".shoebox" not in " ".join(tree(tmp_path))


def test_a_project_that_is_not_there_is_told_and_not_made(folder, tmp_path):
    with pytest.raises(ShoeboxError, match="there is no project in"):
        open_project(None, tmp_path / "none")
    with pytest.raises(ShoeboxError, match="there is no project for"):
        find_project(folder)
    with pytest.raises(UsageError, match="no folder was given"):
        open_project(None)
    assert not (tmp_path / "none").exists()
    assert not (folder / ".shoebox").exists()


def test_a_project_folder_that_cannot_be_made_is_told(folder):
    with pytest.raises(ShoeboxError, match="cannot make the project folder"):
        open_project(folder, folder / "sub" / "a.jpg")


def test_a_newer_catalog_is_refused(folder):
    project = open_project(folder)
    with project.database() as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(ShoeboxError, match="newer shoebox"):
        open_project(folder)


def test_a_folder_that_cannot_be_written_gets_its_project_under_the_users_data(monkeypatch):
    with programs.folder_for_all() as place:
        (place / "data").mkdir(mode=0o777)
        (place / "data").chmod(0o777)
        (place / "photos").mkdir()
        (place / "photos").chmod(0o555)
        monkeypatch.setenv("XDG_DATA_HOME", str(place / "data"))
        done = [programs.run(OPEN, place / "photos", as_nobody=True) for _ in range(2)]
        directory, notice = done[0].stdout.splitlines()
        assert Path(directory).is_relative_to(place / "data")
        assert notice == f"{place / 'photos'} cannot be written: its project is in {directory}"
        assert done[1].stdout == done[0].stdout, "it is found again, and said again"
        assert tree(place / "photos") == []
        assert find_project(place / "photos").directory == Path(directory)
        assert roots(find_project(place / "photos")) == [os.fsencode(place / "photos")]


def test_a_project_of_another_user_that_cannot_be_written_is_let_be(monkeypatch):
    with programs.folder_for_all() as place:
        (place / "data").mkdir()
        (place / "data").chmod(0o777)
        (place / "photos").mkdir()
        (place / "photos").chmod(0o777)
        open_project(place / "photos")
        (place / "photos" / ".shoebox").chmod(0o555)
        monkeypatch.setenv("XDG_DATA_HOME", str(place / "data"))
        done = programs.run(OPEN, place / "photos", as_nobody=True)
        assert "cannot be written" in done.stdout
        if os.geteuid() == 0:
            own = done.stdout.splitlines()[0]
            assert Path(own).is_relative_to(place / "data"), done.stderr
            find = "import sys; from core.project import find_project; print(find_project(sys.argv[1]).directory)"
            found = programs.run(find, place / "photos", as_nobody=True)
            assert found.stdout.splitlines() == [own], found.stderr


def test_a_folder_that_may_not_be_entered_is_told():
    with programs.folder_for_all() as place:
        (place / "closed" / "photos").mkdir(parents=True)
        (place / "closed").chmod(0)
        for arguments in ((place / "closed" / "photos",), (place, place / "closed" / "project")):
            done = programs.run(OPEN, *arguments, as_nobody=True)
            assert done.stdout.startswith("error: cannot") and "Permission denied" in done.stdout, done.stderr
        (place / "closed").chmod(0o700)


def test_on_a_network_file_system_the_catalog_is_local_and_the_vectors_are_not(folder, tmp_path, monkeypatch, home):
    # No network file system is at hand: the one there is is taken for one.
    real = file_system(folder)
    assert real and not open_project(folder).notices
    shutil.rmtree(folder / ".shoebox")
    monkeypatch.setattr(core.project, "_NETWORK_FILE_SYSTEMS", {real})
    project = open_project(folder)
    assert project.directory == folder / ".shoebox"
    assert project.state_dir.is_relative_to(home)
    assert project.catalog_path.exists() and project.lock_path.parent == project.state_dir
    assert f"({real}): its catalog is in {project.state_dir}" in project.notices[0]
    assert tree(folder / ".shoebox") == []
    again = open_project(folder)
    assert (again.state_dir, reopen(again.directory), find_project(folder)) == (project.state_dir, project, project)
    assert roots(again) == [os.fsencode(folder)]


def test_the_file_system_is_that_of_the_nearest_mount(tmp_path):
    shared_memory = Path("/dev/shm")
    if not any(p.mountpoint == str(shared_memory) for p in psutil.disk_partitions(all=True)):
        pytest.skip("no second file system to ask about")
    assert file_system(shared_memory / "not" / "there") == "tmpfs"
    assert file_system(tmp_path) == next(p.fstype for p in _mounts_above(tmp_path))


def _mounts_above(path: Path):
    above = [p for p in psutil.disk_partitions(all=True) if path.is_relative_to(p.mountpoint)]
    return sorted(above, key=lambda p: -len(p.mountpoint))


def test_processes_that_open_at_once_make_one_project(folder):
    command = [sys.executable, "-c", OPEN, os.fspath(folder)]
    started = [subprocess.Popen(command, cwd=programs.REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate()[0] for process in started] == [f"{folder / '.shoebox'}\n"] * 4
    assert roots(open_project(folder)) == [os.fsencode(folder)]


def test_settings_come_from_the_projects_folder(folder):
    project = open_project(folder)
    (project.directory / "settings.toml").write_text("seed = 9\n")
    assert project.settings({}, {}).seed == 9
    assert project.settings({}, {"seed": 1}).seed == 1


def test_opening_imports_nothing_heavy(folder):
    heavy = "{'numpy', 'torch', 'PIL', 'sklearn', 'open_clip', 'rich', 'textual'}"
    program = OPEN + f"\nassert not {heavy} & set(sys.modules), {heavy} & set(sys.modules)"
    done = programs.run(program, folder)
    assert done.returncode == 0, done.stderr
