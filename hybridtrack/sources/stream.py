"""Network streams through PyAV: pictures stay in the decoder's form, and every wait has a limit."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from fractions import Fraction
from typing import Final

import av
import av.container
import av.error

from hybridtrack.errors import SourceError, UsageError
from hybridtrack.interruption import interrupts_held_back
from hybridtrack.sources.container import Decoder, frame_rate, stamp_s, video_stream
from hybridtrack.sources.extent import Extent
from hybridtrack.sources.live import FIRST_FRAME_LIMIT_S, LiveSource
from hybridtrack.sources.pictures import AvPicture
from hybridtrack.sources.source import RecordedSource
from hybridtrack.sources.timeline import Timeline
from hybridtrack.sources.video import open_recording
from hybridtrack.types import Frame

_OPTIONS: Final = (("rtsp_transport", "tcp"),)  #: over UDP a lost datagram smears all up to the next key frame
_WITHOUT_STAMPS: Final = frozenset({"mpjpeg", "mjpeg"})  #: libav makes timestamps up, 25 a second


def open_stream(uri: str, extent: Extent) -> LiveSource | RecordedSource:
    """Return the source of a stream; of a file behind ``http``, which has an end, that of a recording.

    Raises SourceError when it cannot be opened in time, UsageError when a part of an endless stream is asked for.
    """
    container = _open(uri)
    if uri.startswith("http") and container.duration is not None:
        container.close()
        return open_recording(uri, lambda: _open(uri), extent)
    if extent != Extent():
        container.close()
        raise UsageError(f"start, end and loop are for recordings, and {uri!r} has no end; leave them out")
    stream = video_stream(container, uri)
    decoder = Decoder(container, stream, thread_type="SLICE")
    timeline = Timeline(frame_rate(container, stream))
    ends: list[str] = []
    return LiveSource(
        uri,
        _receive(uri, container, decoder, timeline, ends, time.monotonic),
        fps=frame_rate(container, stream),
        notes=lambda: [*ends, *decoder.notes(), *timeline.notes()],
    )


def _open(uri: str) -> av.container.InputContainer:
    try:
        with interrupts_held_back():  # PyAV loses one that comes while a call fails
            return av.open(uri, options=dict(_OPTIONS), timeout=FIRST_FRAME_LIMIT_S)
    except (av.error.FFmpegError, OSError) as error:
        raise SourceError(
            f"cannot open stream {uri!r}: {error.strerror or error}; check the address and that it is sending"
        ) from error


def _receive(
    uri: str,
    container: av.container.InputContainer,
    decoder: Decoder,
    timeline: Timeline,
    ends: list[str],
    clock: Callable[[], float],
) -> Generator[Frame, None, None]:
    """Yield what arrives until the stream ends; times are the sender's where it sends any.

    ``ends`` is told of an end in order. Raises SourceError when reading fails before that.
    """
    is_stamped, count = False, 0
    try:
        for picture in decoder:
            stamp = stamp_s(picture)
            if count == 0:  # once for all: the sender's clock and ours do not mix
                is_stamped = stamp is not None and container.format.name not in _WITHOUT_STAMPS
            time_s = timeline.place(stamp if is_stamped else Fraction(clock()))
            yield Frame(AvPicture(picture), index=count, time_s=float(time_s))
            count += 1
    finally:
        container.close()
    if decoder.read_error:
        raise SourceError(f"the stream {uri!r} broke off after {count} frames: {decoder.read_error}; check the sender")
    ends.append(f"the stream {uri!r} ended after {count} frames")
