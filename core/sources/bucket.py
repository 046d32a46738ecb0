"""Pictures of a bucket: S3, R2, MinIO and whatever else speaks ListObjectsV2.

botocore finds the credentials (environment, profiles, the role of a machine) and signs; both are easy to get almost
right. The requests are ours: they go through the same checks, limits and retries as every download.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree

import httpcore2

from core.environment import lent
from core.errors import ShoeboxError, UsageError
from core.imaging.formats import looks_like_picture
from core.sources.addresses import AddressRefusedError, UnknownHostError
from core.sources.found import Found, Page, Request
from core.sources.pace import asked_to_wait, backoff
from core.sources.session import Session
from core.sources.urls import host_of

ATTEMPTS = 6
LONGEST_WAIT = 120.0
_MOST_BYTES = 32 << 20
_EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_R2_HOST = ".r2.cloudflarestorage.com"
_WRONG_KEYS = {
    "InvalidAccessKeyId": "there is no such access key",
    "SignatureDoesNotMatch": "the secret does not belong to the access key, or the region is another",
    "RequestTimeTooSkewed": "the clock of this machine is wrong",
    "ExpiredToken": "the keys were for a time that is over",
    "AccessDenied": "the keys have no right to list it",
}
"""What a service means by its codes."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket and how to reach it. `credentials` are botocore's; None asks anonymously."""

    name: str
    prefix: str
    endpoint: str
    region: str
    credentials: Any = None

    @property
    def host(self) -> tuple[str, int]:
        """Host and port of the endpoint."""
        parts = urlsplit(self.endpoint)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def signed(self) -> bool:
        """Whether requests are signed."""
        return self.credentials is not None

    def request(self, key: str = "", query: Mapping[str, str] | None = None) -> Request:
        """A request for an object, or with `query` for the bucket, signed as of now."""
        address = f"{self.endpoint}/{self.name}/{quote(key, safe='/-_.~')}".rstrip("/" if not key else "")
        if query:
            address += "?" + urlencode(sorted(query.items()), quote_via=quote, safe="-_.~")
        if self.credentials is None:
            return Request(address, follow=False)
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest

        asked = AWSRequest("GET", address, headers={"X-Amz-Content-SHA256": _EMPTY_SHA256})
        S3SigV4Auth(self.credentials, "s3", self.region).add_auth(asked)
        return Request(address, dict(asked.headers.items()), follow=False)

    def locate(self, url: str) -> Request:
        """The request for the object that is known as s3://bucket/key."""
        return self.request(url.removeprefix(f"s3://{self.name}/"))


def open_bucket(
    root: str, environment: Mapping[str, str], *, endpoint: str = "", region: str = "", anonymous: bool = False
) -> Bucket:
    """The bucket that `root` (s3://bucket/prefix, r2://bucket/prefix) names.

    The endpoint is the one given, else what the variables say (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL; for r2, and
    where those are not set, R2_ENDPOINT or R2_ACCOUNT_ID), else Amazon's. Keys are R2_ACCESS_KEY_ID and
    R2_SECRET_ACCESS_KEY for R2, else what botocore finds; without any, or `anonymous`, none are used. Raises
    UsageError for an endpoint that is no URL, r2 without one, and half a pair of keys.
    """
    service, _, place = root.partition("://")
    name, _, prefix = place.partition("/")
    r2 = _r2_endpoint(environment)
    aws = environment.get("AWS_ENDPOINT_URL_S3", "") or environment.get("AWS_ENDPOINT_URL", "")
    endpoint = endpoint or (r2 or aws if service == "r2" else aws or r2)
    if service == "r2" and not endpoint:
        raise UsageError(f"where {root} is was not said", "set R2_ACCOUNT_ID, or give --endpoint URL")
    is_r2 = service == "r2" or (urlsplit(endpoint).hostname or "").endswith(_R2_HOST) or (r2 != "" and endpoint == r2)
    region = region or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or ""
    if not _REGION.fullmatch(region or "auto"):
        raise UsageError(f"{region[:40]!r} is no region", "write it as eu-west-1, or auto")
    region = region or ("auto" if is_r2 else "us-east-1")
    own, endpoint = bool(endpoint), (endpoint or f"https://s3.{region}.amazonaws.com").rstrip("/")
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise UsageError(f"the endpoint {host_of(endpoint) or endpoint} is no URL", "write it as https://HOST")
    if anonymous:
        return Bucket(name, prefix, endpoint, region, None)
    services = ("R2", "AWS") if is_r2 else ("AWS", "R2") if own else ("AWS",)
    keys = next(filter(None, (_keys_of(service, environment) for service in services)), None)
    return Bucket(name, prefix, endpoint, region, keys or _keys_of_the_machine(environment))


