"""``hybridtrack view``: look at a track file, with its video, in a browser."""

from __future__ import annotations

import importlib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hybridtrack.errors import MissingPackageError, UsageError
from hybridtrack.sinks.standard_output import reserved_for_results, results

if TYPE_CHECKING:
    from hybridtrack.view.store import FileStore
    from hybridtrack.view.video import Video


@click.command(short_help="Look at a track file in a browser: video with boxes, timeline, events.")
@click.argument("tracks", metavar="TRACKS.jsonl")
@click.option("--video", metavar="FILE", help="The video under the boxes.  [default: the one that the tracks name]")
@click.option("--no-video", is_flag=True, help="Show boxes on black.")
@click.option("--export", metavar="PAGE.html", help="Write one page that needs nothing beside it, and do not serve.")
@click.option("--with-video", is_flag=True, help="Put the video into the page of --export.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on.  [default: a free one]")
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
@reserved_for_results()
def view(
    tracks: str, video: str | None, no_video: bool, export: str | None, with_video: bool, **serving: object
) -> None:
    """Serve a page on this machine that shows TRACKS.jsonl over its video, with a timeline of tracks and of what hands
    do with things, and open it in a browser. A file that is still being written is followed. Ctrl-C ends.

    The address has a token in it, without which nothing is given out.
    """
    if video and no_video:
        raise UsageError("--video and --no-video contradict each other: give one of them")
    if with_video and not export:
        raise UsageError("--with-video is about the page of --export: give --export PAGE.html as well")
    from hybridtrack.view.store import FileStore
    from hybridtrack.view.video import differences, open_as_video, video_of

    with closing(FileStore(tracks)) as store:
        found = open_as_video(video) if video else None if no_video else video_of(store.header, store.path)
        notes = [] if found is None else differences(found, store.header)
        for note in notes:
            _say(note)
        if export:
            _export(store, export, found, with_video, notes)
        else:
            _serve(store, found, notes, **serving)  # type: ignore[arg-type]


def check_packages() -> None:
    """Raise MissingPackageError when what serves a page is not installed."""
    for name in ("starlette", "uvicorn"):
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise MissingPackageError(
                f"serving a page needs {error.name or name}, which is not installed: pip install 'hybridtrack[view]'"
            ) from error


def _export(store: FileStore, export: str, video: Video | None, is_inside: bool, notes: list[str]) -> None:
    from hybridtrack.sinks.output import ReplacedFile, check_not_source
    from hybridtrack.view.export import exported_page

    if is_inside and video is None:
        raise UsageError(f"--with-video: there is no video {store.header.source.uri!r} here; give --video FILE")
    file = ReplacedFile(export)
    for read in (str(store.path), *([] if video is None else [str(video.path)])):
        check_not_source(export, read)
    store.read_all()
    for note in store.notes:
        _say(note)
    content = exported_page(store, title=store.path.name, video=video, is_video_inside=is_inside, notes=notes)
    file.write(content, store.header.source.uri)


def _serve(store: FileStore, video: Video | None, notes: list[str], *, host: str, port: int, no_browser: bool) -> None:
    check_packages()
    from hybridtrack.view.server import Show
    from hybridtrack.view.serving import PageServer, open_browser
    from hybridtrack.view.video import FORMS, Conversion

    conversions = {} if video is None else {name: Conversion(video, form) for name, form in FORMS.items()}
    show = Show(store=store, title=Path(store.path).name, video=video, conversions=conversions, notes=notes)
    try:
        server = PageServer(show, host=host, port=port)
        if server.warning:
            _say(server.warning)
        store.follow()
        click.echo(server.url, file=results())
        if not no_browser and not open_browser(server.url):
            _say("no browser was found: open the address above in one")
        server.run()
    except KeyboardInterrupt:  # how looking ends
        pass
    finally:
        for conversion in conversions.values():
            conversion.close()


def _say(text: str) -> None:
    click.echo(f"hybridtrack view: {text}", err=True)
