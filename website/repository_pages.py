"""A hook of MkDocs: files of the repository that pages link to become pages too, and links to them go there.

Pages stand in ``docs/`` and link to each other, and to what lies beside ``docs/``, as a reader of the repository would.
A file beside it, say ``data_tools/README.md``, becomes ``repository/data_tools/README.md`` of the site, and so on with
the links in it; code becomes a page that shows it, a folder its README or all of its code.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

BESIDE: Final = "repository"  #: folder of the site for what lies beside ``docs/``
LANGUAGES: Final = {".py": "python", ".toml": "toml", ".json": "json"}

_FENCED = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)
_TARGET = re.compile(r"(?<=\]\()(?![a-z]+:|[#/])[^)\s#]+(?=[)\s#])")


def map_links(markdown: str, change: Callable[[str], str]) -> str:
    """Return Markdown with every relative link outside fenced code changed; ``#anchor`` stays as it is."""
    parts = _FENCED.split(markdown)  # text and code by turns
    parts[::2] = [_TARGET.sub(lambda found: change(found[0]), text) for text in parts[::2]]
    return "".join(parts)


def links(markdown: str) -> list[str]:
    """Return the relative links outside fenced code, without their ``#anchor``."""
    found: list[str] = []
    map_links(markdown, lambda target: found.append(target) or target)  # type: ignore[func-returns-value]
    return found


def origin_of(page: str) -> str:
    """Return the path in the repository of a path of the site."""
    return page.removeprefix(f"{BESIDE}/") if page.startswith(f"{BESIDE}/") else f"docs/{page}"


def page_of(root: Path, origin: str) -> str:
    """Return the path in the site of a file or folder of the repository."""
    path = root / origin
    if origin == "README.md":  # what this site begins with, for readers of the repository
        return "index.md"
    if path.is_dir():
        origin = f"{origin}/README.md" if (path / "README.md").is_file() else f"{origin}.md"
    elif path.suffix in LANGUAGES and not origin.startswith("docs/"):
        origin = f"{origin}.md"
    return origin.removeprefix("docs/") if origin.startswith("docs/") else f"{BESIDE}/{origin}"


def content_of(root: Path, origin: str) -> str:
    """Return the Markdown of a file, or of a folder without a README: that file, or the code as it stands there."""
    path = root / origin
    if path.is_dir():
        if (path / "README.md").is_file():
            return (path / "README.md").read_text(encoding="utf-8")
        files = sorted(one for one in path.rglob("*") if one.suffix in LANGUAGES)
    elif path.suffix in LANGUAGES:
        files = [path]
    else:
        return path.read_text(encoding="utf-8")
    return f"# {origin}\n" + "".join(_shown(one, str(one.relative_to(root))) for one in files)


def _shown(path: Path, name: str) -> str:
    text = path.read_text(encoding="utf-8")
    return f'\n````{LANGUAGES[path.suffix]} title="{name}"\n{text}````\n'


def pages_beside(root: Path, pages: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield site path and Markdown of all that is linked to from ``pages`` (site path -> Markdown), and from there.

    A link to what is not there is left for MkDocs to tell.
    """
    todo, known = list(pages.items()), set(pages)
    while todo:
        page, markdown = todo.pop()
        for target in links(markdown):
            origin = posixpath.normpath(posixpath.join(posixpath.dirname(origin_of(page)), target))
            where = page_of(root, origin)
            if where in known or not where.startswith(f"{BESIDE}/") or not (root / origin).exists():
                continue
            known.add(where)
            todo.append((where, content_of(root, origin)))
            yield todo[-1]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Let a pattern in ``nav`` stand for the pages of docs/ that it fits and that stand nowhere else in it."""
    named = set(_names(config.nav))
    docs = Path(config.docs_dir)
    there = sorted(path.relative_to(docs).as_posix() for path in docs.rglob("*.md"))
    config.nav = _filled(config.nav, [page for page in there if page not in named])
    return config


def _names(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, list | dict):
        for one in nav.values() if isinstance(nav, dict) else nav:
            yield from _names(one)


def _filled(nav: Any, pages: list[str]) -> Any:
    if isinstance(nav, dict):
        return {title: _filled(one, pages) for title, one in nav.items()}
    if not isinstance(nav, list):
        return nav
    filled: list[Any] = []
    for one in nav:
        if isinstance(one, str) and "*" in one:
            folder = posixpath.dirname(one)
            filled += [page for page in pages if posixpath.dirname(page) == folder]
        else:
            filled.append(_filled(one, pages))
    return filled


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages for files beside ``docs/`` that are linked to, or stand in ``nav``."""
    root = Path(config.docs_dir).parent
    pages = {file.src_uri: file.content_string for file in files.documentation_pages()}
    for page in _names(config.nav):
        if page.startswith(f"{BESIDE}/"):
            pages[page] = content_of(root, origin_of(page))
            files.append(File.generated(config, page, content=pages[page]))
    for page, content in pages_beside(root, pages):
        files.append(File.generated(config, page, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links between files of the repository into links between pages of the site."""
    here, root = page.file.src_uri, Path(config.docs_dir).parent

    def moved(target: str) -> str:
        origin = posixpath.normpath(posixpath.join(posixpath.dirname(origin_of(here)), target))
        return posixpath.relpath(page_of(root, origin), posixpath.dirname(here) or ".")

    return map_links(markdown, moved)
