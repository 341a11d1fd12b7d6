"""One page that needs nothing beside it, to hand to somebody: the frames are in it, and the video if wanted."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from hybridtrack.errors import UsageError
from hybridtrack.view.document import page
from hybridtrack.view.store import FileStore
from hybridtrack.view.video import FORMS, Video, convert

CHUNK_ROWS: Final = 512  #: rows that are packed together: the page unpacks what it shows
_LEVEL: Final = 6  #: of gzip
_MAX_VIDEO_BYTES: Final = 300_000_000  #: browsers hold no texts that are much longer, and it grows by a third


def exported_page(
    store: FileStore, *, title: str, video: Video | None, is_video_inside: bool = False, notes: Sequence[str] = ()
) -> bytes:
    """Return the page of all that ``store`` has read, UTF-8.

    ``is_video_inside``: with the video in it, converted where browsers could not play it as it is; else whoever looks
    at the page can open the file there. Raises UsageError for a video that is too long, SourceError.
    """
    rows = store.index.row_count
    data = {"overview": gzip.compress(_whole(store), _LEVEL, mtime=0)}
    for first in range(0, rows, CHUNK_ROWS):
        data[f"lines-{first // CHUNK_ROWS}"] = gzip.compress(store.lines(first, first + CHUNK_ROWS), _LEVEL, mtime=0)
    told_video: dict[str, Any] | None = None
    if video is not None:
        told_video = {"name": video.path.name, "type": video.media_type, "is_inside": is_video_inside}
        if is_video_inside:
            told_video["type"], data["video"] = _playable(video)
    told = {
        "mode": "page",
        "title": title,
        "header": msgspec.to_builtins(store.header),
        "chunk_rows": CHUNK_ROWS,
        "video": told_video,
        "notes": list(notes),
    }
    return page(told, title=title, data=data).encode()


def _whole(store: FileStore) -> bytes:
    """Return the overview as of a file that grows no more."""
    return store.index.overview(0, generation=0, is_growing=False, is_reading=False, notes=store.notes)


def _playable(video: Video) -> tuple[str, bytes]:
    """Return media type and content of a video that common browsers play."""
    if video.is_played_everywhere:
        return video.media_type, _content(video.path)
    with tempfile.TemporaryDirectory(prefix="hybridtrack-view-") as folder:
        form = FORMS["h264"]
        path = Path(folder) / f"video{form.suffix}"
        convert(video, form, path)
        return form.media_type, _content(path)


def _content(path: Path) -> bytes:
    size = path.stat().st_size
    if size > _MAX_VIDEO_BYTES:
        raise UsageError(
            f"cannot put {str(path)!r} into a page: it has {size / 1e6:.0f} MB, and browsers hold "
            f"{_MAX_VIDEO_BYTES / 1e6:.0f}; leave --with-video out, and hand the video on beside the page"
        )
    return path.read_bytes()
