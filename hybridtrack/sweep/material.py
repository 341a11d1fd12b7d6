"""What is swept: the boxes that a detector saw on every frame of a sequence, and its pictures where there are any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hybridtrack.cadence import Cadence
from hybridtrack.config import Choice
from hybridtrack.detectors.recording import kind_of
from hybridtrack.engine import Engine
from hybridtrack.errors import DetectorError, TrackFileError, UsageError
from hybridtrack.mot_file import TEXTS, read_sequence
from hybridtrack.run import write_run
from hybridtrack.sinks.jsonl import JsonLinesSink
from hybridtrack.sources import Source, open_source
from hybridtrack.sources.blank import SCHEME, blank_frames
from hybridtrack.sources.timeline import check_rate
from hybridtrack.track_file import read_tracks
from hybridtrack.types import VideoInfo
from hybridtrack.wire import SummaryLine

_DETECTIONS = ("det/det.txt", "det.txt")  #: in a folder of MOTChallenge: they go before the truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """A sequence: its detections as the detector ``replay`` shows them, and how its frames come.

    pictures: the source of them; None: there are none. info, moments: size, rate, and the numbers and times, s, of all
    frames, of which blank ones are made; None where only the pictures tell. detect_ms: what a detector run took; None
    where nobody says. truth: of its frames; None: nobody has it. max_frames: that are played; None: all.
    """

    name: str
    replay: Choice
    pictures: str | None = None
    info: VideoInfo | None = None
    moments: Sequence[tuple[int, float]] | None = None
    detect_ms: float | None = None
    truth: str | None = None
    max_frames: int | None = None

    def told(self, choice: Choice) -> Material:
        """Return the same, whose boxes are shown as ``choice`` says where it says something."""
        options = {**self.replay.options, **choice.options}
        limit, birth = choice.limit or self.replay.limit, choice.birth
        birth = self.replay.birth if birth is None else birth
        return replace(self, replay=replace(self.replay, options=options, limit=limit, birth=birth))

    def open(self, *, needs_pictures: bool) -> Source:
        """Return the frames, blank ones where nobody looks at them and all is known of them.

        Raises UsageError when pictures are needed and there are none, SourceError when they cannot be read.
        """
        if self.info is not None and self.moments is not None and not needs_pictures:
            return blank_frames(self.name, self.info, self.moments, count=len(self.moments))
        if self.pictures is None:
            raise UsageError(f"{self.name!r} has no pictures to look at: give the video as SOURCE, or other trackers")
        return open_source(self.pictures)


def is_recorded(uri: str) -> bool:
    """Return whether ``uri`` is a file of detections, or a folder with one, and not one of pictures."""
    path = Path(uri)
    if path.is_dir():
        return any((path / name).is_file() for name in TEXTS)
    return path.suffix in (".jsonl", ".txt")


def read_material(uri: str, detections: Choice | None = None) -> Material:
    """Return the material of a file of detections, or of pictures with a file of ``detections`` (its name the path).

    Such a file is a track file with raw detections, MOTChallenge text or a folder with it, or COCO results. A folder
    with detections and truth brings its own truth along. Raises TrackFileError, UsageError, SourceError.
    """
    path, pictures = (uri, None) if detections is None else (detections.name, uri)
    truth = None
    if detections is None and Path(path).is_dir():
        found = [name for name in _DETECTIONS if (Path(path) / name).is_file()]
        has_truth = any((Path(path) / name).is_file() for name in TEXTS if name not in _DETECTIONS)
        truth = uri if found and has_truth else None
        path = str(Path(path) / found[0]) if found else path
    asked = detections or Choice(name="replay")
    replay = replace(asked, name="replay", options={"path": path, **asked.options})
    if pictures is not None and pictures.startswith(SCHEME):
        return _on_blank(pictures, replay)
    if kind_of(path) == "jsonl":
        return _of_track_file(path, replay, pictures)
    if pictures is not None:
        return Material(name=pictures, replay=replay, pictures=pictures)
    if kind_of(path) == "mot":
        return _of_mot(uri, path, replay, truth)
    raise UsageError(f"{uri!r} does not say when its frames are: give --detections {uri} and a SOURCE")


def detect_once(uri: str, detectors: Sequence[Choice], folder: Path, *, max_frames: int | None) -> Material:
    """Return the material of pictures on every frame of which ``detectors`` have looked, their boxes in ``folder``.

    Raises DetectorError when one failed, SourceError, and what the detectors' factories raise.
    """
    folder.mkdir(parents=True)
    file = folder / "detections.jsonl"
    every = Cadence(frames=1)
    with (
        Engine(detectors=detectors, tracker="none", relations=(), detect_every=every) as engine,
        open_source(uri) as source,
    ):
        summary = write_run(engine, source, [JsonLinesSink(file, with_detections=True)], max_frames=max_frames)
    if summary.failures:
        failed = ", ".join(f"{name} ({count})" for name, count in summary.failures.items())
        raise DetectorError(f"cannot detect on every frame of {uri!r}: runs failed of {failed}; mend that first")
    return _of_track_file(str(file), Choice(name="replay", options={"path": str(file)}), uri)


def _of_track_file(path: str, replay: Choice, pictures: str | None) -> Material:
    with read_tracks(path) as tracks:
        moments = [(line.frame_index, line.time_s) for line in tracks]
    if not moments:
        raise TrackFileError(f"{path!r} has no frames: there is nothing to sweep")
    source = tracks.header.source
    info = VideoInfo(
        width_px=source.width_px,
        height_px=source.height_px,
        fps=None if source.fps is None else check_rate(source.fps),
        frame_count=len(moments),
    )
    return Material(
        name=pictures or path,
        replay=replay,
        pictures=pictures,
        info=info,
        moments=moments,
        detect_ms=None if tracks.summary is None else _detect_ms(tracks.summary),
    )


def _detect_ms(summary: SummaryLine) -> float | None:
    """Return what a frame on which detectors ran took for that, ms."""
    runs = max(summary.detector_runs.values(), default=0)
    taken = [summary.stage_ms.get(stage) for stage in ("convert", "detect")]
    known = [ms for ms in taken if ms is not None]
    return sum(known) * summary.frames / runs if runs and known else None


def _of_mot(name: str, path: str, replay: Choice, truth: str | None) -> Material:
    sequence = read_sequence(path)
    size_px, fps, count = sequence.size_px, sequence.fps, sequence.frame_count
    if size_px is None or fps is None or count is None:
        raise UsageError(
            f"{name!r} does not say of what size its pictures are, and how fast and how many: put a seqinfo.ini beside "
            f"it, or give --detections {name} and the source blank:WIDTHxHEIGHT@FPS:FRAMES"
        )
    rate = check_rate(fps)
    info = VideoInfo(width_px=size_px[0], height_px=size_px[1], fps=rate, frame_count=count)
    moments = [(number, float(number / rate)) for number in range(count)]
    return Material(name=name, replay=replay, info=info, moments=moments, truth=truth)


def _on_blank(uri: str, replay: Choice) -> Material:
    with open_source(uri) as source:
        moments = [(frame.index, frame.time_s) for frame in source]
    return Material(name=uri, replay=replay, info=source.info, moments=moments)
