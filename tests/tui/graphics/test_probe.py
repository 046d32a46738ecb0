"""The probe against scripted terminals, through a real pseudo-terminal."""

import json
import os
import pty
import select
import subprocess
import sys
import time

import pytest

from tests.programs import PATIENCE
from tui.graphics.memory import recall, remember
from tui.graphics.replies import read_replies
from tui.graphics.terminal import Terminal, prepare_environment

KITTY = [b"\x1b_Gi=31;OK\x1b\\", b"\x1bP>|kitty(0.41.1)\x1b\\", b"\x1b[6;20;9t", b"\x1bP1$r0;48:2:1:2:3m\x1b\\"]
XTERM = [b"\x1bP>|XTerm(379)\x1b\\", b"\x1b[6;17;8t", b"\x1b[?1;0;256S", b"\x1bP1$r0;48:2::1:2:3m\x1b\\"]
KITTY_END, SIXEL_END, PLAIN_END = b"\x1b[?62;c", b"\x1b[?64;1;4;22c", b"\x1b[?64;1;22c"

PROGRAM = """
import dataclasses, json, os, sys, termios, time
from tui.graphics.probe import probe
started = time.monotonic()
before = termios.tcgetattr(0)
t = probe(sys.argv[1], timeout=float(sys.argv[2]))
assert termios.tcgetattr(0) == before
out = dataclasses.asdict(t) | {"typed": t.typed.decode("latin-1"), "seconds": time.monotonic() - started}
print(json.dumps(out), file=sys.stderr)
"""


def scripted(tmp_path, replies, *, wanted="auto", delay=0.0, typed=(), timeout=PATIENCE, **environment):
    """Runs the probe in a terminal that gives `replies`, `typed` among them; what it found, and what it wrote."""
    master, slave = pty.openpty()
    clean = {k: v for k, v in os.environ.items() if k not in ("TMUX", "STY", "COLORTERM", "TERM_PROGRAM")}
    env = clean | {"TERM": "xterm-256color", "XDG_CACHE_HOME": str(tmp_path)} | environment
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, wanted, str(timeout)],
        stdin=slave,
        stdout=slave,
        stderr=subprocess.PIPE,
        env=env,
        start_new_session=True,
    )
    os.close(slave)
    heard = b""
    deadline = time.monotonic() + PATIENCE
    while b"\x1b[c" not in heard and program.poll() is None and time.monotonic() < deadline:
        if select.select([master], [], [], 0.05)[0]:
            try:
                heard += os.read(master, 4096)
            except OSError:
                break
    if b"\x1b[c" in heard:
        time.sleep(delay)
        keys = list(typed)
        for reply in replies:
            if keys:
                os.write(master, keys.pop(0))
            os.write(master, reply)
            time.sleep(0.01)
    _, said = program.communicate(timeout=PATIENCE)
    os.close(master)
    assert program.returncode == 0, said
    return json.loads(said.decode().strip().splitlines()[-1]), heard


@pytest.mark.parametrize("delay", [0.0, 0.15, 0.8])
@pytest.mark.parametrize(
    ("replies", "graphics", "cell"),
    [([*KITTY, KITTY_END], "kitty", [9, 20]), ([*XTERM, SIXEL_END], "sixel", [8, 17]), ([PLAIN_END], "halfcell", None)],
    ids=["kitty", "sixel", "plain"],
)
def test_what_a_terminal_says_is_heard_however_late(tmp_path, replies, graphics, cell, delay):
    found, asked = scripted(tmp_path, replies, delay=delay)
    assert found["graphics"] == graphics
    assert cell is None or found["cell"] == cell
    assert found["truecolor"] == (graphics != "halfcell")
    assert found["seconds"] < PATIENCE / 2, "it stops at the last answer"
    assert asked.count(b"\x1b[c") == 1


def test_a_silent_terminal_gets_half_cells_after_the_time(tmp_path):
    found, _ = scripted(tmp_path, [], timeout=0.5)
    assert found["graphics"] == "halfcell"
    assert 0.5 <= found["seconds"] < PATIENCE / 2
    assert "it did not say: half cells" in found["why"]


