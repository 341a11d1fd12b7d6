"""Print how well trackers carry hands from one detector run to the next: ours, and those one would take instead.

    python -m tests.benchmarks.peers.hands --scorer-python PYTHON [FOLDER...] [--detect-every 1,3,5,10] [--phases 0,1,2]

A FOLDER holds one video, gt/gt.txt, classes.txt and seqinfo.ini; default: three clips of the data folder beside the
checkout. Our detector's raw boxes of every frame are stored once; all trackers get the same ones, on every Nth frame
from each phase on, and boxes are wanted on every frame. ``hybridtrack flow`` alone looks at the pictures in between.
Settings are those of ``settings.py``; figures are combined over the clips, and means over the phases below N.
"""

from __future__ import annotations

import argparse
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from msgspec import UNSET
from msgspec.structs import replace

from hybridtrack.track_file import read_tracks
from hybridtrack.wire import FrameLine, HeaderLine, RunRow, TrackRow, encode_line
from tests.benchmarks.accuracy import CLIPS, SCORER, Scorer, clip_in, names, numbers, write_tracks
from tests.benchmarks.peers.accuracy import Clip, rows_of, start_workers
from tests.benchmarks.peers.settings import ACCURACY, Setting
from tests.benchmarks.peers.worker import Worker

FIGURES = ("HOTA", "AssA", "IDSW", "filled_F1")
WITH_PICTURES = "hybridtrack flow"


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A clip's raw detections: the lines of a track file, and the same for a worker."""

    folder: Path
    header: HeaderLine
    lines: list[FrameLine]
    clip: Clip


Writer: TypeAlias = Callable[[Recording, Path, int, int], object]  #: of the tracks in a file, at an N and a phase


def record(folder: Path, file: Path) -> Recording:
    """Return what our detector says of every frame of the clip in a folder; ``file`` is written."""
    write_tracks(clip_in(folder), file, tracker="none", detect_every="1", phase=0, raw=True)
    with read_tracks(file) as tracks:
        header, lines = tracks.header, list(tracks)
    frames = [
        [[*row.xyxy, row.score or 0.0] for rows in (line.detections or {}).values() for row in rows] for line in lines
    ]
    size_px = header.source.width_px, header.source.height_px
    return Recording(folder, header, lines, Clip(folder.name, header.source.fps or 30.0, size_px, frames))


def write_rows(recording: Recording, rows: Sequence[Sequence[Any]], file: Path, *, every: int, phase: int) -> None:
    """Write the rows ``[frame, id, x1, y1, x2, y2]`` of a tracker as a track file, with the detector's runs."""
    shown: defaultdict[int, list[TrackRow]] = defaultdict(list)
    for frame, number, *xyxy in rows:
        shown[frame].append(
            TrackRow(
                track_id=number,
                class_name="hand",
                xyxy=tuple(xyxy),
                score=None,
                confidence=None,
                origin="predicted",
                state="confirmed",
                unseen_s=None,
                velocity=(None, None),
                detector="hand",
            )
        )
    with file.open("wb") as stream:
        stream.write(encode_line(recording.header))
        for index, line in enumerate(recording.lines):
            has_run = index >= phase and (index - phase) % every == 0
            runs = [RunRow(detector="hand", trigger="interval", status="ok")] if has_run else []
            stream.write(encode_line(replace(line, tracks=shown[index], runs=runs, detections=UNSET)))


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What trackers are compared on: figures are combined over the recordings, and means over the phases below N."""

    recordings: Sequence[Recording]
    scorer: Scorer
    every: Sequence[int]
    phases: Sequence[int]
    place: Path

    def row(self, name: str, write: Writer) -> str:
        """Return the table's row of a tracker that ``write`` runs."""
        found = [self._figures(write, every) for every in self.every]
        return f"| {name} | {' | '.join(' '.join(f'{one[name]:.4g}' for name in FIGURES) for one in found)} |"

    def _figures(self, write: Writer, every: int) -> dict[str, float]:
        files = [self.place / f"{recording.folder.name}.tracks.jsonl" for recording in self.recordings]
        scores = []
        for phase in (phase for phase in self.phases if phase < every):
            for recording, file in zip(self.recordings, files, strict=True):
                write(recording, file, every, phase)
            scores.append(self.scorer.score(files, [recording.folder for recording in self.recordings]))
        return {name: statistics.mean(one[name] or 0.0 for one in scores) for name in FIGURES}


def write_ours(recording: Recording, file: Path, every: int, phase: int) -> None:
    """Run our tracker on the clip itself."""
    write_tracks(clip_in(recording.folder), file, tracker="flow", detect_every=str(every), phase=phase)


def writer_of(process: Worker, setting: Setting) -> Writer:
    """Return what runs a tracker on a recording's boxes alone."""
    return lambda recording, file, every, phase: write_rows(
        recording, rows_of(process, setting, recording.clip, every, phase), file, every=every, phase=phase
    )


def main(arguments: Sequence[str] | None = None) -> None:
    summary = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers.hands", description=summary)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--scorer-python", required=True, metavar="PYTHON", help="an interpreter with trackeval")
    parser.add_argument("--scorer", type=Path, default=SCORER, metavar="SCRIPT")
    parser.add_argument("--detect-every", type=numbers, default=[1, 3, 5, 10], metavar="N,...")
    parser.add_argument("--phases", type=numbers, default=[0, 1, 2], metavar="P,...")
    parser.add_argument("--only", type=names, default=[""], metavar="WORD,...", help="settings with one in their name")
    options = parser.parse_args(arguments)
    settings = [one for one in ACCURACY if any(word in str(one) for word in options.only)]
    folders = options.folders or CLIPS
    with ExitStack() as stack:
        place = Path(stack.enter_context(TemporaryDirectory()))
        recordings = [record(folder, place / f"{folder.name}.raw.jsonl") for folder in folders]
        scorer = Scorer(options.scorer_python, options.scorer)
        comparison = Comparison(recordings, scorer, options.detect_every, options.phases, place)
        workers = start_workers(stack, settings)
        print(f"{', '.join(folder.name for folder in folders)} combined; {', '.join(FIGURES)}")
        print(f"\n| tracker | {' | '.join(f'N = {n}' for n in options.detect_every)} |")
        print(f"|{'---|' * (len(options.detect_every) + 1)}")
        if any(word in WITH_PICTURES for word in options.only):
            print(comparison.row(WITH_PICTURES, write_ours), flush=True)
        for setting in settings:
            print(comparison.row(str(setting), writer_of(workers[setting.peer], setting)), flush=True)


if __name__ == "__main__":
    main()
