"""clusters.html: one file that shows the clusters, with everything in it that it needs.

No script, no request to anywhere: thumbnails are data URIs, and a content security policy forbids the rest. All
text that comes from pictures, names and settings goes through `html.escape`.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from importlib import resources
from typing import Any
from urllib.parse import quote

from core.catalog.clusterings import Member
from core.catalog.paths import shown
from core.export.contents import Contents, Group
from core.export.document import head

FILE_NAME = "clusters.html"
PAGE_PICTURES = 4000
"""Pictures shown in all, at about 15 KB each: where clusters are many, each shows fewer."""

Thumbnails = Callable[[bytes], bytes | None]
"""The JPEG or WebP of a content hash, or None where there is none."""


def page_pieces(
    contents: Contents,
    thumbnails: Thumbnails,
    *,
    title: str,
    files: Mapping[int, str],
    previews: int = 16,
    truth: Mapping[str, Any] | None = None,
) -> Iterator[str]:
    """The page as text, a section at a time. `files` are the pictures in the export, for links.

    A cluster shows up to `previews` pictures, its representative first.
    """
    document = head(contents)
    each = max(1, min(previews, PAGE_PICTURES // (len(contents.groups) + 1)))
    picture = _PictureWriter(thumbnails, files)
    yield _top(title, document)
    yield _contents_list(contents)
    yield "<main>\n"
    for group in contents.groups:
        yield _cluster(group, picture, each)
    if contents.unclustered:
        yield _unclustered(contents.unclustered, picture, each)
    yield "</main>\n"
    yield _bottom(document, truth)


class _PictureWriter:
    """Writes one picture: its thumbnail or a box with its name, a link to its file, its name and score."""

    def __init__(self, thumbnails: Thumbnails, files: Mapping[int, str]) -> None:
        self._thumbnails = thumbnails
        self._files = files

    def __call__(self, member: Member, *, starred: bool = False) -> str:
        path, name = escape(shown(member.path)), escape(shown(os.path.basename(member.path)))
        frame = self._linked(member, self._image(member, name))
        star = '<span class="star" role="img" aria-label="representative">★</span>' if starred else ""
        return (
            f"<li><figure{' class=representative' if starred else ''}>{frame}{star}"
            f'<figcaption><span title="{path}">{name}</span><span>{member.score:.2f}</span></figcaption>'
            "</figure></li>\n"
        )

    def _image(self, member: Member, name: str) -> str:
        data = self._thumbnails(member.hash)
        kind = _image_kind(data)
        if data is None or kind is None:
            return f'<span class="none">{name}</span>'
        encoded = base64.b64encode(data).decode("ascii")
        return f'<img src="data:{kind};base64,{encoded}" alt="{name}" loading="lazy" decoding="async">'

    def _linked(self, member: Member, inner: str) -> str:
        file = self._files.get(member.image)
        if file is None:
            return f'<span class="frame">{inner}</span>'
        return f'<a class="frame" href="{escape(quote(file))}">{inner}</a>'


def _top(title: str, document: Mapping[str, Any]) -> str:
    style = (resources.files("core.export") / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    summary = document["summary"]
    counters = [
        ("pictures", f"{summary['total_images']:,}"),
        ("clusters", f"{summary['num_clusters']:,}"),
        ("unclustered", f"{summary['num_unclustered']:,}"),
    ]
    if document["silhouette"] is not None:
        counters.append(("silhouette", f"{document['silhouette']:.2f}"))
    boxes = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in counters)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}: clusters</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<header>\n<h1>{escape(title)}</h1>\n<p class="soft">sorted by shoebox {escape(document["version"])}'
        f" with {escape(document['model'])}, written <time>{escape(document['generatedAt'])}</time></p>\n"
        f'<dl class="counters">{boxes}</dl>\n'
    )


def _contents_list(contents: Contents) -> str:
    links = [f'<li><a href="#cluster-{g.number}">{_heading(g)}</a></li>' for g in contents.groups]
    if contents.unclustered:
        links.append('<li><a href="#unclustered">unclustered</a></li>')
    return f'<nav aria-label="clusters"><ul>{"".join(links)}</ul></nav>\n</header>\n'


def _cluster(group: Group, picture: _PictureWriter, each: int) -> str:
    places = list(dict.fromkeys([group.representative, *group.previews]))[:each]
    pictures = (picture(group.members[place], starred=place == group.representative) for place in places)
    said = [_count(len(group.members)), f"cohesion {group.cohesion:.2f}"]
    if group.silhouette is not None:
        said.append(f"silhouette {group.silhouette:.2f}")
    quality = group.naming.quality
    if quality is not None:
        said.append(f"name {quality.figure:.2f}")
    if group.naming.twins:
        said.append(f"named like {', '.join(map(str, group.naming.twins))}")
    sentence = f'\n<p class="sentence">{escape(group.naming.description)}</p>' if group.naming.description else ""
    changed = ' <span class="changed">changed since the last run</span>' if group.changed else ""
    return (
        f'<section id="cluster-{group.number}">\n<header><h2>{_heading(group)}</h2>'
        f"<p>{' · '.join(said)}{changed}</p></header>{sentence}\n"
        f"{_grid(pictures)}{_more(len(group.members) - len(places))}</section>\n"
    )


def _unclustered(members: list[Member], picture: _PictureWriter, each: int) -> str:
    shown_members = members[:each]
    return (
        '<section id="unclustered" class="unclustered">\n<header><h2>Unclustered</h2>'
        f"<p>{_count(len(members))} like no group</p></header>\n"
        f"{_grid(map(picture, shown_members))}{_more(len(members) - len(shown_members))}</section>\n"
    )


def _bottom(document: Mapping[str, Any], truth: Mapping[str, Any] | None) -> str:
    facts: dict[str, Any] = {
        "method": document["route"],
        "encoder": f"{document['model']} ({document['encoder']['fingerprint']})",
        "seed": document["seed"],
        "clustered": document["clusteredAt"],
        "sources": ", ".join(source["path"] for source in document["sources"]),
        **{f"against the folders: {name}": value for name, value in (truth or {}).items()},
    }
    for name, value in document["settings"].items():
        if isinstance(value, str | int | float):  # what was asked for; how it was chosen is in clusters.json
            facts.setdefault(name.replace("_", " "), value)
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items())
    return f"<footer>\n<h2>Settings</h2>\n<dl>{rows}</dl>\n</footer>\n</body>\n</html>\n"


def _heading(group: Group) -> str:
    return escape(group.name) if group.name else f"Cluster {group.number}"


def _grid(pictures: Iterable[str]) -> str:
    return f'<ul class="grid">\n{"".join(pictures)}</ul>\n'


def _more(count: int) -> str:
    return f'<p class="more">and {count:,} more</p>\n' if count > 0 else ""


def _count(number: int) -> str:
    return "1 picture" if number == 1 else f"{number:,} pictures"


def _image_kind(data: bytes | None) -> str | None:
    """The media type by the first bytes: nothing but a picture gets into the page."""
    if data is None:
        return None
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None
