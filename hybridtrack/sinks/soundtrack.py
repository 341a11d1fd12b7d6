"""The sound of the recording that a run reads, copied packet by packet beside its pictures."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Final

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

from hybridtrack.errors import SourceError
from hybridtrack.sources.container import Decoder, open_file, stamp_s, video_stream

#: names of libav's formats, by how the name of a file ends
FORMATS: Final = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}


class Soundtrack:
    """Copies what is heard from some time of the recording on into an output whose time begins there.

    Packets are not decoded; the one that is under way at the beginning comes along with a time before 0, where the
    output's format can say that it is cut there. Where the recording is damaged, the sound may end early.
    """

    def __init__(self, source: InputContainer, audio: AudioStream, output: OutputContainer, shift_s: Fraction) -> None:
        """Add a stream to ``output``, whose header is not written yet. ``shift_s``: the audio's timestamp of time 0."""
        self._source = source
        self._output = output
        self._stream = output.add_stream_from_template(audio)
        self._packets = _shifted(source, audio, shift_s, is_cut=output.format.name != FORMATS[".mkv"])
        self._next = next(self._packets, None)

    def copy(self, end_s: float) -> None:
        """Write the packets that begin before ``end_s``, s since the beginning. Raises FFmpegError and OSError."""
        while self._next is not None and _begin_s(self._next) < end_s:
            self._next.stream = self._stream
            self._output.mux(self._next)
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Close the recording."""
        self._next = None
        self._source.close()


def open_soundtrack(uri: str, output: OutputContainer, begin_s: float) -> Soundtrack | str | None:
    """Return the sound of a recording; where the output cannot hold it, a note that says so; None where there is none.

    Time is that of the run's frames: seconds since the recording's first picture.
    """
    if not os.path.isfile(uri):
        return None
    source = None
    try:
        first_picture_s = _first_picture_s(uri)
        source = open_file(uri)
        audio = next(iter(source.streams.audio), None)
        if audio is not None and not _can_hold(output.format.name, audio):
            return _what_can_hold(audio, uri)
        if audio is not None:
            return Soundtrack(source, audio, output, first_picture_s + Fraction(begin_s))
    except (SourceError, av.FFmpegError, OSError):  # no recording, such as a folder's only image
        pass
    if source is not None:
        source.close()
    return None


def _first_picture_s(uri: str) -> Fraction:
    """Return the timestamp of the first picture, s, from which a run counts time; 0 when there is none."""
    with open_file(uri) as container:
        first = next(iter(Decoder(container, video_stream(container, uri), thread_type="SLICE")), None)
        return (stamp_s(first) if first is not None else None) or Fraction(0)


def _can_hold(output_format: str, audio: AudioStream) -> bool:
    """Return whether a file of this format can be begun with this sound: its list of codecs is not all."""
    with suppress(av.FFmpegError, ValueError):
        trial = av.open(io.BytesIO(), "w", format=output_format)
        trial.add_stream_from_template(audio)
        trial.start_encoding()
        return audio.codec_context.name in trial.supported_codecs
    return False


def _what_can_hold(audio: AudioStream, uri: str) -> str:
    """Return the note on sound that the output cannot hold."""
    others = [suffix for suffix, output_format in FORMATS.items() if _can_hold(output_format, audio)]
    what = f"give a name that ends in {' or '.join(others)} to keep it" if others else "nor could another one"
    return f"no sound: such a file cannot hold the {audio.codec_context.name} of {uri!r}; {what}"


def _shifted(
    source: InputContainer, audio: AudioStream, shift_s: Fraction, *, is_cut: bool
) -> Iterator[av.Packet[AudioStream]]:
    """Yield the packets from ``shift_s`` on, at times after it; in the order of decoding.

    is_cut: with the one that is under way at ``shift_s``. Otherwise only the very first packet may begin before: codecs
    start with a piece that is not to be heard.
    """
    last = -math.inf
    with suppress(av.FFmpegError):  # what cannot be read is not heard
        for packet in source.demux(audio):
            if packet.pts is None or packet.dts is None or packet.is_corrupt:
                continue
            shift = round(shift_s / packet.time_base)
            may_begin_before = is_cut or math.isinf(last)
            end = packet.pts + (packet.duration or 0) if may_begin_before else packet.pts + 1
            is_kept = end > shift and packet.dts > last
            last = max(last, packet.dts)
            if not is_kept:
                continue
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            yield packet


def _begin_s(packet: av.Packet[AudioStream]) -> float:
    assert packet.pts is not None, "packets without a time are left out"
    return float(packet.pts * packet.time_base)
