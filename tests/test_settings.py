"""Settings: which place wins, and what is said where one of them is wrong."""

import os

import pytest

from core.errors import ShoeboxError, UsageError
from core.settings import Settings, environment_of, load, user_file
from tests import programs


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def user():
    user_file().parent.mkdir(parents=True)
    return user_file()


def test_each_place_wins_over_the_ones_before(project, user):
    assert load(project, {}, {}) == Settings()
    user.write_text("seed = 1\nmax_file_mb = 1\nbatch_size = 1\ndevice = 'mps'\n")
    (project / "settings.toml").write_text("seed = 2\nmax_file_mb = 2\nbatch_size = 2\n")
    environment = {"SHOEBOX_SEED": "3", "SHOEBOX_MAX_FILE_MB": "3", "SHOEBOX_IDLE": "2.5"}
    found = load(project, environment, {"seed": 4, "thumbnail_side": None})
    assert (found.seed, found.max_file_mb, found.batch_size, found.device) == (4, 3, 2, "mps")
    assert (found.idle, found.thumbnail_side) == (2.5, Settings().thumbnail_side)
    assert load(None, {}, {}).seed == 1, "without a project the user's file counts"


def test_an_empty_variable_says_nothing_and_foreign_ones_are_left_alone(project):
    assert load(project, {"SHOEBOX_SEED": "", "SHOEBOX_UNKNOWN": "1", "SEED": "5"}, {}) == Settings()


def test_text_becomes_what_the_setting_is(project):
    found = load(project, {}, {"seed": "7", "idle": 5, "weights": project / "w.pt", "device": "cuda:1"})
    assert (found.seed, found.idle, found.weights, found.device) == (7, 5.0, str(project / "w.pt"), "cuda:1")
    assert isinstance(found.idle, float)


def test_an_unknown_name_names_its_file_and_the_nearest_setting(project):
    (project / "settings.toml").write_text("encodr = 'pocket'\n")
    with pytest.raises(UsageError, match="no setting called encodr") as caught:
        load(project, {}, {})
    assert "did you mean encoder?" in str(caught.value)
    assert str(project / "settings.toml") in str(caught.value)
    with pytest.raises(UsageError, match=r"there are: .*thumbnail_side"):
        load(None, {}, {"xyzzy": 1})


@pytest.mark.parametrize(
    "line",
    [
        "seed = 'many'",
        "seed = 1.5",
        "seed = true",
        "seed = -1",
        "seed = [1]",
        "idle = 'soon'",
        "idle = nan",
        "idle = inf",
        f"idle = 1{'0' * 400}",
        "idle = false",
        "encoder = 3",
        "encoder = {a = 1}",
        "seed = 2024-01-01",
        "[seed]\na = 1",
    ],
)
def test_a_value_that_does_not_fit_is_told_with_its_place(project, line):
    (project / "settings.toml").write_text(line)
    with pytest.raises(UsageError, match=r"it takes (text|a whole number|a number)") as caught:
        load(project, {}, {})
    assert str(project / "settings.toml") in str(caught.value)


def test_a_bad_variable_is_told(project):
    with pytest.raises(UsageError, match="environment: idle is 'soon'"):
        load(project, {"SHOEBOX_IDLE": "soon"}, {})


@pytest.mark.parametrize("text", [b"seed = = 3", b"seed = 1\nseed = 2", b"\xff\xfe\x00", b"a = " + b"[" * 100_000])
def test_broken_toml_names_its_file(project, text):
    (project / "settings.toml").write_bytes(text)
    with pytest.raises(ShoeboxError, match=r"settings\.toml") as caught:
        load(project, {}, {})
    assert caught.value.todo


def test_a_file_of_an_editor_that_marks_utf8_is_read(project):
    (project / "settings.toml").write_bytes(b"\xef\xbb\xbfseed = 3\r\n")
    assert load(project, {}, {}).seed == 3


def test_a_folder_in_place_of_the_file_is_told(project):
    (project / "settings.toml").mkdir()
    with pytest.raises(ShoeboxError, match="cannot read"):
        load(project, {}, {})


def test_a_file_that_may_not_be_read_is_told():
    with programs.folder_for_all() as folder:
        (folder / "settings.toml").write_text("seed = 3")
        (folder / "settings.toml").chmod(0)
        program = """
import sys
from pathlib import Path
from core.errors import ShoeboxError
from core.settings import load
try:
    load(Path(sys.argv[1]), {}, {})
except ShoeboxError as error:
    print(error)
"""
        done = programs.run(program, folder, as_nobody=True)
        assert "cannot read" in done.stdout and "Permission denied" in done.stdout, done.stderr


def test_the_env_file_adds_to_the_environment_and_is_not_written(tmp_path):
    text = "OPENAI_API_KEY=abc\nSHOEBOX_SEED=5\nhttps_proxy='http://p:1'\nREDDIT_CLIENT_ID=${HOME}\nNOTHING\n"
    (tmp_path / ".env").write_text(text)
    (tmp_path / ".env").chmod(0o400)
    before = os.stat(tmp_path / ".env")
    found = environment_of(tmp_path, {"SHOEBOX_SEED": "6", "HOME": "/home/me"})
    assert found == {
        "OPENAI_API_KEY": "abc",
        "SHOEBOX_SEED": "6",  # what is set already wins
        "https_proxy": "http://p:1",
        "REDDIT_CLIENT_ID": "${HOME}",  # taken as it is written
        "HOME": "/home/me",
    }
    assert (tmp_path / ".env").read_text() == text
    after = os.stat(tmp_path / ".env")
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert "OPENAI_API_KEY" not in os.environ


def test_an_env_file_cannot_have_programs_run(tmp_path):
    """It may come with a folder of pictures that somebody else made."""
    names = ("LD_PRELOAD", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "PYTHONSTARTUP", "HF_ENDPOINT", "HOME")
    (tmp_path / ".env").write_text("".join(f"{name}=/evil\n" for name in names))
    assert environment_of(tmp_path, {"PATH": "/bin"}) == {"PATH": "/bin"}


def test_no_env_file_adds_nothing_and_a_broken_one_is_told(tmp_path):
    assert environment_of(tmp_path, {"A": "1"}) == {"A": "1"}
    (tmp_path / ".env").write_bytes(b"OPENAI_API_KEY=\xff\xfe")
    with pytest.raises(ShoeboxError, match="not UTF-8"):
        environment_of(tmp_path, {})
