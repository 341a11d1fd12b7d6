"""The data that flows from sources to sinks: frames, detections, tracks and one frame's result.

One convention inside: boxes are ``xyxy`` float32 (N, 4) in pixels of the source picture, origin top-left, x right,
y down, x2 > x1 and y2 > y1, continuous edges (width = x2 - x1). Row i of every array is object i. Arrays are
read-only. Sizes are (width, height).
"""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from functools import cache
from typing import Any, Final, Literal, Protocol, Self, TypeAlias

import numpy as np
import numpy.typing as npt

_UINT8, _INT32, _INT64, _FLOAT32, _FLOAT64 = (
    np.dtype(kind) for kind in (np.uint8, np.int32, np.int64, np.float32, np.float64)
)  # made once: numpy looks them up on each call otherwise

Array: TypeAlias = npt.NDArray[Any]
Box: TypeAlias = tuple[float, float, float, float]
Size: TypeAlias = tuple[int, int]
RunStatus: TypeAlias = Literal["ok", "failed", "late"]


def _read_only(values: npt.ArrayLike, dtype: npt.DTypeLike, shape: tuple[int, ...], name: str) -> Array:
    """Return a read-only view of ``values`` as ``dtype``; -1 as first of ``shape`` matches any. Raises ValueError."""
    array = np.asarray(values, dtype)
    if array.shape == shape and not array.flags.writeable:
        return array
    if array.shape == (0,):  # of an empty list, whatever its rows would have been
        array = array.reshape(0, *shape[1:])
    found = array.shape
    if found[1:] != shape[1:] or (found[0] != shape[0] if shape[0] >= 0 else not found):
        raise ValueError(f"{name} has shape {found}, expected {shape} (-1: any)")
    view = array.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoInfo:
    """What a source knows of its pictures before the first one is read."""

    width_px: int
    height_px: int
    fps: Fraction | None = None
    frame_count: int | None = None


class Picture(Protocol):
    """Pixels in whatever form their producer has them; converts on request. Sizes are (width, height)."""

    @property
    def size_px(self) -> Size: ...
    def gray(self, size: Size) -> Array:
        """Luma, uint8 (H, W)."""
        ...

    def rgb(self, size: Size) -> Array:
        """uint8 (H, W, 3), channels red, green, blue."""
        ...


def _resized(array: Array, size: Size, *, keeps_area: bool) -> Array:
    """Return the pixels at ``size``: means of the areas they cover, or plain bilinear as SSD detectors are trained."""
    height, width = array.shape[:2]
    if size == (width, height):
        return array
    import cv2

    shrinks = size[0] <= width and size[1] <= height
    way = cv2.INTER_AREA if keeps_area and shrinks else cv2.INTER_LINEAR
    resized: Array = cv2.resize(array, size, interpolation=way)
    return resized


class ArrayPicture:
    """A picture that is already an array: uint8 (H, W) grey, or (H, W, 3) in the order ``channels`` names."""

    __slots__ = ("_array", "_channels")

    def __init__(self, array: Array, channels: Literal["rgb", "bgr"] = "bgr") -> None:
        grey = array.ndim == 2
        if array.dtype != np.uint8 or not (grey or (array.ndim == 3 and array.shape[2] == 3)) or not array.size:
            raise ValueError(f"a picture is uint8 (H, W) or (H, W, 3), not {array.dtype} {array.shape}")
        self._array = array
        self._channels = "gray" if grey else channels

    @property
    def size_px(self) -> Size:
        return self._array.shape[1], self._array.shape[0]

    def gray(self, size: Size) -> Array:
        luma = self._array
        if self._channels != "gray":
            import cv2

            luma = cv2.cvtColor(luma, cv2.COLOR_RGB2GRAY if self._channels == "rgb" else cv2.COLOR_BGR2GRAY)
        return _resized(luma, size, keeps_area=True)

    def rgb(self, size: Size) -> Array:
        small = _resized(self._array, size, keeps_area=False)
        if self._channels == "rgb":
            return small
        import cv2

        rgb: Array = cv2.cvtColor(small, cv2.COLOR_GRAY2RGB if self._channels == "gray" else cv2.COLOR_BGR2RGB)
        return rgb


