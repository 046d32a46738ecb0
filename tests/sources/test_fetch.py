"""One picture from a server that is slow, busy, lying, broken or hostile."""

import gzip
import time

import pytest

from core.imaging.hashes import content_hash
from core.sources.found import Failure, Stored
from tests.sources.fetching import fetch_all, stored_files
from tests.sources.servers import (
    Web,
    at_first,
    bomb,
    by_range,
    cuts_after,
    endless,
    redirects,
    serves,
    slowly,
    status,
)


@pytest.fixture
def picture(drawn) -> bytes:
    return max((file.data for file in drawn[:50]), key=len)


def fetch_one(tmp_path, route, **options):
    with Web({"/x.jpg": route}) as web:
        url = f"{web.url}/x.jpg"
        outcome = fetch_all(tmp_path, [url], allow_private=True, **options)[url]
        return outcome, web.asked


def test_a_picture_lies_by_its_content_whatever_it_was_called(tmp_path, picture):
    with Web({"/*": serves(picture)}) as web:
        names = ["../../../etc/passwd.jpg", "a.exe", "%00.png", "con?x=/../y.jpg"]
        outcomes = fetch_all(tmp_path, [f"{web.url}/{name}" for name in names], allow_private=True)
    (file,) = stored_files(tmp_path)
    assert file.read_bytes() == picture
    assert content_hash(picture).hex() == file.stem
    assert {outcome.path for outcome in outcomes.values()} == {bytes(file.relative_to(tmp_path / "store"))}
    assert len(file.relative_to(tmp_path / "store").parts) == 3


def test_we_say_who_we_are(tmp_path, picture):
    _, asked = fetch_one(tmp_path, serves(picture))
    agent = asked[0][1]["User-Agent"]
    assert agent.startswith("shoebox/") and "Mozilla" not in agent
    assert asked[0][1]["Accept-Encoding"] == "identity"


def test_a_page_called_jpg_is_a_failure_with_that_reason(tmp_path):
    outcome, asked = fetch_one(tmp_path, serves(b"<!DOCTYPE html><p>gone", Content_Type="image/jpeg"))
    assert (outcome.reason, outcome.error) == ("not a picture", "it is an HTML page")
    assert len(asked) == 1 and stored_files(tmp_path) == []


def test_a_picture_called_html_is_one(tmp_path, picture):
    outcome, _ = fetch_one(tmp_path, serves(picture, Content_Type="text/html"))
    assert isinstance(outcome, Stored)


@pytest.mark.parametrize(("code", "reason"), [(404, "not found"), (410, "not found"), (403, "not allowed")])
def test_what_will_not_change_is_asked_for_once(tmp_path, code, reason):
    outcome, asked = fetch_one(tmp_path, status(code))
    assert outcome.reason == reason and not outcome.lifts
    assert len(asked) == 1


def test_retry_after_is_obeyed(tmp_path, picture):
    asked_at = []

    def busy(handler):
        asked_at.append(time.monotonic())
        at_first(1, status(429, Retry_After="1"), serves(picture))(handler)

    outcome, _ = fetch_one(tmp_path, busy)
    assert isinstance(outcome, Stored)
    assert asked_at[1] - asked_at[0] >= 1


def test_a_host_that_is_out_of_requests_is_left_alone_until_its_reset(tmp_path, picture):
    asked_at = []
    out = status(302, Location="/2", X_RateLimit_Remaining="0", X_RateLimit_Reset="1")

    def timed(route):
        def counted(handler):
            asked_at.append(time.monotonic())
            route(handler)

        return counted

    with Web({"/1": timed(out), "/2": timed(serves(picture))}) as web:
        fetch_all(tmp_path, [f"{web.url}/1"], allow_private=True)
    assert asked_at[1] - asked_at[0] >= 1


def test_a_host_that_asks_for_an_hour_is_tried_on_the_next_run(tmp_path):
    outcome, asked = fetch_one(tmp_path, status(429, Retry_After="3600"))
    assert (outcome.reason, outcome.lifts) == ("rate limited", "time")
    assert len(asked) == 1