def public_address(root: str, environment: Mapping[str, str]) -> str:
    """Where anybody can look at what the bucket `root` holds (R2_PUBLIC_URL, of R2_BUCKET_NAME); "" if nowhere."""
    address = environment.get("R2_PUBLIC_URL", "").rstrip("/")
    own = environment.get("R2_BUCKET_NAME", "")
    name = root.partition("://")[2].partition("/")[0]
    return address if address.startswith(("https://", "http://")) and own in ("", name) else ""


async def list_bucket(session: Session, bucket: Bucket, *, seed: int = 0) -> AsyncIterator[Page]:
    """The pictures of a bucket by their names, in the order of its listing, 1,000 keys a request.

    Raises ShoeboxError where the bucket cannot be listed.
    """
    token = ""
    while True:
        query = {"list-type": "2", "max-keys": "1000", "prefix": bucket.prefix, "encoding-type": "url"}
        if token:
            query["continuation-token"] = token
        keys, token = await _listed(session, bucket, query, random.Random(seed))
        found = [
            Found(f"s3://{bucket.name}/{key}", size=size)
            for key, size in keys
            if looks_like_picture(key.encode("utf-8", "surrogatepass"))
        ]
        yield Page(found)
        if not token:
            return


async def settled(session: Session, bucket: Bucket) -> Bucket:
    """The bucket in the region it is really in, where the service tells of another.

    Raises ShoeboxError where it cannot be listed: before a single object is asked for with keys that do not fit.
    """
    query = {"list-type": "2", "max-keys": "1", "prefix": bucket.prefix, "encoding-type": "url"}
    with suppress(httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError, UnknownHostError):
        async with session.get(*_sent(bucket.request(query=query))) as answer:
            region = answer.headers.get("x-amz-bucket-region", "")
            elsewhere = answer.status in (301, 307, 400, 403) and region != bucket.region
        if elsewhere and _REGION.fullmatch(region):
            of_amazon = bucket.endpoint == f"https://s3.{bucket.region}.amazonaws.com"
            endpoint = f"https://s3.{region}.amazonaws.com" if of_amazon else bucket.endpoint
            bucket = replace(bucket, region=region, endpoint=endpoint)
        elif answer.status == 200:
            return bucket
    await _listed(session, bucket, query, random.Random(0))
    return bucket


def _sent(request: Request) -> tuple[str, Mapping[str, str]]:
    return request.address, request.headers


async def _listed(
    session: Session, bucket: Bucket, query: dict[str, str], rng: random.Random
) -> tuple[list[tuple[str, int]], str]:
    problem = ""
    for attempt in range(ATTEMPTS):
        wait: float | None = None
        try:
            async with session.get(*_sent(bucket.request(query=query))) as answer:
                wait = asked_to_wait(answer.headers, answer.status)
                text = bytearray()
                async for data in answer.body:
                    text += data
                    if len(text) > _MOST_BYTES:
                        raise ShoeboxError("the bucket's listing is too long", "check the endpoint")
            if answer.status == 200:
                return _parsed(bytes(text))
            problem = _problem(bytes(text), answer.status)
            if answer.status not in (429, 500, 502, 503, 504):
                raise _refused(bucket, answer.status, problem)
        except AddressRefusedError as error:
            raise ShoeboxError(str(error), "--allow-private lifts that") from error
        except UnknownHostError as error:
            raise ShoeboxError(str(error), "check --endpoint and the name of the bucket") from error
        except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.ProxyError):
            problem = f"{host_of(bucket.endpoint)} cannot be reached"
        await asyncio.sleep(min(max(wait or 0.0, backoff(attempt, rng)), LONGEST_WAIT))
    raise ShoeboxError(
        f"the bucket {bucket.name} cannot be listed ({problem})", "try again later: what came so far is kept"
    )