class Frame:
    """One picture of a source with its number and time; immutable, safe to share between threads.

    Nothing is converted until somebody asks, and then at the size that was asked for; what was made is kept, so that
    two detectors with one input size share one conversion. Returned arrays are read-only.
    """

    __slots__ = ("_cache", "_convert_ms", "_index", "_lock", "_picture", "_time_s")

    def __init__(self, picture: Picture, *, index: int = 0, time_s: float = 0.0) -> None:
        self._index = index
        self._time_s = time_s
        self._picture = picture
        self._cache: dict[tuple[str, Size], Array] = {}
        self._convert_ms: dict[int, float] = {}  # by the thread that asked
        self._lock = threading.Lock()

    @classmethod
    def from_array(
        cls, array: Array, *, channels: Literal["rgb", "bgr"] = "bgr", index: int = 0, time_s: float = 0.0
    ) -> Self:
        """Return a frame of a uint8 picture, (H, W) grey or (H, W, 3) as OpenCV reads it (blue, green, red)."""
        return cls(ArrayPicture(array, channels), index=index, time_s=time_s)

    @property
    def index(self) -> int:
        """Number of the frame in its source, from 0."""
        return self._index

    @property
    def time_s(self) -> float:
        """Seconds since the first frame of the source."""
        return self._time_s

    @property
    def size_px(self) -> Size:
        """(width, height) of the source picture."""
        return self._picture.size_px

    def gray(self, size: Size | None = None) -> Array:
        """Return the luma, uint8 (H, W), at ``size`` = (width, height), or at the source's size."""
        return self._converted("gray", size)

    def rgb(self, size: Size | None = None) -> Array:
        """Return the colours, uint8 (H, W, 3) in the order red, green, blue, at ``size`` or at the source's size."""
        return self._converted("rgb", size)

    def bgr(self, size: Size | None = None) -> Array:
        """Return the colours, uint8 (H, W, 3) in OpenCV's order blue, green, red, at ``size`` or the source's size."""
        return self._converted("bgr", size)

    def reduced(self, size: Size) -> Frame:
        """Return this frame as seen at ``size``, (width, height): less detail, ``size_px`` and boxes as before."""
        return Frame(_ReducedPicture(self, size), index=self.index, time_s=self.time_s)

    @property
    def detail_px(self) -> Size:
        """(width, height) beyond which the picture has no detail: its own size, or less when it was ``reduced``."""
        return self._picture.detail_px if isinstance(self._picture, _ReducedPicture) else self.size_px

    def convert_ms(self, *, is_own: bool = False) -> float:
        """Return the milliseconds that making pixels took so far; ``is_own``: those of the calling thread alone."""
        with self._lock:
            if is_own:
                return self._convert_ms.get(threading.get_ident(), 0.0)
            return sum(self._convert_ms.values())

    def _converted(self, kind: str, size: Size | None) -> Array:
        key = (kind, size or self.size_px)
        with self._lock:
            found = self._cache.get(key)
            if found is None:
                start = time.perf_counter()
                found = self._convert(*key)
                self._cache[key] = found
                thread = threading.get_ident()
                taken_ms = (time.perf_counter() - start) * 1000
                self._convert_ms[thread] = self._convert_ms.get(thread, 0.0) + taken_ms
            return found

    def _convert(self, kind: str, size: Size) -> Array:
        if kind == "bgr":
            rgb = self._cache.get(("rgb", size))
            made = (self._picture.rgb(size) if rgb is None else rgb)[..., ::-1]
            made = np.ascontiguousarray(made)
        else:
            made = getattr(self._picture, kind)(size)
        view = made.view()
        view.flags.writeable = False
        return view

    def __repr__(self) -> str:
        return f"Frame(index={self.index}, time_s={self.time_s:.3f}, size_px={self.size_px})"


