"""What follows from a server's refusal: wait, put it another way, do without, or give up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.naming.language import pace, reading, refusals
from core.naming.language.outcomes import (
    BrokenError,
    HeldError,
    NoVisionError,
    OtherwiseError,
    OverflowedError,
    ServerError,
    UnansweredError,
)
from core.naming.language.server import FORMS, KEY, Form, Memory, Server

if TYPE_CHECKING:
    from openai import APIStatusError

    from core.catalog.database import Database
    from core.naming.language.questions import Question

LONGEST_WAIT = 600.0
"""A server that asks to wait longer than so many seconds is not waited for."""


def words_of(server: Server, error: BaseException) -> str:
    """What an error says: in one line, fit to be shown, without the key."""
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, dict) else None
    text = said if isinstance(said, str) and said else str(error) or type(error).__name__
    return reading.excerpt(server.scrubbed(text))


class Verdicts:
    """Judges the refusals of one server, and remembers what it learns from them. Gives the error to go on by."""

    def __init__(self, server: Server, memory: Memory, db: Database) -> None:
        self._server = server
        self._memory = memory
        self._db = db

    def told_to_wait(self, error: APIStatusError) -> Exception:
        """What a 429 leads to."""
        text = words_of(self._server, error)
        if refusals.is_out_of_credit(error.body, text):
            return ServerError(f"{self._server.where}: the account has no credit left ({text})", "see to it there")
        seconds = pace.asked_to_wait(error.response.headers)
        if seconds is not None and seconds > LONGEST_WAIT:
            return ServerError(
                f"{self._server.where} asks to wait {seconds / 60:,.0f} minutes",
                "what was done so far is kept; run the same then",
            )
        return HeldError(seconds)

    def refused(self, question: Question, error: APIStatusError, form: Form) -> Exception:
        """What a refusal leads to."""
        where, model, text = self._server.where, self._server.model, words_of(self._server, error)
        code = error.status_code
        if code in {401, 403}:
            todo = f"check {KEY}" if self._server.key else f"it wants a key: set {KEY}"
            return ServerError(f"{where} refuses the key ({code}: {text})", todo)
        if code == 402:
            return ServerError(f"{where}: the account has no credit left ({text})", "see to it there")
        if code in {404, 405}:
            return ServerError(
                f"{where} knows no model {model}, or this is not its address ({code}: {text})",
                "check --model and --base-url",
            )
        seeing = question.picture is not None
        if seeing and code == 500 and refusals.meaning(error.body, text, pictured=True) == "vision":
            return self._refusal(question, error, form, text)  # llama.cpp has it so
        if (code >= 500 and code != 501) or code in (408, 409, 425):
            seconds = pace.asked_to_wait(error.response.headers) if code == 503 else None
            return BrokenError(f"it fails ({code}: {text})") if seconds is None else HeldError(seconds)
        return self._refusal(question, error, form, text)

    def _refusal(self, question: Question, error: APIStatusError, form: Form, text: str) -> Exception:
        meant = refusals.meaning(error.body, text, pictured=question.picture is not None)
        if error.status_code == 413:
            meant = "context"
        if meant == "context":
            return OverflowedError(text)
        if question.picture is not None and question.picture.url and meant in ("unknown", "vision"):
            return UnansweredError(f"{self._server.where} refuses its address: {text}", final=True)
        if self._adapted(meant, form):
            return OtherwiseError()
        if meant == "unknown" and question.picture is not None:
            meant = "vision"  # without the picture it will show whether that was it
        if meant == "vision" and not self._memory.saw:
            self._memory.vision = False
            self._memory.form = FORMS[0] if not self._memory.proven else self._memory.form
            self._memory.keep(self._db, self._server)
            return NoVisionError()
        if meant == "unknown" and not self._memory.proven:
            return ServerError(f"{self._server.where} refuses the question: {text}", "check --model and --base-url")
        return UnansweredError(f"{self._server.where} refuses it: {text}", final=True)

    def _adapted(self, meant: refusals.Meaning, form: Form) -> bool:
        """Whether there is another way to put it, which is taken from now on."""
        if meant == "limit" and self._memory.limit:
            self._memory.limit = "max_tokens" if self._memory.limit == "max_completion_tokens" else ""
        elif form != FORMS[-1] and (meant == "form" or (meant == "unknown" and not self._memory.proven)):
            # Some only say that they do not like it: unknown.
            if self._memory.form == form:
                self._memory.form = FORMS[FORMS.index(form) + 1]
        else:
            return False
        if self._memory.proven:
            self._memory.keep(self._db, self._server)
        return True
