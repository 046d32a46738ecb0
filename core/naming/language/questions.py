"""What is put to the model: a prompt, data beside it, pictures, and the form of the reply.

All that comes from elsewhere (labels, names, hints) goes in as one JSON document beside the prompt, never into it.
File names are not sent at all.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.naming.language.prices import picture_tokens
from core.naming.language.prompts import Prompt

CHARACTERS_A_TOKEN = 3.5
LABEL_TOKENS, NAME_TOKENS, TWIN_TOKENS = 25, 90, 20
"""About what a reply takes; of twins, a group."""
ROOM = 1000
"""A reply may take so many tokens more: for models that think first."""

_TEXT = {"type": "string"}


def _object(**properties: Any) -> dict[str, Any]:
    names = list(properties)
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


SCHEMAS: dict[str, dict[str, Any]] = {
    "label": _object(label=_TEXT),
    "name": _object(name=_TEXT, alternatives={"type": "array", "items": _TEXT}, description=_TEXT),
    "twins": _object(names={"type": "array", "items": _object(number={"type": "integer"}, name=_TEXT)}),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as the model gets it: its JPEG, or the URL that it has anyway. `is_sheet`: several on one."""

    jpeg: bytes = b""
    url: str = ""
    is_sheet: bool = False

    def part(self) -> dict[str, Any]:
        """The picture in a message of the API."""
        url = self.url or "data:image/jpeg;base64," + base64.b64encode(self.jpeg).decode("ascii")
        return {"type": "image_url", "image_url": {"url": url, "detail": "auto" if self.is_sheet else "low"}}


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `replies` is about how many tokens its answer takes."""

    prompt: Prompt
    replies: int
    data: dict[str, Any] = field(default_factory=dict)
    picture: Shown | None = None

    @property
    def schema(self) -> dict[str, Any]:
        """The form of the reply, as JSON schema."""
        return SCHEMAS[self.prompt.kind]

    def messages(self, complaint: str = "") -> list[dict[str, Any]]:
        """The messages of the API. `complaint`: what was wrong with the last reply to it."""
        text = json.dumps(self.data, ensure_ascii=False, indent=1) if self.data else "The picture:"
        if complaint:
            text += f"\n\nYour last reply could not be used: {complaint}. Answer in the form asked for."
        parts: list[dict[str, Any]] = [{"type": "text", "text": text}]
        if self.picture is not None:
            parts.append(self.picture.part())
        # A server without vision may take no list of parts.
        content: Any = parts if self.picture is not None else text
        return [{"role": "system", "content": self.prompt.text}, {"role": "user", "content": content}]

    def expected_tokens(self, model: str) -> int:
        """About what the question takes."""
        pictures = picture_tokens(model, sheet=self.picture.is_sheet) if self.picture else 0
        return tokens_of(self.prompt.text) + tokens_of(json.dumps(self.data)) + pictures + 30


def tokens_of(text: str) -> int:
    """About how many tokens a text is."""
    return int(len(text) / CHARACTERS_A_TOKEN) + 1


def digest(*parts: str | Sequence[str]) -> str:
    """One short name for all that makes a question what it is."""
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()
