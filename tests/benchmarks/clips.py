"""Clips made of others for measurements, and what decoding them costs with nothing of ours around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av

from hybridtrack.types import Size

CODEC, QUALITY = "libx264", {"crf": "20", "preset": "medium"}


def write_smaller(clip: str | Path, file: Path, size_px: Size) -> None:
    """Write ``clip`` as an H.264 file of another size: (width, height), both even, whatever its shape was."""
    with av.open(str(clip)) as source, av.open(str(file), "w") as target:
        given = source.streams.video[0]
        given.thread_type = "AUTO"
        made = target.add_stream(CODEC, rate=given.average_rate, options=QUALITY)
        made.width, made.height = size_px
        made.pix_fmt = "yuv420p"
        for number, picture in enumerate(source.decode(given)):
            small = picture.reformat(*size_px, format="yuv420p")
            small.pict_type = 0  # the encoder's choice, not that of the clip
            small.pts, small.time_base = number, 1 / given.average_rate
            target.mux(made.encode(small))
        target.mux(made.encode(None))


def bare_pictures(clip: str | Path) -> Iterator[av.VideoFrame]:
    """Yield the pictures of a clip as PyAV decodes them, with all its threads; from its beginning when it ends."""
    while True:
        with av.open(str(clip)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            yield from container.decode(stream)
