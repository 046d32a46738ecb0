"""clusters.html: whole, escaped, and asking nothing of anybody."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import PIL.Image

from core.catalog import clusterings
from tests.export.piles import PILE, make_project, run_export

VOID = {"meta", "img", "br", "link", "input"}
HOSTILE = "</h2><script>alert('x')</script>\"' onclick=1"


class Page(HTMLParser):
    """What a browser would find: elements in order, texts, and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(result) -> Page:
    return Page((result.directory / "clusters.html").read_text(encoding="utf-8"))


def test_hostile_names_are_text_and_nothing_else(tmp_path):
    project = make_project(tmp_path / "pile <b>&", names={1: HOSTILE, 2: None})
    page = page_of(run_export(project, tmp_path))
    assert not {"script", "b", "object", "iframe", "link"} & {tag for tag, _ in page.elements}
    assert all(not name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert any(HOSTILE in text for text in page.texts)
    assert any("pile <b>&" in text for text in page.texts)
    names = [image["alt"] for image in page.all("img")]
    assert "<img src=x onerror=alert(1)>.png" in names
    assert len(names) == 7  # 3 previews of each cluster, 1 unclustered


def test_thumbnails_are_inside_and_nothing_is_asked_of_anybody(tmp_path):
    result = run_export(make_project(tmp_path / "pile"), tmp_path)
    page = page_of(result)
    for image in page.all("img"):
        kind, data = (image["src"] or "").split(",")
        assert kind == "data:image/jpeg;base64"
        assert PIL.Image.open(io.BytesIO(base64.b64decode(data))).size == (32, 24)
        assert image["alt"] and image["loading"] == "lazy"
    for link in page.all("a"):
        href = link["href"] or ""
        assert href.startswith("#") or "://" not in href
    (policy,) = [m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy and "default-src 'none'" in policy and "img-src data:" in policy
    assert "url(" not in (result.directory / "clusters.html").read_text()


def test_the_policy_lets_the_pages_own_style_through(tmp_path):
    import hashlib

    html = (run_export(make_project(tmp_path / "pile"), tmp_path).directory / "clusters.html").read_text()
    style = re.search(r"<style>(.*?)</style>", html, re.S)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"sha256-{digest}" in Page(html).all("meta")[1]["content"]  # type: ignore[operator]
    assert "prefers-color-scheme: dark" in style[1]


def test_each_cluster_stars_its_representative_once(tmp_path):
    page = page_of(run_export(make_project(tmp_path / "pile"), tmp_path))
    assert [s.get("id") for s in page.all("section")] == ["cluster-1", "cluster-2", "unclustered"]
    starred: dict[str, list[str]] = {}
    section, is_starred = "", False
    for tag, attributes in page.elements:
        if tag == "section":
            section = attributes["id"] or ""
        elif tag == "figure":
            is_starred = attributes.get("class") == "representative"
        elif tag == "img" and is_starred:
            starred.setdefault(section, []).append(attributes["alt"] or "")
    # The representative recorded is the first of each cluster in the order of paths.
    first = {n: min(p for p in PILE if PILE[p] == n).decode("utf-8", "backslashreplace") for n in (1, 2)}
    assert starred == {f"cluster-{n}": [first[n].rpartition("/")[2]] for n in (1, 2)}
    assert [e.get("aria-label") for e in page.all("span") if e.get("class") == "star"] == ["representative"] * 2


def test_links_lead_to_the_pictures_in_the_export(tmp_path):
    from urllib.parse import unquote

    result = run_export(make_project(tmp_path / "pile"), tmp_path)
    links = [a["href"] or "" for a in page_of(result).all("a") if a.get("class") == "frame"]
    assert len(links) == 6
    assert all((result.directory / unquote(link)).is_file() for link in links)


def test_it_shows_a_bounded_number_and_says_how_many_more(tmp_path):
    page = page_of(run_export(make_project(tmp_path / "pile"), tmp_path, page_previews=2))
    assert len(page.all("img")) == 2 + 2 + 1
    assert any("and 3 more" in text for text in page.texts)
    assert not page_of(run_export(make_project(tmp_path / "b"), tmp_path, what="previews")).all("script")


def test_a_picture_without_a_thumbnail_has_a_box_with_its_name(tmp_path):
    project = make_project(tmp_path / "pile")
    (project.state_dir / "thumbs.sqlite").unlink()
    page = page_of(run_export(project, tmp_path))
    assert page.all("img") == []
    assert len([s for s in page.all("span") if s.get("class") == "none"]) == 7
    assert "tree.png" in page.texts


def test_counters_and_settings_are_on_it(tmp_path):
    project = make_project(tmp_path / "pile")
    text = " ".join(page_of(run_export(project, tmp_path, truth="folders")).texts)
    with project.database() as db:
        latest = clusterings.latest(db)
    assert latest is not None
    for said in (latest.route, "pocket", "uniqueness", "0.15", "seed", "against the folders: purity", "changed since"):
        assert said in text, said
