"""Takes apart the reply of the API: any of it may be missing, or something else."""

from __future__ import annotations

import json
from typing import Any

from core.naming.language import reading
from core.naming.language.outcomes import BrokenError, UnansweredError
from core.naming.language.reading import MalformedError


def read_reply(data: bytes) -> dict[str, Any]:
    """The JSON object of a reply. Raises BrokenError where it is none."""
    try:
        reply = json.loads(data)
    except (ValueError, RecursionError):
        raise BrokenError(
            f"its reply is no JSON ({reading.excerpt(data[:400].decode('utf-8', 'replace'), 80)})"
        ) from None
    if not isinstance(reply, dict):
        raise BrokenError("its reply is no JSON object")
    return reply


def _choice(reply: dict[str, Any]) -> dict[str, Any]:
    choices = reply.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict):
        raise MalformedError("it holds no choice")
    return first


def content_of(reply: dict[str, Any]) -> str:
    """What the model said. Raises MalformedError where it is not there, UnansweredError where it declines."""
    message = _choice(reply).get("message")
    if not isinstance(message, dict):
        raise MalformedError("it holds no message")
    if isinstance(refusal := message.get("refusal"), str) and refusal:
        raise UnansweredError(f"the model declines: {reading.excerpt(refusal)}", final=True)
    content = message.get("content")
    if isinstance(content, list):  # in parts, as some servers have it
        content = "".join(str(p.get("text") or "") for p in content if isinstance(p, dict))
    if finish_of(reply) == "content_filter":
        raise UnansweredError("the server's content filter withheld the reply", final=True)
    return content if isinstance(content, str) else ""


def finish_of(reply: dict[str, Any]) -> str:
    """Why the model ended, as the server says; empty where it does not."""
    return str(_choice(reply).get("finish_reason") or "")


def usage_of(reply: dict[str, Any]) -> tuple[int, int] | None:
    """(tokens in, tokens out) as the reply says, or None where it does not, or says nonsense."""
    usage = reply.get("usage")
    if not isinstance(usage, dict):
        return None
    found = [usage.get("prompt_tokens"), usage.get("completion_tokens")]
    counts = [n for n in found if type(n) is int and 0 <= n < 100_000_000]
    return (counts[0], counts[1]) if len(counts) == 2 else None
