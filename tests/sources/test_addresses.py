"""Which addresses are connected to, whatever a URL, a name or a redirect says."""

import ipaddress
import socket

import pytest

from core.sources.addresses import is_public
from tests.sources.fetching import fetch_all
from tests.sources.servers import Web, redirects, serves

PRIVATE = [
    *("127.0.0.1", "127.255.0.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "192.0.0.8"),
    *("::1", "::", "fe80::1", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
    *("64:ff9b:1::1", "2002:7f00:1::", "2001:0:7f00:1::"),
]
PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_of_the_users_own_network_are_not_public(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_internet_are(address):
    assert is_public(ipaddress.ip_address(address))


def test_loopback_is_refused_however_it_is_written_and_nothing_is_asked(tmp_path, drawn):
    with Web({"/a.jpg": serves(drawn[0].data)}) as web:
        port = web.server_port
        hosts = ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]", "0.0.0.0"]
        urls = [f"http://{host}:{port}/a.jpg" for host in hosts]
        outcomes = fetch_all(tmp_path, urls)
        assert {o.reason for o in outcomes.values()} == {"private address"}
        assert {o.lifts for o in outcomes.values()} == {"private"}
        assert not web.asked
        assert fetch_all(tmp_path, urls[:1], allow_private=True)[urls[0]].size == len(drawn[0].data)


def test_a_redirect_does_not_lead_into_the_users_network(tmp_path, drawn):
    with Web({"/secret.jpg": serves(drawn[0].data)}) as inner, Web() as outer:
        outer.routes["/a.jpg"] = redirects(f"{inner.url}/secret.jpg")
        url = f"{outer.url}/a.jpg"
        outcome = fetch_all(tmp_path, [url], trusted=[("127.0.0.1", outer.server_port)])[url]
        assert outcome.reason == "private address"
        assert len(outer.asked) == 1 and not inner.asked


def test_a_name_is_looked_up_once_and_the_answer_is_where_it_connects(tmp_path, drawn, monkeypatch):
    """The second answer of a name that is bound anew would lead elsewhere: nobody asks for it."""
    answers = ["127.0.0.1"]
    real = socket.getaddrinfo

    def lookup(host, *arguments, **options):
        if host in ("rebind.example", b"rebind.example"):
            return real(answers.pop(), *arguments, **options)
        return real(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with Web({"/a.jpg": serves(drawn[0].data)}) as web:
        url = f"http://rebind.example:{web.server_port}/a.jpg"
        assert fetch_all(tmp_path, [url], allow_private=True)[url].size == len(drawn[0].data)
        assert web.asked[0][1]["Host"] == f"rebind.example:{web.server_port}"
    assert answers == []


def test_a_name_that_leads_into_the_users_network_is_refused(tmp_path, drawn, monkeypatch):
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *a, **o: real("127.0.0.1" if "inside" in str(host) else host, *a, **o)
    )
    with Web({"/a.jpg": serves(drawn[0].data)}) as web:
        url = f"http://inside.example:{web.server_port}/a.jpg"
        assert fetch_all(tmp_path, [url])[url].reason == "private address"
        assert not web.asked


def test_proxies_of_the_environment_are_used_and_private_addresses_stay_refused(tmp_path, drawn, monkeypatch):
    with Web({"/a.jpg": serves(drawn[0].data)}) as proxy:
        monkeypatch.setenv("http_proxy", f"http://me:hunter2@127.0.0.1:{proxy.server_port}")
        monkeypatch.setenv("no_proxy", "direct.invalid")
        urls = ["http://pictures.invalid/a.jpg", "http://127.0.0.1:9/a.jpg", "http://direct.invalid/a.jpg"]
        outcomes = fetch_all(tmp_path, urls)
        assert outcomes[urls[0]].size == len(drawn[0].data)
        assert outcomes[urls[1]].reason == "private address"
        assert outcomes[urls[2]].reason == "no such host"
        assert [path for path, _ in proxy.asked] == [urls[0]]
        assert proxy.asked[0][1]["Proxy-Authorization"].startswith("Basic ")


def test_a_host_that_is_not_there_is_a_failure_with_that_reason(tmp_path):
    url = "http://nowhere.invalid/a.jpg"
    assert fetch_all(tmp_path, [url])[url].reason == "no such host"


def test_an_address_of_version_6_is_asked_as_it_should_be(tmp_path, drawn):
    with Web({"/a.jpg": serves(drawn[0].data)}, host="::1") as web:
        url = f"http://[::1]:{web.server_port}/a.jpg"
        assert fetch_all(tmp_path, [url])[url].reason == "private address"
        assert fetch_all(tmp_path, [url], allow_private=True)[url].size == len(drawn[0].data)
        assert web.asked[0][1]["Host"] == f"[::1]:{web.server_port}"
