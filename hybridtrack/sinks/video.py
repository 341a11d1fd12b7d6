"""Annotated video: H.264 in MP4, MOV or Matroska through PyAV, with the times that the frames have, and the sound."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from hybridtrack.errors import SinkError
from hybridtrack.sinks.drawing import Drawing
from hybridtrack.sinks.output import ReplacedFile, cannot_write, required_path
from hybridtrack.sinks.soundtrack import FORMATS, Soundtrack, open_soundtrack
from hybridtrack.types import Array, Frame, FrameResult, RunInfo, RunSummary, Size

_ENCODERS = ("libx264", "libopenh264", "h264_videotoolbox", "h264_mf")  #: best first; PyAV's own wheels have the first
_TIME_BASE = Fraction(1, 90_000)  #: seconds; that of MPEG, 30000/1001 frames a second are whole multiples of it
_BT709 = 1  #: number of the colour space in ITU-T H.273


class VideoSink:
    """Writes every frame with its confirmed tracks; a frame of another size is scaled to that of the first.

    The file appears when it is whole: after the last frame, or with what there is when the run was interrupted. A run
    without frames makes none.
    """

    def __init__(self, path: str | Path) -> None:
        self._file = ReplacedFile(path)
        if self._file.path.suffix.lower() not in FORMATS:
            known = ", ".join(FORMATS)
            raise SinkError(f"cannot write {str(path)!r}: a video file ends in {known}; give such a name")
        self._encoder = h264_encoder()
        self._info: RunInfo | None = None
        self._drawing: Drawing | None = None
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._sound: Soundtrack | None = None
        self._notes: tuple[str, ...] = ()
        self._first_s = 0.0
        self._pts = -1
        self._step = 0  #: between the last two frames, in units of ``_TIME_BASE``

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know, a line each."""
        return self._notes

    def open(self, info: RunInfo) -> None:
        """Make the temporary file. Raises SinkError; then none is left."""
        self._file.open(info.uri)
        self._info, self._drawing = info, Drawing(info.classes)
        try:
            self._container = av.open(str(self._file.temporary), "w")
        except (av.FFmpegError, OSError) as error:
            self._discard()
            raise cannot_write(self._file.path, error) from error

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Draw and encode one frame. Raises SinkError when the disk is full; then nothing is kept."""
        if self._container is None:
            return
        assert self._drawing is not None
        self._drawing.follow(result)
        bgr = self._drawing.draw(frame, result)
        try:
            if self._stream is None:
                self._first_s = frame.time_s
                self._stream = self._add_stream(self._container, _even(frame.size_px))
                self._add_sound(self._container)
            stream = self._stream
            bgr = _fitted(bgr, (stream.width, stream.height))
            picture = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(bgr), format="bgr24").reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            pts = max(round((frame.time_s - self._first_s) / _TIME_BASE), self._pts + 1)
            self._step = pts - self._pts if self._pts >= 0 else self._step
            self._pts = pts
            picture.pts, picture.time_base = self._pts, _TIME_BASE
            self._copy_sound(self._pts)
            self._container.mux(stream.encode(picture))
        except (av.FFmpegError, OSError) as error:
            self._discard()
            raise cannot_write(self._file.path, error) from error

    def close(self, summary: RunSummary | None) -> None:
        """Finish the video and put it in its place; what an interrupted run has so far is kept too."""
        container, self._container = self._container, None
        if container is None:
            return
        try:
            if self._stream is not None:
                self._copy_sound(self._pts + self._step)
                container.mux(self._stream.encode())
            container.close()
        except (av.FFmpegError, OSError) as error:
            self._file.discard()
            raise cannot_write(self._file.path, error) from error
        finally:
            self._close_sound()
        if self._stream is None:
            self._file.discard()
        else:
            self._file.keep()

    def _add_stream(self, container: OutputContainer, size_px: Size) -> VideoStream:
        assert self._info is not None
        options = {"preset": "veryfast", "crf": "21"} if self._encoder == "libx264" else {}
        fps = self._info.video.fps or Fraction(30)
        self._step = round(1 / (fps * _TIME_BASE))
        stream = container.add_stream(self._encoder, rate=fps, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size_px
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = _TIME_BASE
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = ColorRange.MPEG
        return stream

    def _add_sound(self, container: OutputContainer) -> None:
        assert self._info is not None
        loop = self._info.settings.get("loop") or 1
        found: Soundtrack | str | None = f"no sound: the video plays {loop} times"
        if loop == 1:
            found = open_soundtrack(self._info.uri, container, self._first_s)
        if isinstance(found, str):
            self._notes = (found,)
        else:
            self._sound = found

    def _copy_sound(self, end: int) -> None:
        """Copy the sound up to a time in units of ``_TIME_BASE``."""
        if self._sound:
            self._sound.copy(float(end * _TIME_BASE))

    def _close_sound(self) -> None:
        sound, self._sound = self._sound, None
        if sound:
            sound.close()

    def _discard(self) -> None:
        self._close_sound()
        container, self._container = self._container, None
        if container is not None:
            with suppress(av.FFmpegError, OSError):
                container.close()
        self._file.discard()


def h264_encoder() -> str:
    """Return the name of the best H.264 encoder that there is. Raises SinkError when there is none."""
    found = next((name for name in _ENCODERS if name in av.codecs_available), None)
    if found is None:
        raise SinkError(f"no H.264 encoder ({', '.join(_ENCODERS)}) in this PyAV: pip install --force-reinstall av")
    return found


def _even(size_px: Size) -> Size:
    """Return a size rounded up to even numbers, as chroma at half the resolution needs it."""
    width, height = size_px
    return width + width % 2, height + height % 2


def _fitted(bgr: Array, size_px: Size) -> Array:
    """Return a picture of ``size_px``: an odd row or column is doubled at the edge, other sizes are scaled."""
    height, width = bgr.shape[:2]
    if (width, height) == size_px:
        return bgr
    if _even((width, height)) != size_px:
        scaled: Array = cv2.resize(bgr, size_px, interpolation=cv2.INTER_AREA)
        return scaled
    return np.pad(bgr, ((0, size_px[1] - height), (0, size_px[0] - width), (0, 0)), mode="edge")


def create_video(options: Mapping[str, Any]) -> VideoSink:
    """Return the sink that the option ``path`` describes."""
    return VideoSink(required_path(options, "video"))
