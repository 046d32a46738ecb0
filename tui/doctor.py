"""`shoebox doctor`: what works here, and what to do for more."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from core.errors import ShoeboxError
from core.settings import user_file, user_table
from tui.figures import count
from tui.keys import keymap_of

if TYPE_CHECKING:
    from tui.graphics.terminal import Terminal

State = Literal["good", "could be better", "missing"]
_SIGNS: dict[State, str] = {"good": "✓", "could be better": "!", "missing": "✗"}
KEY = "OPENAI_API_KEY"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    state: State
    found: str
    todo: str = ""
    """What would make it better."""


def examine(terminal: Terminal, environment: Mapping[str, str] = os.environ) -> list[Finding]:
    """Everything that shoebox depends on, the terminal first."""
    return [
        *_terminal(terminal, environment),
        *_colours(terminal, environment),
        _keys(),
        _device(),
        *_weights(),
        _key(environment),
        *_staying(environment),
    ]


def document(terminal: Terminal, findings: list[Finding]) -> dict[str, Any]:
    """The same as data."""
    fields = asdict(terminal)
    del fields["typed"]
    return {"terminal": fields, "findings": [asdict(finding) for finding in findings]}


def text(findings: list[Finding], columns: int = 0) -> str:
    """The findings as lines for people: of `columns` at most where words allow, or as long as they are."""
    width = max(len(finding.subject) for finding in findings)
    beside = " " * (width + 4)

    def wrapped(begin: str, words: str) -> str:
        return textwrap.fill(
            words,
            columns or 9999,
            initial_indent=begin,
            subsequent_indent=" " * len(begin),
            break_long_words=False,  # paths and options can be copied
            break_on_hyphens=False,
        )

    lines = []
    for finding in findings:
        lines.append(wrapped(f"{_SIGNS[finding.state]} {finding.subject:{width}}  ", finding.found))
        if finding.todo:
            lines.append(wrapped(f"{beside}-> ", finding.todo))
    return "\n".join(lines)


def _terminal(terminal: Terminal, environment: Mapping[str, str]) -> Iterator[Finding]:
    name = terminal.name or environment.get("TERM") or "unknown"
    yield Finding("terminal", "good", f"{name}, cells of {terminal.cell[0]}x{terminal.cell[1]} pixels")
    todo = ""
    if terminal.graphics in ("halfcell", "none"):
        todo = "kitty, ghostty, foot, WezTerm or an xterm -ti vt340 show real pictures; --graphics forces a way"
    elif terminal.graphics == "sixel" and terminal.registers < 64:
        todo = f"{terminal.registers} colours a picture: in an xterm set XTerm*numColorRegisters: 256"
    yield Finding("graphics", "could be better" if todo else "good", terminal.graphics, todo)
    for reason in terminal.why:
        yield Finding("", "good", reason)
    if terminal.multiplexer == "tmux":
        passing = terminal.passthrough
        yield Finding(
            "tmux",
            "good" if passing or terminal.graphics == "sixel" else "could be better",
            "lets pictures pass" if passing else "lets no pictures pass",
            "" if passing else "set -g allow-passthrough on, in ~/.tmux.conf",
        )
    elif terminal.multiplexer == "screen":
        yield Finding("screen", "could be better", "lets no pictures pass", "tmux 3.4 or newer can")


def _colours(terminal: Terminal, environment: Mapping[str, str]) -> Iterator[Finding]:
    if "NO_COLOR" in environment:
        yield Finding("colours", "could be better", "none: NO_COLOR is set", "unset NO_COLOR for colours")
    elif terminal.truecolor:
        yield Finding("colours", "good", "24 bit")
    else:
        yield Finding("colours", "could be better", "256", "if yours has more: export COLORTERM=truecolor")
    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "")
    if encoding != "utf8":
        yield Finding("text", "could be better", encoding or "unknown encoding", "export LC_ALL=C.UTF-8")


def _keys() -> Finding:
    """How many keys the user has changed, and how that is done."""
    file = user_file()
    todo = f'to change one: in {file}, under [keys], its id and a key, like "embed.pause" = "space"; ? shows the ids'
    try:
        table = user_table("keys")
    except ShoeboxError as error:
        return Finding("keys", "could be better", str(error), todo)
    keymap, wrong = keymap_of(table)
    if wrong:
        return Finding("keys", "could be better", "; ".join(wrong), todo)
    return Finding("keys", "good", f"{count(len(keymap), 'key')} changed in {file}" if keymap else "as they come", todo)


def _device() -> Finding:
    """Asks the driver, not torch: importing that takes seconds."""
    names = _gpu_names()
    if names:
        return Finding("device", "good", ", ".join(names))
    if sys.platform == "darwin":
        return Finding("device", "good", "Apple's GPU, where there is one (mps)")
    cores = os.cpu_count() or 1
    return Finding("device", "good", f"no NVIDIA GPU seen: {cores} CPU cores do the work")


def _gpu_names() -> list[str]:
    try:
        import pynvml

        pynvml.nvmlInit()
        try:
            handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
            names = [pynvml.nvmlDeviceGetName(handle) for handle in handles]
        finally:
            pynvml.nvmlShutdown()
    except Exception:  # no driver, or one that does not answer: no GPU for us
        return []
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _weights() -> Iterator[Finding]:
    from core.encoders.catalogue import CHOICES

    here = [choice.spec for choice in CHOICES if choice.cached]
    real = [spec for spec in here if spec != "pocket"]
    if real:
        yield Finding("weights", "good", ", ".join(real))
    else:
        todo = (
            "the first run downloads them; without a network: --weights FILE --model-config FILE, or --encoder pocket"
        )
        yield Finding("weights", "could be better", "none on this machine but pocket's", todo)


def _key(environment: Mapping[str, str]) -> Finding:
    if environment.get(KEY):
        return Finding("key", "good", f"{KEY} is set")
    return Finding("key", "could be better", f"{KEY} is not set", "needed only for names by a language model")


def _staying(environment: Mapping[str, str]) -> Iterator[Finding]:
    """What would end the worker when the session ends."""
    if environment.get("SLURM_JOB_ID"):
        yield Finding("session", "could be better", "a Slurm job: the work ends with it", "ask for time enough")
    elif environment.get("SSH_CONNECTION") and _logind_kills():
        todo = "loginctl enable-linger, or run it inside tmux started by systemd-run --user --scope"
        yield Finding("session", "could be better", "logind ends what a session leaves behind", todo)
    if importlib.util.find_spec("textual_image") is None:
        yield Finding("pictures", "missing", "textual-image is not installed", "pip install textual-image")
    if shutil.disk_usage(Path.home()).free < 2_000_000_000:
        yield Finding("disk", "could be better", "less than 2 GB free at home", "weights need up to 2 GB")


def _logind_kills() -> bool:
    try:
        with open("/etc/systemd/logind.conf", encoding="utf-8", errors="replace") as file:
            lines = [line.strip().lower() for line in file]
    except OSError:
        return False
    return "killuserprocesses=yes" in lines
