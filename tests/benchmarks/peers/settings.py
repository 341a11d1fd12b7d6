"""The settings with which trackers are compared: their defaults, and what a user would choose for every Nth frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

OURS = "hybridtrack"
ALL = 0.2  #: least score of a detection for trackers that make use of unsure ones
SURE = 0.5  #: ... and for the others


@dataclass(frozen=True, slots=True)
class Setting:
    """A tracker with its options. ``fill`` as in ``worker.track``; min_score: of the detections that it is given."""

    peer: str
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    fill: str = "own"
    min_score: float = SURE

    def __str__(self) -> str:
        return self.name if self.fill == "own" else f"{self.name}, {self.fill}"


SPEED = (
    Setting(OURS, "hybridtrack kalman"),
    Setting("norfair", "norfair"),
    Setting("supervision", "supervision ByteTrack"),
    Setting("trackers", "trackers SORT", {"kind": "SORTTracker"}),
    Setting("trackers", "trackers ByteTrack", {"kind": "ByteTrackTracker"}),
    Setting("trackers", "trackers OC-SORT", {"kind": "OCSORTTracker"}),
    Setting("trackers", "trackers C-BIoU", {"kind": "CBIoUTracker"}),
    Setting("motpy", "motpy"),
)


def _norfair() -> Iterator[Setting]:
    yield Setting("norfair", "norfair")
    yield Setting("norfair", "norfair, shown at once", {"early": True})
    yield Setting("norfair", "norfair, shown at once, live points", {"early": True, "live": True})
    yield Setting("norfair", "norfair, 1 s, live points", {"memory_s": 1.0, "live": True})
    yield Setting("norfair", "norfair, 1 s, IoU .1, shown at once", {"memory_s": 1.0, "early": True, "threshold": 0.9})


def _supervision() -> Iterator[Setting]:
    for fill in ("hold", "linear"):
        yield Setting("supervision", "supervision ByteTrack", fill=fill, min_score=ALL)
        loose = {"minimum_matching_threshold": 0.9}
        yield Setting("supervision", "supervision ByteTrack, IoU .1", loose, fill=fill, min_score=ALL)


def _trackers() -> Iterator[Setting]:
    sure = {"track_activation_threshold": 0.5, "high_conf_det_threshold": 0.5}
    loose = {"minimum_iou_threshold": 0.1}
    wide = {"buffer_ratio_first": 0.5, "buffer_ratio_second": 1.0, "minimum_iou_threshold_second_assoc": 0.3}
    kinds: tuple[tuple[str, str, dict[str, Any], dict[str, Any], float], ...] = (
        ("SORT", "SORTTracker", {}, loose, SURE),
        ("ByteTrack", "ByteTrackTracker", sure, loose, ALL),
        ("OC-SORT", "OCSORTTracker", {"high_conf_det_threshold": 0.5}, loose, ALL),
        ("C-BIoU", "CBIoUTracker", sure, wide, ALL),
    )
    for name, kind, once, loosely, least in kinds:
        early = {"kind": kind, "minimum_consecutive_frames": 1, **once}
        yield Setting("trackers", name, {"kind": kind, "coasts": True}, min_score=least)
        for label, options in ((f"{name}, shown at once", early), (f"{name}, loose", early | loosely)):
            yield Setting("trackers", label, options | {"coasts": True}, min_score=least)
            yield Setting("trackers", label, options, fill="hold", min_score=least)
            yield Setting("trackers", label, options, fill="linear", min_score=least)


def _motpy() -> Iterator[Setting]:
    yield Setting("motpy", "motpy")
    yield Setting("motpy", "motpy, 1 s", {"memory_s": 1.0})
    yield Setting("motpy", "motpy, 1 s", {"memory_s": 1.0}, fill="hold")
    yield Setting("motpy", "motpy, 1 s, seen twice", {"memory_s": 1.0, "min_steps": 2}, fill="linear")


def _ours() -> Iterator[Setting]:
    yield Setting(OURS, "hybridtrack kalman", min_score=ALL)
    yield Setting(OURS, "hybridtrack kalman, birth .95", {"birth": 0.95}, min_score=ALL)
    yield Setting(OURS, "hybridtrack kalman, two-way", {"two_way": True}, min_score=ALL)
    yield Setting(OURS, "hybridtrack kalman, birth .95, two-way", {"birth": 0.95, "two_way": True}, min_score=ALL)


ACCURACY = (*_ours(), *_norfair(), *_supervision(), *_trackers(), *_motpy())
