"""Our tracker with the face of the peers' ones, and no pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from hybridtrack.tracking.motion import create_kalman
from hybridtrack.tracking.tracker import Tracker
from hybridtrack.tracking.two_way import TwoWayFill
from hybridtrack.types import ClassInfo, Detections, Frame, Size, TrackState
from tests.benchmarks.peers.adapters import Boxes, Feed, Shown


class NoPicture:
    """A picture that has a size and no pixels."""

    def __init__(self, size_px: Size) -> None:
        self.size_px = size_px

    def gray(self, size: Size) -> Any:
        raise AssertionError("no pixels are to be asked for")

    rgb = gray


class OwnTracker:
    """hybridtrack's ``Tracker`` as ``--tracker kalman`` has it; ``birth`` as in ``--detector NAME,birth=S``."""

    def __init__(self, feed: Feed, birth: float | None = None) -> None:
        self._picture = NoPicture(feed.size_px)
        births = {} if birth is None else {"detector": birth}
        self._tracker = Tracker(create_kalman({}), [ClassInfo(name="thing")], births)
        self._index = -1

    def prepare(self, time_s: float, xyxy: Boxes | None, score: Boxes | None) -> Any:
        self._index += 1
        frame = Frame(self._picture, index=self._index, time_s=time_s)
        if xyxy is None or score is None:
            return frame, {}
        return frame, {"detector": Detections(xyxy=xyxy, score=score, class_id=np.zeros(len(xyxy)))}

    def update(self, prepared: Any) -> Any:
        return self._tracker.step(*prepared)

    def shown(self, result: Any) -> Shown:
        tracks = result[result.state == TrackState.CONFIRMED]
        return tracks.track_id.tolist(), tracks.xyxy


class OwnTwoWayTracker(OwnTracker):
    """The same with ``--fill two-way``: an update returns the results of all frames that it settles, in order."""

    def __init__(self, feed: Feed, birth: float | None = None) -> None:
        super().__init__(feed, birth)
        self._fill = TwoWayFill(create_kalman({}), [ClassInfo(name="thing")])

    def update(self, prepared: Any) -> Any:
        frame, detections = prepared
        return self._fill.step(frame, self._tracker.as_detected(self._tracker.step(frame, detections)), [*detections])

    def rest(self) -> Any:
        """Return the results of the frames that no update has settled."""
        return self._fill.rest()
