"""The motion vectors that a video codec stored, and the frames that they start from.

libav exports them for H.264, MPEG-1, -2, -4 and H.263, and for no newer codec. It says whether a vector points to an
earlier or a later frame, and not to which one. That mostly follows from how encoders order their references: the
nearest frame before that others may refer to is the first of the list, and most blocks use it (H.264, 8.2.4.2). A B
frame that is a reference itself, and a P frame, start from the I or P frame before; any other B frame from the
reference before. Blocks that an encoder took from farther back are told as if they had gone faster.
"""

from __future__ import annotations

from typing import Final

import av
import av.codec.context
import numpy as np
from av.sidedata.sidedata import SideDataContainer

from hybridtrack.types import MotionVectors

TELLING: Final = frozenset(  #: libav's decoders that export motion vectors
    {"h264", "mpeg4", "mpeg2video", "mpeg1video", "h263", "flv", "msmpeg4", "msmpeg4v2", "wmv1", "wmv2"}
)
VECTOR: Final = np.dtype(  #: AVMotionVector of libavutil; making it for every frame costs as much as all the rest
    [
        ("source", np.int32),
        ("w", np.uint8),
        ("h", np.uint8),
        ("src_x", np.int16),
        ("src_y", np.int16),
        ("dst_x", np.int16),
        ("dst_y", np.int16),
        ("flags", np.uint64),
        ("motion_x", np.int32),
        ("motion_y", np.int32),
        ("motion_scale", np.uint16),
    ],
    align=True,
)
_BYTES: Final = np.dtype((np.void, VECTOR.itemsize))
_SLICES: Final = (1, 2, 5)  #: nal_unit_type of a picture's parts (H.264, table 7-1)
_MAX_PENDING: Final = 256  #: packets whose pictures have not come out: far more than any decoder keeps back
_START_CODE: Final = b"\0\0\1"
_I, _P, _B = 1, 2, 3  # AVPictureType


def no_motion(uri: str, what: str = "") -> str:
    """Return what to tell a user who wants the motion vectors of a source that has none."""
    return (
        f"the tracker goes by motion vectors of a video codec such as H.264, and {uri!r} has none{what}; "
        "take another, such as flow"
    )


def is_reference(packet: bytes | memoryview, length_bytes: int) -> bool:
    """Return whether other pictures may refer to that of an H.264 packet; True for one without a slice.

    length_bytes: size of the length before each NAL unit, as in MP4; 0: start codes stand between them.
    """
    data, at = bytes(packet), 0
    while True:
        if length_bytes:
            head = at + length_bytes
            at = head + int.from_bytes(data[at:head], "big")
        else:
            found = data.find(_START_CODE, at)
            head = at = len(data) if found < 0 else found + len(_START_CODE)
        if head >= len(data):
            return True
        if data[head] & 31 in _SLICES:
            return data[head] >> 5 & 3 != 0  # nal_ref_idc


class References:
    """How many frames before each picture its motion vectors start, told from one picture to the next."""

    def __init__(self, codec: av.codec.context.CodecContext) -> None:
        """Make ``codec``, which has decoded nothing yet, export motion vectors."""
        codec.flags2 |= av.codec.context.Flags2.export_mvs
        self._is_h264 = codec.name == "h264"
        # blocks that take half of their neighbours' way in time are told as resting there
        self._tells_b = codec.name != "mpeg4"
        head = bytes(codec.extradata or b"")[:5]
        self._length_bytes = (head[4] & 3) + 1 if len(head) == 5 and head[0] == 1 else 0
        self._kept_back: dict[int, bool] = {}  # whether it is a reference, by the time stamp of the packet
        self._count = 0
        self._anchor: int | None = None  # number of the latest I or P frame that is a reference
        self._reference: int | None = None  # ... of the latest reference

    def expect(self, packet: av.Packet[av.VideoStream]) -> None:
        """Look at a packet that goes to the decoder now."""
        if self._is_h264 and packet.size and packet.pts is not None:
            self._kept_back[packet.pts] = is_reference(memoryview(packet), self._length_bytes)
            while len(self._kept_back) > _MAX_PENDING:
                del self._kept_back[next(iter(self._kept_back))]

    def step(self, picture: av.VideoFrame) -> int | None:
        """Return it for the next picture in the order of display; None when it has no vectors, or from nowhere."""
        kind = int(picture.pict_type)
        stamp = picture.pts
        known = None if stamp is None else self._kept_back.pop(stamp, None)
        is_kept = kind != _B if known is None else known
        number, self._count = self._count, self._count + 1
        start = self._reference if kind == _B and not is_kept else self._anchor
        if is_kept:
            self._reference = number
            if kind in (_I, _P):
                self._anchor = number
        tells = kind == _P or (kind == _B and self._tells_b)
        return number - start if tells and start is not None else None


def read_vectors(frame: av.VideoFrame, frames_back: int, quarter_turns: int = 0) -> MotionVectors | None:
    """Return the vectors of a picture that start ``frames_back`` frames earlier; None when it has none.

    quarter_turns: by how many quarters the picture is turned counterclockwise to stand upright.
    """
    # frame.side_data would keep the frame alive in a cycle
    side = SideDataContainer(frame).get("MOTION_VECTORS")  # type: ignore[call-arg]  # the stub knows no frame
    if side is None:
        return None
    rows = np.flatnonzero(np.frombuffer(side, VECTOR)["source"] < 0)
    if not len(rows):
        return None
    found = np.frombuffer(side, _BYTES).take(rows).view(VECTOR)  # numpy copies structures one member at a time
    x, y = found["dst_x"].copy(), found["dst_y"].copy()
    back = np.float32(-1 / int(found["motion_scale"][0]))
    dx, dy = (np.multiply(found[name], back, dtype=np.float32) for name in ("motion_x", "motion_y"))
    width, height = frame.width, frame.height
    for _ in range(quarter_turns % 4):
        x, y, dx, dy = y, width - x, dy, -dx
        width, height = height, width
    area = np.multiply(found["w"], found["h"], dtype=np.int32)
    return MotionVectors(frames_back=frames_back, x_px=x, y_px=y, area_px=area, dx_px=dx, dy_px=dy)
