"""A plugin's tracker at work: what it raises, or measures that cannot be, ends the run with an error that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from hybridtrack.errors import PluginError, one_line
from hybridtrack.hookspecs import BoxTracker, Measurement
from hybridtrack.types import Array, Frame


class GuardedTracker:
    """A ``BoxTracker`` whose errors are PluginErrors. name: tracker, plugin and distribution, for the messages.

    Other than a detector a run cannot do without its tracker, so it ends.
    """

    def __init__(self, tracker: BoxTracker, name: str) -> None:
        self._tracker = tracker
        self._name = name

    @property
    def looks(self) -> bool:
        return getattr(self._tracker, "looks", True)

    @property
    def fills(self) -> bool:
        return self._tracker.fills

    @property
    def filters(self) -> bool:
        return self._tracker.filters

    def measure(self, frame: Frame, track_id: Array, xyxy: Array) -> Measurement:
        """Return what the tracker measures, checked. Raises PluginError."""
        with self._named(f"on frame {frame.index}"):
            found: object = self._tracker.measure(frame, track_id, xyxy)
            return _checked(found, len(xyxy))

    def expect(self, change_px: Array, may_hide: Array, is_solid: Array, is_hand: Array) -> None:
        """Tell the tracker what is known of the boxes, if it wants to be told. Raises PluginError."""
        if expect := getattr(self._tracker, "expect", None):
            with self._named("to expect"):
                expect(change_px, may_hide, is_solid, is_hand)

    def settle(self, frame: Frame, track_id: Array, xyxy: Array, detected: Array) -> None:
        """Tell the tracker the boxes of this frame. Raises PluginError."""
        with self._named(f"on frame {frame.index}"):
            self._tracker.settle(frame, track_id, xyxy, detected)

    def reset(self) -> None:
        """Tell the tracker that a new source begins. Raises PluginError."""
        with self._named("to reset"):
            self._tracker.reset()

    @contextmanager
    def _named(self, where: str) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # also SystemExit, and panics of Rust, which are no Exception
            raise PluginError(f"{self._name} fails {where}: {one_line(error)}; mend it or take another") from error


def _checked(found: object, n: int) -> Measurement:
    """Return ``found`` when it is a measurement of ``n`` boxes. Raises TypeError or ValueError naming what is wrong."""
    if not isinstance(found, Measurement):
        raise TypeError(f"gave {type(found).__name__}, expected Measurement")
    shapes = {"xyxy": (n, 4), "std_px": (n, 4), "is_measured": (n,), "quality": (n,)}
    for part, shape in shapes.items():
        given = np.shape(getattr(found, part))
        if given != shape:
            raise ValueError(f"{part} has shape {given}, expected {shape}")
    rows = np.asarray(found.is_measured, bool)
    if not (np.isfinite(found.xyxy[rows]).all() and np.isfinite(found.std_px[rows]).all()):
        raise ValueError("measured a box or a deviation that is not finite")
    return found
