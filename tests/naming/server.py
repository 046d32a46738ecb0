"""A server that speaks the OpenAI API on loopback, looks at the pictures it is sent, and misbehaves on demand.

    python -m tests.naming.server --port 8080 --do no_schema

It labels a picture by its mean colour, so that runs from end to end make sense.
"""

import argparse
import base64
import io
import json
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COLOURS = {
    "red": (200, 40, 40),
    "green": (50, 160, 60),
    "blue": (50, 80, 200),
    "yellow": (220, 200, 60),
    "purple": (140, 60, 160),
    "brown": (120, 80, 50),
    "grey": (128, 128, 128),
    "white": (235, 235, 235),
    "black": (20, 20, 20),
    "orange": (230, 140, 50),
    "teal": (60, 150, 150),
    "pink": (230, 150, 180),
}
HABITS = (
    *("no_schema", "no_json", "no_vision", "not_json", "wrong_schema", "babble", "error_name", "overflow", "no_key"),
    *("no_model", "no_credit", "no_usage", "refuses", "old_limit", "cut_off", "same_names", "echo_key", "html"),
    *("no_urls", "blind_400", "blind_500"),
)


@dataclass
class Behaviour:
    """What the server does. `once`: statuses (or "hang", "cut") for the next calls, in order."""

    habits: set[str] = field(default_factory=set)
    once: list[Any] = field(default_factory=list)
    always: Any = None
    delay: float = 0.0
    retry_after: str = "0.2"
    key: str = ""
    context: int = 6000
    say: dict[str, Any] = field(default_factory=dict)
    """What it answers to a kind of question, in place of what it sees."""
    remaining: str = ""


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that are killed break their connections off: no news here."""


class FakeServer:
    """Runs in threads of this process. `requests` are the bodies of the calls it got, `calls` counts them by kind."""

    def __init__(self, behaviour: Behaviour | None = None, port: int = 0) -> None:
        self.behaviour = behaviour or Behaviour()
        self.requests: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.authorizations: list[str] = []
        self.statuses: list[Any] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.leaving = threading.Event()
        outer = self

        class Handler(_Handler):
            owner = outer

        self._http = _Listener(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> "FakeServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.leaving.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def calls(self) -> int:
        return len(self.requests)

    @property
    def kinds(self) -> Counter[str]:
        return Counter(kind_of(request) for request in self.requests)


class _Handler(BaseHTTPRequestHandler):
    owner: FakeServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.endswith("/models"):
            self._answer(200, {"object": "list", "data": [{"id": "seer", "object": "model"}]})
        else:
            self._answer(404, {"error": {"message": "no such path"}})

    def do_POST(self) -> None:
        owner = self.owner
        length = int(self.headers["Content-Length"])
        data = self.rfile.read(length)
        if len(data) < length:
            self.close_connection = True
            return  # the client was killed while it asked
        body = json.loads(data)
        with owner.lock:
            owner.requests.append(body)
            owner.times.append(time.monotonic())
            owner.authorizations.append(self.headers.get("Authorization", ""))
            now = owner.behaviour.once.pop(0) if owner.behaviour.once else owner.behaviour.always
            owner.at_once += 1
            owner.most_at_once = max(owner.most_at_once, owner.at_once)
        try:
            self._respond(body, now)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client did not wait
        finally:
            with owner.lock:
                owner.at_once -= 1

    def _respond(self, body: dict[str, Any], now: Any) -> None:
        behaviour = self.owner.behaviour
        if behaviour.delay:
            self.owner.leaving.wait(behaviour.delay)
        if now == "hang":
            self.owner.leaving.wait(60)
            self.close_connection = True
            return
        if now == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "5000")
            self.end_headers()
            self.wfile.write(b'{"choices": [')
            self.close_connection = True
            self.connection.close()
            return
        if isinstance(now, int):
            headers = {"Retry-After": behaviour.retry_after} if now in (429, 503) and behaviour.retry_after else {}
            self._answer(now, {"error": {"message": f"told to say {now}", "code": None}}, headers)
            return
        status, reply = judge(body, behaviour, self.headers.get("Authorization", ""))
        headers = {}
        if behaviour.remaining:
            headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": behaviour.remaining}
        if isinstance(reply, bytes):
            self._send(status, reply, "text/html", headers)
        else:
            self._answer(status, reply, headers)

    def _answer(self, status: int, data: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(data).encode(), "application/json", headers or {})

    def _send(self, status: int, data: bytes, kind: str, headers: dict[str, str]) -> None:
        with self.owner.lock:
            self.owner.statuses.append(status)
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def judge(body: dict[str, Any], behaviour: Behaviour, authorization: str) -> tuple[int, Any]:
    """The status and the reply to a call."""
    habits = behaviour.habits
    form = (body.get("response_format") or {}).get("type", "text")
    text = text_of(body)
    pictures = pictures_of(body)
    if behaviour.key and authorization != f"Bearer {behaviour.key}":
        return _error(401, "Incorrect API key provided", "invalid_api_key")
    if "echo_key" in habits:
        return _error(401, f"Incorrect API key provided: {authorization}", "invalid_api_key")
    if "no_model" in habits:
        return _error(404, f"The model `{body['model']}` does not exist", "model_not_found")
    if "no_credit" in habits:
        return _error(429, "You exceeded your current quota", "insufficient_quota")
    if "old_limit" in habits and "max_completion_tokens" in body:
        return _error(400, "Unrecognized request argument supplied: max_completion_tokens", None)
    if "no_vision" in habits and pictures:
        return _error(400, "Invalid content type. image_url is only supported by certain models.", None)
    if "no_urls" in habits and any(not url.startswith("data:") for url in pictures):
        return _error(400, "Error while downloading the file", "invalid_image_url")
    if "blind_400" in habits and pictures:
        return _error(400, "Bad Request", None)
    if "blind_500" in habits and pictures:
        return _error(500, "image input is not supported - hint: you may need to provide the mmproj", None)
    if "no_schema" in habits and form == "json_schema":
        return _error(400, "response_format type json_schema is not supported", None)
    if "no_json" in habits and form != "text":
        return _error(400, "This server does not support response_format", None)
    if "overflow" in habits and kind_of(body) == "name" and len(text) + 2000 * len(pictures) > behaviour.context:
        return _error(400, "This model's maximum context length is 2048 tokens", "context_length_exceeded")
    if "html" in habits:
        return 200, b"<html>Log in to the hotel's network</html>"
    kind = kind_of(body)
    said = behaviour.say.get(kind)
    content = said if isinstance(said, str) else json.dumps(said or answer(kind, body, same="same_names" in habits))
    message: dict[str, Any] = {"role": "assistant", "content": content}
    finish = "stop"
    if "not_json" in habits:
        message["content"] = "I would rather not say."
    elif "wrong_schema" in habits:
        message["content"] = json.dumps({"answer": 42})
    elif "error_name" in habits:
        message["content"] = json.dumps({"label": "Error", "name": "Error", "alternatives": ["a", "b"]})
    elif "babble" in habits or "no_json" in habits:
        message["content"] = f"<think>{{hm}}</think>Sure! Here it is:\n```json\n{content}\n```\nAnything else?"
    elif "refuses" in habits:
        message |= {"content": None, "refusal": "I cannot help with that"}
    elif "cut_off" in habits and max(body.get("max_completion_tokens", 0), body.get("max_tokens", 0)) < 3000:
        message["content"], finish = content[:8], "length"
    reply: dict[str, Any] = {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    }
    if "no_usage" not in habits:
        reply["usage"] = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    return 200, reply


def answer(kind: str, body: dict[str, Any], *, same: bool = False) -> dict[str, Any]:
    """What one sees who looks."""
    data = data_of(body)
    if kind == "twins":
        shades = ("dark", "light", "pale", "deep", "soft", "bright", "warm", "cold", "plain", "rich", "dull", "clear")
        groups = data["groups"]
        return {
            "names": [
                {"number": g["number"], "name": g["name"] if g.get("keeps_its_name") else f"{shades[i]} {g['name']}"}
                for i, g in enumerate(groups)
            ]
        }
    pictures = pictures_of(body)
    colour = colour_of(pictures[0]) if pictures else ""
    if kind == "label":
        return {"label": f"a drawing on {colour} ground"}
    words = Counter(word for label in data.get("labels", []) for word in label.split() if len(word) > 3)
    seen = colour or (words.most_common(1)[0][0] if words else "plain")
    name = "drawings" if same else f"{seen} drawings"
    return {
        "name": name,
        "alternatives": [f"{seen} things", f"{seen} pictures"],
        "description": f"Drawings that are mostly {seen}.",
    }


def kind_of(body: dict[str, Any]) -> str:
    """Which question it is, by what the prompt asks for."""
    prompt = body["messages"][0]["content"]
    return "label" if '{"label"' in prompt else "twins" if '{"names"' in prompt else "name"


def text_of(body: dict[str, Any]) -> str:
    """The text of the user's message."""
    content = body["messages"][-1]["content"]
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def data_of(body: dict[str, Any]) -> dict[str, Any]:
    """The data that goes with the prompt."""
    text = text_of(body)
    value, _ = json.JSONDecoder().raw_decode(text) if text.startswith("{") else ({}, 0)
    return value


