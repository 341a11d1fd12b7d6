"""The website: built as a release would, every link followed, nothing asked of any other server."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

from hybridtrack.cli import cli
from website.command_reference import text
from website.repository_pages import links, map_links, page_of


class Parsed(HTMLParser):
    """The anchors of a page, what it links to, and what a browser loads with it."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "link" and values.get("rel") in ("stylesheet", "icon", "preconnect", "preload"):
            self.loads.append(values["href"])
        elif tag in ("script", "img", "iframe", "source", "video") and "src" in values:
            self.loads.append(values["src"])


@cache
def parsed(path: Path) -> Parsed:
    page = Parsed()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def build(config: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", config, "-d", out]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})


@pytest.fixture(scope="module")
def site(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site."""
    out = tmp_path_factory.mktemp("site")
    done = build(root / "mkdocs.yml", out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def pages(site: Path) -> list[Path]:
    return [path for path in site.rglob("*.html") if path.name != "404.html"]  # whose links begin at the host


def test_every_link_leads_to_a_page_and_a_place_on_it(pages: list[Path]) -> None:
    lost = []
    for page in pages:
        for link in parsed(page).links:
            if link.split(":")[0] in ("http", "https", "mailto"):
                continue
            target, anchor = urldefrag(link)
            path = (page.parent / unquote(target)).resolve() if target else page
            path = path / "index.html" if path.is_dir() else path
            if not path.is_file() or (anchor and unquote(anchor) not in parsed(path).anchors):
                lost.append(f"{page.name}: {link}")
    assert lost == []


def test_pages_load_nothing_from_elsewhere(site: Path, pages: list[Path]) -> None:
    for page in pages:
        assert [one for one in parsed(page).loads if one.startswith(("http", "//"))] == []
        for one in parsed(page).loads:
            assert (page.parent / urldefrag(one)[0]).exists(), f"{page.name}: {one}"
    for sheet in site.rglob("*.css"):
        style = sheet.read_text(encoding="utf-8")
        assert "@import" not in style
        assert "url(http" not in style


def test_pages_of_the_repository_are_part_of_the_site(site: Path) -> None:
    for name in ("data_tools/index.html", "models/index.html", "CHANGELOG.html", "examples/own_detector.py.html"):
        assert (site / "repository" / name).is_file(), name


def test_every_command_and_option_is_on_its_page(site: Path) -> None:
    page = (site / "reference/cli.html").read_text(encoding="utf-8")
    for name, command in cli.commands.items():
        assert f'id="hybridtrack-{name}"' in page
        for option in command.params:
            assert option.param_type_name == "argument" or option.opts[0] in page


def test_names_of_the_package_are_on_their_page(site: Path) -> None:
    anchors = parsed(site / "reference/api.html").anchors
    assert {"hybridtrack.engine.Engine.run", "hybridtrack.wire.TrackRow", "hybridtrack.errors.UsageError"} <= anchors


@pytest.fixture
def small_site(tmp_path: Path, root: Path) -> Path:
    """A site of one page, made by the same hook."""
    (tmp_path / "docs").mkdir()
    hook = root / "website/repository_pages.py"
    config = tmp_path / "mkdocs.yml"
    config.write_text(f"site_name: small\nnav: ['*.md']\nnot_in_nav: /repository/\nhooks: [{hook}]\n")
    return config


@pytest.mark.parametrize(
    ("link", "leads"),
    [("../more/notes.md", True), ("../more/gone.md", False), ("gone.md", False), ("../more/cycle.py", True)],
)
def test_link_that_leads_nowhere_breaks_the_build(small_site: Path, link: str, leads: bool) -> None:
    top = small_site.parent
    (top / "docs/index.md").write_text(f"# One\n\n[two]({link})\n")
    (top / "more").mkdir()
    (top / "more/notes.md").write_text("# Two\n\n[back](../docs/index.md)\n")
    (top / "more/cycle.py").write_text("print('[no link](here.md)')\n")
    done = build(small_site, top / "site")
    assert (done.returncode == 0) == leads, done.stderr
    if not leads:
        assert "gone.md" in done.stderr


def test_links_are_changed_and_code_and_addresses_are_not() -> None:
    page = "[a](b.md#c) ![d](e.png)\n```\n[f](g.md)\n```\n[h](https://i.org/j) [k](#l) [m](n.md)\n"
    assert links(page) == ["b.md", "e.png", "n.md"]
    changed = "[a](B.MD#c) ![d](E.PNG)\n```\n[f](g.md)\n```\n[h](https://i.org/j) [k](#l) [m](N.MD)\n"
    assert map_links(page, str.upper) == changed


@pytest.mark.parametrize(
    ("origin", "page"),
    [
        ("docs/tracks.md", "tracks.md"),
        ("docs/tracks.schema.json", "tracks.schema.json"),
        ("models/README.md", "repository/models/README.md"),
        ("models", "repository/models/README.md"),
        ("examples/plugin_template", "repository/examples/plugin_template.md"),
        ("examples/own_detector.py", "repository/examples/own_detector.py.md"),
        ("README.md", "index.md"),
    ],
)
def test_each_file_has_its_place_in_the_site(root: Path, origin: str, page: str) -> None:
    assert page_of(root, origin) == page


def test_plain_text_stays_plain() -> None:
    assert text("* marks <b> `NAME|all` [x] a_b #1") == r"\* marks \<b\> \`NAME\|all\` \[x\] a\_b \#1"
