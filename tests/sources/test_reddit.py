"""Posts as Arctic Shift has them, and an archive that behaves as it does."""

import asyncio

import pytest

from core.errors import ShoeboxError, UsageError
from core.sources.reddit import checked_time, list_subreddit, picture_urls
from core.sources.session import Session
from tests.sources.servers import Archive, Web

SIGNED = "https://preview.redd.it/{}.jpg?width=640&amp;s=0123abcd"


def entry(name, **changes):
    return {"status": "valid", "e": "Image", "s": {"u": SIGNED.format(name)}} | changes


GALLERY = {
    "id": "g",
    "url": "https://www.reddit.com/gallery/g",
    "gallery_data": {"items": [{"media_id": "b"}, {"media_id": "a"}, {"media_id": "gone"}, {"media_id": "v"}, {}]},
    "media_metadata": {
        "a": entry("a"),
        "b": entry("b"),
        "v": entry("v", e="RedditVideo"),
        "gone": {"status": "failed"},
    },
    "preview": {"images": [{"source": {"url": SIGNED.format("p")}}]},
}
PREVIEW = {"images": [{"source": {"url": SIGNED.format("p")}}]}


def test_a_gallery_gives_its_valid_pictures_in_its_order_with_their_signatures():
    assert picture_urls(GALLERY) == [f"https://preview.redd.it/{n}.jpg?width=640&s=0123abcd" for n in "ba"]


@pytest.mark.parametrize(
    ("post", "urls"),
    [
        ({"url": "https://i.redd.it/x.png"}, ["https://i.redd.it/x.png"]),
        ({"url": "https://i.redd.it/x"}, ["https://i.redd.it/x"]),
        (
            {"url": "https://a.example/", "url_overridden_by_dest": "https://b.example/x.JPG?y=1"},
            ["https://b.example/x.JPG?y=1"],
        ),
        (
            {"url": "https://example.org/page", "preview": PREVIEW},
            ["https://preview.redd.it/p.jpg?width=640&s=0123abcd"],
        ),
        ({"url": "https://i.redd.it/x.png", "preview": PREVIEW}, ["https://i.redd.it/x.png"]),
        ({"gallery_data": None, "media_metadata": None, "url": None, "preview": None}, []),
        ({"gallery_data": {"items": None}, "media_metadata": {"a": None}, "preview": {"images": []}}, []),
        ({"gallery_data": {"items": [{"media_id": "a"}]}, "media_metadata": None, "preview": {"images": [None]}}, []),
        ({"gallery_data": 1, "media_metadata": [], "url": 7, "preview": {"images": [{"source": None}]}}, []),
        ({"url": "https://i.redd.it/x.png", "_meta": {"was_deleted_later": True}}, []),
        ({"url": "https://i.redd.it/x.png", "_meta": None}, ["https://i.redd.it/x.png"]),
        ({"url": "http://[broken", "preview": PREVIEW}, ["https://preview.redd.it/p.jpg?width=640&s=0123abcd"]),
        ({}, []),
    ],
)
def test_a_post_gives_its_picture_whatever_is_null_or_absent(post, urls):
    assert picture_urls(post) == urls


def posts(number, *, start=1000, together=2) -> list[dict[str, object]]:
    """Posts of which several were made in the same second."""
    return [
        {"id": f"p{i}", "subreddit": "cats", "created_utc": start + i // together, "url": f"https://i.redd.it/{i}.jpg"}
        for i in range(number)
    ]


def listed(archive, cursor=None, **options):
    """The URLs that came, in order, and the last cursor."""

    async def run():
        nonlocal cursor
        found = []
        async with Session(allow_private=True) as session:
            async for page in list_subreddit(session, "cats", archive=web.url, cursor=cursor, **options):
                found += [f.url for f in page.found]
                cursor = page.cursor
        return found

    with Web({"/api/posts/search": archive}) as web:
        return asyncio.run(run()), cursor


def urls(numbers):
    return [f"https://i.redd.it/{i}.jpg" for i in numbers]


def test_every_post_comes_and_boundaries_come_once():
    found, _ = listed(Archive(posts(9), page=4))
    assert found == urls(range(9))


def test_a_listing_goes_on_where_it_stopped_and_finds_what_is_new():
    archive = Archive(posts(6), page=4)
    _, cursor = listed(archive)
    archive.posts += posts(3, start=2000)
    archive.posts[-1] = archive.posts[-1] | {"url": "https://i.redd.it/new.jpg"}
    asked = len(archive.limits)
    found, _ = listed(archive, cursor)
    assert "https://i.redd.it/new.jpg" in found and "https://i.redd.it/0.jpg" not in found[:1] + found[3:]
    assert len(archive.limits) - asked <= 3
    again, _ = listed(archive, cursor, after="500")  # another beginning: the cursor is of no use
    assert urls(range(6)) == again[:6]


def test_slow_down_is_passing_and_less_is_asked_for():
    archive = Archive(posts(3), slow_downs=2)
    found, _ = listed(archive)
    assert found == urls(range(3))
    assert archive.limits[:3] == ["auto", "100", "50"]


def test_a_subreddit_that_is_refused_says_why():
    async def run():
        async with Session(allow_private=True) as session:
            async for _ in list_subreddit(session, "nowhere", archive=web.url):
                pass

    with Web({"/api/posts/search": Archive([])}) as web, pytest.raises(ShoeboxError, match="subreddit not found"):
        asyncio.run(run())


def test_times_are_what_the_archive_takes():
    assert [checked_time(t) for t in ("", "30d", "1700000000", "2024-01-31")] == ["", "30d", "1700000000", "2024-01-31"]
    with pytest.raises(UsageError, match="yesterday"):
        checked_time("yesterday")