def test_a_server_that_stumbles_is_asked_again(tmp_path, picture):
    outcome, asked = fetch_one(tmp_path, at_first(2, status(503), serves(picture)))
    assert isinstance(outcome, Stored) and len(asked) == 3


def test_a_connection_that_is_cut_goes_on_where_it_stopped(tmp_path, picture):
    outcome, asked = fetch_one(tmp_path, by_range(picture, 1000))
    assert isinstance(outcome, Stored)
    assert (tmp_path / "store" / outcome.path.decode()).read_bytes() == picture
    ranges = [headers.get("Range") for _, headers in asked]
    assert ranges[0] is None and ranges[1] == "bytes=1000-"
    assert asked[1][1]["If-Range"] == '"one"'


def test_a_server_without_ranges_is_asked_for_the_whole_again(tmp_path, picture):
    outcome, asked = fetch_one(tmp_path, at_first(1, cuts_after(1000, picture), serves(picture)))
    assert (tmp_path / "store" / outcome.path.decode()).read_bytes() == picture
    assert all("Range" not in headers for _, headers in asked)


def test_a_server_that_lies_about_the_length_is_a_failure_and_leaves_nothing(tmp_path, picture):
    outcome, _ = fetch_one(tmp_path, cuts_after(len(picture), picture, Content_Length=str(len(picture) + 10)))
    assert outcome.reason == "cut off"
    assert stored_files(tmp_path) == []


def test_a_server_that_says_nothing_is_given_up(tmp_path, picture):
    outcome, _ = fetch_one(tmp_path, slowly(picture, 4 * 0.8), patience=0.2)
    assert outcome.reason == "timed out"
    assert stored_files(tmp_path) == []


@pytest.mark.parametrize("route", [bomb(40), endless, serves(b"\x89PNG\r\n\x1a\n" + bytes(3_000_000))])
def test_what_is_too_large_is_stopped_at_the_limit(tmp_path, route):
    outcome, asked = fetch_one(tmp_path, route, max_bytes=1_000_000)
    assert isinstance(outcome, Failure)
    assert (outcome.reason, outcome.lifts, outcome.needs) == ("too large", "size", 1_000_000)
    assert len(asked) == 1 and stored_files(tmp_path) == []


def test_a_picture_that_was_packed_unasked_is_unpacked(tmp_path, picture):
    outcome, _ = fetch_one(tmp_path, serves(gzip.compress(picture), Content_Encoding="gzip"))
    assert (tmp_path / "store" / outcome.path.decode()).read_bytes() == picture


def test_other_packings_are_refused(tmp_path, picture):
    outcome, _ = fetch_one(tmp_path, serves(picture, Content_Encoding="br"))
    assert outcome.reason == "broken compression"


def test_redirects_are_followed_but_not_for_ever(tmp_path, picture):
    with Web({"/a": redirects("b"), "/b": redirects("/c", 308), "/c": serves(picture), "/o": redirects("/o")}) as web:
        good, loop = f"{web.url}/a", f"{web.url}/o"
        outcomes = fetch_all(tmp_path, [good, loop], allow_private=True)
        assert isinstance(outcomes[good], Stored)
        assert outcomes[loop].reason == "too many redirects"
        assert web.counts["/o"] == 6


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "javascript:1"])
def test_a_redirect_leads_to_http_or_nowhere(tmp_path, to):
    outcome, _ = fetch_one(tmp_path, redirects(to))
    assert outcome.reason == "bad redirect"


def test_a_password_goes_to_its_host_alone_and_into_no_message(tmp_path, picture):
    with Web({"/b": serves(picture), "/no": status(403)}) as other, Web() as web:
        web.routes["/a"] = redirects(f"{other.url}/b")
        base = web.url.replace("//", "//me:hunter2@")
        web.routes["/no"] = status(403)
        outcomes = fetch_all(tmp_path, [f"{base}/a", f"{base}/no"], allow_private=True)
        assert all("Authorization" in headers for _, headers in web.asked)
        assert all("Authorization" not in headers for _, headers in other.asked)
    assert "hunter2" not in repr(list(outcomes.values()))
