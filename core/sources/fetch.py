"""Downloads one picture: attempts, redirects, limits, and a look at what came."""

from __future__ import annotations

import asyncio
import random
import ssl
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from urllib.parse import urljoin

import httpcore2

from core.imaging.formats import describe, identify
from core.sources.addresses import AddressRefusedError, UnknownHostError
from core.sources.found import Failure, Lifts, Locate, Request, Stored
from core.sources.pace import Pace, asked_to_wait, backoff
from core.sources.session import Answer, Session
from core.sources.store import HEAD, Part, Store
from core.sources.urls import cleaned, host_of, redacted

ATTEMPTS = 5
MOST_REDIRECTS = 5
PATIENCE = 120.0
"""Seconds that a host may ask to wait; for more, the picture is left for the next run."""
WHOLE_SECONDS = 300.0
"""For one attempt, however steadily it drips."""
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
_REASONS = {401: "not allowed", 403: "not allowed", 404: "not found", 410: "not found", 451: "not allowed"}

Unpack = Callable[[AsyncIterator[bytes], "Fetcher"], AsyncGenerator[bytes, None]]


class _FailedError(Exception):
    """It will not come, however often it is asked for."""

    def __init__(self, reason: str, error: str, lifts: Lifts = "", needs: int = 0) -> None:
        super().__init__(error)
        self.failure = Failure(reason, redacted(error), lifts, needs)


class _PassingError(Exception):
    """It may come the next time; after `wait` seconds, where the host said so."""

    def __init__(self, reason: str, error: str, wait: float | None = None) -> None:
        super().__init__(error)
        self.failure = Failure(reason, redacted(error))
        self.wait = wait


class Fetcher:
    """Downloads pictures into a store; any number at a time, in one event loop."""

    def __init__(
        self, session: Session, store: Store, pace: Pace, *, max_bytes: int, seed: int = 0, attempts: int = ATTEMPTS
    ) -> None:
        self._session = session
        self._store = store
        self._pace = pace
        self._max_bytes = max_bytes
        self._most_attempts = attempts
        self._rng = random.Random(seed)
        self.received = 0
        """Bytes that came in, of all pictures."""

    async def fetch(self, url: str, locate: Locate) -> Stored | Failure:
        """The picture on the disk, or why not. Raises OSError where the disk cannot take it."""
        part = self._store.part()
        try:
            return await self._attempts(url, locate, part)
        except _FailedError as error:
            return error.failure
        finally:
            part.discard()

    async def _attempts(self, url: str, locate: Locate, part: Part) -> Stored | Failure:
        failure = Failure("failed", "it was not tried")
        for attempt in range(self._most_attempts):
            try:
                async with asyncio.timeout(WHOLE_SECONDS):
                    await self._attempt(locate(url), part)
            except _PassingError as error:
                failure = error.failure
                wait = error.wait
            except TimeoutError:
                failure = Failure("timed out", f"it was not whole after {WHOLE_SECONDS:.0f} seconds")
                wait = None
            else:
                kind = self._checked(part)
                return await asyncio.to_thread(part.keep, self._store.root, kind)
            if wait is not None and wait > PATIENCE:
                return Failure("rate limited", f"the host asks to wait for {wait:,.0f} seconds", "time")
            if attempt + 1 < self._most_attempts:
                await asyncio.sleep(max(wait or 0.0, backoff(attempt, self._rng)))
        return failure

    def _checked(self, part: Part) -> str:
        """The format of what came. Raises _FailedError for what is no picture."""
        kind = identify(part.head)
        if kind is None:
            raise _FailedError("not a picture", f"it is {describe(part.head)}")
        return kind

    async def _attempt(self, request: Request, part: Part) -> None:
        address = request.address
        headers = dict(request.headers)
        if part.size and not part.validator:
            part.restart()
        if part.size:
            headers |= {"Range": f"bytes={part.size}-", "If-Range": part.validator}
        try:
            for _ in range(MOST_REDIRECTS + 1):
                target = await self._hop(address, headers, part, follow=request.follow)
                if target is None:
                    return
                address = target
        except AddressRefusedError as error:
            raise _FailedError("private address", f"{error}: --allow-private lifts that", "private") from error
        except UnknownHostError as error:
            if error.passing:
                raise _PassingError("no such host", str(error)) from error
            raise _FailedError("no such host", str(error)) from error
        except httpcore2.TimeoutException as error:
            raise _PassingError("timed out", f"{host_of(address)} did not answer in time") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.ProxyError, OSError) as error:
            if isinstance(error, OSError) and not isinstance(error, ConnectionError | ssl.SSLError):
                raise  # the disk's
            raise _network_error(error, host_of(address)) from error
        raise _FailedError("too many redirects", f"it leads on more than {MOST_REDIRECTS} times")

    async def _hop(self, address: str, headers: dict[str, str], part: Part, *, follow: bool) -> str | None:
        """Asks one address; gives the address it leads on to, None once the picture is there."""
        host = host_of(address)
        async with self._pace.turn(host), self._session.get(address, headers) as answer:
            wait = asked_to_wait(answer.headers, answer.status)
            if wait is not None and wait <= PATIENCE:
                self._pace.hold(host, wait)
            if answer.status in _REDIRECTS and follow:
                return _target(address, answer)
            if answer.status in _PASSING:
                reason = "rate limited" if answer.status == 429 else "server error"
                raise _PassingError(reason, f"{host} answers {answer.status}", wait)
            if answer.status == 416 and part.size:
                part.restart()
                raise _PassingError("cut off", f"{host} has no rest of it")
            if answer.status not in (200, 206):
                reason = _REASONS.get(answer.status, "refused by the server")
                raise _FailedError(reason, f"{host} answers {answer.status}")
            await self._take(answer, part, host)
            return None

    async def _take(self, answer: Answer, part: Part, host: str) -> None:
        """Takes the body, and gives up as soon as it is clear that it is too large or no picture."""
        if answer.status == 206 and not _continues(answer, part.size):
            part.restart()
            raise _PassingError("cut off", f"{host} sent another piece of it than was asked for")
        if answer.status == 200:
            part.restart()
        encoding = answer.headers.get("content-encoding", "").strip().lower()
        unpack = _unpacker(encoding, host)
        part.validator = "" if encoding not in ("", "identity") else _validator(answer)
        length = answer.headers.get("content-length", "")
        if length.isdigit() and part.size + int(length) > self._max_bytes:
            raise self._too_large(part.size + int(length))
        sniffed = part.size >= HEAD
        # Closed here, and not by the collector: a body left half read would hold its connection.
        async with aclosing(unpack(answer.body, self)) as body:
            async for data in body:
                part.write(data)
                if part.size > self._max_bytes:
                    raise self._too_large()
                if not sniffed and part.size >= HEAD:
                    self._checked(part)
                    sniffed = True

    def _too_large(self, size: int = 0) -> _FailedError:
        """`size` in bytes, where the host tells."""
        limit = f"{self._max_bytes / 1e6:,.0f} MB (--max-file-mb)"
        what = (
            f"it has {size / 1e6:,.1f} MB, the limit is {limit}" if size else f"it is longer than the limit of {limit}"
        )
        return _FailedError("too large", what, "size", self._max_bytes)


