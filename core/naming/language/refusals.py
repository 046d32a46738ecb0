"""What a server means by an error: which of its abilities it lacks, or that nothing can be done."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

Meaning = Literal["context", "limit", "form", "vision", "refused", "unknown"]

_CONTEXT = re.compile(
    r"context[_ ](length|window|size)|maximum context|too many tokens|prompt is too long|available context|"
    r"(request|input|prompt)[^.]{0,30} too (large|long)",
    re.I,
)
_LIMIT = re.compile(r"max_(completion_)?tokens", re.I)
_FORM = re.compile(r"response_format|json_schema|json_object|structured[ _]output|json[ _]mode|grammar", re.I)
_PICTURE = re.compile(
    r"image|vision|multi-?modal|mmproj|content[^.]{0,40}(must be|should be|expected)[^.]{0,20}str", re.I
)
_LACKS = re.compile(
    r"\b(no|not|n't|only|without|unsupported|must be|should be|expected|unable|missing|cannot|unknown)\b|n't\b", re.I
)
_REFUSED = re.compile(r"content[_ ](policy|filter|management)|safety|moderation|violat", re.I)


def meaning(body: Any, text: str, *, pictured: bool) -> Meaning:
    """What a refused question (400 and its kin) is refused for. `pictured`: whether it holds a picture."""
    code = str(body.get("code") or "") if isinstance(body, Mapping) else ""
    said = f"{code} {text}"
    if _CONTEXT.search(said):
        return "context"
    if _REFUSED.search(said):
        return "refused"
    if _LIMIT.search(said):
        return "limit"
    if _FORM.search(said):
        return "form"
    if pictured and _PICTURE.search(said) and _LACKS.search(said):
        return "vision"
    return "unknown"


def is_out_of_credit(body: Any, text: str) -> bool:
    """Whether a 429 says that the account has nothing left, which no waiting mends."""
    code = str(body.get("code") or "") if isinstance(body, Mapping) else ""
    return code == "insufficient_quota" or "insufficient_quota" in text or "exceeded your current quota" in text