class _ReducedPicture:
    """A frame's pixels, looked at through a smaller picture."""

    __slots__ = ("_frame", "detail_px")

    def __init__(self, frame: Frame, size: Size) -> None:
        self._frame = frame
        self.detail_px = min(size[0], frame.size_px[0]), min(size[1], frame.size_px[1])

    @property
    def size_px(self) -> Size:
        return self._frame.size_px

    def gray(self, size: Size) -> Array:
        return ArrayPicture(self._frame.gray(self.detail_px)).gray(size)

    def rgb(self, size: Size) -> Array:
        return ArrayPicture(self._frame.rgb(self.detail_px), "rgb").rgb(size)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassInfo:
    """A class that a detector offers. Identity is kept per ``identity``: open and closed hands are one ``hand``."""

    name: str
    role: str = "object"  #: "hand", "object" or "other"
    identity: str = ""  #: the class under which identity is kept; empty: the class itself
    key: str = ""  #: the attribute that tells objects of this class apart: two values of it are never one object

    def __post_init__(self) -> None:
        if not self.identity:
            object.__setattr__(self, "identity", self.name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detections:
    """What one detector found on one frame. N = 0 means that it ran and found nothing; *not run* is ``None``.

    xyxy: float32 (N, 4), px of the source. score: float32 (N,), 0..1. class_id: int32 (N,), into the detector's
    ``classes``. attributes: name -> (N, …). Raises ValueError when shapes do not fit.
    """

    xyxy: Array
    score: Array
    class_id: Array
    attributes: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        xyxy = _read_only(self.xyxy, _FLOAT32, (-1, 4), "xyxy")
        object.__setattr__(self, "xyxy", xyxy)
        object.__setattr__(self, "score", _read_only(self.score, _FLOAT32, (len(xyxy),), "score"))
        object.__setattr__(self, "class_id", _read_only(self.class_id, _INT32, (len(xyxy),), "class_id"))
        for name, values in self.attributes.items():
            if len(values) != len(xyxy):
                raise ValueError(f"attribute {name!r} has {len(values)} rows, expected {len(xyxy)}")

    @classmethod
    def empty(cls) -> Self:
        """Return what a detector says that ran and found nothing."""
        return cls(xyxy=np.empty((0, 4)), score=np.empty(0), class_id=np.empty(0))

    def copy(self) -> Self:
        """Return the same with arrays of its own, for when who made them may write to them again."""
        return self[np.arange(len(self))]

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, rows: Array | slice) -> Self:
        """Return the rows that a mask, an index array or a slice selects: ``det[det.score > .5]``."""
        return type(self)(
            xyxy=self.xyxy[rows],
            score=self.score[rows],
            class_id=self.class_id[rows],
            attributes={name: values[rows] for name, values in self.attributes.items()},
        )


class Origin(enum.IntEnum):
    """How a row came about."""

    DETECTED = 0  #: a detector saw it on this frame
    TRACKED = 1  #: its pixels were followed from the frame before
    PREDICTED = 2  #: a motion model, or nothing but the last box, says so
    INTERPOLATED = 3  #: from detector runs before and after this frame


_TRACK_COLUMNS: Final[tuple[tuple[str, np.dtype[Any], tuple[int, ...]], ...]] = (  #: name, type, shape of a row
    ("xyxy", _FLOAT32, (4,)),
    ("velocity", _FLOAT32, (2,)),
    ("score", _FLOAT32, ()),
    ("confidence", _FLOAT32, ()),
    ("class_id", _INT32, ()),
    ("origin", _UINT8, ()),
    ("state", _UINT8, ()),
    ("last_detected_s", _FLOAT64, ()),
    ("occluded_by", _INT64, ()),
    ("position_cm", _FLOAT64, (2,)),
    ("speed_cm_s", _FLOAT64, ()),
)


