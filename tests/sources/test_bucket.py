"""Buckets, listed and signed, against a server that works every signature out for itself."""

import asyncio

import pytest

from core.errors import ShoeboxError, UsageError
from core.sources.bucket import list_bucket, open_bucket
from core.sources.session import Session
from tests.sources.servers import S3, Web

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "a/secret+with=signs"}
ODD = ["a b.jpg", "ä/ö é.png", "plus+and&amp.jpg", "per%20cent.webp", "quo'te\"<x>.gif", "~tilde_-..jpg", "a//b.jpg"]


@pytest.fixture(autouse=True)
def no_keys_of_the_machine(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "R2_ACCOUNT_ID"):
        monkeypatch.delenv(name, raising=False)


def listed(server: S3, root: str, environment: dict[str, str]) -> list[str]:
    async def run():
        async with Session(trusted=[("127.0.0.1", web.server_port)]) as session:
            bucket = open_bucket(root, environment, endpoint=web.url)
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


@pytest.mark.parametrize("keys", [{}, KEYS | {"AWS_SECRET_ACCESS_KEY": "another"}])
def test_without_the_right_keys_it_says_so_and_names_no_secret(keys):
    server = S3("pics", {"a.jpg": b""}, key=KEYS["AWS_ACCESS_KEY_ID"], secret=KEYS["AWS_SECRET_ACCESS_KEY"])
    with pytest.raises(ShoeboxError, match="may not be listed") as caught:
        listed(server, "s3://pics/", keys)
    assert "another" not in str(caught.value) and KEYS["AWS_ACCESS_KEY_ID"] not in str(caught.value)


def test_a_bucket_that_is_not_there_and_an_endpoint_that_is_no_bucket_say_so():
    with pytest.raises(ShoeboxError, match="NoSuchBucket"):
        listed(S3("other", {}), "s3://pics/", {})
    with pytest.raises(ShoeboxError, match="does not answer as a bucket"):
        listed(lambda handler: handler.answer(200, b"<html><p>"), "s3://pics/", {})  # type: ignore[arg-type]


def test_the_variables_of_r2_and_aws_say_where_a_bucket_is():
    r2 = {"R2_ACCOUNT_ID": "0123abc", "R2_ACCESS_KEY_ID": "k", "R2_SECRET_ACCESS_KEY": "s"}
    bucket = open_bucket("s3://pics/", r2)
    assert (bucket.endpoint, bucket.region) == ("https://0123abc.r2.cloudflarestorage.com", "auto")
    assert bucket.credentials.access_key == "k"
    bucket = open_bucket("s3://pics/", KEYS | {"AWS_REGION": "eu-west-1"})
    assert (bucket.endpoint, bucket.region) == ("https://s3.eu-west-1.amazonaws.com", "eu-west-1")
    assert open_bucket("s3://pics/", KEYS | {"AWS_ENDPOINT_URL": "http://minio:9000/"}).endpoint == "http://minio:9000"
    assert open_bucket("s3://pics/", KEYS).signed and not open_bucket("s3://pics/", KEYS, anonymous=True).signed
    with pytest.raises(UsageError):
        open_bucket("s3://pics/", {}, endpoint="minio:9000")
