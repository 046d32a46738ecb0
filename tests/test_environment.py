"""The environment of one client in a process that serves several."""

import os
import threading

from core.environment import lent, proxies_in, proxy_for
from core.naming.language.server import server_of
from core.settings import Settings


def test_what_is_lent_is_there_for_a_while_and_for_one_at_a_time(monkeypatch):
    monkeypatch.setenv("HF_HOME", "/mine")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    seen: list[str | None] = []

    def other() -> None:
        with lent({"HF_TOKEN": "theirs"}):
            seen.append(os.environ.get("HF_TOKEN"))

    thread = threading.Thread(target=other)
    with lent({"HF_TOKEN": "ours", "HF_HOME": "/ours"}):
        thread.start()
        assert (os.environ["HF_TOKEN"], os.environ["HF_HOME"]) == ("ours", "/ours")
        assert seen == []
    thread.join()
    assert seen == ["theirs"]
    assert "HF_TOKEN" not in os.environ
    assert os.environ["HF_HOME"] == "/mine"


def test_proxies_are_read_as_python_reads_its_own(monkeypatch):
    environment = {
        "HTTP_PROXY": "http://upper:1",
        "http_proxy": "http://lower:2",
        "HTTPS_PROXY": "lower:3",
        "NO_PROXY": "near.example,10.0.0.1",
        "ALL_PROXY": "",
        "PATH": "/bin",
    }
    proxies = proxies_in(environment)
    assert proxies == {"http": "http://lower:2", "https": "lower:3", "no": "near.example,10.0.0.1"}
    assert proxy_for("http", "far.example:80", proxies) == "http://lower:2"
    assert proxy_for("https", "far.example:443", proxies) == "http://lower:3"
    assert proxy_for("https", "near.example:443", proxies) == ""
    assert proxy_for("https", "far.example:443", proxies_in({"all_proxy": "http://a:4"})) == "http://a:4"
    assert proxies_in({"HTTP_PROXY": "http://a:1", "http_proxy": ""}) == {}


def test_a_language_model_is_reached_by_the_proxy_of_the_client_whose_job_it_is():
    settings = Settings(base_url="http://far.example/v1")
    server = server_of(settings, {"http_proxy": "http://me:hunter2@proxy:1", "OPENAI_ORG_ID": "org"})
    assert (server.proxy, server.organization) == ("http://me:hunter2@proxy:1", "org")
    assert "hunter2" not in repr(server)
    assert server_of(settings, {}).proxy == ""
