"""What a language model answered, kept so that no question is paid for twice; and what the calls cost."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.catalog.database import Database


@dataclass(frozen=True, slots=True)
class Label:
    """Words for one picture, or None with the `reason` why there are none."""

    label: str | None
    reason: str | None = None
    model: str = ""
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """Calls, and the tokens and US dollars they took; `cost` counts only calls whose price is known."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0


def put_label(db: Database, content: bytes, label: Label) -> None:
    """Keeps the label of a content, in place of an earlier one of the same model and prompt."""
    db.execute(
        "INSERT OR REPLACE INTO labels VALUES (?, ?, ?, ?, ?, ?)",
        (content, label.model, label.prompt, label.label, label.reason, time.time()),
    )


def labels(db: Database, contents: Sequence[bytes], *, model: str, prompt: str) -> dict[bytes, Label]:
    """The labels that contents have from this model and version of the prompt."""
    found: dict[bytes, Label] = {}
    for content in contents:
        row = db.one(
            "SELECT label, reason FROM labels WHERE hash = ? AND model = ? AND prompt = ?", (content, model, prompt)
        )
        if row is not None:
            found[content] = Label(row["label"], row["reason"], model, prompt)
    return found


def latest_labels(db: Database, contents: Sequence[bytes]) -> dict[bytes, Label]:
    """The last label of each content that has one, whatever model gave it."""
    found: dict[bytes, Label] = {}
    for content in contents:
        row = db.one(
            "SELECT label, model, prompt FROM labels WHERE hash = ? AND label IS NOT NULL ORDER BY made DESC LIMIT 1",
            (content,),
        )
        if row is not None:
            found[content] = Label(row["label"], None, row["model"], row["prompt"])
    return found


def every_label(db: Database) -> dict[bytes, str]:
    """The last label of every content that has one, whatever model gave it."""
    rows = db.execute("SELECT hash, label FROM labels WHERE label IS NOT NULL ORDER BY made")
    return {row["hash"]: row["label"] for row in rows}


def forget_failed_labels(db: Database) -> int:
    """Forgets the reasons why pictures have no label, so that they are asked for again; gives how many."""
    return db.execute("DELETE FROM labels WHERE label IS NULL").rowcount


def put_reply(db: Database, question: str, reply: dict[str, Any], *, kind: str, model: str, prompt: str) -> None:
    """Keeps the answer to a question, in place of an earlier one."""
    db.execute(
        "INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?, ?, ?)",
        (question, kind, model, prompt, json.dumps(reply), time.time()),
    )


def reply(db: Database, question: str) -> dict[str, Any] | None:
    """The answer that a question had, or None."""
    text = db.value("SELECT reply FROM replies WHERE question = ?", (question,))
    return None if text is None else dict(json.loads(text))


def begin_call(db: Database, model: str) -> int:
    """Counts a call that is about to be made; gives its id."""
    cursor = db.execute(
        "INSERT INTO calls (made, model, input_tokens, output_tokens) VALUES (?, ?, 0, 0)", (time.time(), model)
    )
    return int(cursor.lastrowid or 0)


def end_call(db: Database, call: int, input_tokens: int, output_tokens: int, cost: float | None) -> None:
    """Records what a call took."""
    db.execute(
        "UPDATE calls SET input_tokens = ?, output_tokens = ?, cost = ? WHERE id = ?",
        (input_tokens, output_tokens, cost, call),
    )


def spent(db: Database, since: float = 0.0) -> Spent:
    """What the calls made since then took, in all."""
    row = db.one(
        "SELECT count(*), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), coalesce(sum(cost), 0)"
        " FROM calls WHERE made >= ?",
        (since,),
    )
    return Spent(*row)
