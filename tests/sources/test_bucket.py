"""Buckets, listed and signed, against a server that works every signature out for itself."""

import asyncio

import pytest

from core.errors import ShoeboxError, UsageError
from core.sources.bucket import list_bucket, open_bucket, public_address
from core.sources.places import parse_place
from core.sources.session import Session
from tests.sources.servers import S3, Route, Web

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "a/secret+with=signs"}
ODD = ["a b.jpg", "ä/ö é.png", "plus+and&amp.jpg", "per%20cent.webp", "quo'te\"<x>.gif", "~tilde_-..jpg", "a//b.jpg"]


@pytest.fixture(autouse=True)
def no_keys_of_the_machine(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "R2_ACCOUNT_ID", "R2_BUCKET_NAME"):
        monkeypatch.delenv(name, raising=False)


def listed(server: S3 | Route, root: str, environment: dict[str, str], region: str = "") -> list[str]:
    async def run():
        async with Session(trusted=[("127.0.0.1", web.server_port)]) as session:
            bucket = open_bucket(root, environment, endpoint=web.url, region=region)
            return [f.url async for page in aiter_pages(session, bucket) for f in page.found]

    async def aiter_pages(session, bucket):
        async for page in list_bucket(session, bucket):
            yield page

    with Web({"/*": server}) as web:
        return asyncio.run(run())


def test_a_bucket_of_2500_keys_is_listed_whole_in_three_requests():
    server = S3("pics", {f"raw/{i:05}.jpg": b"" for i in range(2500)} | {"raw/notes.txt": b"", "other/x.jpg": b""})
    with Web({"/*": server}) as web:

        async def run():
            async with Session(trusted=[("127.0.0.1", web.server_port)]) as session:
                bucket = open_bucket("s3://pics/raw/", {}, endpoint=web.url)
                return [f.url async for page in list_bucket(session, bucket) for f in page.found]

        assert asyncio.run(run()) == [f"s3://pics/raw/{i:05}.jpg" for i in range(2500)]
        assert len(web.asked) == 3
        assert all("Authorization" not in headers for _, headers in web.asked)


def test_requests_are_signed_and_odd_keys_survive():
    server = S3("pics", dict.fromkeys(ODD, b""), key=KEYS["AWS_ACCESS_KEY_ID"], secret=KEYS["AWS_SECRET_ACCESS_KEY"])
    assert listed(server, "s3://pics/", KEYS) == [f"s3://pics/{key}" for key in sorted(ODD)]
    assert listed(server, "s3://pics/a b", KEYS) == ["s3://pics/a b.jpg"]
    assert server.refused == []


def test_a_session_token_is_signed_too():
    server = S3("pics", {"a.jpg": b""}, key=KEYS["AWS_ACCESS_KEY_ID"], secret=KEYS["AWS_SECRET_ACCESS_KEY"])
    assert listed(server, "s3://pics/", KEYS | {"AWS_SESSION_TOKEN": "passing=="}) == ["s3://pics/a.jpg"]


def test_a_region_that_is_asked_for_is_signed():
    server = S3("pics", {"a.jpg": b""}, region="eu-central-2", key="k", secret="s")
    keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
    with pytest.raises(ShoeboxError, match="may not be listed"):
        listed(server, "s3://pics/", keys)
    assert listed(server, "s3://pics/", keys, region="eu-central-2") == ["s3://pics/a.jpg"]
    with pytest.raises(UsageError, match="no region"):
        open_bucket("s3://pics/", keys, region="http://elsewhere")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("InvalidAccessKeyId", "no such access key"),
        ("RequestTimeTooSkewed", "the clock of this machine is wrong"),
        ("AccessDenied", "no right to list it"),
    ],
)
def test_what_is_wrong_with_the_keys_is_said(code, said):
    def refuses(handler):
        handler.answer(403, f"<Error><Code>{code}</Code></Error>".encode())

    with pytest.raises(ShoeboxError, match=said):
        listed(refuses, "s3://pics/", KEYS)
    with pytest.raises(ShoeboxError, match="no keys were found"):
        listed(refuses, "s3://pics/", {})


@pytest.mark.parametrize("keys", [{}, KEYS | {"AWS_SECRET_ACCESS_KEY": "wrong-one"}])
def test_without_the_right_keys_it_says_so_and_names_no_secret(keys):
    server = S3("pics", {"a.jpg": b""}, key=KEYS["AWS_ACCESS_KEY_ID"], secret=KEYS["AWS_SECRET_ACCESS_KEY"])
    with pytest.raises(ShoeboxError, match="may not be listed") as caught:
        listed(server, "s3://pics/", keys)
    assert "wrong-one" not in str(caught.value) and KEYS["AWS_ACCESS_KEY_ID"] not in str(caught.value)


