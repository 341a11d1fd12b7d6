"""Video files: every frame with its own time, upright, in the decoder's form."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Generator
from fractions import Fraction
from typing import TypeAlias

import av
import av.container

from hybridtrack.errors import SourceError
from hybridtrack.sources.container import Decoder, frame_rate, open_file, stamp_s, video_stream
from hybridtrack.sources.extent import Extent
from hybridtrack.sources.pictures import AvPicture
from hybridtrack.sources.source import RecordedSource
from hybridtrack.sources.timeline import DEFAULT_FPS, Timeline
from hybridtrack.types import Frame, VideoInfo

Opener: TypeAlias = Callable[[], av.container.InputContainer]
Notes: TypeAlias = list[Callable[[], list[str]]]  #: each tells what there is to say by then


def open_video(path: str, extent: Extent) -> RecordedSource:
    """Return the source of a video file. Raises SourceError when it cannot be read or holds no frame in ``extent``."""
    return open_recording(path, lambda: open_file(path), extent)


def open_recording(uri: str, opener: Opener, extent: Extent) -> RecordedSource:
    """Return the source of what ``opener`` opens, from its beginning, every time it is called."""
    container = opener()
    stream = video_stream(container, uri)
    fps, frame_count = frame_rate(container, stream), stream.frames or None
    notes: Notes = []
    frames = _play(uri, container, opener, extent, notes)
    first = next(frames, None)
    if first is None:
        if extent == Extent(loop=extent.loop):
            raise SourceError(f"cannot play {uri!r}: no frame can be decoded from it; give a video that plays")
        part = f"from {extent.start_s:g} s to " + ("its end" if math.isinf(extent.end_s) else f"{extent.end_s:g} s")
        raise SourceError(f"cannot play {uri!r} {part}: no frame lies there; give another start or end")
    width_px, height_px = first.size_px
    info = VideoInfo(width_px=width_px, height_px=height_px, fps=fps, frame_count=frame_count)
    return RecordedSource(
        uri,
        info,
        first,
        frames,
        expected_frames=extent.expected_frames(frame_count, fps),
        notes=lambda: [note for notes_so_far in notes for note in notes_so_far()],
    )


def _play(
    uri: str, container: av.container.InputContainer, opener: Opener, extent: Extent, notes: Notes
) -> Generator[Frame, None, None]:
    """Yield the frames of ``extent`` once a round; from round to round numbers and times go on."""
    number_shift, time_shift_s = 0, Fraction(0)
    next_number, next_time_s = 0, Fraction(0)
    for round_number in range(extent.loop):
        if round_number:
            container = opener()
        step_s = 1 / (frame_rate(container, video_stream(container, uri)) or DEFAULT_FPS)
        # the file is the same in every round, so what is wrong with it is said once
        pictures = _read(uri, container, opener, extent, [] if round_number else notes)
        is_continued = round_number > 0
        for number, time_s, picture in pictures:
            if is_continued:
                number_shift, time_shift_s = next_number - number, next_time_s - time_s
                is_continued = False
            index, shifted_s = number + number_shift, time_s + time_shift_s
            next_number, next_time_s = index + 1, shifted_s + step_s
            yield Frame(AvPicture(picture), index=index, time_s=float(shifted_s))


def _read(
    uri: str, container: av.container.InputContainer, opener: Opener, extent: Extent, notes: Notes
) -> Generator[tuple[int, Fraction, av.VideoFrame], None, None]:
    """Yield number and time in the recording, and picture, of each frame in ``extent``; close the container."""
    stamps_s: list[Fraction] = []
    skip_packets = 0
    if extent.start_s > 0:
        skip_packets, stamps_s = _find_entry(container, video_stream(container, uri), extent.start_s)
        container.close()
        container = opener()
    stream = video_stream(container, uri)
    decoder = Decoder(container, stream, skip_packets=skip_packets)
    timeline = Timeline(frame_rate(container, stream), stamps_s[0] if stamps_s else None)
    notes += (decoder.notes, timeline.notes)
    number = None
    try:
        for picture in decoder:
            stamp = stamp_s(picture)
            if number is None:
                number = 0 if stamp is None else bisect.bisect_left(stamps_s, stamp)
            time_s = timeline.place(stamp)
            if float(time_s) >= extent.end_s:  # as floats: 1/5 is less than 0.2, whose last bit was rounded up
                return
            if float(time_s) >= extent.start_s:
                yield number, time_s, picture
            number += 1
        decoder.check_end()
    finally:
        container.close()


def _find_entry(
    container: av.container.InputContainer, stream: av.VideoStream, start_s: float
) -> tuple[int, list[Fraction]]:
    """Return the packet to begin decoding at so as to see ``start_s``, and all timestamps before it, s, in order.

    Packets are read and not decoded: 20 µs each, and exact in every container, which seeking is not (MPEG-TS lands
    between key frames, Matroska knows no frame numbers). Without timestamps: the first packet, and none.
    """
    entry, stamps_s, origin_s = 0, list[Fraction](), Fraction(0)
    for number, packet in enumerate(container.demux(stream)):
        if not packet.size or packet.is_discard or not (stamps_s or packet.is_keyframe):
            continue
        if packet.pts is None or packet.dts is None or packet.time_base is None:
            return 0, []
        stamp = packet.pts * packet.time_base
        origin_s = min(origin_s, stamp) if stamps_s else stamp
        stamps_s.append(stamp)
        if packet.dts * packet.time_base > stamps_s[0] + start_s:
            break
        if packet.is_keyframe and stamp <= origin_s + start_s:
            entry = number
    return entry, sorted(stamps_s)
