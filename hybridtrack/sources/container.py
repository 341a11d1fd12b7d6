"""What libav opens and decodes: a container, its video stream, and every picture that can be had of it.

PyAV's logging stays as it is, off: any ``av.logging.set_level(...)`` makes libav's threads wait for the GIL when they
have something to say, while the thread that holds it waits for them to end: a damaged file then hangs for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final, Literal

import av
import av.container
import av.error
import av.stream

from hybridtrack.errors import SourceError
from hybridtrack.interruption import interrupts_held_back

_TEXT_FORMATS: Final = frozenset({"tty", "bin", "adf", "idf", "xbin"})  #: libav draws plain text files as if video
_STATE_THEIR_DURATION: Final = frozenset({"matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2", "flv"})  #: in the header
_TRANSPORT_PACKET_SIZES: Final = (188, 192, 204)  #: bytes, plain, with a time code (Blu-ray), with error correction
_MAX_FAILED_READS: Final = 100  #: in a row, after which the rest of a file counts as unreadable
_MAX_SLACK_S: Final = 1.0  #: of sound that goes on behind the last picture, or of a last picture that stays


def open_file(path: str) -> av.container.InputContainer:
    """Return the opened video file. Raises SourceError when it is none."""
    try:
        with interrupts_held_back():  # PyAV loses one that comes while a call fails
            container = av.open(f"file:{path}")  # "file:", because a colon in the name would begin a protocol
    except (av.error.FFmpegError, OSError) as error:
        raise SourceError(
            f"cannot open {path!r}: no video can be read from it ({error.strerror}); give a video file that plays"
        ) from error
    if container.format.name in _TEXT_FORMATS:
        container.close()
        raise SourceError(f"cannot open {path!r}: it is a text file; give a video file that plays")
    return container


def video_stream(container: av.container.InputContainer, uri: str) -> av.VideoStream:
    """Return the first video stream that is no cover picture. Raises SourceError when there is none."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    found = ", ".join(stream.type for stream in container.streams) or "no stream at all"
    container.close()
    raise SourceError(f"cannot play {uri!r}: it has no video stream (found: {found}); give a file with a video stream")


def frame_rate(container: av.container.InputContainer, stream: av.VideoStream) -> Fraction | None:
    """Return the mean frames per second, or None when nothing tells."""
    # without a duration there were no timestamps to take the mean of, and libav's average is only its default of 25
    mean = stream.average_rate if container.duration is not None else None
    return mean or stream.guessed_rate or None


def stamp_s(picture: av.VideoFrame) -> Fraction | None:
    """Return the presentation time as the stream counts it, s, or None when it has none."""
    stamp = picture.dts if picture.pts is None else picture.pts
    return None if stamp is None or picture.time_base is None else stamp * picture.time_base


class Decoder:
    """One way through a container's video. Packets that cannot be decoded are left out and counted.

    ``VideoFrame.is_corrupt`` is not asked: with frame threads it tells now this, now that of the same file.
    """

    def __init__(
        self,
        container: av.container.InputContainer,
        stream: av.VideoStream,
        *,
        skip_packets: int = 0,
        thread_type: Literal["AUTO", "SLICE"] = "AUTO",
    ) -> None:
        """Begin at packet ``skip_packets``, which has to be a key frame; "SLICE": give each frame without delay."""
        stream.thread_type = thread_type
        self.read_error: str | None = None  #: what reading ended with, before the end
        self._damaged = 0
        self._end_notes: list[str] = []
        self._container = container
        self._stream = stream
        self._skip_packets = skip_packets
        self._ends_damaged = False
        self._end_s = Fraction(0)

    def __iter__(self) -> Iterator[av.VideoFrame]:
        for number, packet in enumerate(self._packets()):
            if number < self._skip_packets and packet.size:
                continue
            for picture in self._pictures(packet):
                self._end_s = (stamp_s(picture) or Fraction(0)) + picture.duration * (picture.time_base or 0)
                yield picture

    def _packets(self) -> Iterator[av.Packet[av.VideoStream]]:
        """Yield the packets in the order of the file, at the end an empty one that flushes the decoder."""
        failures = 0
        while failures < _MAX_FAILED_READS:
            try:
                for packet in self._container.demux(self._stream):
                    failures = 0
                    yield packet
            except av.error.InvalidDataError:
                failures += 1
                self._note_damage()
            except av.error.FFmpegError as error:
                self._ends_damaged = True
                self.read_error = error.strerror
                return
            else:
                return

    def _pictures(self, packet: av.Packet[av.VideoStream]) -> list[av.VideoFrame]:
        if packet.size:  # the empty one at the end says nothing
            self._ends_damaged = packet.is_corrupt
        # half a packet, as where a file is cut, makes a decoder with frame threads lose the sound frames before it
        if not packet.is_corrupt:
            try:
                return packet.decode()
            except av.error.FFmpegError:
                pass
        self._note_damage()
        return []

    def _note_damage(self) -> None:
        self._damaged += 1
        self._ends_damaged = True

    def notes(self) -> list[str]:
        """Return what the user should know of what was read so far, one line each."""
        notes = [*self._end_notes]
        if self._damaged:
            notes.append(
                f"damaged: {self._damaged} {'packet' if self._damaged == 1 else 'packets'} could not be decoded"
            )
        return notes

    def check_end(self) -> None:
        """Look, after the last picture of a recording, whether it ends too early; then ``notes`` say so."""
        truncation = self._truncation()
        self._end_notes += [truncation] if truncation else []
        self._end_notes += [f"reading ended with an error: {self.read_error}"] if self.read_error else []

    def _truncation(self) -> str | None:
        stated_s = self._stated_duration_s()
        begin_s = Fraction(self._container.start_time or 0, av.time_base)
        if stated_s is not None and float(stated_s - self._end_s) > min(_MAX_SLACK_S, float(stated_s) / 20):
            return f"truncated: the file ends after {float(self._end_s - begin_s):.2f} of {float(stated_s):.2f} s"
        if self._ends_damaged or self._ends_within_transport_packet():
            return "truncated: the file breaks off within a picture"
        return None

    def _ends_within_transport_packet(self) -> bool:
        container = self._container
        return container.format.name == "mpegts" and all(container.size % size for size in _TRANSPORT_PACKET_SIZES)

    def _stated_duration_s(self) -> Fraction | None:
        container, stream = self._container, self._stream
        if container.format.name not in _STATE_THEIR_DURATION or container.duration is None:
            return None
        whole_s = Fraction(container.duration, av.time_base)
        if stream.duration is None or stream.time_base is None:
            return whole_s
        return min(whole_s, stream.duration * stream.time_base)