def pictures_of(body: dict[str, Any]) -> list[str]:
    """The addresses of the pictures."""
    content = body["messages"][-1]["content"]
    return [] if isinstance(content, str) else [p["image_url"]["url"] for p in content if p["type"] == "image_url"]


def jpeg_of(url: str) -> bytes:
    """The bytes of a picture sent as data."""
    found = re.fullmatch(r"data:image/jpeg;base64,(.+)", url, re.DOTALL)
    assert found, url[:80]
    return base64.b64decode(found[1])


def colour_of(url: str) -> str:
    """The name of the colour that a picture has on average."""
    if not url.startswith("data:"):
        return "remote"
    from PIL import Image

    with Image.open(io.BytesIO(jpeg_of(url))) as picture:
        mean = picture.convert("RGB").resize((1, 1)).tobytes()
    return min(COLOURS, key=lambda name: sum((a - b) ** 2 for a, b in zip(COLOURS[name], mean, strict=True)))


def _error(status: int, message: str, code: str | None) -> tuple[int, Any]:
    return status, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--do", action="append", default=[], choices=HABITS, help="A habit; may be given again.")
    parser.add_argument("--delay", type=float, default=0.0, help="Seconds before every reply.")
    parser.add_argument("--always", help="A status, hang or cut, for every call.")
    parser.add_argument("--key", default="", help="The key it wants.")
    given = parser.parse_args()
    always = int(given.always) if given.always and given.always.isdigit() else given.always
    behaviour = Behaviour(set(given.do), delay=given.delay, always=always, key=given.key)
    with FakeServer(behaviour, given.port) as server:
        print(server.url, flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
