"""Cut the frames that annotations mean out of their video.

    python -m data_tools.frames tracks.jsonl table.mp4 --out out/table --every 0.5

Takes a track file, or what CVAT exports as "CVAT for video 1.1". Writes ``images/VIDEO/frame_000123.jpg`` and
``annotations.json``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
import cv2

from data_tools import command
from data_tools.annotation import DataSet, Picture, Problem
from data_tools.coco import write_coco
from data_tools.cvat import read_cvat
from data_tools.errors import DataError
from data_tools.tracks import read_track_file
from hybridtrack.sinks.output import ReplacedFile
from hybridtrack.sources import open_source
from hybridtrack.types import Frame

JPEG_QUALITY: Final = 95
ROUNDING_S: Final = 1e-6


def read_video_annotations(path: Path, folder: Path) -> DataSet:
    """Return the annotations of a track file or of CVAT's XML, of pictures that are to lie in ``folder``."""
    return read_track_file(path, folder) if path.suffix.lower() == ".jsonl" else read_cvat(path, folder)


def cut(data: DataSet, video: str, every_s: float = 0.0) -> DataSet:
    """Write the pictures of a data set out of their video, and return those that were written.

    Only frames at least ``every_s`` after the last one are taken. Problems: frames that the video does not have.
    Raises DataError when the video is of another size, SourceError, SinkError.
    """
    wanted = {picture.frame_number: picture for picture in data.pictures if picture.frame_number is not None}
    if len(wanted) < len(data.pictures):
        raise DataError("annotations of a video are to have a number for each of its frames, each once")
    written = []
    with open_source(video) as source:
        size_px = source.info.width_px, source.info.height_px
        for frame, picture in _matching(source, wanted, every_s):
            if picture.size_px != size_px:
                raise DataError(
                    f"{video!r} is {'x'.join(map(str, size_px))}, its annotations are for "
                    f"{'x'.join(map(str, picture.size_px))}: give the video that they were made on"
                )
            picture.path.parent.mkdir(parents=True, exist_ok=True)
            encoded = cv2.imencode(".jpg", frame.bgr(), (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))[1]
            ReplacedFile(picture.path).write(encoded.tobytes(), video)
            written.append(picture)
    missing = tuple(
        Problem(kind="frame that the video does not have", where=picture.name) for picture in wanted.values()
    )
    return replace(data, pictures=tuple(written), problems=(*data.problems, *missing))


def _matching(source: Iterable[Frame], wanted: dict[int, Picture], every_s: float) -> Iterator[tuple[Frame, Picture]]:
    """Yield the frames that are wanted and due with their pictures; leaves in ``wanted`` what never came."""
    due_s = float("-inf")
    for frame in source:
        picture = wanted.pop(frame.index, None)
        if picture is not None and frame.time_s >= due_s - ROUNDING_S:
            due_s = frame.time_s + every_s
            yield frame, picture


@click.command(context_settings=command.CONTEXT)
@click.argument("annotations", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("video", type=click.Path(exists=True, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of what is made.")
@click.option("--every", default=0.0, type=click.FloatRange(0), help="Seconds from one frame to the next. [0: all]")
def main(annotations: Path, video: str, out: Path, every: float) -> None:
    """Cut the frames of ANNOTATIONS, a track file or CVAT's XML, out of VIDEO."""
    command.make_folder(out)
    data = cut(read_video_annotations(annotations, out / "images"), video, every)
    write_coco(data, out / "annotations.json")
    command.tell(data.problems)
    click.echo(f"wrote {len(data.pictures)} pictures, {sum(1 for _ in data.annotations())} boxes to {out}")


if __name__ == "__main__":
    command.run(main, "frames")