async def _plain(body: AsyncIterator[bytes], fetcher: Fetcher) -> AsyncGenerator[bytes, None]:
    async for data in body:
        fetcher.received += len(data)
        yield data


async def _inflated(body: AsyncIterator[bytes], fetcher: Fetcher) -> AsyncGenerator[bytes, None]:
    """Unpacks gzip or zlib a bounded piece at a time: the size limit stops a bomb before it is in memory."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    async for packed in body:
        fetcher.received += len(packed)
        rest = packed
        while rest:
            try:
                piece = unpacker.decompress(rest, 1 << 18)
            except zlib.error as error:
                raise _FailedError("broken compression", "what was sent does not unpack") from error
            rest = unpacker.unconsumed_tail
            if piece:
                yield piece
    if not unpacker.eof:
        raise _PassingError("cut off", "the connection ended before the picture did")


def _unpacker(encoding: str, host: str) -> Unpack:
    if encoding in ("", "identity"):
        return _plain
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _inflated
    raise _FailedError("broken compression", f"{host} sent it packed as {encoding[:30]}, which was not asked for")


def _target(address: str, answer: Answer) -> str:
    location = answer.headers.get("location", "")
    try:
        # As bytes the header is Latin-1; what servers mean is UTF-8.
        return cleaned(
            urljoin(address, location.encode("latin-1").decode("utf-8", "replace").strip().replace(" ", "%20"))
        )
    except ValueError as error:
        raise _FailedError("bad redirect", f"{host_of(address)} leads on to something that is no URL") from error


def _validator(answer: Answer) -> str:
    """By what the rest can be asked for (RFC 9110, 13.1.5): a strong ETag, or the date of the last change."""
    if answer.status == 200 and "bytes" not in answer.headers.get("accept-ranges", ""):
        return ""
    etag = answer.headers.get("etag", "")
    return etag if etag.startswith('"') else answer.headers.get("last-modified", "")


def _continues(answer: Answer, size: int) -> bool:
    return (
        answer.headers.get("content-range", "").startswith(f"bytes {size}-")
        and "content-encoding" not in answer.headers
    )


def _network_error(error: Exception, host: str) -> _PassingError | _FailedError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _FailedError("bad certificate", f"the certificate of {host} is not valid ({cause.verify_message})")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpcore2.ConnectError):
        return _PassingError("no connection", f"cannot connect to {host}")
    if isinstance(error, httpcore2.ProxyError):
        return _PassingError("no connection", f"the proxy does not lead to {host}")
    return _PassingError("cut off", f"{host} ended the connection before the picture was whole")
