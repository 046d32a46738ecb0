"""URLs as they are kept, fetched and shown: the secrets of one are never kept or shown."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlsplit

LONGEST = 8192
_PLAIN = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]+)?/[!$&-;=?-Z_a-z~%]*")
"""What needs no mending: most URLs of most lists."""
_SIGNING = ("x-amz-", "x-goog-")
_SIGNATURES = frozenset(
    ("signature", "key-pair-id", "policy", "expires", "awsaccesskeyid", "googleaccessid", "sig", "se", "skt", "ske")
)
"""Parameters that a signature consists of: the path names the file, whatever they are."""
_SECRETS = frozenset(
    (
        *("token", "access_token", "auth_token", "authtoken", "api_key", "apikey", "key", "password", "passwd"),
        *("secret", "client_secret", "auth", "authorization", "session", "sessionid"),
    )
)
_IN_TEXT = re.compile(r"https?://[^\s'\"<>]+", re.IGNORECASE)


def cleaned(text: str) -> str:
    """The URL as it is fetched: without fragment, host in ASCII, the rest percent-encoded where it must be.

    Raises ValueError, in words for the user, for what is no http or https URL.
    """
    if len(text) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST:,} characters")
    if any(c.isspace() for c in text):
        raise ValueError("it has a space in it")
    if _PLAIN.fullmatch(text):
        return text
    scheme, colon, _ = text.partition("://")
    if not colon:
        raise ValueError("it is no URL")
    if scheme.lower() not in ("http", "https"):
        raise ValueError("only http and https are read")
    import httpx2

    try:
        url = httpx2.URL(text)
        port = url.port
    except (httpx2.InvalidURL, ValueError, UnicodeError) as error:
        raise ValueError("it is no URL") from error
    if not url.raw_host or (port is not None and not 0 < port < 65536):
        raise ValueError("it names no host")
    return str(url.copy_with(fragment=None))


def public(url: str) -> str:
    """The URL without what is secret in it: user and password, signatures, keys. By this it is known and shown.

    Two signatures of one file give the same; where a parameter may be what tells two files apart, a digest of it
    stays. Reddit's `s` is not secret: it says which size of a public preview is meant.
    """
    if "?" not in url and "@" not in url:
        return url
    head, mark, query = url.partition("?")
    scheme, _, rest = head.partition("://")
    host, slash, path = rest.partition("/")
    head = f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
    return head + mark + "&".join(_public_parameter(part) for part in query.split("&"))


def redacted(text: str) -> str:
    """A message with every URL in it made `public`."""
    return _IN_TEXT.sub(lambda match: public(match[0]), text)


def host_of(url: str) -> str:
    """The host and port that a URL leads to."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def _public_parameter(part: str) -> str:
    name, equals, value = part.partition("=")
    lower = name.lower()
    if not value:
        return part
    if lower.startswith(_SIGNING) or lower in _SIGNATURES:
        return f"{name}{equals}REDACTED"
    if lower in _SECRETS:
        return f"{name}{equals}REDACTED-{hashlib.blake2b(value.encode(), digest_size=3).hexdigest()}"
    return part
