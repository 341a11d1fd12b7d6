from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from hybridtrack.errors import SinkError
from hybridtrack.sinks.image import ImageSink, create_image
from hybridtrack.types import Frame, Tracks, TrackState
from tests.sinks.results import result_of, run_info, run_summary, tracks_at

HAND = (200.0, 200.0, 260.0, 260.0)
SHOWN = [
    tracks_at([HAND]),
    tracks_at([HAND, HAND]),
    tracks_at([HAND, HAND]),
    tracks_at([HAND] * 3, state=TrackState.TENTATIVE),
    Tracks.empty(),
]


def grey_of_written_frame(sink: ImageSink, path: Path) -> int:
    """Write five frames, grey 0, 20, …, with the tracks of ``SHOWN``; return the grey of the picture at ``path``."""
    sink.open(run_info())
    for index, tracks in enumerate(SHOWN):
        frame = Frame.from_array(np.full((300, 400, 3), 20 * index, np.uint8), index=index, time_s=index / 10)
        sink.write(frame, result_of(frame, tracks))
    sink.close(run_summary())
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (300, 400, 3)
    return int(picture[290, 390, 0])


def test_first_frame_with_the_most_confirmed_tracks_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "table.png"
    assert grey_of_written_frame(ImageSink(path), path) == 20


@pytest.mark.parametrize("frame_index", [0, 3, 4])
def test_frame_that_was_asked_for_is_drawn(frame_index: int, tmp_path: Path) -> None:
    path = tmp_path / "table.png"
    sink = create_image({"path": str(path), "frame": frame_index})
    assert grey_of_written_frame(sink, path) == 20 * frame_index


def test_frame_that_never_came_makes_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "table.png"
    with pytest.raises(FileNotFoundError):
        grey_of_written_frame(ImageSink(path, frame_index=99), path)
    assert list(tmp_path.iterdir()) == []


def test_file_name_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"a picture file ends in \.png, \.jpg, \.jpeg, \.webp; give such a name"):
        ImageSink(tmp_path / "table.txt")
