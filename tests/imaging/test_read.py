import os
import socket
import sys
import threading

import pytest

from core.errors import PictureError
from core.imaging.hashes import content_hash
from core.imaging.read import read_picture_file

LIMIT = 1 << 20


@pytest.fixture
def folder(tmp_path):
    return os.fsencode(tmp_path)


def write(path: bytes, data: bytes = b"some bytes") -> bytes:
    with open(path, "wb") as file:
        file.write(data)
    return path


@pytest.mark.parametrize("size", [0, 1, 70_000, LIMIT])
def test_reads_all_bytes(folder, size):
    data = os.urandom(size)
    assert read_picture_file(write(folder + b"/a.jpg", data), LIMIT) == data


@pytest.mark.skipif(sys.platform != "linux", reason="other systems insist on UTF-8 or UTF-16 names")
@pytest.mark.parametrize(
    "name", [b"caf\xe9.jpg", b"\xff\xfe\x80.png", b"new\nline.jpg", b"-rf *.jpg", b"a\x1b[31m.jpg"]
)
def test_names_of_any_bytes(folder, name):
    assert read_picture_file(write(folder + b"/" + name), LIMIT) == b"some bytes"


def test_a_symbolic_link_is_followed(folder):
    write(folder + b"/a.jpg")
    os.symlink(b"a.jpg", folder + b"/b.jpg")
    assert read_picture_file(folder + b"/b.jpg", LIMIT) == b"some bytes"


def refusal(path: bytes, limit: int = LIMIT) -> str:
    with pytest.raises(PictureError) as caught:
        read_picture_file(path, limit)
    return str(caught.value)


def test_reasons(folder):
    assert "vanished" in refusal(folder + b"/gone.jpg")
    assert "vanished" in refusal(write(folder + b"/file") + b"/below.jpg")
    assert "folder" in refusal(folder)
    assert "path" in refusal(folder + b"/zero\0byte.jpg")
    assert "too long" in refusal(folder + b"/" + b"n" * 300 + b".jpg")
    os.symlink(b"nowhere", folder + b"/dangling.jpg")
    assert "leads to nothing" in refusal(folder + b"/dangling.jpg")
    os.symlink(b"two.jpg", folder + b"/one.jpg")
    os.symlink(b"one.jpg", folder + b"/two.jpg")
    assert "circle" in refusal(folder + b"/one.jpg")
    reason = refusal(write(folder + b"/large.jpg", b"x" * 1001), 1000)
    assert "1,001" in reason
    assert "1,000" in reason


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_a_device_and_a_socket_are_refused_at_once(folder):
    os.mkfifo(folder + b"/pipe.jpg")
    assert "named pipe" in refusal(folder + b"/pipe.jpg")
    assert "device" in refusal(b"/dev/zero")
    server = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    try:
        os.chdir(folder)  # a socket's path has to be short
        server.bind(b"s.jpg")
    finally:
        os.chdir(here)
    with server:
        assert "socket" in refusal(folder + b"/s.jpg")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(folder):
    os.chmod(write(folder + b"/a.jpg"), 0)
    assert "permission" in refusal(folder + b"/a.jpg")


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs a file whose size is not what it holds")
def test_a_file_that_holds_more_than_its_size_says(folder):
    assert "changed" in refusal(b"/proc/self/status")


def test_a_file_that_is_rewritten_all_the_time_never_comes_as_a_mixture(folder):
    versions = [bytes([i]) * (200_000 + 50_000 * i) for i in range(4)]
    path = write(folder + b"/a.jpg", versions[0])
    stop = threading.Event()

    def rewrite():
        while not stop.is_set():
            for version in versions:
                write(path, version)

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        for _ in range(300):
            try:
                data = read_picture_file(path, LIMIT)
            except PictureError as error:
                assert "changed" in str(error)
            else:  # a writer that stands still halfway cannot be told from one that is done
                assert any(version.startswith(data) for version in versions)
    finally:
        stop.set()
        writer.join()


def test_the_hash_is_of_the_content_alone():
    assert content_hash(b"a") == content_hash(b"xa"[1:])
    assert content_hash(b"a") != content_hash(b"b")
    assert len(content_hash(b"")) == 16
    assert content_hash(b"").hex() == "cae66941d9efbd404e4d88758ea67670"  # a stored catalog relies on it
