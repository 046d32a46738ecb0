"""Servers on loopback that behave as well, or as badly, as those of the internet."""

import base64
import datetime
import gzip
import hashlib
import hmac
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

Route = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers by the server's routes; one that ends in * takes every path that begins so."""

    protocol_version = "HTTP/1.1"
    server: "Web"

    def do_GET(self):
        path = urlsplit(self.path).path
        with self.server.lock:
            self.server.asked.append((self.path, dict(self.headers.items())))
            self.server.now += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.now)
        try:
            route = self.server.routes.get(path) or next(
                (r for p, r in self.server.routes.items() if p.endswith("*") and path.startswith(p[:-1])), not_found
            )
            route(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with self.server.lock:
                self.server.now -= 1

    def answer(self, status=200, body=b"", **headers):
        """A whole answer; names of headers with _ for -."""
        self.send_response(status)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in ({"Content-Length": str(len(body))} | names).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    @property
    def times(self) -> int:
        """How often this path was asked for, this time included."""
        return sum(path == self.path for path, _ in self.server.asked)

    def cut(self):
        """Ends the connection."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_):
        pass


class Web(ThreadingHTTPServer):
    """A server of its own thread, on a port of its own; `with` ends it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, routes: dict[str, Route] | None = None, host="127.0.0.1"):
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, 0), Handler)
        self.routes: dict[str, Route] = routes or {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.lock = threading.Lock()
        self.now = self.most_at_once = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def counts(self) -> Counter[str]:
        with self.lock:
            return Counter(path for path, _ in self.asked)

    def handle_error(self, request, client_address):
        pass  # clients leave when they like

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


def not_found(handler: Handler):
    handler.answer(404, b"<html>not here</html>", Content_Type="text/html")


def serves(body: bytes, **headers) -> Route:
    return lambda handler: handler.answer(200, body, **{"Content_Type": "image/png"} | headers)


def status(code: int, **headers) -> Route:
    return lambda handler: handler.answer(code, b"", **headers)


def redirects(to: str, code=302) -> Route:
    return status(code, Location=to)


def at_first(times: int, first: Route, then: Route) -> Route:
    """One answer to the first requests for a path, another to those after."""
    return lambda handler: (first if handler.times <= times else then)(handler)


def cuts_after(number: int, body: bytes, **headers) -> Route:
    """Promises all of it and ends the connection before."""

    def route(handler: Handler):
        handler.send_response(200)
        for name, value in ({"Content_Length": str(len(body))} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body[:number])
        handler.cut()

    return route


def by_range(body: bytes, cut_at: int) -> Route:
    """Cuts the first answer, and serves the rest to who asks for it."""

    def route(handler: Handler):
        asked = handler.headers.get("Range", "")
        if not asked:
            cuts_after(cut_at, body, Accept_Ranges="bytes", ETag='"one"')(handler)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-"))
        rest = body[start:]
        handler.answer(206, rest, Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}", ETag='"one"')

    return route


def bomb(megabytes: int) -> Route:
    """A small answer that unpacks to a large one, and begins like a picture."""
    packed = gzip.compress(b"\x89PNG\r\n\x1a\n" + bytes(megabytes << 20))
    return serves(packed, Content_Encoding="gzip")


def endless(handler: Handler):
    """Never says how long it is, and never ends."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    piece = b"\x89PNG\r\n\x1a\n" + bytes(1 << 18)
    while True:
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))


def slowly(body: bytes, seconds: float) -> Route:
    def route(handler: Handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        for start in range(0, len(body), max(1, len(body) // 4)):
            handler.wfile.write(body[start : start + max(1, len(body) // 4)])
            time.sleep(seconds / 4)

    return route


class Archive:
    """Arctic Shift's search, with what it is known for; `posts` are sorted by created_utc."""

    def __init__(self, posts: list[dict[str, Any]], *, page=3, slow_downs=0):
        self.posts = sorted(posts, key=lambda post: post["created_utc"])
        self.page = page
        self.slow_downs = slow_downs
        self.limits: list[str] = []

    def __call__(self, handler: Handler):
        query = dict(parse_qsl(urlsplit(handler.path).query))
        self.limits.append(query.get("limit", ""))
        if query.get("sort") != "asc" or "fields" in query:
            self.error(handler, 400, "asked for in another way than is known to work")
        elif self.slow_downs > 0:
            self.slow_downs -= 1
            self.error(handler, 422, "Timeout. Maybe slow down a bit")
        elif query["subreddit"] == "nowhere":
            self.error(handler, 400, "subreddit not found")
        else:
            after, before = int(query.get("after") or 0), int(query.get("before") or 1 << 40)
            # The boundary comes again: a post of the very second that `after` names.
            found = [
                p for p in self.posts if after <= p["created_utc"] < before and p["subreddit"] == query["subreddit"]
            ]
            self.send(handler, 200, {"data": found[: self.page] if after != self.last(found) else []})

    @staticmethod
    def last(found: list[dict[str, Any]]) -> int | None:
        return found[-1]["created_utc"] if found else None

    def error(self, handler: Handler, code: int, what: str):
        self.send(handler, code, {"data": None, "error": what})

    def send(self, handler: Handler, code: int, envelope: dict[str, Any]):
        body = json.dumps(envelope).encode()
        handler.answer(code, body, Content_Type="application/json", X_RateLimit_Remaining="5", X_RateLimit_Reset="60")


class S3:
    """ListObjectsV2 and GetObject of one bucket. With a secret, it checks the signature of every request."""

    def __init__(self, bucket: str, objects: dict[str, bytes], *, key="", secret="", region="us-east-1"):
        self.bucket, self.objects = bucket, objects
        self.key, self.secret, self.region = key, secret, region
        self.refused: list[str] = []

    def __call__(self, handler: Handler):
        parts = urlsplit(handler.path)
        if self.secret and (problem := self.wrong_signature(handler)):
            self.refused.append(problem)
            self.error(handler, 403, "SignatureDoesNotMatch")
            return
        _, bucket, *rest = parts.path.split("/", 2)
        key = unquote(rest[0]) if rest else ""
        if bucket != self.bucket:
            self.error(handler, 404, "NoSuchBucket")
        elif not key:
            self.list(handler, dict(parse_qsl(parts.query)))
        elif key in self.objects:
            handler.answer(200, self.objects[key])
        else:
            self.error(handler, 404, "NoSuchKey")

    def list(self, handler: Handler, query: dict[str, str]):
        assert query["list-type"] == "2"
        start = base64.b64decode(query.get("continuation-token", "")).decode()
        keys = sorted(k for k in self.objects if k.startswith(query.get("prefix", "")) and k > start)
        most = min(1000, int(query.get("max-keys", "1000")))
        page, more = keys[:most], len(keys) > most
        shown = (lambda k: quote(k, safe="/")) if query.get("encoding-type") == "url" else (lambda k: k)
        entries = "".join(
            f"<Contents><Key>{escape(shown(k))}</Key><Size>{len(self.objects[k])}</Size></Contents>" for k in page
        )
        token = base64.b64encode(page[-1].encode()).decode() if more else ""
        following = f"<NextContinuationToken>{token}</NextContinuationToken>" if more else ""
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<IsTruncated>{str(more).lower()}</IsTruncated><EncodingType>url</EncodingType>"
            f"{entries}{following}</ListBucketResult>"
        )
        handler.answer(200, body.encode(), Content_Type="application/xml")

    def error(self, handler: Handler, code: int, name: str):
        handler.answer(code, f"<Error><Code>{name}</Code></Error>".encode(), Content_Type="application/xml")

    def wrong_signature(self, handler: Handler) -> str:
        """What is wrong with a request's signature, "" where it is right (AWS Signature Version 4, worked out here)."""
        sent = {name.lower(): value.strip() for name, value in handler.headers.items()}
        authorization = sent.get("authorization", "")
        if not authorization.startswith("AWS4-HMAC-SHA256 "):
            return "not signed"
        fields = dict(part.strip().split("=", 1) for part in authorization.split(" ", 1)[1].split(","))
        key, date, region, service, end = fields["Credential"].split("/")
        if (key, region, service, end) != (self.key, self.region, "s3", "aws4_request"):
            return f"of another scope: {fields['Credential']}"
        signed = fields["SignedHeaders"].split(";")
        if "host" not in signed or "x-amz-date" not in signed:
            return "too few headers are signed"
        parts = urlsplit(handler.path)
        query = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parse_qsl(parts.query, True))
        canonical = "\n".join(
            (
                "GET",
                quote(unquote(parts.path), safe="/-_.~"),
                "&".join(f"{k}={v}" for k, v in query),
                *(f"{name}:{sent[name]}" for name in signed),
                "",
                ";".join(signed),
                sent["x-amz-content-sha256"],
            )
        )
        moment = datetime.datetime.strptime(sent["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
        if abs((datetime.datetime.now(datetime.UTC) - moment).total_seconds()) > 900:
            return "of another time"
        scope = f"{date}/{region}/s3/aws4_request"
        to_sign = "\n".join(
            ("AWS4-HMAC-SHA256", sent["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest())
        )
        secret = ("AWS4" + self.secret).encode()
        for part in (date, region, "s3", "aws4_request"):
            secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
        right = hmac.new(secret, to_sign.encode(), hashlib.sha256).hexdigest()
        return "" if hmac.compare_digest(right, fields["Signature"]) else "another signature"
