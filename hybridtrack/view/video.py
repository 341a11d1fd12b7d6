"""The video that lies under the boxes: whether it is the one, and a form of it that a browser plays."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal, TypeAlias

import av
import cv2
from av.container import OutputContainer
from av.video.stream import VideoStream

from hybridtrack.errors import HybridTrackError, SinkError
from hybridtrack.sources.extent import Extent
from hybridtrack.sources.video import open_video
from hybridtrack.types import Frame, Size
from hybridtrack.wire import HeaderLine

State: TypeAlias = Literal["waiting", "working", "done", "failed"]

MEDIA_TYPES: Final = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/mp4",  # what browsers know the container as
    ".webm": "video/webm",
    ".mkv": "video/webm",
    ".ogv": "video/ogg",
}
_PLAYED_CODECS: Final = ("h264", "vp8", "vp9", "av1")  #: by the browsers of today, at 8 bits
_PLAYED_SUFFIXES: Final = (".mp4", ".m4v", ".mov", ".webm")
_MAX_WIDTH_PX: Final = 1280  #: of a converted video: it is looked at in a page, and has to be quick
_TIME_BASE: Final = Fraction(1, 1000)  #: seconds; that of WebM
_KEY_FRAME_INTERVAL: Final = "30"  #: frames; seeking decodes so many at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a video is converted to."""

    suffix: str
    media_type: str
    encoder: str
    options: Mapping[str, str]


#: H.264 is made ten times as fast, and nearly all browsers play it; VP8 is for those without
FORMS: Final[Mapping[str, Form]] = {
    "h264": Form(
        suffix=".mp4",
        media_type="video/mp4",
        encoder="libx264",
        options={"preset": "ultrafast", "crf": "21", "bf": "0"},
    ),
    "vp8": Form(
        suffix=".webm",
        media_type="video/webm",
        encoder="libvpx",
        options={"deadline": "realtime", "cpu-used": "8", "crf": "12", "b": "4M"},
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """A video file and what it says of itself; ``codec`` is libav's name."""

    path: Path
    size_px: Size
    fps: float | None
    frame_count: int | None
    codec: str

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES.get(self.path.suffix.lower(), "application/octet-stream")

    @property
    def is_played_everywhere(self) -> bool:
        """Whether common browsers can be trusted to play it as it is."""
        return self.codec in _PLAYED_CODECS and self.path.suffix.lower() in _PLAYED_SUFFIXES


def open_as_video(path: str | os.PathLike[str]) -> Video:
    """Return what a video file says of itself. Raises SourceError when no frame can be decoded from it."""
    with closing(open_video(os.fspath(path), Extent())) as source:
        info = source.info
    with av.open(f"file:{os.fspath(path)}") as container:
        codec = container.streams.video[0].codec_context.name
    return Video(
        path=Path(path).resolve(),
        size_px=(info.width_px, info.height_px),
        fps=None if info.fps is None else float(info.fps),
        frame_count=info.frame_count,
        codec=codec,
    )


def video_of(header: HeaderLine, tracks: Path) -> Video | None:
    """Return the video that a track file names, where it lies there still, seen from here or from beside the file."""
    for path in (Path(header.source.uri), tracks.parent / header.source.uri):
        try:
            if path.is_file():
                return open_as_video(path)
        except (HybridTrackError, OSError, ValueError):  # an image, a name that no file can have
            continue
    return None


def differences(video: Video, header: HeaderLine) -> list[str]:
    """Return what speaks against the tracks being those of this video, one line each."""
    name, source = video.path.name, header.source
    found = []
    if video.size_px != (source.width_px, source.height_px):
        width, height = video.size_px
        made_at = f"{source.width_px}x{source.height_px}"
        found.append(f"{name} is {width}x{height}, the tracks were made at {made_at}: boxes are scaled")
    if video.frame_count and source.frame_count and video.frame_count != source.frame_count:
        found.append(f"{name} has {video.frame_count} frames, the source of the tracks had {source.frame_count}")
    return found


class Conversion:
    """A video in a ``form`` that browsers play, made in a thread and a temporary folder, once it is asked for.

    Each frame has the time that track files give it.
    """

    def __init__(self, video: Video, form: Form) -> None:
        self.form = form
        self.state: State = "waiting"
        self.share = 0.0  #: done, 0 to 1
        self.problem = ""
        self._video = video
        self._target: Path | None = None
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="hybridtrack-convert", daemon=True)

    @property
    def path(self) -> Path | None:
        """The file, once it is whole."""
        return self._target if self._target and self.state == "done" else None

    def start(self) -> None:
        """Begin; again: nothing happens."""
        with self._lock:
            if self.state == "waiting":
                self.state = "working"
                self._target = Path(tempfile.mkdtemp(prefix="hybridtrack-view-")) / f"video{self.form.suffix}"
                self._thread.start()

    def close(self) -> None:
        """Stop, and remove what was made."""
        self._stop.set()
        if self._target is not None:
            self._thread.join()
            shutil.rmtree(self._target.parent, ignore_errors=True)

    def _work(self) -> None:
        assert self._target is not None
        try:
            convert(self._video, self.form, self._target, self._tell)
        except (HybridTrackError, OSError) as error:
            self.problem = " ".join(str(error).split())
            self.state = "failed"
        else:
            self.state = "done"

    def _tell(self, share: float) -> None:
        self.share = share
        if self._stop.is_set():
            raise SinkError("the conversion was stopped")


def convert(video: Video, form: Form, target: Path, tell: Callable[[float], None] = lambda share: None) -> None:
    """Write a video in a form, at most 1280 pixels wide; ``tell`` hears how much is done, 0 to 1, and may raise.

    Raises SourceError and SinkError.
    """
    if form.encoder not in av.codecs_available:
        raise SinkError(f"no encoder {form.encoder} in this PyAV: pip install --force-reinstall av")
    width, height = video.size_px
    shrink = min(1.0, _MAX_WIDTH_PX / width)
    size = max(1, round(width * shrink / 2)) * 2, max(1, round(height * shrink / 2)) * 2  # even, for H.264
    with closing(open_video(str(video.path), Extent())) as source, av.open(str(target), "w") as container:
        stream = _stream(container, form, size, video.fps or 30.0)
        pts = -1
        for number, frame in enumerate(source):
            pts = max(round(frame.time_s / float(_TIME_BASE)), pts + 1)
            container.mux(stream.encode(_picture(frame, size, pts)))
            tell(min(1.0, number / (video.frame_count or number + 1)))
        container.mux(stream.encode())


def _stream(container: OutputContainer, form: Form, size_px: Size, fps: float) -> VideoStream:
    options = {**form.options, "g": _KEY_FRAME_INTERVAL}
    stream = container.add_stream(form.encoder, rate=Fraction(fps).limit_denominator(1001), options=options)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = size_px
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = _TIME_BASE
    return stream


def _picture(frame: Frame, size_px: Size, pts: int) -> av.VideoFrame:
    bgr = frame.bgr(size_px)
    if bgr.shape[1::-1] != size_px:  # a video whose size changes on the way
        bgr = cv2.resize(bgr, size_px, interpolation=cv2.INTER_AREA)
    picture = av.VideoFrame.from_ndarray(bgr, format="bgr24").reformat(format="yuv420p")
    picture.pts, picture.time_base = pts, _TIME_BASE
    return picture
