"""Events and times in words, as they stand in a picture."""

from __future__ import annotations

from collections.abc import Sequence

from hybridtrack.sinks.tags import one_line
from hybridtrack.types import ClassInfo, Event, FrameResult

CAPTION_S = 2.0  #: for how long an event is shown
_MAX_LINES = 4  #: at once, the latest ones
_NAME_S = 30.0  #: for how long the class of a track that has ended is known; events are decided within 2 s
_VERBS = {
    "approach": "approaches",
    "touch_start": "touches",
    "touch_end": "no longer touches",
    "pick_up": "picks up",
    "put_down": "puts down",
    "push": "pushes",
    "enter": "enters",
    "leave": "leaves",
}


class Captions:
    """The events of the last two seconds."""

    def __init__(self, classes: Sequence[ClassInfo]) -> None:
        """Begin; ``classes``: the run's own list, which may grow."""
        self._classes = classes
        self._names: dict[int, tuple[str, float]] = {}  #: of a track, and when it was seen last, s
        self._shown: list[tuple[float, str]] = []  #: when it was decided, s, and the text

    def follow(self, result: FrameResult) -> None:
        """Take one frame."""
        now_s, tracks = result.time_s, result.tracks
        for track_id, class_id in zip(tracks.track_id.tolist(), tracks.class_id.tolist(), strict=True):
            self._names[track_id] = track_name(self._classes[class_id], track_id), now_s
        self._names = {key: value for key, value in self._names.items() if value[1] > now_s - _NAME_S}
        self._shown = [one for one in self._shown if one[0] > now_s - CAPTION_S]
        self._shown += [(now_s, f"{clock(event.time_s)}  {self._told(event)}") for event in result.events]

    def lines(self) -> list[str]:
        """Return what is to be read on the frame that was taken last, the latest event last."""
        return [text for _, text in self._shown[-_MAX_LINES:]]

    def _told(self, event: Event) -> str:
        subject = self._name(event.subject)
        if event.kind == "hand_over" and event.from_id is not None and event.to_id is not None:
            what = self._name(event.object if event.object is not None else event.subject)
            return f"{self._name(event.from_id)} hands {what} to {self._name(event.to_id)}"
        verb = _VERBS.get(event.kind, one_line(event.kind.replace("_", " ")))
        where = one_line(event.zone) if event.zone is not None else ""
        what = where if event.object is None else self._name(event.object)
        return f"{subject} {verb} {what}".rstrip()

    def _name(self, track_id: int) -> str:
        return self._names.get(track_id, (str(track_id), 0.0))[0]


def track_name(kind: ClassInfo, track_id: int) -> str:
    """Return what a track is called in pictures: ``hand 4``."""
    return one_line(f"{kind.name} {track_id}")


def clock(time_s: float) -> str:
    """Return a time as ``0:03.30``, from an hour on as ``1:00:03.30``."""
    hundredths = max(0, round(time_s * 100))
    minutes, rest = divmod(hundredths, 6000)
    seconds = f"{rest // 100:02d}.{rest % 100:02d}"
    return f"{minutes}:{seconds}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{seconds}"
