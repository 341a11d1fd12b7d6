"""One face for the trackers of several libraries. Runs in their environments, so it imports them where it uses them.

``prepare`` turns boxes into what a library takes and is left out of timings, ``update`` is the library's own call, and
``shown`` reads its answer. What a library needs to be told of the frame rate and of frames without a detector run, it
is told, as its documentation says.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Boxes: TypeAlias = NDArray[np.float64]
Shown: TypeAlias = tuple[Sequence[Hashable], Boxes]


@dataclass(frozen=True, slots=True)
class Feed:
    """What a tracker is fed with: an update every 1/``fps`` s, boxes with every ``every``-th; pixels of ``size_px``."""

    fps: float
    every: int
    size_px: tuple[int, int]


class PeerTracker(Protocol):
    """A tracker of one sequence."""

    def prepare(self, time_s: float, xyxy: Boxes | None, score: Boxes | None) -> Any:
        """Return what ``update`` takes; None: no detector has looked at this frame."""
        ...

    def update(self, prepared: Any) -> Any:
        """Do what the library does on a frame."""
        ...

    def shown(self, result: Any) -> Shown:
        """Return the ids and the boxes (N, 4) that the library shows on this frame."""
        ...


class Norfair:
    """norfair's ``Tracker``.

    memory_s: of the hit counter, which norfair counts in frames; None: its default of 15. early: tracks are shown from
    their first detection. live: only points seen within ``every`` frames are shown.
    """

    def __init__(
        self,
        feed: Feed,
        *,
        threshold: float = 0.7,
        memory_s: float | None = None,
        early: bool = False,
        live: bool = False,
    ) -> None:
        import norfair

        self._make, self._period, self._live = norfair.Detection, feed.every, live
        options: dict[str, Any] = {"initialization_delay": 0} if early else {}
        if memory_s is not None:
            options["hit_counter_max"] = max(round(memory_s * feed.fps), 2 * feed.every)
        if live:
            options["pointwise_hit_counter_max"] = feed.every
        self._tracker = norfair.Tracker(distance_function="iou", distance_threshold=threshold, **options)

    def prepare(self, time_s: float, xyxy: Boxes | None, score: Boxes | None) -> Any:
        if xyxy is None or score is None:
            return None
        corners = xyxy.reshape(-1, 2, 2)
        return [self._make(points, scores=np.full(2, one)) for points, one in zip(corners, score, strict=True)]

    def update(self, prepared: Any) -> Any:
        return self._tracker.update(detections=prepared, period=self._period)

    def shown(self, result: Any) -> Shown:
        found = [one for one in result if not self._live or one.live_points.any()]
        return [one.id for one in found], np.array([one.estimate for one in found]).reshape(-1, 4)


class Supervision:
    """supervision's ``ByteTrack``, which shows detections alone: nothing on frames without a run."""

    def __init__(self, feed: Feed, **options: Any) -> None:
        warnings.filterwarnings("ignore")  # that it is going away, and that OpenCV is missing
        import supervision

        self._make = supervision.Detections
        self._tracker = supervision.ByteTrack(frame_rate=feed.fps, **options)

    def prepare(self, time_s: float, xyxy: Boxes | None, score: Boxes | None) -> Any:
        if xyxy is None:
            return self._make.empty()
        return self._make(xyxy=xyxy.astype(np.float32), confidence=score)

    def update(self, prepared: Any) -> Any:
        return self._tracker.update_with_detections(prepared)

    def shown(self, result: Any) -> Shown:
        return result.tracker_id.tolist(), result.xyxy


class Roboflow:
    """A tracker of the package ``trackers``, told the time of each frame.

    coasts: shown are its own predictions for tracks seen within ``every`` frames; else detections with an id alone.
    """

    def __init__(self, feed: Feed, *, kind: str, coasts: bool = False, **options: Any) -> None:
        warnings.filterwarnings("ignore")
        import supervision
        import trackers

        self._make, self._coasts, self._every = supervision.Detections, coasts, feed.every
        self._tracker = getattr(trackers, kind)(frame_rate=feed.fps, **options)

    def prepare(self, time_s: float, xyxy: Boxes | None, score: Boxes | None) -> Any:
        if xyxy is None:
            return self._make.empty(), time_s
        return self._make(xyxy=xyxy.astype(np.float32), confidence=score), time_s

    def update(self, prepared: Any) -> Any:
        found, time_s = prepared
        return self._tracker.update(found, timestamp=time_s)

    def shown(self, result: Any) -> Shown:
        if not self._coasts:
            kept = result.tracker_id >= 0
            return result.tracker_id[kept].tolist(), result.xyxy[kept]
        alive = [one for one in self._tracker.tracks if one.tracker_id >= 0 and one.time_since_update < self._every]
        return [one.tracker_id for one in alive], np.array([one.get_state_bbox() for one in alive]).reshape(-1, 4)


class Motpy:
    """motpy's ``MultiObjectTracker`` with the motion model of its README.

    memory_s: of its staleness, which it counts in updates; None: its defaults.
    """

    def __init__(self, feed: Feed, *, memory_s: float | None = None, min_steps: int = -1, min_iou: float = 0.1) -> None:
        import motpy

        self._make = motpy.Detection
        model = {
            "order_pos": 1,
            "dim_pos": 2,
            "order_size": 0,
            "dim_size": 2,
            "q_var_pos": 5000.0,
            "r_var_pos": 0.1,
        }
        active: dict[str, Any] = {"min_steps_alive": min_steps}
        single: dict[str, Any] = {}
        if memory_s is not None:
            single["max_staleness"] = max(memory_s * feed.fps, feed.every + 1)
            active |= {"max_staleness": feed.every, "max_staleness_to_positive_ratio": feed.every}
        self._tracker = motpy.MultiObjectTracker(
            dt=1 / feed.fps,
            model_spec=model,
            matching_fn_kwargs={"min_iou": min_iou},
            tracker_kwargs=single,
            active_tracks_kwargs=active,
        )

    def prepare(self, time_s: float, xyxy: Boxes | None, score: Boxes | None) -> Any:
        if xyxy is None or score is None:
            return []
        return [self._make(box=box, score=one) for box, one in zip(xyxy, score, strict=True)]

    def update(self, prepared: Any) -> Any:
        return self._tracker.step(detections=prepared)

    def shown(self, result: Any) -> Shown:
        return [one.id for one in result], np.array([one.box for one in result]).reshape(-1, 4)


def _hybridtrack(feed: Feed, *, two_way: bool = False, **options: Any) -> PeerTracker:
    from tests.benchmarks.peers.own import OwnTracker, OwnTwoWayTracker

    return OwnTwoWayTracker(feed, **options) if two_way else OwnTracker(feed, **options)


TRACKERS: dict[str, Callable[..., PeerTracker]] = {
    "hybridtrack": _hybridtrack,
    "norfair": Norfair,
    "supervision": Supervision,
    "trackers": Roboflow,
    "motpy": Motpy,
}
