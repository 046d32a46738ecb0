"""Asks the model one question after another, whatever the server does: it is slow, refuses, breaks off, or babbles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from core.naming.language import pace, reading
from core.naming.language.outcomes import (
    BrokenError,
    HeldError,
    NoVisionError,
    OtherwiseError,
    ServerError,
    UnansweredError,
)
from core.naming.language.pace import Pace
from core.naming.language.questions import ROOM, Question
from core.naming.language.reading import MalformedError
from core.naming.language.replying import content_of, finish_of, read_reply, usage_of
from core.naming.language.server import NO_KEY, Memory, Server
from core.naming.language.verdicts import Verdicts, words_of

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.naming.language.meter import Call, Meter

Answer = TypeVar("Answer")
READINGS = 3
"""A question is asked so often, where what comes back is not what was asked for."""
TRIES = 5
"""So often, where the server fails or breaks off."""
PATIENCE = 20
"""So often, where it says that it was asked too much."""
MOST_BYTES = 1_000_000
"""Of a reply."""
FAILED_IN_A_ROW = 3
"""So many questions that the server failed at, one after the other, end the run."""


class Asker:
    """One server, asked by many tasks of one event loop. `close` when done."""

    def __init__(self, server: Server, db: Database, meter: Meter, *, seconds: float) -> None:
        import httpx2
        import openai

        self.server = server
        self.meter = meter
        self.pace = Pace()
        self.memory = Memory.of(db, server)
        self._db = db
        self._verdicts = Verdicts(server, self.memory, db)
        self._seconds = seconds
        self._first = asyncio.Lock()
        self._failed_in_a_row = 0
        self._over: ServerError | None = None  # what ended it, for those that still wait
        # Its own retries are off: they would be neither counted nor held back by what the others were told.
        # Its environment is the worker's, and the key, the proxy and the rest are the client's.
        self._client = openai.AsyncOpenAI(
            api_key=server.key or NO_KEY,
            base_url=server.url,
            organization=server.organization or None,
            project=server.project or None,
            timeout=seconds,
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(transport=httpx2.AsyncHTTPTransport(proxy=server.proxy or None)),
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def ask(self, question: Question, read: Callable[[dict[str, Any]], Answer]) -> Answer:
        """What `read` makes of the reply; it raises MalformedError for one that will not do.

        Raises UnansweredError where there is no answer to this question; NoVisionError, OverflowedError and
        BudgetSpentError as they say; ServerError where it is no use to go on.
        """
        while not self._proven(question):
            async with self._first:  # the others wait: what the server cannot do is found out once
                if self._over is not None:
                    raise self._over
                if not self._proven(question):
                    return await self._answer(question, read)
        return await self._answer(question, read)

    def _proven(self, question: Question) -> bool:
        if question.picture is not None and not self.memory.vision:
            raise NoVisionError
        return self.memory.proven and (question.picture is None or self.memory.saw)

    async def _answer(self, question: Question, read: Callable[[dict[str, Any]], Answer]) -> Answer:
        try:
            return await self._readable(question, read)
        except ServerError as error:
            self._over = error
            raise

    async def _readable(self, question: Question, read: Callable[[dict[str, Any]], Answer]) -> Answer:
        complaint, room = "", ROOM
        for _ in range(READINGS):
            reply = await self._reply(question, complaint, room)
            try:
                text = content_of(reply)
                if finish_of(reply) == "length":
                    room *= 4
                    raise MalformedError("it was cut off")
                answer = read(reading.read_object(text))
            except MalformedError as error:
                complaint = str(error)
                continue
            self._learned(question)
            return answer
        raise UnansweredError(
            f"the reply of {self.server.model} was of no use {READINGS} times: {complaint}", final=True
        )

    def _learned(self, question: Question) -> None:
        if not self.memory.proven or (question.picture is not None and not self.memory.saw):
            self.memory.proven = True
            self.memory.saw = self.memory.saw or question.picture is not None
            self.memory.keep(self._db, self.server)

    async def _reply(self, question: Question, complaint: str, room: int) -> dict[str, Any]:
        """The API's reply as data; asked again where the server fails, and in another form where it knows not this."""
        failed = held = 0
        while True:
            await self.pace.turn()
            call = await self.meter.begin(question.expected_tokens(self.server.model), question.replies)
            try:
                reply = await self._call(question, complaint, room, call)
            except BrokenError as error:
                failed += 1
                if failed >= TRIES:
                    raise self._failed(str(error)) from None
                await asyncio.sleep(pace.backoff(failed))
            except HeldError as error:
                held += 1
                if held >= PATIENCE:
                    raise self._failed("it goes on saying that it was asked too much") from None
                self.pace.hold(error.seconds if error.seconds is not None else pace.backoff(held) + 0.1)
            except OtherwiseError:
                continue
            else:
                self._failed_in_a_row = 0
                return reply

    def _failed(self, reason: str) -> Exception:
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= FAILED_IN_A_ROW or not self.memory.proven:
            return ServerError(
                f"{self.server.where} cannot be asked: {reason}",
                "what was done so far is kept; check that the server runs and --base-url, then run the same again",
            )
        return UnansweredError(f"{self.server.where}: {reason}", final=False)

    async def _call(self, question: Question, complaint: str, room: int, call: Call) -> dict[str, Any]:
        """One call. Raises what `_reply` knows how to go on from; or ServerError, NoVisionError and their like."""
        import openai

        taken = (0, 0)
        form = self.memory.form
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._client.chat.completions.with_streaming_response.create(
                    **self._body(question, complaint, room)
                ) as response,
            ):
                self.pace.heed(response.headers)
                data = await self._whole(response)
            reply = read_reply(data)
            taken = usage_of(reply) or (question.expected_tokens(self.server.model), question.replies)
            return reply
        except openai.RateLimitError as error:
            raise self._verdicts.told_to_wait(error) from None
        except (openai.APITimeoutError, TimeoutError):
            raise BrokenError(f"no answer within {self._seconds:g} seconds") from None
        except openai.APIStatusError as error:
            raise self._verdicts.refused(question, error, form) from None
        except openai.APIConnectionError as error:
            raise BrokenError(f"no connection ({words_of(self.server, error.__cause__ or error)})") from None
        except openai.OpenAIError as error:
            raise BrokenError(words_of(self.server, error)) from None
        finally:
            call.end(*taken)

    async def _whole(self, response: Any) -> bytes:
        """The bytes of a reply, up to a bound: it may go on for ever."""
        data = b""
        try:
            async for chunk in response.iter_bytes():
                data += chunk
                if len(data) > MOST_BYTES:
                    break
        except Exception as error:  # of the HTTP library under the package, whichever that is
            raise BrokenError(f"the connection broke off ({words_of(self.server, error)})") from None
        if len(data) > MOST_BYTES:
            raise BrokenError(f"its reply is longer than {MOST_BYTES:,} bytes")
        return data

    def _body(self, question: Question, complaint: str, room: int) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.server.model, "messages": question.messages(complaint)}
        if self.memory.form == "json_schema":
            schema = {"name": question.prompt.kind, "schema": question.schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif self.memory.form == "json_object":
            body["response_format"] = {"type": "json_object"}
        if self.memory.limit:
            body[self.memory.limit] = room + 2 * question.replies
        return body
