"""The prompts: text files in this package that a user can replace by files of the same name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.errors import ShoeboxError
from core.settings import user_file

if TYPE_CHECKING:
    from core.project import Project

Kind = Literal["label", "name", "twins"]
FOLDER_NAME = "prompts"
MOST_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is told to do. `version` changes with every word of it."""

    kind: Kind
    text: str
    version: str
    origin: str
    """The file that took the place of the one that ships; empty for that one."""


def load_prompt(project: Project, kind: Kind, context: str = "") -> Prompt:
    """The prompt of this kind, with the user's sentence of context about all pictures.

    The project's own file (`PROJECT/prompts/KIND.txt`) counts before the user's (`prompts/KIND.txt` beside their
    settings), and that before the one that ships. Raises ShoeboxError for a file that cannot be used.
    """
    text, origin = _shipped(kind), ""
    for folder in (project.directory, user_file().parent):
        file = folder / FOLDER_NAME / f"{kind}.txt"
        if file.is_file():
            text, origin = _read(file), str(file)
            break
    text = text.strip()
    if context := " ".join(context.split()):
        text += f"\n\nThe owner of the pictures says about all of them: {context}"
    version = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=6).hexdigest()
    return Prompt(kind, text, version, origin)


def _shipped(kind: Kind) -> str:
    return (resources.files("core.naming.language") / FOLDER_NAME / f"{kind}.txt").read_text(encoding="utf-8")


def _read(file: Path) -> str:
    try:
        data = file.read_bytes()
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ShoeboxError(f"cannot read the prompt {file} ({error})", "mend it, or move it away") from error
    if not text.strip() or len(data) > MOST_BYTES:
        what = "is empty" if not text.strip() else f"is longer than {MOST_BYTES:,} bytes"
        raise ShoeboxError(f"the prompt {file} {what}", "write what the model shall do, or move the file away")
    return text