def test_garbage_is_not_believed(tmp_path):
    found, _ = scripted(tmp_path, [b"\x1b[6;99999;0t\x00\xff\x1b_Gi=7;EINVAL\x1b\\\x1bP1$r\x1b\\", PLAIN_END])
    assert found["graphics"] == "halfcell"
    assert found["cell"][0] > 1
    assert not found["truecolor"]


def test_keys_typed_meanwhile_are_kept_in_their_order(tmp_path):
    typed = [b"jj\x1b[A", b"q", b"\r", b"\xc3\xa9"]
    found, _ = scripted(tmp_path, [*KITTY, KITTY_END], typed=typed, delay=0.15)
    assert found["graphics"] == "kitty"
    assert found["typed"].encode("latin-1").decode() == "jj\x1b[Aq\ré"


def test_wezterm_answers_kitty_but_gets_sixel(tmp_path):
    replies = [b"\x1b_Gi=31;OK\x1b\\", b"\x1bP>|WezTerm 20240203\x1b\\", SIXEL_END]
    found, _ = scripted(tmp_path, replies)
    assert found["graphics"] == "sixel"


def test_what_the_user_wants_is_taken_at_their_word(tmp_path):
    found, asked = scripted(tmp_path, [PLAIN_END], wanted="sixel")
    assert found["graphics"] == "sixel"
    found, asked = scripted(tmp_path, [], wanted="none")
    assert found["graphics"] == "none"
    assert asked == b""


def test_a_dumb_terminal_is_not_asked(tmp_path):
    found, asked = scripted(tmp_path, [], TERM="dumb")
    assert found["graphics"] == "halfcell"
    assert b"\x1b" not in asked


def test_tmux_is_not_asked_what_it_takes_for_a_title(tmp_path):
    found, asked = scripted(tmp_path, [b"\x1bP>|tmux 3.5a\x1b\\", SIXEL_END], TERM="tmux-256color")
    assert b"\x1b_G" not in asked
    assert found["multiplexer"] == "tmux"
    assert found["graphics"] == "halfcell", "which terminal is outside cannot be known"


def test_one_session_asks_once(tmp_path):
    key = "this one"
    terminal = Terminal("sixel", (8, 17), truecolor=True, name="XTerm(379)", why=("said so",), registers=256)
    environment = {"XDG_CACHE_HOME": str(tmp_path)}
    assert recall(key, environment) is None
    remember(key, terminal, environment)
    assert recall(key, environment) == terminal
    assert recall("another", environment) is None
    (tmp_path / "shoebox" / "terminals.json").write_text('{"this one": {"cell": 3}}')
    assert recall(key, environment) is None


def test_a_reply_that_was_cut_off_is_no_key():
    replies = read_replies(b"a\x1b[6;17;8tb\x1bP>|XTer")
    assert replies.typed == b"ab"
    assert replies.cell == (8, 17)
    assert not replies.complete


def test_textual_is_told_of_colours_that_ssh_hides():
    environment: dict[str, str] = {}
    prepare_environment(Terminal("halfcell"), environment)
    assert environment == {}
    prepare_environment(Terminal("kitty"), environment)
    assert environment == {"TEXTUAL_COLOR_SYSTEM": "truecolor"}


@pytest.mark.parametrize(
    ("replies", "wanted", "graphics", "said"),
    [
        ([*KITTY, KITTY_END], "auto", "halfcell", "found by a colour"),
        ([*KITTY, KITTY_END], "kitty", "halfcell", "found by a colour"),
        ([*XTERM, SIXEL_END], "auto", "sixel", "sixel pictures keep their colours"),
        ([PLAIN_END], "auto", "halfcell", "greys"),
        ([], "none", "none", "greys"),
    ],
)
def test_without_colours_no_picture_is_looked_for_by_its_colour(tmp_path, replies, wanted, graphics, said):
    found, _ = scripted(tmp_path, replies, wanted=wanted, NO_COLOR="1")
    assert found["graphics"] == graphics
    assert said in found["why"][-1]