class TrackState(enum.IntEnum):
    """Where a track is in its life."""

    TENTATIVE = 0  #: born of a low score, not seen again yet; not shown
    CONFIRMED = 1
    LOST = 2  #: detector runs that should have seen it did not, or its own pixels say that it is gone


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tracks:
    """The tracks of one frame, row i = track i.

    track_id: int64 (N,), >= 1, unique in a run. xyxy: float32 (N, 4), px. velocity: float32 (N, 2), px/s of the centre.
    score: float32 (N,), of the last detection. confidence: float32 (N,), 0..1, decays while unseen. class_id: int32
    (N,), into the run's class list. origin, state: uint8 (N,), of ``Origin`` and ``TrackState``. last_detected_s:
    float64 (N,), seconds. detector: the N names of the detectors that saw each last. attributes: name -> (N, …).
    occluded_by: int64 (N,), the id of the hand under which an object vanished, 0: none. position_cm: float64 (N, 2), on
    the table, and speed_cm_s: float64 (N,); NaN where no table is known.
    """

    track_id: Array
    xyxy: Array
    velocity: Array
    score: Array
    confidence: Array
    class_id: Array
    origin: Array
    state: Array
    last_detected_s: Array
    detector: tuple[str, ...]
    attributes: Mapping[str, Array] = field(default_factory=dict)
    occluded_by: Array = None  # type: ignore[assignment]  # none
    position_cm: Array = None  # type: ignore[assignment]  # unknown
    speed_cm_s: Array = None  # type: ignore[assignment]  # unknown

    def __post_init__(self) -> None:
        track_id = _read_only(self.track_id, _INT64, (-1,), "track_id")
        n = len(track_id)
        object.__setattr__(self, "track_id", track_id)
        for name, shape, missing in (
            ("occluded_by", (n,), 0),
            ("position_cm", (n, 2), np.nan),
            ("speed_cm_s", (n,), np.nan),
        ):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.full(shape, missing))
        for name, dtype, tail in _TRACK_COLUMNS:
            object.__setattr__(self, name, _read_only(getattr(self, name), dtype, (n, *tail), name))
        if len(self.detector) != n:
            raise ValueError(f"detector has {len(self.detector)} names, expected {n}")

    @classmethod
    def empty(cls) -> Self:
        """Return the tracks of a frame that has none."""
        none = np.empty(0)
        return cls(
            track_id=none,
            xyxy=np.empty((0, 4)),
            velocity=np.empty((0, 2)),
            score=none,
            confidence=none,
            class_id=none,
            origin=none,
            state=none,
            last_detected_s=none,
            detector=(),
        )

    def __len__(self) -> int:
        return len(self.track_id)

    def __getitem__(self, rows: Array | slice) -> Self:
        """Return the rows that a mask, an index array or a slice selects."""
        index = np.arange(len(self))[rows]
        return type(self)(
            track_id=self.track_id[index],
            xyxy=self.xyxy[index],
            velocity=self.velocity[index],
            score=self.score[index],
            confidence=self.confidence[index],
            class_id=self.class_id[index],
            origin=self.origin[index],
            state=self.state[index],
            last_detected_s=self.last_detected_s[index],
            detector=tuple(self.detector[i] for i in index),
            attributes={name: values[index] for name, values in self.attributes.items()},
            occluded_by=self.occluded_by[index],
            position_cm=self.position_cm[index],
            speed_cm_s=self.speed_cm_s[index],
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the rows of all ``parts``, one after the other; an attribute that a part lacks is None there."""
        parts = [part for part in parts if len(part)] or [*parts[:1]]
        if len(parts) < 2:
            return parts[0] if parts else cls.empty()
        columns = {
            one.name: np.concatenate([getattr(part, one.name) for part in parts])
            for one in fields(cls)
            if one.name not in ("detector", "attributes")
        }
        return cls(
            **columns,
            detector=tuple(name for part in parts for name in part.detector),
            attributes={
                name: _joined_column([part.attributes.get(name) for part in parts], [len(part) for part in parts])
                for name in sorted({name for part in parts for name in part.attributes})
            },
        )


def _joined_column(columns: Sequence[Array | None], counts: Sequence[int]) -> Array:
    """Return columns of an attribute, one after the other: as objects, None for rows that lack it, where they differ.

    counts: how many rows each has.
    """
    known = [np.asarray(column) for column in columns if column is not None]
    if len(known) == len(columns) and len({(column.dtype, column.shape[1:]) for column in known}) == 1:
        return np.concatenate(known)
    values = [
        value
        for column, count in zip(columns, counts, strict=True)
        for value in ([None] * count if column is None else np.asarray(column).tolist())
    ]
    joined = np.empty(len(values), object)
    joined[:] = values
    return joined


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """What relations are computed from: the tracks of one frame and how the camera has moved; no pixels.

    classes: the run's, which ``tracks.class_id`` counts into. camera: float64 (3, 3), the homography that maps pixels
    of the first frame on which it was measured to those of this one, for what lies on the table; the identity where it
    was not measured. table: float64 (3, 3), maps pixels of this frame to centimetres on the table; None: not known.
    """

    frame_index: int
    time_s: float
    tracks: Tracks
    classes: Sequence[ClassInfo]
    camera: Array
    table: Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relations:
    """The pairs of tracks that are near enough to matter on one frame, row i = pair i.

    subject, object: int64 (N,), track ids. state: N names; of hands and objects "near", "overlapping" or "holding".
    distance: float64 (N,), gap between the boxes in hand widths, 0 when they overlap. overlap: float64 (N,), IoU.
    coverage: float64 (N,), share of the object's box under the hand's. offset: float64 (N, 2), from the hand's centre
    to the object's, in hand widths. closing: float64 (N,), hand widths a second. distance_cm: float64 (N,), between the
    places on the table. What is not known is NaN.
    """

    subject: Array
    object: Array
    state: tuple[str, ...]
    distance: Array = None  # type: ignore[assignment]  # unknown
    overlap: Array = None  # type: ignore[assignment]  # unknown
    coverage: Array = None  # type: ignore[assignment]  # unknown
    offset: Array = None  # type: ignore[assignment]  # unknown
    closing: Array = None  # type: ignore[assignment]  # unknown
    distance_cm: Array = None  # type: ignore[assignment]  # unknown

    def __post_init__(self) -> None:
        n = len(self.state)
        for name in ("subject", "object"):
            object.__setattr__(self, name, _read_only(getattr(self, name), _INT64, (n,), name))
        for name in ("distance", "overlap", "coverage", "offset", "closing", "distance_cm"):
            shape = (n, 2) if name == "offset" else (n,)
            found = getattr(self, name)
            values = np.full(shape, np.nan) if found is None else found
            object.__setattr__(self, name, _read_only(values, _FLOAT64, shape, name))

    @classmethod
    @cache
    def empty(cls) -> Self:
        """Return the relations of a frame that has none; every time the same, which nobody can change."""
        return cls(subject=np.empty(0), object=np.empty(0), state=())

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the pairs of all ``parts``, one after the other."""
        if len(parts) == 1:
            return parts[0]
        names = ("subject", "object", "distance", "overlap", "coverage", "offset", "closing", "distance_cm")
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return cls(state=tuple(state for part in parts for state in part.state), **columns)

    def __len__(self) -> int:
        return len(self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at ``time_s``, its onset. Numbers are track ids.

    kind: "approach", "touch_start", "touch_end", "pick_up", "put_down", "push", "hand_over", "enter", "leave", or what
    a plugin calls its own. from_id, to_id: of a hand-over, the giver and the receiver. zone: its name.
    """

    kind: str
    time_s: float
    subject: int
    object: int | None = None
    from_id: int | None = None
    to_id: int | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorRun:
    """That a detector was run for a frame, why, and what became of it."""

    detector: str
    trigger: str
    status: RunStatus = "ok"
    frame_index: int | None = None  #: of a late run: the frame it looked at


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameResult:
    """All that is known of one frame; every ``class_id`` in it counts into the run's class list.

    ``detections`` has None for a detector that did not run or failed. ``camera`` is that of the ``Scene``, None where
    it was not measured.
    """

    frame_index: int
    time_s: float
    runs: tuple[DetectorRun, ...]
    detections: Mapping[str, Detections | None]
    tracks: Tracks
    relations: Relations = field(default_factory=Relations.empty)
    events: tuple[Event, ...] = ()
    camera: Array | None = None
    stage_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorInfo:
    """What a run says of one of its detectors."""

    name: str
    classes: tuple[ClassInfo, ...]
    every: int | str | None = None  #: frames, or a text: "100ms", "auto"
    distribution: str | None = None
    version: str | None = None
    bundle: str | None = None
    sha256: str | None = None  #: of the model file that runs


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """What sinks are told before the first frame.

    ``classes`` is the run's class list itself: with ``open_classes`` it grows while the run goes on.
    """

    uri: str
    video: VideoInfo
    classes: Sequence[ClassInfo]
    detectors: tuple[DetectorInfo, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    open_classes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What a run was, told to sinks after the last frame. ``notes`` are one-line remarks for the user."""

    frames: int
    dropped: int
    seconds: float
    detector_runs: Mapping[str, int]
    failures: Mapping[str, int]
    stage_ms: Mapping[str, float]  #: mean per frame
    track_count: int
    complete: bool
    notes: tuple[str, ...] = ()

    @property
    def fps(self) -> float:
        """Frames per second from the first frame read to the last sink write; 0 when nothing was read."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0