def test_a_bucket_that_is_not_there_and_an_endpoint_that_is_no_bucket_say_so():
    with pytest.raises(ShoeboxError, match="NoSuchBucket"):
        listed(S3("other", {}), "s3://pics/", {})
    with pytest.raises(ShoeboxError, match="does not answer as a bucket"):
        listed(lambda handler: handler.answer(200, b"<html><p>"), "s3://pics/", {})


R2 = {"R2_ACCOUNT_ID": "0123abc", "R2_ACCESS_KEY_ID": "k", "R2_SECRET_ACCESS_KEY": "s"}


def test_the_variables_of_aws_say_where_a_bucket_is():
    bucket = open_bucket("s3://pics/", KEYS | {"AWS_REGION": "eu-west-1"})
    assert (bucket.endpoint, bucket.region) == ("https://s3.eu-west-1.amazonaws.com", "eu-west-1")
    assert open_bucket("s3://pics/", KEYS | {"AWS_ENDPOINT_URL": "http://minio:9000/"}).endpoint == "http://minio:9000"
    assert open_bucket("s3://pics/", KEYS).signed and not open_bucket("s3://pics/", KEYS, anonymous=True).signed
    with pytest.raises(UsageError):
        open_bucket("s3://pics/", {}, endpoint="minio:9000")


@pytest.mark.parametrize("root", ["s3://pics/", "r2://pics/"])
def test_the_variables_of_r2_say_where_a_bucket_is(root):
    bucket = open_bucket(root, R2 | KEYS)
    assert (bucket.name, bucket.endpoint) == ("pics", "https://0123abc.r2.cloudflarestorage.com")
    assert (bucket.region, bucket.credentials.access_key) == ("auto", "k")
    bucket = open_bucket(root, R2 | {"R2_ENDPOINT": "https://0123abc.eu.r2.cloudflarestorage.com"})
    assert (bucket.endpoint, bucket.signed) == ("https://0123abc.eu.r2.cloudflarestorage.com", True)


def test_r2_and_aws_are_told_apart():
    both = R2 | KEYS | {"AWS_ENDPOINT_URL": "https://minio.example"}
    bucket = open_bucket("s3://pics/", both)
    assert (bucket.endpoint, bucket.credentials.access_key) == ("https://minio.example", KEYS["AWS_ACCESS_KEY_ID"])
    bucket = open_bucket("r2://pics/", both)
    assert (bucket.endpoint, bucket.credentials.access_key) == ("https://0123abc.r2.cloudflarestorage.com", "k")
    with pytest.raises(UsageError, match="R2_ACCOUNT_ID"):
        open_bucket("r2://pics/", KEYS)


def test_half_a_pair_of_keys_is_told_apart_from_none():
    with pytest.raises(UsageError, match="R2_ACCESS_KEY_ID is set, R2_SECRET_ACCESS_KEY is not"):
        open_bucket("r2://pics/", {"R2_ACCOUNT_ID": "0123abc", "R2_ACCESS_KEY_ID": "k"})
    with pytest.raises(UsageError, match="AWS_SECRET_ACCESS_KEY is set, AWS_ACCESS_KEY_ID is not"):
        open_bucket("s3://pics/", {"AWS_SECRET_ACCESS_KEY": "s"})
    assert not open_bucket("s3://pics/", {"AWS_SECRET_ACCESS_KEY": "s"}, anonymous=True).signed


def test_the_bucket_of_the_environment_needs_no_name(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="R2_BUCKET_NAME"):
        parse_place("r2:shoes")
    (tmp_path / ".env").write_text("R2_BUCKET_NAME=from-the-file\n")
    assert parse_place("r2:").root == "r2://from-the-file/"
    monkeypatch.setenv("R2_BUCKET_NAME", "pics")
    assert parse_place("r2:shoes/red").root == "r2://pics/shoes/red"


def test_the_public_address_is_of_the_bucket_it_was_set_for():
    public = {"R2_PUBLIC_URL": "https://pub-1.r2.dev/", "R2_BUCKET_NAME": "pics"}
    assert public_address("r2://pics/shoes", public) == "https://pub-1.r2.dev"
    assert public_address("s3://other/", public) == ""
    assert public_address("s3://other/", {"R2_PUBLIC_URL": "https://pub-1.r2.dev"}) == "https://pub-1.r2.dev"
    assert public_address("s3://pics/", {"R2_PUBLIC_URL": "javascript:alert(1)"}) == ""