def _parsed(text: bytes) -> tuple[list[tuple[str, int]], str]:
    """The keys with their sizes in bytes, and the token of the next page, empty after the last."""
    from urllib.parse import unquote_plus

    try:
        root = _tree(text)
    except ElementTree.ParseError as error:
        raise ShoeboxError("the endpoint does not answer as a bucket does", "check --endpoint") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]  # some services leave the namespace out
    encoded = root.findtext("EncodingType") == "url"
    keys = []
    for entry in root.findall("Contents"):
        key, size = entry.findtext("Key") or "", entry.findtext("Size") or ""
        keys.append((unquote_plus(key) if encoded else key, int(size) if size.isdigit() else 0))
    truncated = root.findtext("IsTruncated") == "true"
    return keys, (root.findtext("NextContinuationToken") or "") if truncated else ""


def _tree(text: bytes) -> ElementTree.Element:
    if b"<!DOCTYPE" in text[:4096] or b"<!ENTITY" in text:
        raise ElementTree.ParseError("entities have no place in it")
    return ElementTree.fromstring(text)  # noqa: S314 - no entities


def _problem(text: bytes, status: int) -> str:
    try:
        root = _tree(text)
    except ElementTree.ParseError:
        return f"it answers {status}"
    return f"{status} {root.findtext('Code') or ''}".strip()[:80]


def _refused(bucket: Bucket, status: int, problem: str) -> ShoeboxError:
    if status in (401, 403):
        of_r2 = (urlsplit(bucket.endpoint).hostname or "").endswith(_R2_HOST)
        names = "R2_ACCESS_KEY_ID and R2_SECRET_ACCESS_KEY"
        if not of_r2:
            names = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or for R2 those that begin with R2_"
        how = "no keys were found, and it is not public"
        if bucket.signed:
            how = _WRONG_KEYS.get(problem.partition(" ")[2], "the keys are not accepted")
        verb = "check" if bucket.signed else "set"
        return ShoeboxError(f"the bucket {bucket.name} may not be listed ({problem}): {how}", f"{verb} {names}")
    return ShoeboxError(f"the bucket {bucket.name} cannot be listed ({problem})", "check its name and --endpoint")


def _r2_endpoint(environment: Mapping[str, str]) -> str:
    account = environment.get("R2_ACCOUNT_ID", "")
    return environment.get("R2_ENDPOINT", "") or (f"https://{account}{_R2_HOST}" if account else "")


def _keys_of(service: str, environment: Mapping[str, str]) -> Any:
    """The keys that the environment has for R2 or AWS; None where it has none."""
    from botocore.credentials import Credentials

    names = (f"{service}_ACCESS_KEY_ID", f"{service}_SECRET_ACCESS_KEY")
    key, secret = (environment.get(name, "").strip() for name in names)
    if bool(key) != bool(secret):
        there, missing = names if key else names[::-1]
        raise UsageError(f"{there} is set, {missing} is not", "set both, or say --anonymous")
    token = environment.get("AWS_SESSION_TOKEN") if service == "AWS" else None
    return Credentials(key, secret, token or None) if key else None


def _keys_of_the_machine(environment: Mapping[str, str]) -> Any:
    """What botocore finds: profiles, the role of a machine."""
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session as BotocoreSession

    try:
        with lent(environment):
            return BotocoreSession(profile=environment.get("AWS_PROFILE") or None).get_credentials()
    except BotoCoreError as error:
        raise ShoeboxError(
            f"the AWS configuration cannot be used ({error})", "mend it, or unset AWS_PROFILE"
        ) from error
